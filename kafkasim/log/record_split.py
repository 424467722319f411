"""Parting long batches at records that are recognised inside them.

A walk from record to record is fast when many walks go in step. Of few long batches
there are few walks, so others begin inside: in a window of bytes here and there a
record is looked for that looks as most do. It follows a record without headers, has no
attributes, and the record after it says an offset that is one higher. Its own offset
says how many records of the batch come before it.

That is a guess as good as those of `kafkasim.log.record_walk`, and it is checked as
they are: values can hold anything, and compaction takes records away.
"""

from typing import Final

import numpy as np

from kafkasim.log.columns import Bytes, Ints
from kafkasim.log.pieces import words
from kafkasim.log.varint_columns import MOST_INT_BYTES, MOST_LONG_BYTES, read_varints

_RECORDS: Final = 64
"""About so many records are walked from each place."""
_FEWEST: Final = 64
"""Windows below which they are not worth their calls."""
_MOST_MEAN_BYTES: Final = 1 << 12
"""Mean size of records from which a walk costs nothing beside their CRC."""
_HEAD_BYTES: Final = 4
"""The end of the record before, a length of one or two bytes, and the attributes."""

Regions = tuple[Ints, Ints, Ints]
"""Starts, ends and counts of records, int64 arrays of one shape."""


def split(data: Bytes, starts: Ints, ends: Ints, counts: Ints) -> Regions | None:
    """Return batches parted into shorter stretches of records.

    Parameters
    ----------
    data : uint8 array
        Where the records lie.
    starts, ends : int64 arrays of shape (batches,), bytes
        Where the records of each batch begin and end.
    counts : int64 array of shape (batches,)
        How many there are, at least 1.

    Returns
    -------
    starts, ends, counts : int64 arrays of shape (stretches,), or None
        The same of stretches, in the order of their records; None if there are too few
        windows, or no record is recognised in any.
    """
    windows = counts // _RECORDS
    mean_bytes = int((ends - starts).sum()) // int(counts.sum())
    width = 2 * mean_bytes + _HEAD_BYTES
    if int(windows.sum()) < _FEWEST or mean_bytes > _MOST_MEAN_BYTES:
        return None
    batch = np.repeat(np.arange(len(counts)), windows)
    nth = np.arange(len(batch)) - np.repeat(np.cumsum(windows) - windows, windows)
    at = starts[batch] + (ends - starts)[batch] * (nth + 1) // (windows[batch] + 1)
    at = np.minimum(at, len(data) - width)
    which, places = _candidates(data, at, width)
    batch = batch[which]
    sound, deltas = _recognised(data, places, ends[batch])
    sound &= (places > starts[batch]) & (deltas > 0) & (deltas < counts[batch])
    kept = np.flatnonzero(sound)
    kept = kept[np.unique(which[kept], return_index=True)[1]]
    return _parted((starts, ends, counts), batch[kept], places[kept], deltas[kept])


def _candidates(data: Bytes, at: Ints, width: int) -> tuple[Ints, Ints]:
    """Return places in windows where a record may begin, and whose windows they are."""
    zero = words(data, width)[at].view(np.uint8) == 0
    found = zero[: 1 - _HEAD_BYTES] & (zero[2:-1] | zero[3:])
    which, place = np.divmod(np.flatnonzero(found), width)
    whole = place <= width - _HEAD_BYTES
    which, place = which[whole], place[whole]
    return which, at[which] + place + 1


def _recognised(data: Bytes, places: Ints, ends: Ints) -> tuple[np.ndarray, Ints]:
    """Return whether records lie at some places, and the offset's delta of each."""
    sizes, after, _ = read_varints(data, places, MOST_INT_BYTES)
    following = after + np.maximum(sizes, 0)
    sound = (sizes > 0) & (following < ends)
    following = np.where(sound, following, places)
    deltas = _offset_deltas(data, after)
    _, after, _ = read_varints(data, following, MOST_INT_BYTES)
    sound &= (data.take(following - 1) | data.take(after, mode="clip")) == 0
    sound &= _offset_deltas(data, after) == deltas + 1
    return sound, deltas


def _offset_deltas(data: Bytes, attributes: Ints) -> Ints:
    """Return the offsets' deltas of records whose attributes lie at some places."""
    _, at, _ = read_varints(data, attributes + 1, MOST_LONG_BYTES)
    return read_varints(data, at, MOST_INT_BYTES)[0]


def _parted(
    regions: Regions, batch: Ints, places: Ints, deltas: Ints
) -> Regions | None:
    """Return the stretches of batches that are parted at some places."""
    starts, ends, counts = regions
    whose = np.append(np.arange(len(starts)), batch)
    begins = np.append(starts, places)
    firsts = np.append(np.cumsum(counts) - counts, (np.cumsum(counts) - counts)[batch])
    firsts[len(starts) :] += deltas
    order = np.lexsort((begins, whose))
    whose, begins, firsts = whose[order], begins[order], firsts[order]
    stops = ends[whose]
    same = np.flatnonzero(whose[1:] == whose[:-1])
    stops[same] = begins[same + 1]
    many = np.diff(firsts, append=counts.sum())
    if not len(batch) or int(many.min()) < 1:
        return None
    return begins, stops, many

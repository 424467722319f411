"""Finding where every record of many batches begins.

A record says how long it is, so the next one is found only from the one before. Four
ways are faster than going one by one:

- by a guess: batches with as many records in as many bytes may all be laid out as the
  first of them is;
- in step: the first records of all batches at once, then all second ones, and so on;
- in step from places inside the batches, if they are few
  (`kafkasim.log.record_split`);
- by runs: where records are of one length, it stands again and again at one distance,
  and one comparison finds how often.

None of the places is believed: the caller reads the length at each, and the record must
end where the next one begins, or the batch. As the first one's place is known, all of
them are right then. Where a fast way fails, a slower one is taken; where the last one
fails, the bytes are no records.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Final

import numpy as np

from kafkasim.log.columns import Bytes, Ints
from kafkasim.log.record_split import split
from kafkasim.log.varint import read_varint
from kafkasim.log.varint_columns import MOST_INT_BYTES, read_varints

_FEWEST_LANES: Final = 32
"""Batches below which going in step costs more than one by one."""
_STEPS_OF_A_LANE: Final = 4
"""Steps that cost less than to walk one batch on its own."""
_LONG: Final = 1 << 12
"""Records of a batch from which runs are looked for before places inside."""
_SHORT_RUN: Final = 16
"""Records below which looking for a run was not worth its calls."""


def record_places(
    data: Bytes, starts: Ints, ends: Ints, counts: Ints
) -> Iterator[Ints]:
    """Yield guesses where each record begins, the fastest first, the surest last.

    Parameters
    ----------
    data : uint8 array, not empty
        Where the records lie.
    starts, ends : int64 arrays of shape (batches,), bytes
        Where the records of each batch begin and end.
    counts : int64 array of shape (batches,)
        How many there are, at least 1; none more than there are bytes.

    Yields
    ------
    int64 array of shape (records,), bytes
        In the order of the batches. To be checked: see the module. If the last is
        wrong, the bytes are no records; it is right up to the first that is none.
    """
    regions = data, starts, ends, counts
    alike = (counts == counts[0]) & (ends - starts == ends[0] - starts[0])
    if len(counts) > 1 and alike.all():
        yield _as_the_first(*regions)
    if len(counts) < int(counts.max()):
        if _begins_with_a_run(*regions) and counts.sum() >= _LONG * len(counts):
            yield _one_by_one(*regions)
        parted = split(*regions)
        if parted is not None:
            yield _walk_in_step(_by_table(data), data, *parted)
    yield _walk_in_step(_by_table(data), *regions)
    yield _walk_in_step(_by_reading(data), *regions)


def _as_the_first(data: Bytes, starts: Ints, ends: Ints, counts: Ints) -> Ints:
    """Return the places if all batches are laid out as the first is."""
    first = np.full(int(counts[0]), len(data), dtype=np.int64)
    _walk_one(data, int(starts[0]), int(ends[0]), first)
    places: Ints = np.add.outer(starts - starts[0], first).reshape(-1)
    return places


def _one_by_one(data: Bytes, starts: Ints, ends: Ints, counts: Ints) -> Ints:
    """Return the places of few long batches, one after the other."""
    places = np.full(int(counts.sum()), len(data), dtype=np.int64)
    _walk_each(
        data, (starts, ends, np.cumsum(counts) - counts, np.cumsum(counts)), places
    )
    return places


def _begins_with_a_run(data: Bytes, starts: Ints, ends: Ints, counts: Ints) -> bool:
    """Return whether the records of the longest batch begin with equal sizes."""
    longest = int(counts.argmax())
    most = min(int(counts[longest]), _SHORT_RUN)
    return _run(data, int(starts[longest]), int(ends[longest]), most)[0] == most


def _walk_each(data: Bytes, columns: tuple[Ints, ...], places: Ints) -> None:
    """Fill in the places of some batches: from, to, first record, one past the last."""
    lists = (column.tolist() for column in columns)
    for start, end, first, last in zip(*lists, strict=True):
        _walk_one(data, start, end, places[first:last])


@cache
def _record_sizes() -> Ints:
    """Return a record's whole size by its first two bytes; 0 if a third is needed."""
    pairs = np.arange(1 << 16)
    low, high = pairs & 0xFF, pairs >> 8
    one, two = 1 + (low >> 1), 2 + ((low & 0x7F | high << 7) >> 1)
    return np.where(low < 0x80, one, np.where(high < 0x80, two, 0))


def _by_table(data: Bytes) -> Callable[[Ints], Ints]:
    """Return the step to the next records, if none has 8,192 bytes or more."""
    sizes = _record_sizes()
    pairs = np.ndarray((len(data) - 1,), "<u2", data, 0, (1,))
    last = len(pairs) - 1

    def step(at: Ints) -> Ints:
        try:
            found = pairs[at]
        except IndexError:
            found = pairs[np.minimum(at, last)]
        return at + sizes.take(found)

    return step


def _by_reading(data: Bytes) -> Callable[[Ints], Ints]:
    """Return the step to the next records, of any size."""

    def step(at: Ints) -> Ints:
        sizes, after, _ = read_varints(data, at, MOST_INT_BYTES)
        return after + np.maximum(sizes, 0)

    return step


def _walk_in_step(
    step_of: Callable[[Ints], Ints], data: Bytes, starts: Ints, ends: Ints, counts: Ints
) -> Ints:
    """Walk all batches in step, the longest first, and one by one when few go on."""
    firsts = np.cumsum(counts) - counts
    places = np.full(int(counts.sum()), len(data), dtype=np.int64)
    order = np.argsort(-counts, kind="stable")
    at, ends, counts, firsts = (c[order] for c in (starts, ends, counts, firsts))
    # Batches with more than 0, 1, 2, … records.
    going = np.searchsorted(-counts, -np.arange(int(counts[0])))
    enough = int((going >= _FEWEST_LANES).sum())
    if len(going) - enough > _STEPS_OF_A_LANE * int((counts > enough).sum()):
        going = going[:enough]
    to = firsts.copy()
    for lanes in going.tolist():
        at, to = at[:lanes], to[:lanes]
        places[to] = at
        at = step_of(at)
        to += 1
    left = int((counts > len(going)).sum())
    rest = (at, ends, firsts + len(going), firsts + counts)
    _walk_each(data, tuple(column[:left] for column in rest), places)
    return places


def _walk_one(data: Bytes, at: int, end: int, places: Ints) -> None:
    """Fill in the places of one batch's records, as far as the bytes go."""
    done, count = 0, len(places)
    while done < count:
        run, size = _run(data, at, end, count - done)
        places[done : done + run] = at + size * np.arange(run)
        done += run
        at += run * size
        if run < _SHORT_RUN:
            break
    found: list[int] = []
    # What is missing in the places then says that the bytes are no records.
    with suppress(IndexError, ValueError):
        _walk_plainly(data[at:end].tobytes(), count - done, found)
    places[done : done + len(found)] = found
    places[done : done + len(found)] += at


def _walk_plainly(data: bytes, count: int, found: list[int]) -> None:
    """Append the places of so many records, from the beginning of some bytes on.

    Raises
    ------
    IndexError or ValueError
        The bytes end before, or a length is none.
    """
    append = found.append
    at = 0
    for _ in range(count):
        append(at)
        byte = data[at]
        if byte < 0x80:
            at += 1 + (byte >> 1)
            continue
        second = data[at + 1]
        if second < 0x80:
            at += 2 + ((byte & 0x7F | second << 7) >> 1)
            continue
        size, at = read_varint(data, at)
        at += max(size, 0)


def _run(data: Bytes, at: int, end: int, most: int) -> tuple[int, int]:
    """Return how many records from a place on have the length of the first, and it.

    Returns
    -------
    records : int
        0 if there is no length.
    size : int
        Bytes from each to the next.
    """
    try:
        size, after = read_varint(data[at : at + MOST_INT_BYTES].data, 0)
    except (IndexError, ValueError):
        return 0, 0
    size = after + max(size, 0)
    most = min(most, (end - at) // size)
    if most < 1:
        return 0, 0
    same = np.ones(most, dtype=np.bool_)
    for place in range(after):
        plane = np.ndarray((most,), np.uint8, data, at + place, (size,))
        same &= plane == plane[0]
    return (most if same.all() else int(same.argmin())), size

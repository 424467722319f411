"""Split a segment whose offsets reach too far for its indexes.

Kafka before 1.1 could write such a segment (KAFKA-6264); a flipped high bit of a
batch's offset makes one today. An index keeps an offset as a distance of 31 bits from
the segment's base.

Source: `LocalLog.splitOverflowedSegment`, `LogSegment.appendFromFile` (4.3).
"""

from itertools import pairwise

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import CLEANED, DELETED, SWAP
from kafkasim.log.contents import ByteBatch
from kafkasim.log.header import BatchHeader
from kafkasim.log.index import LARGEST_RELATIVE_OFFSET
from kafkasim.log.segment import Segment
from kafkasim.log.store import Store

ByteSegment = Segment[ByteBatch]


def split(
    segment: ByteSegment, store: Store[ByteBatch], config: TopicConfig, now_ms: int
) -> list[ByteSegment]:
    """Write a segment's batches into several, and mark it as deleted.

    Parameters
    ----------
    segment : Segment
        One whose last offset does not fit it.
    store : Store
        The partition's folder.
    config : TopicConfig
        Resolved settings.
    now_ms : int
        The time.

    Returns
    -------
    list of Segment
        In order; the first has the base offset of the old one.

    Raises
    ------
    LogError
        Its last offset fits: what does not lies before, and Kafka gives up. Or two
        parts would have the same name.
    """
    end = segment.next_offset
    if end <= segment.base_offset or _fits(segment.base_offset, end - 1):
        raise LogError(
            "UNKNOWN_SERVER_ERROR",
            f"{segment.contents.name} has an offset that does not fit it, and its last "
            f"one does: it cannot be split",
        )
    groups: list[list[tuple[int, BatchHeader]]] = []
    base_offset = segment.base_offset
    for position, header in segment.contents.headers():
        if not groups:
            groups.append([])
        elif not _fits(base_offset, header.last_offset):
            base_offset = header.base_offset
            groups.append([])
        groups[-1].append((position, header))
    bases = [segment.base_offset, *(group[0][1].base_offset for group in groups[1:])]
    if any(later <= earlier for earlier, later in pairwise(bases)):
        text = f"the parts of {segment.contents.name} would begin at {bases}"
        raise LogError("UNKNOWN_SERVER_ERROR", text)
    data = segment.contents.read(0, segment.size_bytes)
    parts = []
    for base, group in zip(bases, groups, strict=True):
        part: ByteSegment = Segment(store, base, config, now_ms, suffix=CLEANED)
        for position, header in group:
            part.append(header, data[position : position + header.size_bytes])
        part.seal()
        part.flush()
        parts.append(part)
    # From here on a stop loses nothing: see `kafkasim.log.leftovers`.
    for part in reversed(parts):
        part.change_suffix(SWAP)
    segment.contents.close()
    segment.change_suffix(DELETED)
    for part in parts:
        part.change_suffix("")
    return parts


def _fits(base_offset: int, offset: int) -> bool:
    return 0 <= offset - base_offset <= LARGEST_RELATIVE_OFFSET

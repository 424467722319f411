"""What a stop left behind: files to be deleted, and compactions half done.

A cleaner writes new segments under `.cleaned`, renames them to `.swap` when all are
whole, then takes the old ones away and gives the new ones their names. So a `.cleaned`
file is of no use after a stop, and a `.swap` file is as good as done.

Source: `LogLoader.load` and `removeTempFilesAndCollectSwapFiles` (4.3).
"""

from collections.abc import Iterable
from contextlib import suppress

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    CLEANED,
    DELETED,
    LOG,
    SWAP,
    TIME_INDEX,
    file_name,
    offset_of,
)
from kafkasim.log.contents import ByteBatch
from kafkasim.log.segment import Segment
from kafkasim.log.store import Store


def finish_swaps(store: Store[ByteBatch], config: TopicConfig, now_ms: int) -> None:
    """Delete what is of no use, and finish swaps that are whole.

    Parameters
    ----------
    store : Store
        The partition's folder.
    config : TopicConfig
        Resolved settings.
    now_ms : int
        The time.

    Raises
    ------
    CorruptBatchError
        A `.swap` log has no batch where its end is looked for.
    LogError
        The name of a `.cleaned` or `.swap` file does not begin with an offset.
    """
    names = store.names()
    for name in names:
        if name.endswith(DELETED):
            store.delete(name)
    cleaned = [name for name in names if name.endswith(CLEANED)]
    lowest = min(map(offset_of, cleaned), default=None)
    swaps = []
    for name in names:
        if name.endswith(SWAP):
            # A swap above a cleaned segment is part of a split that was not finished.
            if lowest is not None and offset_of(name) >= lowest:
                store.delete(name)
            else:
                swaps.append(name)
    for name in cleaned:
        store.delete(name)
    covered = _covered(store, config, now_ms, swaps)
    if covered is not None:
        _delete_within(store, *covered)
    for name in store.names():
        if name.endswith(SWAP):
            store.rename(name, name.removesuffix(SWAP))


def _covered(
    store: Store[ByteBatch], config: TopicConfig, now_ms: int, swaps: Iterable[str]
) -> tuple[int, int] | None:
    """Return the range of offsets that the `.swap` logs take the place of."""
    ranges = []
    for name in swaps:
        if name.endswith(LOG + SWAP):
            base_offset = offset_of(name)
            time_index = file_name(base_offset, TIME_INDEX) + SWAP
            had_times = time_index in store.names()
            segment: Segment[ByteBatch] = Segment(
                store, base_offset, config, now_ms, suffix=SWAP
            )
            ranges.append((base_offset, segment.next_offset))
            segment.contents.close()
            if not had_times:
                store.delete(time_index)  # as Kafka, which opens it only when needed
    if not ranges:
        return None
    return min(first for first, _ in ranges), max(end for _, end in ranges)


def _delete_within(store: Store[ByteBatch], start: int, end: int) -> None:
    """Delete files of offsets in a range, snapshots too, but for `.swap` files."""
    for name in store.names():
        with suppress(LogError):  # a name without an offset
            if not name.endswith(SWAP) and start <= offset_of(name) < end:
                store.delete(name)

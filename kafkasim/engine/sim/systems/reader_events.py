"""Events that the application of a subscriber asks of its consumer."""

from collections.abc import Sequence

from kafkasim.config.offset_reset import reset_duration_ns
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.seeking import SeekingFetcher, Wish
from kafkasim.log.reading import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from kafkasim.scenario.events import Event
from kafkasim.scenario.reader_events import PausePartitions, ReaderEvent, Seek
from kafkasim.units import NS_PER_MS


def ask_readers(
    event: Event,
    members: Sequence[Member],
    topics: Sequence[str],
    *,
    over: bool = False,
) -> str:
    """Let members do what an event asks of them; return what that is.

    Parameters
    ----------
    event : Event
        What; nothing is said of one that asks them for nothing.
    members : sequence of Member
        Of its subscriber; those that are down do nothing.
    topics : sequence of str
        Names by code.
    over : bool
        It is over: undo it.
    """
    if not isinstance(event, ReaderEvent):
        return ""
    count = 0
    for member in members:
        mine = [p for p in member.owned if member.up and _is_meant(event, p, topics)]
        count += len(mine)
        for partition in mine:
            member.ask(_wish(event, partition, over=over))
    what = "sought in" if isinstance(event, Seek) else "paused"
    return f"{what} {count} partition{'s' * (count != 1)}" if count else "nobody there"


def _is_meant(event: ReaderEvent, partition: Partition, topics: Sequence[str]) -> bool:
    return (
        event.stream is None or topics[partition.topic] == event.stream
    ) and event.partition in {None, partition.number}


def _wish(event: ReaderEvent, partition: Partition, *, over: bool) -> Wish:
    """Return what a member does with one partition."""
    if isinstance(event, PausePartitions):
        if over:
            return lambda fetcher, _: fetcher.resume(partition)
        return lambda fetcher, _: fetcher.pause(partition)
    to = event.to

    def seek(fetcher: SeekingFetcher, now_ns: int) -> None:
        if isinstance(to, int):
            fetcher.seek(partition, to)
        else:
            fetcher.seek_time(partition, _timestamp_ms(to, now_ns))

    return seek


def _timestamp_ms(to: str, now_ns: int) -> int:
    """Return what to ask a leader for (`AutoOffsetResetStrategy.timestamp`)."""
    ago_ns = reset_duration_ns(to)
    if ago_ns is not None:
        return max(0, (now_ns - ago_ns) // NS_PER_MS)
    return LATEST_TIMESTAMP if to == "latest" else EARLIEST_TIMESTAMP

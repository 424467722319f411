"""Little's law, stage by stage: what the engine counts against what its tables say.

However a stage works, the integral over time of the number in it equals the sum of the
times spent in it (Little 1961; exact for every run, when those still in it count to the
end). The left side comes from the engine's own state, looked at after every entry of
the calendar: between two entries it stands still, but for records that are created or
finished meanwhile at times the engine knows. The right side comes from the tables
alone. Both are whole nanoseconds, so they are equal or something is wrong: a row too
few, a time that is off by one.

Not compared, because no state of the engine or no column says it: transfers and commits
under way (a transfer is only a time); IO threads and purgatory apart (a fetch's row
does not say when its service ended); what a member holds between fetch and poll (what a
crash or the end drops there has no row). A fetch whose member crashed has a row that
ends with the crash, so a broker that went on serving one is left out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import ProducerClient
from kafkasim.engine.sim.request import FETCH, PRODUCE, Request
from kafkasim.engine.sim.tabled_waits import TabledWaits
from kafkasim.result.result import Result
from kafkasim.scenario.plan import Plan

# ruff: noqa: SLF001 - an inspection looks inside

RULE: Final = "Little's law"


class Parts(NamedTuple):
    """What a run is made of, as far as stages are concerned."""

    calendar: Calendar
    plan: Plan
    producers: Sequence[ProducerClient]
    """By source, in the plan's order."""
    handed: Sequence[SourceHandOver]
    """By source."""
    brokers: Sequence[Broker]
    io_threads: int
    """Of each broker."""
    partitions: Sequence[Partition]
    groups: Mapping[str, Group]
    """By subscriber."""
    members: Mapping[str, Sequence[Member]]
    """By subscriber."""
    member_names: Sequence[str]
    """By a member's code."""
    requests_sent: Callable[[], int]
    """Returns how many requests have been sent so far."""


class Area:
    """The integral over time of a number that changes in steps, in whole nanoseconds.

    Examples
    --------
    >>> area = Area()
    >>> area.change(2, 100)
    >>> area.change(-1, 130)
    >>> area.until(200)
    130
    """

    __slots__ = ("_sum", "count")

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0

    def change(self, by: int, at_ns: int) -> None:
        """Let the number rise by `by` at a time; changes may come in any order."""
        self.count += by
        self._sum -= by * at_ns

    def to(self, count: int, at_ns: int) -> None:
        """Let the number be `count` from a time on."""
        if count != self.count:
            self.change(count - self.count, at_ns)

    def rise_at(self, times_ns: NDArray[np.int64]) -> None:
        """Let the number rise by one at each of these times."""
        self.count += len(times_ns)
        self._sum -= int(times_ns.sum())

    def until(self, end_ns: int) -> int:
        """Return the integral up to a time that no change is later than."""
        return self._sum + self.count * end_ns


class _Lag:
    """Records in a partition's log that a group has not processed yet."""

    __slots__ = (
        "_ahead", "_done", "_group", "_log", "_log_end", "_partition", "area", "where",
    )  # fmt: skip

    def __init__(self, group: Group, partition: Partition) -> None:
        self.area = Area()
        self.where = group.index, partition.topic, partition.number
        self._partition = partition.index
        self._group = group
        self._log = partition.log
        self._log_end = 0
        self._done = 0
        self._ahead: set[int] = set()
        """Offsets that were finished before one below them, by another worker."""

    def work(self, member: Member, row: Returned, now_ns: int) -> None:
        """Take out, each at its own time, what was finished by now."""
        for offset in range(max(self._done, row.from_offset), row.to_offset):
            ended_ns = member.application.at_work.ends_ns(row, offset + 1)
            if ended_ns > now_ns:
                break
            if offset not in self._ahead:
                self.area.change(-1, ended_ns)
                self._ahead.add(offset)
            while self._done in self._ahead:
                self._ahead.remove(self._done)
                self._done += 1

    def look(self, now_ns: int) -> None:
        """Take in what was appended; take out what a reset skipped."""
        log_end = self._log.log_end_offset
        if log_end != self._log_end:
            self.area.change(log_end - self._log_end, now_ns)
            self._log_end = log_end
        processed = self._group.processed[self._partition]
        if processed > self._done:
            known = {offset for offset in self._ahead if offset < processed}
            self.area.change(self._done + len(known) - processed, now_ns)
            self._ahead -= known
            self._done = processed


class Stage(NamedTuple):
    """Both sides of the law for one stage."""

    name: str
    area: Area
    """Integral of the number in it."""
    waits: Callable[[TabledWaits], int | None]
    """Returns the sum of the waits, None where the tables do not say it."""


class LittlesLaw:
    """Integrates the number in every stage of a run.

    Parameters
    ----------
    parts : Parts
        Of the run, before it begins.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        counted = [*_client_stages(parts), *_broker_stages(parts)]
        self._counters = [(count, stage.area) for count, stage in counted]
        self._unsent = [
            _at_producer(code, parts) for code in range(len(parts.plan.sources))
        ]
        self._sent = [
            _to_the_log(code, parts) for code in range(len(parts.plan.sources))
        ]
        self._lags = {
            (group.index, partition.index): _Lag(group, partition)
            for group in parts.groups.values()
            for partition in group.partitions
        }
        lags = [_lag_stage(lag) for lag in self._lags.values()]
        self._stages = [stage for _, stage in counted]
        self._stages += [*self._unsent, *self._sent, *lags]
        self._is_over = False
        self._requests_seen = 0
        self._batches_seen = [0] * len(parts.partitions)
        self._working: list[tuple[Member, list[Returned]]] = [
            (member, []) for members in parts.members.values() for member in members
        ]

    def look(self, now_ns: int) -> None:
        """Account for all that changed since the last look; now is the last entry."""
        for count, area in self._counters:
            area.to(count(), now_ns)
        if self._parts.requests_sent() > self._requests_seen:
            self._look_at_new_requests(now_ns)
        self._look_at_logs(now_ns)
        for number, (member, rows) in enumerate(self._working):
            for row in rows:
                self._lags[row.group, row.partition].work(member, row, now_ns)
            self._working[number] = member, list(member.application.rows)
        for lag in self._lags.values():
            lag.look(now_ns)

    def _look_at_new_requests(self, now_ns: int) -> None:
        """Count the records in the Produce requests that have just been sent."""
        for argument in self._parts.calendar.pending():
            if (
                isinstance(argument, Request)
                and argument.request_id >= self._requests_seen
                and argument.api == PRODUCE
            ):
                for batch in argument.payload:
                    count = batch.hi - batch.lo
                    self._unsent[batch.source_index].area.change(-count, now_ns)
                    self._sent[batch.source_index].area.change(count, now_ns)
        self._requests_seen = self._parts.requests_sent()

    def _look_at_logs(self, now_ns: int) -> None:
        for partition in self._parts.partitions:
            batches = partition.batches
            for number in range(self._batches_seen[partition.index], len(batches)):
                batch = batches[number]
                area = self._sent[batch.source_index].area
                area.change(batch.lo - batch.hi, now_ns)
            self._batches_seen[partition.index] = len(batches)

    def disagreements(self, result: Result) -> Iterator[tuple[str, str]]:
        """Yield each stage whose two sides differ, and what they are.

        Parameters
        ----------
        result : Result
            Of the run, which is over, with all its tables.
        """
        end_ns = self._parts.calendar.now_ns
        if not self._is_over:
            self._is_over = True
            self._look_at_creations(end_ns)
            self.look(end_ns)
        tables = TabledWaits(result, end_ns)
        for stage in self._stages:
            counted_ns, waited_ns = stage.area.until(end_ns), stage.waits(tables)
            if waited_ns is not None and counted_ns != waited_ns:
                text = f"{counted_ns} ns counted, {waited_ns} ns in the tables"
                yield stage.name, text

    def _look_at_creations(self, end_ns: int) -> None:
        """Let records into the producers' stages, each at its own time."""
        parts = self._parts
        for stage, handed, producer in zip(
            self._unsent, parts.handed, parts.producers, strict=True
        ):
            assert handed.created_ns is not None
            created = handed.created_ns <= end_ns
            created[producer.refused] = False
            created[handed.failed] = False
            stage.area.rise_at(handed.created_ns[created])


def _at_producer(code: int, parts: Parts) -> Stage:
    name = f"records of {list(parts.plan.sources)[code]} waiting at their producer"
    return Stage(name, Area(), lambda tables: tables.at_producer(code))


def _to_the_log(code: int, parts: Parts) -> Stage:
    name = f"records of {list(parts.plan.sources)[code]} between producer and log"
    return Stage(name, Area(), lambda tables: tables.to_the_log(code))


def _lag_stage(lag: _Lag) -> Stage:
    group, topic, number = lag.where
    name = f"records of topic {topic} partition {number} before group {group}"
    return Stage(name, lag.area, lambda tables: tables.lag(group, topic, number))


Counted = tuple[Callable[[], int], Stage]
"""How many are in a stage now, and the stage."""


def _client_stages(parts: Parts) -> Iterator[Counted]:
    for name, producer in zip(parts.plan.sources, parts.producers, strict=True):
        if producer.awaits_answers:
            for broker in range(len(parts.brokers)):
                yield _produce_in_flight(f"source:{name}", producer, broker)
    for subscriber, members in parts.members.items():
        for member in members:
            name = parts.member_names[member.code]
            for session in member.sessions:
                yield _fetch_in_flight(f"member:{name}", session, subscriber)
            if member.application.workers == 1:
                yield _at_work(name, member, subscriber)


def _produce_in_flight(name: str, producer: ProducerClient, broker: int) -> Counted:
    stage = Stage(
        f"produce requests in flight from {name} to broker:{broker + 1}",
        Area(),
        lambda tables: tables.in_flight(PRODUCE, name, broker),
    )
    return lambda: producer._in_flight[broker], stage


def _fetch_in_flight(name: str, session: FetchSession, subscriber: str) -> Counted:
    broker = session.connection.broker
    stage = Stage(
        f"fetches in flight from {name} to broker:{broker + 1}",
        Area(),
        lambda tables: tables.in_flight(FETCH, name, broker, subscriber),
    )
    return lambda: int(session.request is not None), stage


def _at_work(name: str, member: Member, subscriber: str) -> Counted:
    stage = Stage(
        f"records that member:{name} works on",
        Area(),
        lambda tables: tables.at_work(member.code, subscriber),
    )
    return lambda: int(bool(member.application.rows)), stage


def _broker_stages(parts: Parts) -> Iterator[Counted]:
    for index, broker in enumerate(parts.brokers):
        yield _queued(index, broker)
        yield _handled(index, broker, parts.io_threads)


def _queued(index: int, broker: Broker) -> Counted:
    stage = Stage(
        f"requests waiting for an IO thread of broker:{index + 1}",
        Area(),
        lambda tables: tables.queued(index),
    )
    return lambda: sum(not request.written for request in broker.queued()), stage


def _handled(index: int, broker: Broker, io_threads: int) -> Counted:
    stage = Stage(
        f"requests at IO threads or in purgatory of broker:{index + 1}",
        Area(),
        lambda tables: tables.handled(index),
    )
    return lambda: io_threads - broker._free_threads + len(broker.parked()), stage

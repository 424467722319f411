"""A run of a system of one's own: what is the same in all of them.

Whoever adds a system says in SimPy what its sources and subscribers do; here stand the
traffic that is given to them, the books that are kept of it, and the tables that come
out. Times are whole nanoseconds.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

import numpy as np
import simpy

from kafkasim.config.paths import one_of
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.plan_columns import plan_columns, work_by_record
from kafkasim.engine.sim.systems.common import run_facts, write_events
from kafkasim.engine.sim.systems.stuck_records import beginning
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.errors import RunError, ValidationError
from kafkasim.ids import Target
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.result.schema import OUTCOMES
from kafkasim.result.wants import Want, wants_of
from kafkasim.scenario.applicability import NOT_APPLICABLE
from kafkasim.scenario.events import Event
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import MISSING_NS, NS_PER_MS


@dataclass(slots=True, eq=False)
class OwnRecord:
    """A record that the world wants sent."""

    row: int
    """Its row in the table `records`."""
    source: str
    stream: str
    intended_ns: int
    """When the world wants it sent."""
    value_bytes: int
    """Size of its value; −1: null."""
    created_ns: int = MISSING_NS
    acked_ns: int = MISSING_NS
    error: str = ""
    """What it failed with."""
    copies: int = 0
    """Copies that the system holds and gives to new readers; the system counts them."""
    sends: int = 0
    """How often it was sent; the system counts them."""


@dataclass(slots=True, eq=False)
class OwnSource:
    """Where records come from."""

    name: str
    stream: str
    records: list[OwnRecord]
    """In the order in which they are intended."""


@dataclass(slots=True, eq=False)
class OwnSubscriber:
    """Who wants records."""

    code: int
    want: Want
    """Its name, its streams, when it comes and whether it wants what was before."""
    work: Any
    """Work on each record, by row, nanoseconds."""
    open: set[int] = field(default_factory=set)
    """Rows that it wants and for which nothing is final yet."""
    counts: dict[int, int] = field(default_factory=dict)
    """Hand-outs by row."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.want.subscriber

    def work_ns(self, record: OwnRecord) -> int:
        """Return how long it works on a record."""
        return int(self.work[record.row])


@dataclass(slots=True, eq=False)
class HandOut:
    """A record in the hands of a subscriber."""

    record: OwnRecord
    subscriber: OwnSubscriber
    count: int
    """Which hand-out to this subscriber it is, from 1."""
    fetched_ns: int
    started_ns: int = MISSING_NS
    is_over: bool = False


class OwnRun:
    """Base of one run; subclasses say what happens.

    Parameters
    ----------
    scenario : Scenario
        What runs.
    plan : Plan
        Its traffic, drawn.
    check : bool
        Whether to hold the calendar to its order.
    resources : bool
        Whether to measure hardware, of which there is none here.

    Attributes
    ----------
    env : Calendar
        A SimPy environment; `env.now_ns` is the time, `env.ms(5)` five milliseconds.
    system : OwnSystem
        The description.
    sources, subscribers : list
        In the order of their names.

    Raises
    ------
    ValidationError
        A source is a closed loop, whose records this base does not make.
    """

    def __init__(
        self, scenario: Scenario, plan: Plan, *, check: bool, resources: bool = False
    ) -> None:
        del resources
        resolved = scenario.resolve()
        for name, planned in plan.sources.items():
            if planned.law:
                path = f"traffic.sources.{name}.arrivals"
                law = resolved.traffic.sources[name].arrivals
                raise ValidationError(path, law, "no closed loop in this system")
        self.scenario: Final = scenario
        self.plan: Final = plan
        self.system: Any = resolved.system
        self.env: Final = CheckedCalendar() if check else Calendar()
        self.timeline = Timeline(self.env, resolved)
        self.recorder: Final = Recorder()
        self._write_delivery = self.recorder.writer("deliveries")
        self._hand_outs: list[HandOut] = []
        self.sources: Final = _sources(plan)
        self.records: Final = [each for one in self.sources for each in one.records]
        wants = sorted(wants_of(resolved), key=lambda want: want.subscriber)
        self.subscribers: Final = [
            OwnSubscriber(code, want, work_by_record(plan, want.subscriber))
            for code, want in enumerate(wants)
        ]
        for each in self.subscribers:
            each.open.update(row.row for row in self.records if _wants(each.want, row))
        self.timeline.unsettled = len(self.records) + sum(
            len(each.open) for each in self.subscribers
        )

    @property
    def subscribers_by_name(self) -> dict[str, OwnSubscriber]:
        """The subscribers by name."""
        return {each.name: each for each in self.subscribers}

    # --- what a subclass says -----------------------------------------------------

    def start(self) -> None:
        """Begin: usually a process for each source and each subscriber."""
        raise NotImplementedError

    def begin(self, event: Event, target: Target, until_ns: int) -> str:  # noqa: ARG002 - subclasses ask
        """Do an event of the scenario and return in words what it does.

        Parameters
        ----------
        event : Event
            Such as a `Pause`.
        target : Target
            Its `kind` and `name`, such as `subscriber` and `billing`.
        until_ns : int
            When it will be undone; `FOREVER_NS`: never.
        """
        return NOT_APPLICABLE

    def end(self, event: Event, target: Target) -> None:
        """Undo an event of the scenario."""

    # --- what a subclass calls ----------------------------------------------------

    def process(self, steps: Generator[simpy.Event, Any, Any]) -> simpy.Process:
        """Let a generator run as a SimPy process."""
        return self.env.process(steps)

    def wait(self, delay_ns: int) -> simpy.Timeout:
        """Return what a process yields to wait so long."""
        return self.env.timeout(delay_ns)

    def wait_until(self, time_ns: int) -> simpy.Timeout:
        """Return what a process yields to wait until a time; at once if it is past."""
        return self.env.timeout(max(0, time_ns - self.env.now_ns))

    def create(self, record: OwnRecord) -> None:
        """Note that the source hands a record over now."""
        record.created_ns = self.env.now_ns

    def acknowledge(self, record: OwnRecord) -> None:
        """Note that the source learns now that the system has the record.

        Raises
        ------
        RunError
            It knew already, or has given the record up.
        """
        self._check_open(record)
        record.acked_ns = self.env.now_ns
        self.timeline.settle(1)

    def fail(self, record: OwnRecord, error: str) -> None:
        """Note that the source gives a record up; nobody will get it.

        Raises
        ------
        RunError
            It has the acknowledgement, or has given the record up before.
        ValidationError
            The error has no name.
        """
        if not error:
            raise ValidationError("error", error, "what it failed with, in words")
        self._check_open(record)
        record.error = error
        self.timeline.settle(1)
        for subscriber in self.subscribers:
            self.give_up(record, subscriber)

    def hand_out(self, record: OwnRecord, subscriber: OwnSubscriber) -> HandOut:
        """Note that a subscriber gets a record now."""
        count = subscriber.counts[record.row] = subscriber.counts.get(record.row, 0) + 1
        found = HandOut(record, subscriber, count, self.env.now_ns)
        self._hand_outs.append(found)
        return found

    def work_on(self, hand_out: HandOut) -> Generator[simpy.Event, Any, None]:
        """Work on a record as long as that takes; `yield from` it."""
        hand_out.started_ns = self.env.now_ns
        yield self.wait(hand_out.subscriber.work_ns(hand_out.record))
        self.close(hand_out, "processed")

    def close(self, hand_out: HandOut, outcome: str) -> None:
        """Note how a hand-out ended: `processed`, or `abandoned`.

        Raises
        ------
        RunError
            It has ended before.
        ValidationError
            A hand-out does not end so.
        """
        if outcome not in OUTCOMES["deliveries"]:
            raise ValidationError("outcome", outcome, one_of(OUTCOMES["deliveries"]))
        if hand_out.is_over:
            raise self._wrong(f"a hand-out of record {hand_out.record.row} is over")
        self._write(hand_out, outcome, self.env.now_ns)
        if outcome == "processed":
            self.give_up(hand_out.record, hand_out.subscriber)

    def give_up(self, record: OwnRecord, subscriber: OwnSubscriber) -> None:
        """Note that the run need not wait any more until a subscriber has a record."""
        if record.row in subscriber.open:
            subscriber.open.remove(record.row)
            self.timeline.settle(1)

    def _check_open(self, record: OwnRecord) -> None:
        """Refuse to end a record twice: the run would end too early."""
        if record.acked_ns != MISSING_NS or record.error:
            end = f"has failed ({record.error})" if record.error else "is acknowledged"
            raise self._wrong(f"record {record.row} of {record.source} {end} already")

    def _wrong(self, what: str) -> RunError:
        return RunError(f"at {self.env.now_ns / NS_PER_MS:g} ms: {what}")

    # --- from the beginning to the end --------------------------------------------

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for event in self.scenario.events:
            begin = beginning(event, self.plan, self.begin)
            self.timeline.schedule(event, begin, self.end)
        self.start()
        self.timeline.run()
        for each in self._hand_outs:
            if not each.is_over:
                self._write(each, "in_flight", MISSING_NS)
        self._write_records()
        names = [each.name for each in self.subscribers]
        for column in ("subscriber", "member"):
            self.recorder.labels("deliveries", column, names)
        write_events(self.recorder, self.timeline.done)
        facts = run_facts(self.env, self.timeline)
        return self.recorder.finish(self.scenario, self.plan, facts, {})

    def _write(self, each: HandOut, outcome: str, ended_ns: int) -> None:
        each.is_over = True
        code = each.subscriber.code
        times = (each.fetched_ns, each.started_ns, ended_ns)
        number = OUTCOMES["deliveries"].index(outcome)
        row = (each.record.row, code, code, -1, -1, -1, 0, each.count, *times, number)
        self._write_delivery(*row)

    def _write_records(self) -> None:
        columns, labels = plan_columns(self.plan)
        count = len(self.records)
        errors = sorted({each.error for each in self.records if each.error})
        codes = {name: code for code, name in enumerate(errors)}
        outcomes = [_outcome(each) for each in self.records]
        own: Mapping[str, tuple[list[int], str]] = {
            "created_ns": ([each.created_ns for each in self.records], "<i8"),
            "acked_ns": ([each.acked_ns for each in self.records], "<i8"),
            "outcome": ([OUTCOMES["records"].index(one) for one in outcomes], "<i1"),
            "error": ([codes.get(each.error, -1) for each in self.records], "<i1"),
            "send_count": ([each.sends for each in self.records], "<i2"),
            "log_copies": ([each.copies for each in self.records], "<i2"),
        }
        for name, (values, dtype) in own.items():
            columns[name] = np.array(values, dtype)
            self.recorder.hash_array(name, columns[name])
        none = {
            "batch_id": "<i8", "batch_index": "<i4", "resend_of": "<i8",
            "caused_by": "<i2", "topic": "<i2", "partition": "<i4", "offset": "<i8",
        }  # fmt: skip
        columns |= {name: np.full(count, -1, dtype) for name, dtype in none.items()}
        for name in ("appended_ns", "committed_ns"):
            columns[name] = np.full(count, MISSING_NS, np.int64)
        labels |= {"topic": (), "error": tuple(errors), "caused_by": ()}
        self.recorder.columns("records", columns, labels)


def _outcome(record: OwnRecord) -> str:
    if record.error:
        return "failed"
    return "in_flight" if record.acked_ns == MISSING_NS else "acked"


def _wants(want: Want, record: OwnRecord) -> bool:
    early = want.history == "new" and record.intended_ns < want.from_ns
    return record.stream in want.streams and not early


def _sources(plan: Plan) -> list[OwnSource]:
    planned = list(plan.sources.values())
    first = accumulate([0, *(len(each) for each in planned)])
    return [
        OwnSource(
            each.source,
            each.stream,
            [
                OwnRecord(base + place, each.source, each.stream, *values)
                for place, values in enumerate(
                    zip(
                        each.intended_ns.tolist(),
                        each.value_bytes.tolist(),
                        strict=True,
                    )
                )
            ],
        )
        for each, base in zip(planned, first, strict=False)
    ]

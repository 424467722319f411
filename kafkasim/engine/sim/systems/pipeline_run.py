"""What runs without a log have in common: sources with outlets, and subscribers."""

from abc import ABC, abstractmethod
from itertools import accumulate
from typing import Final

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.drawn import services
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.invariants import Inspection, Invariant
from kafkasim.engine.sim.links import Links, effect_of
from kafkasim.engine.sim.meter import Meter, QueueTrack
from kafkasim.engine.sim.systems.common import (
    run_facts,
    write_events,
    write_resources,
    write_violations,
)
from kafkasim.engine.sim.systems.emitting import BLOCKED_BY, Emitting
from kafkasim.engine.sim.systems.ends import SourceEvents, loop_of_events
from kafkasim.engine.sim.systems.outlets import Limits, Outlet
from kafkasim.engine.sim.systems.pipeline_accounts import (
    Conserved,
    InOrder,
    PipelineAccounts,
    WithinBounds,
)
from kafkasim.engine.sim.systems.point_to_point_tables import (
    ROW_SHIFT,
    number_events,
    write_records,
)
from kafkasim.engine.sim.systems.sends import CAUSES, Owner, Receiver, Request
from kafkasim.engine.sim.systems.stuck_records import beginning, stuck_in_loop
from kafkasim.engine.sim.systems.synchronous import lose
from kafkasim.engine.sim.systems.working import IN_FLIGHT, PROCESSED, Working
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.ids import Target
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.scenario.events import Crash, Event, LinkEvent, Pause, Slow
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import FOREVER_NS, ns_from_ms, ns_from_s

NOT_RECORDED: Final = dict.fromkeys(
    ("batches", "appends", "commits", "assignments", "requests"),
    "a system without a log has no such thing",
)


class PipelineRun(ABC):
    """One run: sources that hand over to outlets, and subscribers that work."""

    def __init__(
        self, scenario: Scenario, plan: Plan, *, check: bool, resources: bool = False
    ) -> None:
        resolved = scenario.resolve()
        assert isinstance(resolved.system, PointToPoint | Relay)
        self.scenario = scenario
        self.system: PointToPoint | Relay = resolved.system
        self.traffic = resolved.traffic
        self.plan = plan
        self.calendar = CheckedCalendar() if check else Calendar()
        self.meter = Meter() if resources else None
        self.names = sorted(self.traffic.subscribers)
        self.source_names = list(plan.sources)
        count = len(self.names) + len(self.source_names)
        self.hub_actor = count + 1
        links = Links(
            self.calendar, count + 2, scenario.events, self.traffic, self.system
        )
        links.break_request = lose
        self._actors = iter(range(count + 3, 1 << 20))
        hardware: Hardware = self.system.hardware
        self.hosts = Hosts(hardware.link, scenario.seed, links, self.meter)
        self.recorder = Recorder()
        self._write_delivery = self.recorder.writer("deliveries")
        self.timeline = Timeline(self.calendar, resolved)
        self.from_ns = [
            ns_from_s(self.traffic.subscribers[name].from_s) for name in self.names
        ]
        self.accounts = PipelineAccounts(
            self.calendar, self.timeline, self.recorder.writer("drops"), self.from_ns
        )
        self.outlets: list[tuple[str, str, Outlet]] = []
        """Sender, receiver, and what is between them."""
        self._order = InOrder() if check and self.keeps_order else None
        self._sources_of_rows: list[int] = []
        self.subscribers = [
            Working(
                self.calendar,
                self.timeline,
                code,
                services(hardware.cpu.request_ms, scenario.seed, f"subscriber:{name}"),
                hardware.cpu.mb_ms,
                self.accounts,
                self._write,
            )
            for code, name in enumerate(self.names)
        ]
        self._make_sources()
        self.inspection = self._inspection() if check else None

    # --- what a system adds -------------------------------------------------------

    @property
    @abstractmethod
    def keeps_order(self) -> bool:
        """Whether each subscriber gets a source's records in order."""

    @abstractmethod
    def _lead(self, source: Emitting, readers: list[int]) -> None:
        """Give a source its ways to the subscribers of its stream."""

    @abstractmethod
    def _begin_at_hub(self, event: Event, until_ns: int) -> str:
        """Do what an event says to the hub."""

    @abstractmethod
    def _end_at_hub(self, event: Event) -> None:
        """Undo it."""

    # --- making -------------------------------------------------------------------

    def _make_sources(self) -> None:
        plans = list(self.plan.sources.values())
        seed, events = self.scenario.seed, self.scenario.events
        loops = [
            loop_of_events(name, self.traffic, seed, stuck_in_loop(events, name))
            for name in self.plan.sources
        ]
        sizes = [len(plan.intended_ns) for plan in plans]
        bases = [0, *accumulate(sizes)]
        self._has_loops = any(loops)
        if self._has_loops:  # how many records they send shows when it is over
            bases = [code << ROW_SHIFT for code in range(len(sizes))]
        self._bases = bases
        drops = isinstance(self.system, PointToPoint) and self.system.on_full == "drop"
        write_blocked = self.recorder.writer("blocked")
        self.sources: list[Emitting] = []
        for code, (plan, loop) in enumerate(zip(plans, loops, strict=True)):
            sending = SourceEvents(code, plan, loop)
            source = Emitting(
                calendar=self.calendar,
                timeline=self.timeline,
                sending=sending,
                actor=len(self.names) + code + 1,
                base=bases[code],
                drops=drops,
                accounts=self.accounts,
                write_blocked=write_blocked,
            )
            readers = [
                number
                for number, name in enumerate(self.names)
                if plan.stream in self.traffic.subscribers[name].streams
            ]
            for number in readers:
                sending.works.append(
                    self.plan.work_ns[self.names[number], plan.source].data
                )
                if loop is not None:
                    loop.readers.append(self.names[number])
            self._lead(source, readers)
            self.sources.append(source)
        self.timeline.unsettled += sum(sizes) + sum(loop is not None for loop in loops)

    def make_outlet(  # noqa: PLR0917
        self,
        sender: str,
        receiver: str,
        owner: Owner,
        other: Receiver,
        limits: Limits,
        counts: list[int] | None = None,
        lanes: int = 1,
    ) -> Outlet:
        """Return a new outlet between two hosts, with so many connections."""
        outlet = Outlet(
            calendar=self.calendar,
            actor=next(self._actors),
            limits=limits,
            owner=owner,
            receiver=other,
            accounts=self.accounts,
            counts=counts,
        )
        for number in range(lanes):
            purpose = f"/{number + 1}" if number else ""
            outlet.connect(
                self.hosts.pipe(sender, receiver, purpose),
                self.hosts.pipe(receiver, sender, purpose, messages="responses"),
            )
        self.outlets.append((sender, receiver, outlet))
        if self.meter is not None:
            track = QueueTrack(f"{sender}->{receiver}", limits.events)
            self.meter.tracks.append(track)
            outlet.on_level = track.holds
        return outlet

    def limits(
        self, events: int, size_mb: float | None, window: int, give_up_s: float | None
    ) -> Limits:
        """Return limits with the system's own times between two tries."""
        return Limits(
            events=events,
            size_bytes=float("inf") if size_mb is None else size_mb * 1e6,
            window=window,
            timeout_ns=ns_from_ms(self.system.timeout_ms),
            backoff_ns=ns_from_ms(self.system.retry_backoff_ms),
            backoff_max_ns=ns_from_ms(self.system.retry_backoff_max_ms),
            give_up_ns=FOREVER_NS if give_up_s is None else ns_from_s(give_up_s),
        )

    def _inspection(self) -> Inspection:
        outlets = [outlet for _, _, outlet in self.outlets]
        found: list[Invariant] = [Conserved(self.accounts, outlets)]
        found.append(WithinBounds(outlets))
        if self._order is not None:
            found.append(self._order)
        return Inspection(found, None)

    # --- running ------------------------------------------------------------------

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for event in self.scenario.events:
            begin = beginning(event, self.plan, self._begin)
            self.timeline.schedule(event, begin, self._end)
        for source in self.sources:
            source.go_on()
        self.timeline.run(self.inspection)
        return self._finish()

    def _write(
        self,
        request: Request,
        code: int,
        started_ns: int,
        ended_ns: int,
        outcome: int,
    ) -> None:
        send = request.send
        root = send.first or send
        if self._order is not None and outcome == PROCESSED:
            if not root.is_processed:
                source = self._source_of(send.row)
                self._order.processed(source, code, send.ordinal)
            root.is_processed = True
        self._write_delivery(
            send.row,
            code,
            code,
            -1,
            -1,
            -1,
            0,
            root.hand_outs,
            request.arrived_ns,
            started_ns,
            ended_ns,
            outcome,
        )

    def _source_of(self, row: int) -> int:
        if self._has_loops:
            return row >> ROW_SHIFT
        return sum(base <= row for base in self._bases[1:-1])

    # --- events -------------------------------------------------------------------

    def _begin(self, event: Event, target: Target, until_ns: int) -> str:
        if isinstance(event, LinkEvent):
            return effect_of(event)  # its pipes know when it comes and ends
        if target.kind == "hub":
            return self._begin_at_hub(event, until_ns)
        if target.kind == "source":
            source = self.sources[self.source_names.index(target.name)]
            return source.crash() if isinstance(event, Crash) else source.stand_still()
        subscriber = self.subscribers[self.names.index(target.name)]
        if isinstance(event, Slow):
            subscriber.slow(event.factor)
            return f"its work takes {event.factor:g} times as long"
        if isinstance(event, Pause):
            return subscriber.pause(until_ns)
        return subscriber.crash()

    def _end(self, event: Event, target: Target) -> None:
        if isinstance(event, LinkEvent):
            return
        if target.kind == "hub":
            self._end_at_hub(event)
        elif target.kind == "source":
            source = self.sources[self.source_names.index(target.name)]
            if isinstance(event, Crash):
                source.start()
            else:
                source.resume()
        else:
            subscriber = self.subscribers[self.names.index(target.name)]
            if isinstance(event, Slow):
                subscriber.slow(UNSLOWED)
            elif isinstance(event, Pause):
                subscriber.resume()
            else:
                subscriber.start()

    # --- the end ------------------------------------------------------------------

    def _finish(self) -> Result:
        for subscriber in self.subscribers:
            if subscriber.at_work is not None:
                subscriber.write_unfinished(subscriber.at_work, IN_FLIGHT)
        for source in self.sources:
            source.finish()
        recorder, names = self.recorder, tuple(self.names)
        events = [source.sending for source in self.sources]
        if self._has_loops:
            loops = [each for each in events if each.loop is not None]
            number_events(recorder, loops, events, ("deliveries", "drops"))
        write_records(recorder, self.plan, events)
        for column in ("subscriber", "member"):
            recorder.labels("deliveries", column, names)
        recorder.labels("deliveries", "topic", ())
        recorder.labels("drops", "subscriber", names)
        recorder.labels("drops", "cause", CAUSES)
        recorder.labels("blocked", "source", tuple(self.source_names))
        recorder.labels("blocked", "cause", BLOCKED_BY)
        self._write_links()
        write_events(recorder, self.timeline.done)
        missing = (
            NOT_RECORDED
            | write_resources(recorder, self.meter, self.calendar.now_ns)
            | write_violations(recorder, self.inspection)
        )
        facts = run_facts(self.calendar, self.timeline)
        return recorder.finish(self.scenario, self.plan, facts, missing)

    def _write_links(self) -> None:
        hosts = sorted({host for *ends, _ in self.outlets for host in ends})
        write = self.recorder.writer("links")
        for sender, receiver, outlet in self.outlets:
            write(
                hosts.index(sender),
                hosts.index(receiver),
                len(outlet.lanes),
                outlet.sends,
                outlet.sent_bytes,
            )
        self.recorder.labels("links", "sender", hosts)
        self.recorder.labels("links", "receiver", hosts)

"""A Kafka cluster carrying a scenario's traffic.

Everything has been joined when the run starts: producers know the leaders, groups own
their partitions and have committed offset 0. A subscriber that comes later joins at its
own time, at the log end (`wants="new"`, auto.offset.reset=latest) or at the log start
(`wants="all"`, earliest).
"""

from collections.abc import Collection, Sequence
from copy import copy
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.compaction_invariants import NewestOfEachKey
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.invariants import Inspection, Invariant, inspection_of
from kafkasim.engine.sim.little import LittlesLaw, Parts
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_columns import entity_codes
from kafkasim.engine.sim.replica_invariants import of_replicas
from kafkasim.engine.sim.request import Request
from kafkasim.engine.sim.systems.added_partitions import look_anew, watch
from kafkasim.engine.sim.systems.broker_events import begin_at, end_at
from kafkasim.engine.sim.systems.common import inspected, run_facts
from kafkasim.engine.sim.systems.kafka_clients import (
    check_producers,
    check_time_passes,
    counted,
    running,
)
from kafkasim.engine.sim.systems.kafka_end import KafkaEnd
from kafkasim.engine.sim.systems.kafka_stream import KafkaStream
from kafkasim.engine.sim.systems.kafka_traffic import arranged, deal_traffic, live_plan
from kafkasim.engine.sim.systems.reader_events import ask_readers
from kafkasim.engine.sim.systems.stream_events import stream_event
from kafkasim.ids import Target
from kafkasim.result.result import Result
from kafkasim.scenario.blocks import SourceBlocks, blocks_of
from kafkasim.scenario.drawn_blocks import DrawnBlocks, drawn_blocks, outline_of
from kafkasim.scenario.events import Event, Pause, Slow
from kafkasim.scenario.plan import Plan, PlanOutline
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.units import NS_PER_MS, ns_from_s


class KafkaRun(KafkaEnd):
    """One run of a cluster, and what it records.

    Parameters
    ----------
    scenario : Scenario
        What to run; its system is `Kafka`.
    plan : Plan or None
        Its traffic. Without it the traffic is drawn as the run goes on, and let go
        again; for a streamed run only.
    check : bool
        Check invariants after every entry of the calendar.
    streamed : bool
        Hand records over as they become final, and keep counts in place of their rows.
    logs : Path, optional
        Where to write the logs when the run is over.
    by_record : collection of int
        Sources whose records are to be looked at one by one, whatever they are.
    refuses : bool
        A broker will refuse a batch, whatever settings say.
    resources : bool
        Measure how busy each part of the hardware is.

    Raises
    ------
    ValidationError
        The group polls in a circle that takes no time, or a producer has no memory for
        a batch or names a partition that is not there.
    """

    def __init__(
        self,
        scenario: Scenario,
        plan: Plan | None,
        *,
        check: bool,
        streamed: bool = False,
        logs: Path | None = None,
        by_record: Collection[int] = (),
        refuses: bool = False,
        resources: bool = False,
    ) -> None:
        resolved = scenario.resolve()
        assert isinstance(resolved.system, Kafka)
        assert streamed or plan is not None
        check_time_passes(resolved.system)
        self._drawn: list[DrawnBlocks] = []
        sources: Sequence[SourceBlocks]
        if plan is None:
            sources = self._drawn = drawn_blocks(scenario.traffic, scenario.seed)
        else:
            sources = blocks_of(plan)
        check_producers(resolved.system, sources)
        self.world = plan
        traffic = deal_traffic(resolved, plan, self._drawn)
        sources = traffic.sources
        super().__init__(
            resolved, traffic, keep=logs is not None, check=check, by_record=by_record,
            refuses=refuses, meter=Meter() if resources else None,
        )  # fmt: skip
        self._logs = logs
        self.scenario = scenario
        if streamed:
            self.stream = KafkaStream(self, resolved)
            self._entity_codes = entity_codes([s.entity_labels for s in sources])
        self._connect_clients()
        self.inspection = self._inspection() if check else None

    def _inspection(self) -> Inspection:
        little = None
        knows_all = self.plan is not None and self.stream is None
        is_dealt = len(self.traffic.lanes) > len(self.scenario.traffic.sources)
        if knows_all and not (self.is_replicated or is_dealt or self.traffic.live):
            assert self.plan is not None
            little = LittlesLaw(
                Parts(
                    calendar=self.calendar,
                    plan=self.plan,
                    producers=self.producers,
                    handed=self.handed,
                    brokers=self.brokers,
                    io_threads=self.system.broker_config.num_io_threads,
                    partitions=self.partitions,
                    groups=self.groups,
                    members=self.members,
                    member_names=self.member_names,
                    requests_sent=lambda: next(copy(self._request_ids)),
                )
            )
        groups, members = list(self.groups.values()), list(self.members.values())
        of_copies: list[Invariant] = []
        if self.replication is not None:
            of_copies = of_replicas(
                self.replication.brokers, self.partitions, self.unused
            )
        of_logs: list[Invariant] = []
        if self.plan is not None and any(p.config.compacts for p in self.partitions):
            of_logs = [NewestOfEachKey(self.partitions, self._facts, self.calendar)]
        return inspection_of(
            self.partitions,
            groups,
            members,
            little,
            of_copies=of_copies,
            of_logs=of_logs,
            of_members=self._of_members(members),
        )

    def _of_members(self, members: Sequence[Sequence[Member]]) -> list[Invariant]:  # noqa: ARG002
        """Return what must hold of members, if that is not the usual."""
        return []

    # --- running ------------------------------------------------------------------

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for name in self.subscribers:
            self._schedule_join(name)
            if self.grown_topics:
                watch(self, name)
        for event in self.events:
            if event.target.startswith("source:"):
                self.timeline.schedule(event, self._befall_source, self._source_is_back)
            else:
                begin = stream_event(self, event) or self._begin
                self.timeline.schedule(event, begin, self._end)
        for producer in self.producers:
            producer.start()
        for application in self.applications:
            application.start()
        for manager in self.log_managers:
            manager.start()
        if self.replication is not None:
            self.replication.start()
        self.timeline.run(self.inspection)
        self._finish()
        return self._full_result() if self.stream is None else self._streamed_result()

    def _schedule_join(self, name: str) -> None:
        from_ns = ns_from_s(self.subscribers[name].from_s)
        if from_ns == 0:
            self._join(name)
        else:
            self.timeline.command(from_ns, self._join, name)

    def _join(self, name: str) -> None:
        group = self.groups[name]
        if group.joined:
            return  # back from a crash at the very time at which it was to come
        if not group.up:
            group.note_absence()
            return
        group.joined = True
        self._start(name)

    def _start(self, name: str) -> None:
        """Let all members of a group begin to read.

        If there is nowhere to begin, their first poll ends the application
        (NoOffsetForPartitionException).
        """
        group = self.groups[name]
        if not group.may_begin:
            return
        if self.stream is not None:
            self.stream.pass_over(group, group.beginnings(self.calendar.now_ns))
        group.began_ns = self.calendar.now_ns
        positions, skipped = group.reset(self.calendar.now_ns)
        if skipped:
            self.timeline.settle(skipped)
        for member in self.members[name]:
            member.start(positions)
        if self.grown_topics:
            look_anew(self, name)

    def _reset(self, member: Member, partition: Partition, offset: int) -> None:
        """Write down what a member passes whose position was out of range."""
        group = member.group
        self.tables.assignment(group, member, partition, self.calendar.now_ns)
        if self.stream is not None:
            self.stream.pass_over(group, {partition.index: offset})
        skipped = group.pass_over(partition, offset)
        if skipped:
            self.timeline.settle(skipped)

    def _stopped(self, member: Member) -> None:
        """Write what a member has read whose application has ended."""
        self.tables.assignments(member.group, [member], self.calendar.now_ns)

    def _begin(self, event: Event, target: Target, until_ns: int) -> str:
        """Do what an event says; return what it did."""
        if target.kind != "subscriber":
            times = self.calendar.now_ns, until_ns
            return begin_at(self.brokers, self.replication, event, target, times)
        subscriber = target.name
        group, members = self.groups[subscriber], self.members[subscriber]
        effect = ask_readers(event, members, self.topics)
        if isinstance(event, Slow):
            for member in members:
                member.slow(event.factor)
            factor = f"{event.factor:g}"
            effect = f"work of {counted(members)} takes {factor} times as long"
        if effect:
            return effect
        if isinstance(event, Pause):
            if not (group.joined and group.up):
                return "it was not there"
            for member in members:
                member.pause(until_ns)
            return f"{counted(members)} stopped for a while, partitions kept"
        group.up = False
        if not group.joined:
            return "it had not come yet"
        self.tables.assignments(group, running(members), self.calendar.now_ns)
        for member in members:
            member.crash()
        return f"{counted(members)} stopped, partitions kept for them"

    def _end(self, event: Event, target: Target) -> None:
        if target.kind != "subscriber":
            end_at(self.brokers, self.replication, event, target, self.calendar.now_ns)
            return
        subscriber = target.name
        group, members = self.groups[subscriber], self.members[subscriber]
        if ask_readers(event, members, self.topics, over=True):
            return
        if isinstance(event, Slow):
            for member in members:
                member.slow(UNSLOWED)
            return
        if isinstance(event, Pause):
            for member in members:
                member.resume()
            return
        group.up = True
        if group.joined:
            self._start(subscriber)
        elif self.calendar.now_ns >= ns_from_s(self.subscribers[subscriber].from_s):
            self._join(subscriber)

    def _commit(self, request: Request) -> None:
        """Store a commit, unless its member has begun anew since it was sent.

        A static member that comes back has a new member id, and what still comes under
        the old one is refused (GR-14, FENCED_INSTANCE_ID).
        """
        group, member, positions, kind = request.payload
        if request.sent_ns < group.began_ns:
            return
        group.committed.update(positions)
        self.tables.commits(
            group,
            member,
            [(self.partitions[index], offset) for index, offset in positions.items()],
            self.calendar.now_ns,
            kind,
        )

    def _full_result(self) -> Result:
        """Return the result of a run that kept its records."""
        assert self.plan is not None
        assert self.world is not None
        plan = live_plan(self.plan, self.traffic.live)
        arrangement = arranged(plan, self.traffic)
        if self._logs is not None:
            self._write_logs(self._logs, plan, arrangement.value_ids())
        self.tables.lay_out(
            plan,
            self.producers,
            self.handed,
            self.partitions,
            self.calendar.now_ns,
            live=self.traffic.live,
            arrangement=arrangement,
            again=any(group.may_crash for group in self.groups.values()),
        )
        return inspected(self._result(self.world), self.inspection)

    def _write_logs(
        self, folder: Path, plan: Plan, value_ids: Sequence[NDArray[np.int64]]
    ) -> None:
        """Write the logs as a broker leaves them."""
        from kafkasim.engine.sim.written_logs import run_logs, write_logs

        start = datetime.fromisoformat(self.scenario.resolve().traffic.start_time)
        start_ms = round(start.timestamp() * 1_000)
        end_ms = start_ms + self.calendar.now_ns // NS_PER_MS
        logs = run_logs(plan, self.partitions, self._facts, start_ms, value_ids)
        write_logs(folder, self.topics, logs, end_ms)

    def _streamed_result(self) -> Result:
        """Return the result of a run that handed its records over."""
        assert self.stream is not None
        self.tables.take_tables(self.stream.finish())
        if self.world is not None:
            return self._result(self.world)
        traffic, seed = self.scenario.traffic, self.scenario.seed
        return self._result(outline_of(self._drawn, traffic, seed))

    def _result(self, plan: Plan | PlanOutline) -> Result:
        return self.tables.finish(
            self.scenario, plan, done_events=self.timeline.done,
            inspection=self.inspection, facts=run_facts(self.calendar, self.timeline),
            meter=self.meter,
        )  # fmt: skip

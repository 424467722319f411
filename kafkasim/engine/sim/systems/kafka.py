"""A Kafka cluster carrying a scenario's traffic.

Sources are producers, streams are topics, subscribers are consumer groups. Everything
has been joined when the run starts: producers know the leaders, groups own their
partitions and have committed offset 0. A subscriber that comes later joins at its own
time, at the log end (`wants="new"`, auto.offset.reset=latest) or at the log start
(`wants="all"`, earliest).
"""

from functools import partial
from itertools import count

from kafkasim.engine.sim.append_lists import AppendLists
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.consumer import Member, MemberCalls
from kafkasim.engine.sim.drawn import service_ns
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.invariants import Inspection, inspection_of
from kafkasim.engine.sim.little import LittlesLaw, Parts
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.request import PRODUCE, Request
from kafkasim.engine.sim.systems.common import inspected, run_facts
from kafkasim.engine.sim.systems.kafka_clients import (
    ProduceRequests,
    check_time_passes,
    poll_settings,
    same_for_all,
    work_of_source,
)
from kafkasim.engine.sim.systems.kafka_tables import KafkaTables
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.ids import Target, member_name
from kafkasim.protocol.assignor import assign_range
from kafkasim.protocol.columns import RecordColumns
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.result.result import Result
from kafkasim.scenario.blocks import blocks_of
from kafkasim.scenario.events import Crash
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Kafka
from kafkasim.units import MISSING_NS, ns_from_s


def run_kafka(scenario: Scenario, plan: Plan, *, check: bool) -> Result:
    """Run a scenario whose system is `Kafka`.

    Raises
    ------
    ValidationError
        The group polls in a circle that takes no time.
    """
    return KafkaRun(scenario, plan, check=check).run()


class KafkaRun:
    """One run: the cluster, its clients, and what they record."""

    def __init__(self, scenario: Scenario, plan: Plan, *, check: bool) -> None:
        resolved = scenario.resolve()
        system = resolved.system
        assert isinstance(system, Kafka)
        check_time_passes(system)
        self.scenario = scenario
        self.plan = plan
        self.system = system
        self.calendar = Calendar(check=check)
        self.timeline = Timeline(self.calendar, resolved)
        self.timeline.unsettled = len(plan.sources)
        self.sources = [blocks_of(plan, name) for name in plan.sources]
        self.subscribers = dict(sorted(resolved.traffic.subscribers.items()))
        self.topics = sorted(system.topics)
        self.member_names = [
            member_name(name, number)
            for name in self.subscribers
            for number in range(1, self._member_count(name) + 1)
        ]
        self._batch_ids = count()
        self._request_count = 0
        self._seed = scenario.seed
        self._actors = self._number_actors()
        self.hosts = Hosts(system.hardware.link, scenario.seed)
        self.tables = KafkaTables(
            topics=self.topics,
            subscribers=list(self.subscribers),
            members=self.member_names,
            sources=self.sources,
            brokers=system.brokers,
        )
        self.partitions = self._make_partitions()
        self.by_topic = {
            topic: [p for p in self.partitions if p.topic == code]
            for code, topic in enumerate(self.topics)
        }
        self.brokers = [self._make_broker(index) for index in range(system.brokers)]
        self.groups: dict[str, Group] = {}
        self.members: dict[str, list[Member]] = {}
        self.lists = [self._make_lists(index) for index in range(len(self.sources))]
        self.producers = [
            self._make_producer(index) for index in range(len(self.sources))
        ]
        for name in self.subscribers:
            self._make_group(name)
        self.inspection = self._inspection() if check else None

    # --- building -----------------------------------------------------------------

    def _number_actors(self) -> dict[str, int]:
        """Return each actor's number, by kind and name; it breaks ties."""
        names = [f"broker:{i + 1}" for i in range(self.system.brokers)]
        names += [f"member:{name}" for name in self.member_names]
        names += [f"source:{source.source}" for source in self.sources]
        return {name: number for number, name in enumerate(names, start=1)}

    def _inspection(self) -> Inspection:
        parts = Parts(
            calendar=self.calendar,
            plan=self.plan,
            producers=self.producers,
            brokers=self.brokers,
            io_threads=self.system.broker_config.num_io_threads,
            partitions=self.partitions,
            groups=self.groups,
            members=self.members,
            requests_sent=lambda: self._request_count,
        )
        groups, members = list(self.groups.values()), list(self.members.values())
        return inspection_of(self.partitions, groups, members, LittlesLaw(parts))

    def _member_count(self, subscriber: str) -> int:
        return int(self.system.groups[subscriber].members)

    def _make_partitions(self) -> list[Partition]:
        partitions: list[Partition] = []
        for code, topic in enumerate(self.topics):
            for number in range(self.system.topics[topic].partitions):
                leader = number % self.system.brokers
                partitions.append(
                    Partition(
                        index=len(partitions), topic=code, number=number, leader=leader
                    )
                )
        return partitions

    def _make_broker(self, index: int) -> Broker:
        cpu = self.system.hardware.cpu
        host = f"broker:{index + 1}"
        return Broker(
            calendar=self.calendar,
            actor=self._actors[host],
            index=index,
            partitions=self.partitions,
            io_threads=self.system.broker_config.num_io_threads,
            request_ns=service_ns(cpu.request_ms, self._seed, host),
            ns_per_byte=cpu.mb_ms,
            on_append=self._appended,
            commit=self._commit,
        )

    def _make_lists(self, index: int) -> AppendLists:
        source = self.sources[index]
        return AppendLists(
            partitions=self.by_topic[source.stream],
            source_index=index,
            low_offset=self._low_offset,
            take=partial(self.tables.take_ordinals, index),
            before=lambda: None,
        )

    def _low_offset(self, partition: Partition) -> int:
        """Return the lowest offset of a partition that a group may still read."""
        groups = [g for g in self.groups.values() if partition.index in g.processed]
        end = partition.log.log_end_offset
        return min([end, *(group.low_offset(partition.index) for group in groups)])

    def _make_producer(self, index: int) -> ProducerClient:
        source = self.sources[index]
        client = f"source:{source.source}"
        partitions = self.by_topic[source.stream]
        actor = self._actors[client]
        code = self.tables.client_code(client)
        config = self.system.producers[source.source].config
        send = ProduceRequests(
            calendar=self.calendar,
            actor=actor,
            connections=[
                self.hosts.connect(client, code, broker)
                for broker in range(self.system.brokers)
            ],
            brokers=self.brokers,
            first_partition=partitions[0].index,
            wants_answers=config.acks != "0",
            number_request=self.number_request,
            on_done=self._produced,
        )
        return ProducerClient(
            calendar=self.calendar,
            actor=actor,
            source_index=index,
            source=source,
            config=config,
            topic_index=partitions[0].topic,
            leaders=[partition.leader for partition in partitions],
            node_count=self.system.brokers,
            start_ms=0,
            draws=stream(self._seed, f"partitioner/{source.source}"),
            send=send,
            next_batch_id=self._batch_ids.__next__,
            keeper=self.lists[index],
            on_block=partial(self._expect, source.stream),
        )

    def _make_group(self, name: str) -> None:
        subscriber = self.subscribers[name]
        code = list(self.subscribers).index(name)
        coordinator = offsets_partition(name) % self.system.brokers
        owned = [p for topic in subscriber.streams for p in self.by_topic[topic]]
        group = Group(
            code,
            owned,
            late=subscriber.from_s > 0,
            resets_to_end=subscriber.wants == "new",
            may_crash=any(
                isinstance(event, Crash) and Target.parse(event.target).name == name
                for event in self.scenario.events
            ),
        )
        work_of = [
            work_of_source(source, producer, name)
            for source, producer in zip(self.sources, self.producers, strict=True)
        ]
        each = same_for_all(self.sources, name)
        for partition in owned:
            partition.add_group(code, work_of, each)
        names = [
            member_name(name, number)
            for number in range(1, self._member_count(name) + 1)
        ]
        assignment = assign_range(
            {member: list(subscriber.streams) for member in names},
            {topic: len(self.by_topic[topic]) for topic in subscriber.streams},
        )
        self.groups[name] = group
        self.members[name] = [
            self._make_member(
                member,
                group,
                [self.by_topic[topic][number] for topic, number in assignment[member]],
                coordinator,
            )
            for member in names
        ]

    def _make_member(
        self, name: str, group: Group, owned: list[Partition], coordinator: int
    ) -> Member:
        client = f"member:{name}"
        code = self.tables.client_code(client)
        settings = poll_settings(
            self.system.groups[list(self.subscribers)[group.index]].config
        )
        sessions = []
        for broker in range(self.system.brokers):
            led = [partition for partition in owned if partition.leader == broker]
            if led:
                connection = self.hosts.connect(client, code, broker)
                session = FetchSession(led, connection, settings)
                sessions.append(session)
                self.brokers[broker].open_session(session)
        return Member(
            calendar=self.calendar,
            actor=self._actors[client],
            code=self.member_names.index(name),
            group=group,
            sessions=sessions,
            commit_connection=self.hosts.connect(
                client, code, coordinator, "/coordinator"
            ),
            brokers=self.brokers,
            settings=settings,
            calls=MemberCalls(
                number_request=self.number_request,
                write_request=self.write_request,
                write_returned=self.tables.returned,
                on_working=self.timeline.expect,
                on_processed=self.timeline.settle,
            ),
        )

    def _expect(self, topic: str, block: RecordColumns | None) -> None:
        """Count what has to become final: at the producer and at who wants it.

        A record that the client refuses (PR-5) is final for all at its own time. That
        more may come is one thing to settle, too.
        """
        timeline = self.timeline
        if block is None:
            timeline.unsettled -= 1
            return
        readers = [s for s in self.subscribers.values() if topic in s.streams]
        finals = 1 + len(readers)
        timeline.unsettled += len(block) * finals
        refused = block.refused()
        if len(refused):
            last_ns = int(block.created_ns[refused[-1]])
            count = len(refused) * finals
            if last_ns > self.calendar.now_ns:
                timeline.command(last_ns, timeline.settle, count)
            else:
                timeline.settle(count)

    # --- running ------------------------------------------------------------------

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for name in self.subscribers:
            self._schedule_join(name)
        for event in self.scenario.events:
            self.timeline.schedule(event, self._begin, self._end)
        for producer in self.producers:
            producer.start()
        self.timeline.run(self.inspection)
        return self._finish()

    def write_request(self, request: Request, answered_ns: int) -> None:
        """Write a request to which nothing more happens at its client."""
        request.written = True
        self.tables.request(request, answered_ns)

    def number_request(self, request: Request) -> None:
        """Give a request its number, in the order of sending."""
        request.request_id = self._request_count
        self._request_count += 1

    def _schedule_join(self, name: str) -> None:
        from_ns = ns_from_s(self.subscribers[name].from_s)
        if from_ns == 0:
            self._join(name)
        else:
            self.timeline.command(from_ns, self._join, name)

    def _join(self, name: str) -> None:
        group = self.groups[name]
        if not group.up:
            return
        group.joined = True
        self._start(name)

    def _start(self, name: str) -> None:
        """Let all members of a group begin to read."""
        positions, skipped = self.groups[name].reset()
        if skipped:
            self.timeline.settle(skipped)
        for member in self.members[name]:
            member.start(positions)

    def _begin(self, event: str, subscriber: str, factor: float) -> str:
        """Do what an event says to a subscriber; return what it did."""
        group, members = self.groups[subscriber], self.members[subscriber]
        if event == "Slow":
            for member in members:
                member.slow(factor)
            return f"work of {len(members)} members takes {factor:g} times as long"
        group.up = False
        if not group.joined:
            return "it had not come yet"
        self.tables.assignments(group, members, self.calendar.now_ns)
        for member in members:
            member.crash()
        return f"{len(members)} members stopped; their partitions are kept for them"

    def _end(self, event: str, subscriber: str) -> None:
        group, members = self.groups[subscriber], self.members[subscriber]
        if event == "Slow":
            for member in members:
                member.slow(1.0)
            return
        group.up = True
        if group.joined:
            self._start(subscriber)
        elif self.calendar.now_ns >= ns_from_s(self.subscribers[subscriber].from_s):
            self._join(subscriber)

    def _commit(self, request: Request) -> None:
        group, member, positions = request.payload
        group.committed.update(positions)
        self.tables.commits(
            group,
            member,
            [(self.partitions[index], offset) for index, offset in positions.items()],
            self.calendar.now_ns,
        )

    def _open_requests(self) -> list[Request]:
        """Return the requests without an answer, in the order of sending."""
        found = {
            argument.request_id: argument
            for argument in self.calendar.pending()
            if isinstance(argument, Request) and not argument.written
        }
        for broker in self.brokers:
            held = [*broker.queued(), *broker.parked()]
            found |= {request.request_id: request for request in held}
        for connection in self.hosts.connections:
            found |= {request.request_id: request for request in connection.waiting}
        return [found[number] for number in sorted(found)]

    def _appended(self, batch: Batch, partition: Partition) -> None:
        self.lists[batch.source_index].note_append(batch)
        self.tables.append(batch, partition)

    def _write_batch(self, batch: Batch) -> None:
        self.lists[batch.source_index].note_written(batch)
        self.tables.batch(batch)

    def _produced(self, request: Request, answered_ns: int) -> None:
        """Write what the client knows the end of; with acks=0 that is the append."""
        count = 0
        for batch in request.payload:
            count += batch.hi - batch.lo
            self._write_batch(batch)
        self.write_request(request, answered_ns)
        self.timeline.settle(count)

    def _finish(self) -> Result:
        for name, group in self.groups.items():
            if group.joined and group.up:
                self.tables.assignments(group, self.members[name], MISSING_NS)
            for member in self.members[name]:
                member.cut()
        for request in self._open_requests():
            self.tables.request(request, MISSING_NS)
            if request.api == PRODUCE:
                for batch in request.payload:
                    self._write_batch(batch)
        for producer, lists in zip(self.producers, self.lists, strict=True):
            for batch in producer.finish(self.calendar.now_ns):
                self._write_batch(batch)
            lists.finish(producer)
        result = self.tables.finish(
            self.scenario,
            self.plan,
            producers=self.producers,
            partitions=self.partitions,
            done_events=self.timeline.done,
            inspection=self.inspection,
            facts=run_facts(self.calendar, self.timeline),
        )
        return inspected(result, self.inspection)

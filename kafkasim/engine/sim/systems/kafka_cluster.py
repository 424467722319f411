"""The parts of a simulated Kafka cluster: brokers, partitions, clients, connections.

Sources are producers, streams are topics, subscribers are consumer groups. Here they
are made and wired to each other; `kafkasim.engine.sim.systems.kafka` runs them.
"""

from abc import abstractmethod
from collections.abc import Callable

from kafkasim.config.offset_reset import reset_duration_ns
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.growing_member import GrowingMember
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import BEFORE_WORK
from kafkasim.engine.sim.replica_calls import ReplicaCalls
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.systems.kafka_clients import (
    poll_settings,
    same_for_all,
    work_of_source,
)
from kafkasim.engine.sim.systems.kafka_producers import KafkaProducers
from kafkasim.engine.sim.systems.kafka_quotas import most_bytes_at_once
from kafkasim.engine.sim.systems.kafka_refusals import admission
from kafkasim.engine.sim.systems.kafka_replication import (
    Replication,
    ReplicationCalls,
    heartbeats_matter,
)
from kafkasim.engine.sim.systems.late_polls import PollWatch
from kafkasim.protocol.assignors import assign_range
from kafkasim.protocol.cluster.controller_messages import AlterPartition
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.scenario.events import Crash
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.streams import stream
from kafkasim.units import ns_from_ms


class KafkaCluster(KafkaProducers):
    """A cluster and all its clients, ready to run."""

    def _connect_clients(self) -> None:
        """Make producers and groups; from here on sources are read."""
        self._make_applications()
        self.lists = [self._make_lists(index) for index in range(len(self.sources))]
        for index in range(len(self.sources)):
            self.producers.append(self._make_producer(index))
            for partition in self.by_topic[self.sources[index].stream]:
                partition.add_source(index, self.producers[index].accumulator.newest_ns)
        if self.is_replicated:
            self._let_leaders_refuse()
        for name in self.subscribers:
            self._make_group(name)
        self.log_managers = [self._make_log_manager(b) for b in self.brokers]
        if self.is_replicated:
            self.replication = self._make_replication()

    def _let_leaders_refuse(self) -> None:
        """Let leaders look at what they append: their clients meet errors anyway."""
        for topic, partitions in self.by_topic.items():
            if topic in self.internal_topics:
                continue
            admits = admission(self.system, topic, self.sources, self.producers)
            for partition in partitions:
                partition.admission = admits

    def _make_group(self, name: str) -> None:
        group = self.groups[name] = self._new_group(name)
        work_of = [
            work_of_source(source, producer, name)
            for source, producer in zip(self.sources, self.producers, strict=True)
        ]
        each = same_for_all(self.sources, name)
        for partition in group.partitions:
            partition.add_group(group.index, work_of, each)
        self.members[name] = self._make_members(name, group)

    def _new_group(self, name: str) -> Group:
        subscriber = self.subscribers[name]
        owned = [p for topic in subscriber.streams for p in self.by_topic[topic]]
        config = self.system.groups[name].config
        return Group(
            list(self.subscribers).index(name),
            owned,
            late=subscriber.from_s > 0,
            resets_to_end=config.auto_offset_reset == "latest",
            commits_ahead=self.system.groups[name].commit == BEFORE_WORK,
            resets=config.auto_offset_reset != "none",
            reset_ago_ns=reset_duration_ns(config.auto_offset_reset),
            may_crash=any(
                isinstance(event, (Crash, Seek))
                and event.target == f"subscriber:{name}"
                for event in self.events
            ),
        )

    def _make_members(self, name: str, group: Group) -> list[Member]:
        """Make a group's members, its partitions shared out by the range assignor."""
        subscriber = self.subscribers[name]
        coordinator = offsets_partition(name) % self.system.brokers
        names = self.names_in_group[name]
        assignment = assign_range(
            {member: list(subscriber.streams) for member in names},
            {topic: len(self.by_topic[topic]) for topic in subscriber.streams},
        )
        return [
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
        subscriber = list(self.subscribers)[group.index]
        settings = poll_settings(
            self.system.groups[subscriber],
            most_bytes_at_once(self.system, subscriber),
            topics_grow=bool(self.grown_topics),
        )
        connections = [
            self.hosts.connect(client, code, broker)
            for broker in range(self.system.brokers)
        ]
        sessions = []
        for broker, connection in enumerate(connections):
            led = [partition for partition in owned if partition.leader == broker]
            if led:
                session = FetchSession(led, connection, settings)
                sessions.append(session)
                self.brokers[broker].open_session(session)
        connections.append(
            self.hosts.connect(client, code, coordinator, "/coordinator")
        )
        kind = GrowingMember if self.grown_topics else Member
        watch = self._poll_watch(subscriber)
        member = kind(
            calendar=self.calendar,
            actor=self._actors[client],
            code=self.member_names.index(name),
            group=group,
            sessions=sessions,
            connections=connections,
            brokers=self.brokers,
            settings=settings,
            draws=stream(self._seed, f"client/{client}"),
            calls=MemberCalls(
                next_request_id=self.next_request_id,
                write_request=self.write_request,
                write_returned=watch.returned,
                on_working=self.timeline.expect,
                on_processed=self.timeline.settle,
                on_reset=self._reset,
                on_stopped=self._stopped,
            ),
        )
        watch.watch(member.application)
        return member

    def _poll_watch(self, subscriber: str) -> PollWatch:
        interval_ms = self.system.groups[subscriber].config.max_poll_interval_ms
        return PollWatch(
            self.tables.returned, lambda: self.calendar.now_ns, subscriber, interval_ms
        )

    @property
    def replicated_brokers(self) -> list[ReplicatedBroker]:
        """Its brokers, if they replicate; else none."""
        return [b for b in self.brokers if isinstance(b, ReplicatedBroker)]

    def _make_replication(self) -> Replication:
        brokers = self.replicated_brokers
        self.links.break_request = lambda c: brokers[c.broker].lose(c)
        return Replication(
            calendar=self.calendar,
            hosts=self.hosts,
            actors=self._actors,
            system=self.system,
            seed=self._seed,
            partitions=self.partitions,
            brokers=brokers,
            watches=heartbeats_matter(self.events),
            produce_timeouts={
                self.tables.client_code(f"source:{name}"): ns_from_ms(
                    producer.config.request_timeout_ms
                )
                for name, producer in self.traffic.producers.items()
                if producer.config.acks == "all"
            },
            calls=ReplicationCalls(
                next_request_id=self.next_request_id,
                write_request=self.write_request,
                client_code=self.tables.client_code,
                brokers=self._replica_calls,
                on_back=lambda node: self.log_managers[node].start_again(),
            ),
        )

    # --- what a run does with them ---------------------------------------------------

    @abstractmethod
    def _reset(self, member: Member, partition: Partition, offset: int) -> None:
        """Take note that a member's position in a partition is reset."""

    @abstractmethod
    def _stopped(self, member: Member) -> None:
        """Take note that an exception has ended a member's application."""

    @abstractmethod
    def _replica_calls(
        self, ask_controller: Callable[[int, AlterPartition], None]
    ) -> ReplicaCalls:
        """Return what brokers call that replicate."""

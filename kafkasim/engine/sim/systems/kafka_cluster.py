"""The parts of a simulated Kafka cluster: brokers, partitions, clients, connections.

Sources are producers, streams are topics, subscribers are consumer groups. Here they
are made and wired to each other; `kafkasim.engine.sim.systems.kafka` runs them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import count

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.offset_reset import reset_duration_ns
from kafkasim.engine.sim.append_lists import AppendLists, Ordinals
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.engine.sim.drawn import service_ns
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.log_manager import LogCalls, LogManager
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_facts import KeyCodes, PlanFacts
from kafkasim.engine.sim.poll_settings import BEFORE_WORK
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.replica_calls import ReplicaCalls
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.request import PRODUCE, Connection, Request
from kafkasim.engine.sim.source_columns import Placing
from kafkasim.engine.sim.systems.kafka_clients import (
    ProduceRequests,
    metadata_settings,
    network_settings,
    poll_settings,
    same_for_all,
    work_of_source,
)
from kafkasim.engine.sim.systems.kafka_replication import (
    CONTROLLER,
    Replication,
    ReplicationCalls,
    is_replicated,
    may_fail,
    placed,
)
from kafkasim.engine.sim.systems.kafka_tables import KafkaTables
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.ids import member_name
from kafkasim.protocol.assignor import assign_range
from kafkasim.protocol.columns import RecordColumns
from kafkasim.protocol.controller_messages import AlterPartition
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.scenario.blocks import SourceBlocks
from kafkasim.scenario.events import Crash
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Kafka
from kafkasim.units import ns_from_ms


class KafkaCluster(ABC):
    """A cluster and its clients, ready to run.

    Parameters
    ----------
    scenario : Scenario
        Resolved; its system is `Kafka`.
    sources : sequence of SourceBlocks
        The records of each source, in the order of their names.
    plan : Plan or None
        The same records, when they were all drawn before.
    keep : bool
        Keep all records to the end: someone will want the bytes of the logs.
    check : bool
        Assert on every entry of the calendar that it is allowed.
    by_record : collection of int
        Sources whose records are to be looked at one by one, whatever they are.
    """

    def __init__(
        self,
        scenario: Scenario,
        sources: Sequence[SourceBlocks],
        plan: Plan | None,
        *,
        keep: bool,
        check: bool,
        by_record: Collection[int],
    ) -> None:
        system = scenario.system
        assert isinstance(system, Kafka)
        self.system = system
        self.events = scenario.events
        self.calendar = CheckedCalendar() if check else Calendar()
        self.timeline = Timeline(self.calendar, scenario)
        self.timeline.unsettled = len(sources)
        self.sources = sources
        self.plan = plan
        self._keep = keep
        self.subscribers = dict(sorted(scenario.traffic.subscribers.items()))
        self.topics = sorted(system.topics)
        self.member_names = [
            member_name(name, number)
            for name in self.subscribers
            for number in range(1, self._member_count(name) + 1)
        ]
        self._entity_codes: Sequence[NDArray[np.int32] | None] = [None] * len(sources)
        self._batch_ids = count()
        self._request_ids = count()
        self._producer_ids = count(len(sources))
        self._senders: dict[int, ProduceRequests] = {}
        self.next_request_id = self._request_ids.__next__
        """Numbers requests in the order of sending."""
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
        self.write_request = self.tables.request
        """Writes a request to which nothing more happens at its client."""
        self.is_replicated = is_replicated(system, self.events)
        self._by_record = by_record
        plans = {} if plan is None else plan.sources
        self.handed = [
            SourceHandOver(
                index,
                plans[source.source].intended_ns if plans else None,
                write_blocked=self.tables.blocked,
                on_timed_out=self._timed_out,
            )
            for index, source in enumerate(sources)
        ]
        self._make_brokers()
        self.tables.know(self.partitions)
        self.replication: Replication | None = None
        self.producers: list[ProducerClient] = []
        self.groups: dict[str, Group] = {}
        self.members: dict[str, list[Member]] = {}

    def _make_brokers(self) -> None:
        """Make the partitions and the brokers that lead them."""
        self.partitions = self._make_partitions()
        self.by_topic = {
            topic: [p for p in self.partitions if p.topic == code]
            for code, topic in enumerate(self.topics)
        }
        self.brokers = [self._make_broker(i) for i in range(self.system.brokers)]

    def _connect_clients(self) -> None:
        """Make producers and groups; from here on sources are read."""
        self.lists = [self._make_lists(index) for index in range(len(self.sources))]
        for index in range(len(self.sources)):
            self.producers.append(self._make_producer(index))
            for partition in self.by_topic[self.sources[index].stream]:
                partition.add_source(index, self.producers[index].accumulator.newest_ns)
        for name in self.subscribers:
            self._make_group(name)
        self.log_managers = [self._make_log_manager(b) for b in self.brokers]
        if self.is_replicated:
            self.replication = self._make_replication()

    def _number_actors(self) -> dict[str, int]:
        """Return each actor's number, by kind and name; it breaks ties."""
        names = [f"broker:{i + 1}" for i in range(self.system.brokers)]
        names += [f"member:{name}" for name in self.member_names]
        names += [f"source:{source.source}" for source in self.sources]
        names.append(CONTROLLER)
        return {name: number for number, name in enumerate(names, start=1)}

    def _member_count(self, subscriber: str) -> int:
        return int(self.system.groups[subscriber].members)

    def _make_partitions(self) -> list[Partition]:
        self._facts: list[PlanFacts] = []
        partitions: list[Partition] = []
        plans = [] if self.plan is None else list(self.plan.sources.values())
        codes = KeyCodes(plans)
        for code, topic in enumerate(self.topics):
            nodes_of = placed(self.system, topic, self._seed)
            for number, nodes in enumerate(nodes_of):
                facts = PlanFacts(
                    plans, codes, partial(self._list_of, number), self.handed
                )
                self._facts.append(facts)
                partitions.append(
                    Partition(
                        index=len(partitions),
                        topic=code,
                        number=number,
                        nodes=nodes,
                        config=self.system.topics[topic].config,
                        facts=facts,
                        draw=self._jitter_of(topic, number),
                    )
                )
        return partitions

    def _jitter_of(self, topic: str, number: int) -> Callable[[], int] | None:
        """Return what gives a log random numbers, if `segment.jitter.ms` needs any."""
        if not self.system.topics[topic].config.segment_jitter_ms:
            return None
        draws = stream(self._seed, f"segment_jitter/{topic}-{number}")
        return lambda: int(draws.integers(1 << 31))

    def _list_of(self, number: int, source: int) -> NDArray[np.int32]:
        """Return the ordinals of a source's records in the log of a partition.

        Not of those behind them: which these are may still change.
        """
        appended = self.lists[source].appended[number]
        return self.producers[source].append_list(number)[:appended]

    def _make_log_manager(self, broker: Broker) -> LogManager:
        return LogManager(
            calendar=self.calendar,
            actor=self._actors[f"broker:{broker.index + 1}"],
            replicas=[
                p.replicas[broker.index]
                for p in self.partitions
                if broker.index in p.replicas
            ],
            partitions=self.partitions,
            up=lambda: getattr(broker, "up", True),
            config=self.system.broker_config,
            calls=LogCalls(
                write_segment=self.tables.segment,
                write_removal=self.tables.removal,
                relocate=broker.relocate,
            ),
        )

    def _make_broker(self, index: int) -> Broker:
        cpu = self.system.hardware.cpu
        host = f"broker:{index + 1}"
        kind = ReplicatedBroker if self.is_replicated else Broker
        return kind(
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
        keeps_all = self._keep or self.is_replicated
        keeps_all = keeps_all or self.system.topics[source.stream].config.compacts
        return AppendLists(
            keeps_all=keeps_all,
            partitions=self.by_topic[source.stream],
            source_index=index,
            low_offset=self.low_offset,
            take=partial(self._take_ordinals, index),
            before=self._before_release,
        )

    def low_offset(self, partition: Partition) -> int:
        """Return the lowest offset of a partition that a group may still read."""
        groups = [g for g in self.groups.values() if partition.index in g.processed]
        end = partition.log.log_end_offset
        return min([end, *(group.low_offset(partition) for group in groups)])

    def _make_producer(self, index: int) -> ProducerClient:
        source = self.sources[index]
        client = f"source:{source.source}"
        partitions = self.by_topic[source.stream]
        actor = self._actors[client]
        code = self.tables.client_code(client)
        producer = self.system.producers[source.source]
        config = producer.config
        connections = [
            self.hosts.connect(client, code, broker)
            for broker in range(self.system.brokers)
        ]
        delivery = None
        if self.is_replicated:
            delivery = self._make_delivery(index, connections)
        send = ProduceRequests(
            calendar=self.calendar,
            actor=actor,
            connections=connections,
            network=None if delivery is None else delivery.network,
            brokers=self.brokers,
            topic=(source.stream, self.system.topics[source.stream].config),
            first_partition=partitions[0].index,
            wants_answers=config.acks != "0",
            next_request_id=self.next_request_id,
            on_done=self._produced if delivery is None else self.write_request,
        )
        self._senders[index] = send
        return ProducerClient(
            calendar=self.calendar,
            actor=actor,
            source_index=index,
            source=source,
            config=config,
            topic_index=partitions[0].topic,
            leaders=[partition.leader for partition in partitions],
            node_count=self.system.brokers,
            draws=stream(self._seed, f"partitioner/{source.source}"),
            send=send,
            next_batch_id=self._batch_ids.__next__,
            keeper=self.lists[index],
            on_block=partial(self._expect, index),
            entity_codes=self._entity_codes[index],
            delivery=delivery,
            hand_over=self.handed[index],
            placing=Placing(
                round_robin=producer.partitioner == "round_robin",
                partition=producer.partition,
                by_record=index in self._by_record,
            ),
        )

    def _make_delivery(self, index: int, connections: list[Connection]) -> Delivery:
        """Return what a producer needs to meet failures."""
        source = self.sources[index]
        client = f"source:{source.source}"
        partitions = self.by_topic[source.stream]
        config = self.system.producers[source.source].config
        draws = stream(self._seed, f"client/{client}")
        network = NetworkClient(
            calendar=self.calendar,
            actor=self._actors[client],
            connections=connections,
            brokers=self.brokers,
            settings=network_settings(config),
            draws=draws,
            on_failed=lambda request: self._request_failed(index, request),
        )
        metadata = ClientMetadata(
            calendar=self.calendar,
            network=network,
            partitions=[partition.index for partition in partitions],
            leaders=[partition.leader for partition in partitions],
            settings=metadata_settings(config),
            draws=draws,
            next_request_id=self.next_request_id,
            on_done=self.write_request,
        )
        return Delivery(
            network=network,
            metadata=metadata,
            draws=draws,
            on_batches_done=self._batches_done,
            producer_id=index,
            new_producer_id=self._producer_ids.__next__,
        )

    def _request_failed(self, index: int, request: Request) -> None:
        """Tell a producer, or its metadata, that a request gets no answer."""
        if request.api == PRODUCE:
            self._senders[index].failed(request)
        else:
            request.on_answer(request)

    def _make_group(self, name: str) -> None:
        subscriber = self.subscribers[name]
        code = list(self.subscribers).index(name)
        coordinator = offsets_partition(name) % self.system.brokers
        owned = [p for topic in subscriber.streams for p in self.by_topic[topic]]
        config = self.system.groups[name].config
        group = Group(
            code,
            owned,
            late=subscriber.from_s > 0,
            resets_to_end=config.auto_offset_reset == "latest",
            commits_ahead=self.system.groups[name].commit == BEFORE_WORK,
            resets=config.auto_offset_reset != "none",
            reset_ago_ns=reset_duration_ns(config.auto_offset_reset),
            may_crash=any(
                isinstance(event, Crash) and event.target == f"subscriber:{name}"
                for event in self.events
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
            self.system.groups[list(self.subscribers)[group.index]]
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
        return Member(
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
                write_returned=self.tables.returned,
                on_working=self.timeline.expect,
                on_processed=self.timeline.settle,
                on_reset=self._reset,
                on_stopped=self._stopped,
            ),
        )

    def _make_replication(self) -> Replication:
        return Replication(
            calendar=self.calendar,
            hosts=self.hosts,
            actors=self._actors,
            system=self.system,
            seed=self._seed,
            partitions=self.partitions,
            brokers=[b for b in self.brokers if isinstance(b, ReplicatedBroker)],
            watches=may_fail(self.events),
            produce_timeouts={
                self.tables.client_code(f"source:{name}"): ns_from_ms(
                    producer.config.request_timeout_ms
                )
                for name, producer in self.system.producers.items()
                if producer.config.acks == "all"
            },
            calls=ReplicationCalls(
                next_request_id=self.next_request_id,
                write_request=self.write_request,
                client_code=self.tables.client_code,
                brokers=self._replica_calls,
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
    def _appended(self, batch: Batch, partition: Partition) -> None:
        """Take note of an append."""

    @abstractmethod
    def _replica_calls(
        self, ask_controller: Callable[[int, AlterPartition], None]
    ) -> ReplicaCalls:
        """Return what brokers call that replicate."""

    @abstractmethod
    def _commit(self, request: Request) -> None:
        """Store a commit at the group's coordinator."""

    @abstractmethod
    def _expect(self, source: int, block: RecordColumns | None) -> None:
        """Take note of records that are about to be created; None after the last."""

    @abstractmethod
    def _timed_out(self, source: int, intended_ns: int) -> None:
        """Take note that a record has failed that waited for memory."""

    @abstractmethod
    def _produced(self, request: Request, answered_ns: int) -> None:
        """Take note that a producer is done with a request."""

    @abstractmethod
    def _batches_done(self, batches: Sequence[Batch]) -> None:
        """Take note of batches that are final, acknowledged or not."""

    @abstractmethod
    def _before_release(self) -> None:
        """Use what is about to be let go."""

    @abstractmethod
    def _take_ordinals(self, source: int, partition: int, ordinals: Ordinals) -> None:
        """Take the next part of an append list."""

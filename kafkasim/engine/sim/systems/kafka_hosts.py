"""The hosts of a simulated Kafka cluster: brokers, their partitions and logs."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, partial
from itertools import count
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.append_lists import AppendLists
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.drawn import service_ns
from kafkasim.engine.sim.equipped import EquippedBroker, EquippedReplica
from kafkasim.engine.sim.equipped_broker import Equipment, Equipped
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.links import Links
from kafkasim.engine.sim.literal_batches import LiteralFacts
from kafkasim.engine.sim.live_records import LiveHandOver
from kafkasim.engine.sim.log_manager import LogCalls, LogManager
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_facts import KeyCodes, PlanFacts, RecordFacts
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.replica import Life
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.request import Request
from kafkasim.engine.sim.standstill import Standstill
from kafkasim.engine.sim.systems.kafka_clients import (
    ProduceRequests,
)
from kafkasim.engine.sim.systems.kafka_equipment import equipment_of
from kafkasim.engine.sim.systems.kafka_quotas import quota_pauses
from kafkasim.engine.sim.systems.kafka_refusals import may_refuse
from kafkasim.engine.sim.systems.kafka_replication import (
    Replication,
    is_replicated,
    placed,
)
from kafkasim.engine.sim.systems.kafka_tables import KafkaTables
from kafkasim.engine.sim.systems.kafka_traffic import DealtTraffic
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.ids import Target
from kafkasim.scenario.events import AddPartitions, Pause
from kafkasim.scenario.groups import members_of
from kafkasim.scenario.links import CONTROLLER
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Kafka

LINKS: Final = "links"
"""The actor that breaks connections."""


class KafkaHosts(ABC):
    """A cluster without its clients.

    Parameters
    ----------
    scenario : Scenario
        Resolved; its system is `Kafka`.
    traffic : DealtTraffic
        Its traffic: to the cluster each client is a source.
    keep : bool
        Keep all records to the end: someone will want the bytes of the logs.
    check : bool
        Assert on every entry of the calendar that it is allowed.
    by_record : collection of int
        Sources whose records are to be looked at one by one, whatever they are.
    refuses : bool
        A broker will refuse a batch, whatever settings say.
    meter : Meter, optional
        What measures how busy each part of the hardware is.
    """

    def __init__(
        self,
        scenario: Scenario,
        traffic: DealtTraffic,
        *,
        keep: bool,
        check: bool,
        by_record: Collection[int],
        refuses: bool,
        meter: Meter | None = None,
    ) -> None:
        system = scenario.system
        assert isinstance(system, Kafka)
        self.system = self._with_internal_topics(system)
        sources = traffic.sources
        self.traffic = traffic
        self.events = scenario.events
        self.calendar = CheckedCalendar() if check else Calendar()
        self.timeline = Timeline(self.calendar, scenario)
        self.standstills = self._make_standstills()
        self.timeline.unsettled = traffic.open_loops
        self.sources = sources
        self.plan = traffic.plan
        self._keep = keep
        self.world_sources = scenario.traffic.sources
        self.subscribers = dict(sorted(scenario.traffic.subscribers.items()))
        self.topics = [*sorted(system.topics), *self.internal_topics]
        self.member_names = [m for each in self.names_in_group.values() for m in each]
        self._entity_codes: Sequence[NDArray[np.int32] | None] = [None] * len(sources)
        self._begin_to_count()
        self._senders: dict[int, ProduceRequests] = {}
        self._seed = scenario.seed
        self._actors = self._number_actors()
        self.hosts = self._make_hosts(scenario, meter)
        self.tables = self._make_tables()
        self.write_request = self.tables.request
        """Writes a request to which nothing more happens at its client."""
        self.refuses = refuses or may_refuse(system, sources)
        self.is_replicated = self.refuses or self._replicates()
        self._by_record = by_record
        self.handed = self._make_hand_overs()
        self._make_brokers()
        self.replication: Replication | None = None
        self.producers: list[ProducerClient] = []
        self.lists: list[AppendLists] = []
        self.groups: dict[str, Group] = {}
        self.members: dict[str, list[Member]] = {}

    tables_kind: type[KafkaTables] = KafkaTables
    """What writes its tables."""
    internal_topics: tuple[str, ...] = ()
    """Topics that the cluster has for itself."""
    unused: AbstractSet[int] = frozenset()
    """Indices of partitions of those that nobody uses; tables tell nothing of them."""

    def _with_internal_topics(self, system: Kafka) -> Kafka:
        """Return the system with the topics that the cluster has for itself."""
        return system

    def _replicates(self) -> bool:
        """Say whether the run needs followers, or leaders that may be out of reach."""
        return is_replicated(self.system, self.events)

    @cached_property
    def grown_topics(self) -> set[str]:
        """Topics that will get more partitions."""
        return {
            Target.parse(event.target).name
            for event in self.events
            if isinstance(event, AddPartitions)
        }

    @cached_property
    def names_in_group(self) -> dict[str, list[str]]:
        """By subscriber: its members, those that will come included."""
        return {
            name: list(members_of(name, self.system.groups[name], self.events))
            for name in self.subscribers
        }

    def _make_standstills(self) -> dict[str, Standstill]:
        """Return by its name what each source is that will stand still."""
        paused = [each.target for each in self.events if isinstance(each, Pause)]
        targets = map(Target.parse, paused)
        names = {each.name for each in targets if each.kind == "source"}
        return {name: Standstill(self.calendar) for name in sorted(names)}

    def _make_hosts(self, scenario: Scenario, meter: Meter | None) -> Hosts:
        self.meter = meter
        self.links = Links(
            self.calendar,
            self._actors[LINKS],
            self.events,
            scenario.traffic,
            self.system,
        )
        link = self.system.hardware.link
        return Hosts(link, scenario.seed, self.links, meter)

    def _begin_to_count(self) -> None:
        self._batch_ids = count()
        self._request_ids = count()
        self._producer_ids = count(len(self.sources))
        self.next_request_id = self._request_ids.__next__
        """Numbers requests in the order of sending."""

    def _make_tables(self) -> KafkaTables:
        return self.tables_kind(
            topics=self.topics,
            subscribers=list(self.subscribers),
            members=self.member_names,
            sources=self.sources,
            brokers=self.system.brokers,
        )

    def _make_hand_overs(self) -> list[SourceHandOver]:
        """Return what knows of each source when its application waits."""
        plans = {} if self.plan is None else self.plan.sources
        live = self.traffic.live
        write_blocked, on_timed_out = self.tables.blocked, self._timed_out
        return [
            LiveHandOver(
                index,
                live[index],
                write_blocked=write_blocked,
                on_timed_out=on_timed_out,
            )
            if index in live
            else SourceHandOver(
                index,
                plans[source.source].intended_ns if plans else None,
                write_blocked=write_blocked,
                on_timed_out=on_timed_out,
            )
            for index, source in enumerate(self.sources)
        ]

    def _make_brokers(self) -> None:
        """Make the partitions and the brokers that lead them."""
        self.partitions = self._make_partitions()
        self.tables.know(self.partitions)
        self.by_topic = {
            topic: [p for p in self.partitions if p.topic == code]
            for code, topic in enumerate(self.topics)
        }
        self.brokers = [self._make_broker(i) for i in range(self.system.brokers)]

    def _number_actors(self) -> dict[str, int]:
        """Return each actor's number, by kind and name; it breaks ties."""
        names = [f"broker:{i + 1}" for i in range(self.system.brokers)]
        names += [f"member:{name}" for name in self.member_names]
        names += [f"source:{source.source}" for source in self.sources]
        names += [CONTROLLER, LINKS]
        return {name: number for number, name in enumerate(names, start=1)}

    def _make_partitions(self) -> list[Partition]:
        self._facts: list[PlanFacts | LiteralFacts] = []
        partitions: list[Partition] = []
        plans: list[RecordFacts] = []
        self._plans = plans
        if self.plan is not None:
            plans += self.plan.sources.values()
        for index, records in self.traffic.live.items():
            plans[index] = records
        self._codes = KeyCodes(plans)
        for topic in self.topics:
            nodes_of = placed(self.system, topic, self._seed)
            for number, nodes in enumerate(nodes_of):
                made = self._make_partition(len(partitions), topic, number, nodes)
                partitions.append(made)
        return partitions

    def _make_partition(
        self, index: int, topic: str, number: int, nodes: Sequence[int]
    ) -> Partition:
        config = self.system.topics[topic].config
        facts = PlanFacts(
            self._plans,
            self._codes,
            partial(self._list_of, number),
            self.handed,
            stamps=config.message_timestamp_type == "LogAppendTime",
        )
        self._facts.append(facts)
        return Partition(
            index=index,
            topic=self.topics.index(topic),
            number=number,
            nodes=nodes,
            config=config,
            facts=facts,
            draw=self._jitter_of(topic, number),
        )

    def add_partition(self, topic: str, nodes: Sequence[int], leader: int) -> Partition:
        """Have one partition more of a topic, with copies on these brokers."""
        mine = self.by_topic[topic]
        index = len(self.partitions)
        partition = self._make_partition(index, topic, len(mine), nodes)
        partition.be_like(mine[0])
        if leader != partition.leader:  # the preferred one is down
            partition.lead(leader, partition.leader_epoch)
        for replica in partition.replicas.values():
            replica.lives = {replica.log.active: Life(self.calendar.now_ns)}
        self.partitions.append(partition)
        mine.append(partition)
        return partition

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
            holds=getattr(broker, "holds", lambda *_: False),
            config=self.system.broker_config,
            calls=LogCalls(
                write_segment=self.tables.segment,
                write_removal=self.tables.removal,
                relocate=broker.relocate,
                forget_places=broker.forget_places,
            ),
        )

    def _make_broker(self, index: int) -> Broker:
        cpu = self.system.hardware.cpu
        host = f"broker:{index + 1}"
        equipment = self._equipment(host)
        broker = self._broker_kind(is_equipped=equipment is not None)(
            calendar=self.calendar,
            actor=self._actors[host],
            index=index,
            partitions=self.partitions,
            io_threads=self.system.broker_config.num_io_threads,
            request_ns=service_ns(cpu.request_ms, self._seed, host),
            ns_per_byte=cpu.mb_ms,
            on_append=self._appended,
            commit=self._commit,
            pause_ns=quota_pauses(
                self.system,
                {lane.name: lane.source for lane in self.traffic.lanes},
                self.names_in_group,
                self.tables.client_code,
                self.calendar,
            ),
        )
        if equipment is not None:
            assert isinstance(broker, Equipped)
            broker.equip(equipment)
        return broker

    def _broker_kind(self, *, is_equipped: bool) -> type[Broker]:
        """Return which kind of brokers the run has."""
        if is_equipped:
            return EquippedReplica if self.is_replicated else EquippedBroker
        return ReplicatedBroker if self.is_replicated else Broker

    def _equipment(self, host: str) -> Equipment | None:
        """Return what a broker has beside IO threads, if that can matter."""
        clients = len(self.sources) + 2 * len(self.member_names) + self.system.brokers
        return equipment_of(
            self.system, self._seed, host, clients=clients, meter=self.meter
        )

    # --- what a run does with them ---------------------------------------------------

    @abstractmethod
    def _appended(self, batch: Batch, partition: Partition) -> None:
        """Take note of an append."""

    @abstractmethod
    def _commit(self, request: Request) -> None:
        """Store a commit at the group's coordinator."""

    @abstractmethod
    def _timed_out(self, source: int, intended_ns: int) -> None:
        """Take note that a record has failed that waited for memory."""

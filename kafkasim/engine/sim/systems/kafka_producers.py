"""The producers of a simulated Kafka cluster: clients, connections, what is kept."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial

from kafkasim.engine.sim.append_lists import AppendLists, Ordinals
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.engine.sim.drawn import compression_ratios
from kafkasim.engine.sim.live_records import LiveHandOver
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.engine.sim.source_application import (
    LaneJoiner,
    LiveLane,
    Loop,
    SourceApplication,
)
from kafkasim.engine.sim.source_columns import Placing
from kafkasim.engine.sim.standstill import PausableNetwork, Standstill
from kafkasim.engine.sim.systems.kafka_clients import (
    ProduceRequests,
    metadata_settings,
    network_settings,
)
from kafkasim.engine.sim.systems.kafka_hosts import KafkaHosts
from kafkasim.engine.sim.systems.kafka_refusals import may_lack_keys
from kafkasim.engine.sim.systems.source_events import (
    DOWN,
    PAUSED,
    crash_client,
    pause_client,
)
from kafkasim.ids import Target
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.draws import thinks_ns
from kafkasim.scenario.events import Event, Pause
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.streams import stream
from kafkasim.units import FOREVER_NS, MISSING_NS


class KafkaProducers(KafkaHosts):
    """A cluster and its producers."""

    def _make_lists(self, index: int) -> AppendLists:
        source = self.sources[index]
        compacts = self.system.topics[source.stream].config.compacts
        again = self.refuses or any(isinstance(each, Seek) for each in self.events)
        return AppendLists(
            keeps_all=self._keep or compacts or again or self._leaders_may_move,
            partitions=self.by_topic[source.stream],
            source_index=index,
            low_offset=self.low_offset,
            take=partial(self._take_ordinals, index),
            before=self._before_release,
        )

    def low_offset(self, partition: Partition) -> int:
        """Return the lowest offset of a partition that somebody may still read.

        A group or a follower.
        """
        groups = [g for g in self.groups.values() if partition.index in g.processed]
        ends = [copy.ends.log_end_offset for copy in partition.replicas.values()]
        return min([*ends, *(group.low_offset(partition) for group in groups)])

    @property
    def _leaders_may_move(self) -> bool:
        """Whether a log may be cut off, and its records sent again."""
        return self.is_replicated and any(
            Target.parse(event.target).kind != "subscriber" for event in self.events
        )

    def _make_producer(self, index: int) -> ProducerClient:
        source = self.sources[index]
        client = f"source:{source.source}"
        partitions = self.by_topic[source.stream]
        code = self.tables.client_code(client)
        producer = self.traffic.producers[source.source]
        connections = [
            self.hosts.connect(client, code, broker)
            for broker in range(self.system.brokers)
        ]
        delivery = None
        if self.is_replicated:
            delivery = self._make_delivery(index, connections)
        joiner = self.joiners.get(index)
        grows = source.stream in self.grown_topics
        send = self._senders[index] = self._make_sender(index, connections, delivery)
        client_made = ProducerClient(
            calendar=self._calendar_of(index),
            actor=self._actors[client],
            source_index=index,
            source=source,
            config=producer.config,
            topic_index=partitions[0].topic,
            leaders=[partition.leader for partition in partitions],
            node_count=self.system.brokers,
            draws=stream(self._seed, f"partitioner/{source.source}"),
            send=send,
            next_batch_id=self._batch_ids.__next__,
            keeper=self.lists[index],
            on_block=None if self._is_loop(index) else partial(self._expect, index),
            entity_codes=self._entity_codes[index],
            delivery=delivery,
            hand_over=self.handed[index],
            placing=Placing(
                round_robin=producer.partitioner == "round_robin",
                partition=producer.partition,
                leaders_move=self.is_replicated or joiner is not None,
                tells_keyless=may_lack_keys(self.system, source),
                by_record=index in self._by_record or joiner is not None or grows,
                grows=grows,
                ratios=compression_ratios(producer, self._seed, source.source),
            ),
            application=joiner,
        )
        if joiner is not None:
            joiner.lane.client = client_made
        return client_made

    def _make_sender(
        self, index: int, connections: list[Connection], delivery: Delivery | None
    ) -> ProduceRequests:
        """Return what carries a producer's requests."""
        source = self.sources[index]
        return ProduceRequests(
            calendar=self._calendar_of(index),
            actor=self._actors[f"source:{source.source}"],
            connections=connections,
            network=None if delivery is None else delivery.network,
            expects_refusals=self.refuses,
            brokers=self.brokers,
            topic=(source.stream, self.system.topics[source.stream].config),
            partitions=self.by_topic[source.stream],
            wants_answers=self.traffic.producers[source.source].config.acks != "0",
            next_request_id=self.next_request_id,
            on_done=self._produced if delivery is None else self.write_request,
        )

    def _make_delivery(self, index: int, connections: list[Connection]) -> Delivery:
        """Return what a producer needs to meet failures."""
        source = self.sources[index]
        client = f"source:{source.source}"
        partitions = self.by_topic[source.stream]
        config = self.traffic.producers[source.source].config
        draws = stream(self._seed, f"client/{client}")
        standstill = self._standstill_of(index)
        kind = NetworkClient if standstill is None else PausableNetwork
        network = kind(
            calendar=self._calendar_of(index),
            actor=self._actors[client],
            connections=connections,
            brokers=self.brokers,
            settings=network_settings(config),
            draws=draws,
            on_failed=lambda request: self._request_failed(index, metadata, request),
        )
        if standstill is not None:
            assert isinstance(network, PausableNetwork)
            network.may_stand_still(standstill)
        metadata = ClientMetadata(
            calendar=self._calendar_of(index),
            network=network,
            partitions=[partition.index for partition in partitions],
            leaders=[partition.leader for partition in partitions],
            settings=metadata_settings(config),
            draws=draws,
            next_request_id=self.next_request_id,
            on_done=self.write_request,
        )
        metadata.on_new = metadata.add_all
        return Delivery(
            network=network,
            metadata=metadata,
            draws=draws,
            on_batches_done=self._final_at(index),
            on_trouble=partial(self._on_trouble, index),
            producer_id=index,
            new_producer_id=self._producer_ids.__next__,
            on_split=self._split,
            on_grown=self.lists[index].grow,
        )

    def _final_at(self, index: int) -> Callable[[Sequence[Batch]], object]:
        """Return what takes note of final batches; the application hears first."""
        joiner = self.joiners.get(index)
        if joiner is None:
            return self._batches_done
        told = joiner

        def done(batches: Sequence[Batch]) -> None:
            told.done(batches)
            self._batches_done(batches)

        return done

    def _make_applications(self) -> None:
        """Make the applications of sources that send more than was planned."""
        self.applications: list[SourceApplication] = []
        self.joiners: dict[int, LaneJoiner] = {}
        lanes = self.traffic.lanes
        for name in dict.fromkeys(lane.source for lane in lanes):
            mine = [n for n, lane in enumerate(lanes) if lane.source == name]
            if mine[0] not in self.traffic.live:
                continue
            application = self._make_application(mine)
            self.applications.append(application)
            for place, index in enumerate(mine):
                self.joiners[index] = LaneJoiner(application, place)
                hand_over = self.handed[index]
                assert isinstance(hand_over, LiveHandOver)
                hand_over.on_failed = partial(application.timed_out, place)

    def _make_application(self, indices: Sequence[int]) -> SourceApplication:
        """Return the application of a source with these clients."""
        lanes = self.traffic.lanes
        producer = self.traffic.producers[lanes[indices[0]].name]
        stream_name = self.sources[indices[0]].stream
        readers = [s for s in self.subscribers.values() if stream_name in s.streams]
        return SourceApplication(
            calendar=self._calendar_of(indices[0]),
            timeline=self.timeline,
            lanes=[
                LiveLane(
                    self.traffic.live[index],
                    self._actors[f"source:{lanes[index].name}"],
                )
                for index in indices
            ],
            finals=1 + len(readers),
            resends=producer.on_error == "resend",
            until_ns=self.timeline.gives_up_ns,
            loop=self._make_loop(lanes[indices[0]].source),
        )

    def _make_loop(self, source: str) -> Loop | None:
        """Return the loop that is the source's traffic, if it is one."""
        law = self.world_sources[source].arrivals
        if not isinstance(law, ClosedLoop):
            return None
        thinks = thinks_ns(source, law, self._seed)
        return Loop(source, law.outstanding, thinks, self.timeline.duration_ns)

    def _is_loop(self, index: int) -> bool:
        records = self.traffic.live.get(index)
        return records is not None and records.is_loop

    # --- what befalls a source --------------------------------------------------------

    def _standstill_of(self, index: int) -> Standstill | None:
        """Return what a client's standing still is, if it ever does."""
        return self.standstills.get(self.traffic.lanes[index].source)

    def _calendar_of(self, index: int) -> Calendar:
        """Return the calendar as a client's process sees it."""
        standstill = self._standstill_of(index)
        return self.calendar if standstill is None else standstill.calendar

    def _befall_source(self, event: Event, target: Target, until_ns: int) -> str:
        """Do what an event says to a source; return what it did."""
        if isinstance(event, Pause):
            return self._pause_source(target.name, until_ns)
        return self._crash_source(target, until_ns)

    def _source_is_back(self, event: Event, target: Target) -> None:
        """Let a source go on that stood still.

        After a crash nothing has to be done: a client knows by itself when it is back.
        """
        standstill = self.standstills.get(target.name)
        if isinstance(event, Pause) and standstill is not None and standstill.is_still:
            self._write_pause(target.name, self.calendar.now_ns)
            clients = self._clients_of(target.name)
            for index in clients:  # the application's thread hands over
                self.producers[index].accumulator.catch_up(self.calendar.now_ns)
            standstill.end()
            for index in clients:
                self.producers[index].join()

    def _clients_of(self, source: str) -> list[int]:
        return [n for n, lane in enumerate(self.traffic.lanes) if lane.source == source]

    def _write_pause(self, source: str, until_ns: int) -> None:
        since_ns = self.standstills[source].since_ns
        for index in self._clients_of(source):
            self.tables.blocked(index, since_ns, until_ns, PAUSED)

    def _pause_source(self, source: str, until_ns: int) -> str:
        """Let the application of a source stand still, and its clients with it."""
        standstill, now_ns = self.standstills[source], self.calendar.now_ns
        if now_ns < standstill.down_until_ns:
            return "it was down"
        standstill.begin()
        for index in self._clients_of(source):
            pause_client(self.producers[index], now_ns, until_ns)
        return "it stands still; what is wanted meanwhile waits"

    def _crash_source(self, target: Target, until_ns: int) -> str:
        """Let the application of a source crash; return what that did."""
        lost = 0
        standstill = self.standstills.get(target.name)
        if standstill is not None:
            if standstill.is_still:
                self._write_pause(target.name, self.calendar.now_ns)
            standstill.drop()
            standstill.down_until_ns = until_ns
        for index in self._clients_of(target.name):
            lost += crash_client(
                self.producers[index],
                self.joiners[index],
                self.calendar.now_ns,
                until_ns,
                batches_done=self._batches_done,
                write_request=self.write_request,
                lost_alone=partial(self._timed_out, index, self.calendar.now_ns),
            )
            end_ns = until_ns if until_ns < FOREVER_NS else MISSING_NS
            self.tables.blocked(index, self.calendar.now_ns, end_ns, DOWN)
        return f"{lost} records in memory lost; what is wanted meanwhile waits"

    def _request_failed(
        self, index: int, metadata: ClientMetadata, request: Request
    ) -> None:
        """Tell a producer, or its metadata, that a request gets no answer."""
        if not metadata.failed(request):
            self._senders[index].failed(request)

    def _on_trouble(self, index: int) -> None:
        """Keep all records of a source from now on."""
        self._must_keep()
        self.lists[index].keep_all()

    # --- what a run does with them ---------------------------------------------------

    @abstractmethod
    def _must_keep(self) -> None:
        """Take note that any record may be needed again."""

    @abstractmethod
    def _expect(self, source: int, block: RecordColumns | None) -> None:
        """Take note of records that are about to be created; None after the last."""

    @abstractmethod
    def _produced(self, request: Request, answered_ns: int) -> None:
        """Take note that a producer is done with a request."""

    @abstractmethod
    def _batches_done(self, batches: Sequence[Batch]) -> None:
        """Take note of batches that are final, acknowledged or not."""

    @abstractmethod
    def _split(self, batch: Batch) -> None:
        """Take note of a batch whose records are in others now."""

    @abstractmethod
    def _before_release(self) -> None:
        """Use what is about to be let go."""

    @abstractmethod
    def _take_ordinals(self, source: int, partition: int, ordinals: Ordinals) -> None:
        """Take the next part of an append list."""

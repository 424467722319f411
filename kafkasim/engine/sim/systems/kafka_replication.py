"""The parts of a cluster that replicates, or whose brokers may fail, wired together."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from kafkasim.config.broker import BrokerConfig
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.controllers import ControllerHost
from kafkasim.engine.sim.follower import FetchSettings, ReplicaFetcher
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.replica_calls import ReplicaCalls, ReplicaSettings
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.ids import Target
from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_messages import (
    AlterPartition,
    ControllerSettings,
    PartitionState,
)
from kafkasim.protocol.cluster.placement import UsableBroker, place_replicas
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.scenario.events import AddPartitions, Event, Slow
from kafkasim.scenario.links import CONTROLLER, is_link, touches_controller
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Kafka
from kafkasim.units import ns_from_ms


def heartbeats_matter(events: Sequence[Event]) -> bool:
    """Say whether an event may stop a broker or the controller, or cuts one off."""
    return any(
        Target.parse(event.target).kind in {"broker", CONTROLLER}
        or touches_controller(event.target)
        for event in events
        if not isinstance(event, Slow)
    )


def is_replicated(system: Kafka, events: Sequence[Event]) -> bool:
    """Say whether a run needs followers, or leaders that may be out of reach."""
    return (
        heartbeats_matter(events)
        or any(is_link(event.target) for event in events)
        or any(event.target.startswith("source:") for event in events)
        or any(isinstance(event, AddPartitions) for event in events)
        or any(topic.replication_factor > 1 for topic in system.topics.values())
    )


def placed(system: Kafka, topic: str, seed: int) -> list[tuple[int, ...]]:
    """Return the nodes of each partition's copies, the preferred leader first.

    "in turn": copy k of partition p is on broker p + k, counted round; an assignment by
    hand (PL-8). "striped" is what Kafka does itself (PL-1 to PL-6), with random starts.
    """
    wanted = system.topics[topic]
    count, brokers = wanted.replication_factor, system.brokers
    if system.placement == "striped":
        draws = stream(seed, f"placement/{topic}")
        return place_replicas(
            [UsableBroker(node) for node in range(brokers)],
            wanted.partitions,
            count,
            Draws(draws),
        )
    return placed_in_turn(system, topic, range(wanted.partitions))


def placed_in_turn(
    system: Kafka, topic: str, numbers: Sequence[int]
) -> list[tuple[int, ...]]:
    """Return the nodes of the copies of partitions with these numbers: "in turn"."""
    count, brokers = system.topics[topic].replication_factor, system.brokers
    return [
        tuple((number + copy) % brokers for copy in range(count)) for number in numbers
    ]


class ReplicationCalls(NamedTuple):
    """What a run gives its replicating parts."""

    next_request_id: Callable[[], int]
    write_request: Callable[[Request, int], None]
    client_code: Callable[[str], int]
    brokers: Callable[[Callable[[int, AlterPartition], None]], ReplicaCalls]
    """Takes what sends to the controller; returns what brokers call."""
    on_back: Callable[[int], None]
    """Takes the index of a broker that runs again."""


class Replication:
    """Followers and a controller for a run's brokers.

    Parameters
    ----------
    calendar, hosts, actors
        The run's.
    system : Kafka
        Resolved.
    seed : int
        Of the scenario.
    partitions, brokers
        Of the run, by index.
    watches : bool
        Whether brokers send heartbeats, because some may fail.
    produce_timeouts : mapping of int to int
        Of each producer that waits for all, by its code, how long a broker lets a
        request wait, in nanoseconds.
    calls : ReplicationCalls
        Whom to tell what.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        hosts: Hosts,
        actors: Mapping[str, int],
        system: Kafka,
        seed: int,
        partitions: Sequence[Partition],
        brokers: Sequence[ReplicatedBroker],
        watches: bool,
        produce_timeouts: Mapping[int, int],
        calls: ReplicationCalls,
    ) -> None:
        self._calendar = calendar
        self._hosts = hosts
        self._actors = actors
        self._calls = calls
        self._watches = watches
        self.brokers = brokers
        config = system.broker_config
        image = [
            PartitionState(nodes := tuple(p.replicas), nodes, nodes[0])
            for p in partitions
        ]
        self.host = self._make_host(system, seed, partitions, image)
        self.host.on_stopped = self._stopped
        self._due_back: set[int] = set()
        """Brokers that are to come back as soon as they have stopped in order."""
        for broker in brokers:
            offset = self.host.machine.offset
            broker.connect(image, partial(self._open, broker.index), offset)
            broker.follow_with(self._make_fetchers(broker, config))
            broker.lead_with(
                {
                    p.index: p.replicas[broker.index]
                    for p in partitions
                    if broker.index in p.replicas
                },
                produce_timeouts=produce_timeouts,
                settings=ReplicaSettings(
                    lag_max_ns=ns_from_ms(config.replica_lag_time_max_ms),
                ),
                calls=calls.brokers(self.host.send),
            )

    def _open(self, node: int) -> list[Connection]:
        """Return the connections to a broker that are open."""
        return [c for c in self._hosts.newest if c.broker == node and not c.broken]

    def _make_host(
        self,
        system: Kafka,
        seed: int,
        partitions: Sequence[Partition],
        image: Sequence[PartitionState],
    ) -> ControllerHost:
        config, hosts = system.broker_config, self._hosts
        preferred_ms = 1_000 * config.leader_imbalance_check_interval_seconds
        settings = ControllerSettings(
            session_timeout_ms=config.broker_session_timeout_ms,
            preferred_interval_ms=preferred_ms
            if config.auto_leader_rebalance_enable
            else None,
            unclean_interval_ms=config.unclean_leader_election_interval_ms,
        )
        machine = Controller(
            settings,
            image,
            len(self.brokers),
            min_isr=[
                min(p.config.min_insync_replicas, len(p.replicas)) for p in partitions
            ],
            unclean=[p.config.unclean_leader_election_enable for p in partitions],
            draws=Draws(stream(seed, "placement/added")),
        )
        heartbeat_ns = ns_from_ms(config.broker_heartbeat_interval_ms)
        names = [f"broker:{broker.index + 1}" for broker in self.brokers]
        return ControllerHost(
            calendar=self._calendar,
            actor=self._actors[CONTROLLER],
            machine=machine,
            brokers=self.brokers,
            up=[hosts.pipe(name, CONTROLLER) for name in names],
            down=[hosts.pipe(CONTROLLER, name, messages="responses") for name in names],
            quorum=hosts.pipe(CONTROLLER, f"{CONTROLLER}s"),
            heartbeat_ns=heartbeat_ns,
            phases_ns=[
                int(stream(seed, f"heartbeat/{name}").integers(heartbeat_ns))
                for name in names
            ],
        )

    def _make_fetchers(
        self, broker: ReplicatedBroker, config: BrokerConfig
    ) -> dict[int, ReplicaFetcher]:
        """Make a broker's fetches from all others."""
        name = f"broker:{broker.index + 1}"
        settings = FetchSettings(
            wait_ns=ns_from_ms(config.replica_fetch_wait_max_ms),
            most_partition_bytes=config.replica_fetch_max_bytes,
            most_bytes=config.replica_fetch_response_max_bytes,
            backoff_ns=ns_from_ms(config.replica_fetch_backoff_ms),
        )
        fetchers = {}
        for other in self.brokers:
            if other is broker:
                continue
            connection = self._hosts.connect(
                name, self._calls.client_code(name), other.index
            )
            fetcher = ReplicaFetcher(
                calendar=self._calendar,
                actor=self._actors[name],
                node=broker.index,
                leader=other.index,
                connection=connection,
                settings=settings,
                next_request_id=self._calls.next_request_id,
                write_request=self._calls.write_request,
            )
            fetcher.broker, fetcher.source = broker, other
            connection.on_lost = fetcher.lost
            fetchers[other.index] = fetcher
        return fetchers

    def start(self) -> None:
        """Let brokers take up their parts, and followers begin to fetch."""
        for broker in self.brokers:
            broker.start()
        if self._watches:
            self.host.watch()

    # --- what happens to brokers --------------------------------------------------

    def crash(self, node: int, *, clean: bool) -> str:
        """Stop a broker; return what that does."""
        broker = self.brokers[node]
        if not broker.up:
            return "it was down already"
        if clean:
            self.host.stop_in_order(node)
            return "asks for a controlled shutdown"
        led = sum(replica.state is not None for replica in broker.replicas.values())
        broker.crash()
        return f"{led} partition{'s' * (led != 1)} without a leader until it is fenced"

    def come_back(
        self, node: int, *, clean: bool = False, lost_disk: bool = False
    ) -> None:
        """Start a broker again, in order after a clean stop, or with an empty disk."""
        broker = self.brokers[node]
        if broker.up:
            self._due_back.add(node)  # it has not stopped yet
            return
        if lost_disk:
            broker.lose_disk()
        broker.come_back()
        self._calls.on_back(node)
        self.host.register(node, clean=clean)

    def fill_disk(self, node: int) -> str:
        """Let nothing more fit on a broker's disk; return what that does."""
        broker = self.brokers[node]
        broker.fill_disk()
        if not broker.up:
            return "it was down already"
        return "its only log directory fails with its next append: it halts"

    def empty_disk(self, node: int) -> None:
        """Let there be room again; a broker that has halted starts."""
        broker = self.brokers[node]
        broker.is_full = False
        if broker.has_halted:
            self.come_back(node, clean=False)

    def _stopped(self, node: int) -> None:
        if node in self._due_back:
            self._due_back.remove(node)
            self.come_back(node, clean=True)

    def open_requests(self) -> list[Request]:
        """Return requests of followers that have no answer yet."""
        return [
            fetcher.request
            for broker in self.brokers
            for fetcher in broker.fetchers.values()
            if fetcher.request is not None
        ]

"""A run of RabbitMQ: a cluster, its publishers and its consumers."""

from typing import Final

from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.drawn import services
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.engine.sim.links import Links
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.systems.common import (
    run_facts,
    write_events,
    write_resources,
    write_violations,
)
from kafkasim.engine.sim.systems.ends import LoopOfEvents
from kafkasim.engine.sim.systems.rabbitmq.classic_queue import ClassicQueue
from kafkasim.engine.sim.systems.rabbitmq.cluster import Cluster
from kafkasim.engine.sim.systems.rabbitmq.consumers import Consuming
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges, ExchangeType
from kafkasim.engine.sim.systems.rabbitmq.feed import Feed
from kafkasim.engine.sim.systems.rabbitmq.happenings import Happenings
from kafkasim.engine.sim.systems.rabbitmq.hosted import Hosted
from kafkasim.engine.sim.systems.rabbitmq.invariants import (
    Conservation,
    FirstInFirstOut,
)
from kafkasim.engine.sim.systems.rabbitmq.messages import ClientRequest
from kafkasim.engine.sim.systems.rabbitmq.node import Node, QueueProcess
from kafkasim.engine.sim.systems.rabbitmq.parts import (
    calm_until_ns,
    disks_of,
    failures,
    machine_of,
    members_of,
)
from kafkasim.engine.sim.systems.rabbitmq.publisher import Publishing
from kafkasim.engine.sim.systems.rabbitmq.quorum_hosts import QuorumHosts
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue
from kafkasim.engine.sim.systems.rabbitmq.sender import BLOCKED_BY
from kafkasim.engine.sim.systems.rabbitmq.tables import (
    count_hand_outs,
    number_messages,
    write_done_ahead,
    write_labels,
    write_links,
    write_records,
)
from kafkasim.engine.sim.systems.stuck_records import stuck, stuck_in_loop
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.drawn_blocks import drawn_source
from kafkasim.scenario.draws import thinks_ns
from kafkasim.scenario.member_events import AddMember
from kafkasim.scenario.plan import Plan, SourcePlan
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_parts import added_consumers
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import ns_from_s

NOT_RECORDED: Final = dict.fromkeys(
    ("batches", "appends", "commits", "assignments", "requests"),
    "RabbitMQ has no such thing",
)


class RabbitMQRun:
    """One run: publishers, a cluster of nodes, and the consumers of its queues."""

    def __init__(
        self, scenario: Scenario, plan: Plan, *, check: bool, resources: bool = False
    ) -> None:
        resolved = scenario.resolve()
        assert isinstance(resolved.system, RabbitMQ)
        self.scenario = scenario
        self.system = resolved.system
        self.traffic = resolved.traffic
        self.plan = stuck(plan, scenario.events)
        self.calendar = CheckedCalendar() if check else Calendar()
        self.timeline = Timeline(self.calendar, resolved)
        self.meter = Meter() if resources else None
        self.recorder = Recorder()
        self._calm_ns = 0 if resources else calm_until_ns(resolved)
        self._actors = 0
        self._write_delivery = self.recorder.writer("deliveries")
        self.names = sorted(self.traffic.subscribers)
        self._codes = {name: code for code, name in enumerate(self.names)}
        self.feeds = [
            self._make_feed(code, source)
            for code, source in enumerate(self.plan.sources.values())
        ]
        self._members = {
            name: members_of(self.system.queues[name], code, self.system.nodes)
            for name, code in self._codes.items()
        }
        self.cluster = self._make_cluster()
        self.publishers = [self._make_publisher(feed) for feed in self.feeds]
        self._make_queues()
        self.consumers: list[Consuming] = []
        self._late: dict[int, Consuming] = {}
        for name in self.names:
            self._make_consumers(name)
        self.happenings = Happenings(
            self.calendar,
            self.cluster,
            publishers=self.publishers,
            consumers=self.consumers,
            joining=self._join,
        )
        hosted = list(self.cluster.queues.hosted.values())
        self.inspection = (
            Inspection([Conservation(hosted), FirstInFirstOut(hosted)], None)
            if check
            else None
        )
        loops = sum(feed.loop is not None for feed in self.feeds)
        self.timeline.unsettled = loops + sum(len(feed.sizes) for feed in self.feeds)

    def _actor(self) -> int:
        self._actors += 1
        return self._actors

    # --- parts --------------------------------------------------------------------

    def _make_feed(self, code: int, plan: SourcePlan) -> Feed:
        work = {
            name: column
            for (name, source), column in self.plan.work_ns.items()
            if source == plan.source
        }
        law = self.traffic.sources[plan.source].arrivals
        loop = None
        if isinstance(law, ClosedLoop):
            seed = self.scenario.seed
            longer = stuck_in_loop(self.scenario.events, plan.source)
            loop = LoopOfEvents(
                drawn_source(plan.source, self.traffic, seed, longer),
                thinks_ns(plan.source, law, seed),
                law.outstanding,
                ns_from_s(self.traffic.duration_s),
            )
        return Feed(code, plan, work, loop)

    def _make_cluster(self) -> Cluster:
        seed, system = self.scenario.seed, self.system
        events = self.scenario.events
        links = Links(self.calendar, self._actor(), events, self.traffic, system)
        link = system.hardware.link
        hosts = Hosts(link, seed, links, self.meter)
        exchanges = Exchanges()
        for name, exchange in sorted(system.exchanges.items()):
            exchanges.declare(name, ExchangeType(exchange.type))
        nodes = [Node(code) for code in range(system.nodes)]
        cluster = Cluster(
            self.calendar,
            self.timeline,
            actor=self._actor(),
            hosts=hosts,
            nodes=nodes,
            exchanges=exchanges,
            feeds=self.feeds,
            sure_ns=self._calm_ns if isinstance(link.delay_ms, (int, float)) else 0,
        )
        links.break_request = cluster.lose
        cluster.queues = QuorumHosts(
            self.calendar,
            self.timeline,
            nodes=nodes,
            disks=disks_of(system.hardware.disk, nodes, seed, self.meter),
            pipe=cluster.between,
            feeds=self.feeds,
            rows=self.recorder.gathered("queues"),
            pack=lambda: self.recorder.pack("queues"),
            to_channel=cluster.to_channel,
            is_open=cluster.is_open,
            exchanges=exchanges,
            make=self._make_machine,
        )
        cluster.queues.sure_ns = cluster.sure_ns
        cluster.queues.hand = cluster.hand
        cluster.queues.confirm = cluster.confirm
        return cluster

    def _make_publisher(self, feed: Feed) -> Publishing:
        return Publishing(
            self.calendar,
            self.timeline,
            self._actor(),
            feed,
            self.system.publishers[feed.plan.source],
            connect=self.cluster.connect_publisher,
            send=self.cluster.publish,
            arrive=self.cluster.arrive,
            calm_ns=self._calm_ns,
            write_blocked=self.recorder.writer("blocked"),
        )

    def _make_queues(self) -> None:
        queues, cpu = self.cluster.queues, self.system.hardware.cpu
        for code, name in enumerate(self.names):
            node = self.cluster.nodes[code % self.system.nodes]
            host = f"queue:{name}"
            actor = self._actor()
            process = QueueProcess(
                self.calendar,
                actor,
                name,
                node,
                services=services(cpu.request_ms, self.scenario.seed, host),
                ns_per_byte=cpu.mb_ms,
            )
            if self.meter is not None:
                process.track = self.meter.track(host, "cpu")
            members = self._members[name]
            machine = self._make_machine(name)
            queues.hosted[name] = Hosted(
                code, machine, process, members=members, actor=actor
            )

    def _make_machine(self, name: str) -> ClassicQueue | QuorumQueue:
        code = self._codes[name]
        nodes = self._members[name] or (code % self.system.nodes,)
        return machine_of(name, self.system, nodes, self.scenario.seed)

    def _make_consumers(self, name: str) -> None:
        settings = self.system.consumers[name]
        numbers = [str(number) for number in range(1, settings.count + 1)]
        for place, number in enumerate(numbers):
            consumer = self._make_consumer(name, f"{name}/{number}")
            if place < len(settings.priorities):
                consumer.priority = settings.priorities[place]
        for event, number in added_consumers(name, numbers, self.scenario.events):
            self._late[id(event)] = self._make_consumer(name, f"{name}/{number}")

    def _make_consumer(self, queue: str, name: str) -> Consuming:
        settings = self.system.consumers[queue]
        consumer = Consuming(
            self.calendar,
            self.timeline,
            actor=self._actor(),
            code=len(self.consumers),
            queue=queue,
            name=name,
            settings=settings,
            subscriber=self._codes[queue],
            works=[feed.work.get(queue) for feed in self.feeds],
            failures=failures(settings, self.scenario.seed, name),
            run=self,
            acknowledge=self.cluster.acknowledge,
            write=self._write_delivery,
            sure_ns=self.cluster.sure_ns,
        )
        self.consumers.append(consumer)
        return consumer

    # --- the run ------------------------------------------------------------------

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for event in self.scenario.events:
            begin, end = self.happenings.begin, self.happenings.end
            self.timeline.schedule(event, begin, end)
        for name in self.names:
            come_ns = ns_from_s(self.traffic.subscribers[name].from_s)
            if self.system.queues[name].declared == "start" or not come_ns:
                self._declare(name)
            if come_ns:
                self.timeline.command(come_ns, self._come, name)
            else:
                self._come(name)
        for publisher in self.publishers:
            publisher.start()
        self.timeline.run(self.inspection)
        return self._finish()

    def _declare(self, name: str) -> None:
        """Let a queue be there, bound to what it wants."""
        exchanges = self.cluster.exchanges
        exchanges.declare_queue(name)
        for binding in self.system.queues[name].bindings:
            exchanges.bind(name, binding.exchange, binding.key)

    def _come(self, name: str) -> None:
        """Let a subscriber come: its queue is there from now on, and its consumers."""
        if not self.cluster.exchanges.has_queue(name):
            self._declare(name)
        late = list(self._late.values())
        for consumer in self.consumers:
            if consumer.queue == name and consumer not in late:
                consumer.is_from_start = not self.calendar.now_ns
                consumer.come()

    def _join(self, event: AddMember) -> Consuming:
        """Let a consumer come that an event adds."""
        consumer = self._late[id(event)]
        come_ns = ns_from_s(self.traffic.subscribers[consumer.queue].from_s)
        if come_ns > self.calendar.now_ns:
            self.timeline.command(come_ns, lambda _: consumer.come(), None)
        else:
            consumer.come()
        return consumer

    # --- what consumers ask -------------------------------------------------------

    def connect(self, consumer: Consuming) -> bool:
        """Connect a consumer; return whether its queue can be reached."""
        node = self.cluster.queues.hosted[consumer.queue].process.node
        if node.up and not self.cluster.exchanges.has_queue(consumer.queue):
            self._declare(consumer.queue)
        return self.cluster.connect(consumer)

    def say(self, consumer: Consuming, request: ClientRequest) -> None:
        """Send what a consumer says."""
        self.cluster.say(consumer, request)

    def hang_up(self, consumer: Consuming) -> None:
        """Close a consumer's connection."""
        self.cluster.hang_up(consumer)

    # --- the end ------------------------------------------------------------------

    def _finish(self) -> Result:
        for consumer in self.consumers:
            consumer.finish()
        for publisher in self.publishers:
            publisher.finish()
        write_done_ahead(self.recorder, self.consumers, self.cluster.sure_ns)
        number_messages(self.recorder, self.feeds)
        queues = self.cluster.queues.hosted.values()
        if any(each.hands_out_again for each in queues) or any(
            max(feed.send_count, default=0) > 1 for feed in self.feeds
        ):
            count_hand_outs(self.recorder)
        write_records(self.recorder, self.plan, self.feeds)
        write_links(self.recorder, self.cluster.ways)
        write_labels(
            self.recorder,
            sources=self.plan.sources,
            subscribers=self.names,
            members=[each.name for each in self.consumers],
            causes=BLOCKED_BY,
        )
        write_events(self.recorder, self.timeline.done)
        facts = run_facts(self.calendar, self.timeline)
        facts["disk_bytes"] = self.cluster.queues.disk_bytes
        missing = dict(NOT_RECORDED)
        missing |= write_violations(self.recorder, self.inspection)
        missing |= write_resources(self.recorder, self.meter, self.calendar.now_ns)
        return self.recorder.finish(self.scenario, self.plan, facts, missing)

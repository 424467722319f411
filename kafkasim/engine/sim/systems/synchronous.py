"""Point to point: each source sends each event to each subscriber itself.

The synchronous kind. A source takes its next event, sends it to every subscriber that
wants it, and goes on when the last of them has answered; a subscriber answers when it
has done its work, one event after the other. So a source is as fast as its slowest
subscriber, and a subscriber that is down blocks every source that sends to it: the
source tries again until it is back. Nothing is kept: who comes later gets what is sent
from then on.
"""

from kafkasim.engine.sim.at_work import slowed_ns
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.drawn import services
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.engine.sim.links import Links
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.systems.ends import (
    Send,
    Sending,
    Subscribing,
    loop_of_events,
)
from kafkasim.engine.sim.systems.pipeline_accounts import InOrder
from kafkasim.engine.sim.systems.point_to_point_tables import (
    ROW_SHIFT,
)
from kafkasim.engine.sim.systems.sends import SOURCE_CRASHED
from kafkasim.engine.sim.systems.stuck_records import stuck_in_loop
from kafkasim.engine.sim.systems.synchronous_accounts import AllConserved
from kafkasim.engine.sim.systems.working import PROCESSED
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.recorder import Recorder
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.plan import Plan, SourcePlan
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import FOREVER_NS, MISSING_NS, ns_from_ms, ns_from_s


class SynchronousRun:
    """Sources, subscribers, and a pipe between every pair."""

    def __init__(
        self, scenario: Scenario, plan: Plan, *, check: bool, resources: bool = False
    ) -> None:
        resolved = scenario.resolve()
        assert isinstance(resolved.system, PointToPoint)
        self.scenario = scenario
        self.traffic = resolved.traffic
        self.plan = plan
        self.calendar = CheckedCalendar() if check else Calendar()
        self.meter = Meter() if resources else None
        link = resolved.system.hardware.link
        actor = len(self.traffic.subscribers) + len(plan.sources) + 1
        links = Links(
            self.calendar, actor, scenario.events, self.traffic, resolved.system
        )
        links.break_request = lose
        self.drops: list[tuple[int, int, int, int]] = []
        """Rows of the table: record, subscriber, time, cause."""
        self.hosts = Hosts(link, scenario.seed, links, self.meter)
        self.names = sorted(self.traffic.subscribers)
        cpu = resolved.system.hardware.cpu
        self.subscribers = [
            Subscribing(
                code, services(cpu.request_ms, scenario.seed, f"subscriber:{name}")
            )
            for code, name in enumerate(self.names)
        ]
        self.recorder = Recorder()
        self._write_delivery = self.recorder.writer("deliveries")
        self._write_blocked = self.recorder.writer("blocked")
        self._ns_per_byte = cpu.mb_ms
        self._backoff_ns = ns_from_ms(resolved.system.retry_backoff_ms)
        self._late_ns = [
            ns_from_s(self.traffic.subscribers[name].from_s) for name in self.names
        ]
        self.sources = [
            self._make_source(code, source)
            for code, source in enumerate(plan.sources.values())
        ]
        sizes = [len(source.intended) for source in self.sources]
        self._bases = [sum(sizes[:code]) for code in range(len(sizes))]
        self.timeline = Timeline(self.calendar, resolved)
        self._loops = [source for source in self.sources if source.loop is not None]
        self.timeline.unsettled = sum(sizes) + len(self._loops)
        if self._loops:  # how many events they send shows when it is over
            self._bases = [code << ROW_SHIFT for code in range(len(sizes))]
        self._order = InOrder() if check else None
        self.inspection = self._inspection() if check else None

    def _inspection(self) -> Inspection:
        conserved = AllConserved(self.timeline, self.sources, self.subscribers)
        assert self._order is not None
        return Inspection([conserved, self._order], None)

    def _make_source(self, code: int, plan: SourcePlan) -> Sending:
        longer = stuck_in_loop(self.scenario.events, plan.source)
        seed = self.scenario.seed
        loop = loop_of_events(plan.source, self.traffic, seed, longer)
        source = Sending(code, len(self.names) + code + 1, plan, loop)
        there = f"source:{plan.source}"
        for name, subscriber in zip(self.names, self.subscribers, strict=True):
            if plan.stream not in self.traffic.subscribers[name].streams:
                continue
            work = self.plan.work_ns[name, plan.source].data
            source.wants.append(subscriber)
            source.works.append(work)
            if loop is not None:
                loop.readers.append(name)
            source.sends.append(0)
            source.sent_bytes.append(0)
            source.up.append(self.hosts.pipe(there, f"subscriber:{name}"))
            back = self.hosts.pipe(f"subscriber:{name}", there, messages="responses")
            source.down.append(back)
            source.current.append(None)
            self._connect(source, len(source.current) - 1)
        return source

    # --- a source -----------------------------------------------------------------

    def _go_on(self, source: Sending) -> None:
        """Send what is due; come back for the rest at its time or with an answer."""
        if source.is_still:
            source.is_due = True
            return
        now_ns = self.calendar.now_ns
        while (intended_ns := source.due_ns()) < FOREVER_NS:
            if intended_ns >= now_ns:
                self._end_blocked(source)
            elif source.blocked_since_ns == MISSING_NS:
                source.blocked_since_ns = max(intended_ns, source.resumed_ns)
            if intended_ns > now_ns:
                source.timer_key += 1
                self.calendar.at(intended_ns, source.timer_key, self._go_on, source)
                return
            self._send(source, now_ns)
            if source.waiting:
                return
            self._acknowledge(source)
        self._end_blocked(source)

    def _end_blocked(self, source: Sending) -> None:
        if source.blocked_since_ns != MISSING_NS:
            now_ns = self.calendar.now_ns
            if source.blocked_since_ns < now_ns:
                self._write_blocked(source.code, source.blocked_since_ns, now_ns, 0)
            source.blocked_since_ns = MISSING_NS

    def _send(self, source: Sending, now_ns: int) -> None:
        """Send the next event to every subscriber that wants it and has come."""
        ordinal = source.next_ordinal
        source.next_ordinal += 1
        if source.loop is None:
            source.created_ns[ordinal] = now_ns
        else:
            if ordinal == len(source.created_ns):
                source.draw()
            source.created_ns[ordinal] = source.loop.take(now_ns)
            self.timeline.unsettled += 1
        size_bytes = max(0, int(source.plan.value_bytes[ordinal]))
        for position, subscriber in enumerate(source.wants):
            if self._late_ns[subscriber.code] > now_ns:
                continue
            source.waiting += 1
            source.sends[position] += 1
            source.sent_bytes[position] += size_bytes
            source.arrival_key += 1
            send = source.current[position] = Send(source, ordinal, position)
            self.calendar.at(
                source.up[position].transfer(now_ns, size_bytes),
                source.arrival_key,
                self._arrive,
                send,
            )
        source.send_count[ordinal] = source.waiting

    def _acknowledge(self, source: Sending) -> None:
        """Count the event that was sent last as answered by all."""
        now_ns = self.calendar.now_ns
        source.acked_ns[source.next_ordinal - 1] = now_ns
        is_over = source.loop is not None and source.loop.answered(now_ns)
        self.timeline.settle(1 + is_over)

    # --- a subscriber -------------------------------------------------------------

    def _arrive(self, send: Send) -> None:
        """Take an event in, through the card that all who send to it share."""
        now_ns, source = self.calendar.now_ns, send.source
        size_bytes = max(0, int(source.plan.value_bytes[send.ordinal]))
        if size_bytes:
            there_ns = source.up[send.position].receive(now_ns, size_bytes)
            if there_ns > now_ns:
                source.arrival_key += 1
                self.calendar.at(there_ns, source.arrival_key, self._queue, send)
                return
        self._queue(send)

    def _queue(self, send: Send) -> None:
        """Queue an event behind those that came before it."""
        if send.is_lost:
            return
        send.arrived_ns = self.calendar.now_ns
        subscriber = send.subscriber
        subscriber.queue.append(send)
        if send.is_orphan and not subscriber.up:
            self._bury(subscriber)
        if subscriber.up and subscriber.at_work is None:
            self._work_on(subscriber)

    def _work_on(self, subscriber: Subscribing) -> None:
        """Begin with the next event: take the request in, then do the work."""
        if not subscriber.queue or subscriber.paused:
            return
        send = subscriber.queue.popleft()
        subscriber.at_work = send
        source = send.source
        size_bytes = max(0, int(source.plan.value_bytes[send.ordinal]))
        taken_ns = next(subscriber.services) + round(size_bytes * self._ns_per_byte)
        work_ns = source.works[send.position][send.ordinal]
        send.tries += 1
        send.started_ns = self.calendar.now_ns + taken_ns
        send.ended_ns = send.started_ns + slowed_ns(work_ns, subscriber.slowed)
        self._end_at(send)

    def _end_at(self, send: Send) -> None:
        """Expect the end of the work under way at the time it has now."""
        subscriber = send.subscriber
        self.timeline.expect(send.ended_ns)
        subscriber.service_key += 1
        self.calendar.at(
            send.ended_ns, subscriber.service_key, self._done, (send, send.tries)
        )

    def _done(self, done: tuple[Send, int]) -> None:
        """Answer, unless the subscriber stopped meanwhile, and take the next."""
        send, tries = done
        subscriber = send.subscriber
        if subscriber.at_work is not send or tries != send.tries:
            return
        if send.ended_ns != self.calendar.now_ns:
            return  # a pause has moved its end
        subscriber.at_work = None
        self._write(send, PROCESSED, send.started_ns, send.ended_ns)
        if self._order is not None:
            self._order.processed(send.source.code, subscriber.code, send.ordinal)
        if send.is_orphan:
            self.timeline.settle(1)
        subscriber.answer_key += 1
        self.calendar.at(
            send.source.down[send.position].transfer(self.calendar.now_ns, 0),
            subscriber.answer_key,
            self._answered,
            send,
        )
        self._work_on(subscriber)

    def _answered(self, send: Send) -> None:
        source = send.source
        if send.is_orphan or send.is_lost:
            return
        if source.is_still:
            source.unseen.append(send)
            return
        source.current[send.position] = None
        source.waiting -= 1
        if not source.waiting:
            self._acknowledge(source)
            self._go_on(source)

    def _write(self, send: Send, outcome: int, started: int, ended: int) -> None:
        self._write_delivery(
            self._bases[send.source.code] + send.ordinal,
            send.subscriber.code,
            send.subscriber.code,
            -1,
            -1,
            -1,
            0,
            send.tries,
            send.arrived_ns,
            started,
            ended,
            outcome,
        )

    def _write_unfinished(self, send: Send, outcome: int) -> None:
        """Write work that had begun and will not end."""
        begun = send.started_ns <= self.calendar.now_ns
        self._write(send, outcome, send.started_ns if begun else MISSING_NS, MISSING_NS)

    def _send_again(self, send: Send) -> None:
        """Count the repetition; it is worked on at the moment the receiver is back."""
        source = send.source
        source.send_count[send.ordinal] += 1
        source.sends[send.position] += 1
        size_bytes = max(0, int(source.plan.value_bytes[send.ordinal]))
        source.sent_bytes[send.position] += size_bytes

    # --- what is lost -------------------------------------------------------------

    def _connect(self, source: Sending, position: int) -> None:
        """Let a pair have a new connection; learn when it breaks."""
        up, down = source.up[position], source.down[position]
        connection = Connection(client=0, broker=0, up=up, down=down)

        def lost(broken: Connection) -> None:
            broken.broken = True
            self._connect(source, position)
            send = source.current[position]
            if send is not None and send not in source.unseen:
                send.is_lost = True
                source.timer_key += 1
                at_ns = self.calendar.now_ns + self._backoff_ns
                self.calendar.at(at_ns, source.timer_key, self._repeat, send)

        connection.on_lost = lost

    def _repeat(self, send: Send) -> None:
        """Send an event again whose request or answer was lost."""
        source, now_ns = send.source, self.calendar.now_ns
        if send.is_orphan:
            return
        if source.is_still:
            source.unseen.append(send)
            return
        again = Send(source, send.ordinal, send.position)
        again.tries = send.tries
        source.current[send.position] = again
        self._send_again(again)
        source.arrival_key += 1
        size_bytes = max(0, int(source.plan.value_bytes[send.ordinal]))
        there_ns = source.up[send.position].transfer(now_ns, size_bytes)
        self.calendar.at(there_ns, source.arrival_key, self._arrive, again)

    def _forget(self, source: Sending) -> int:
        """Let a source that crashed know nothing of the event it waits for."""
        source.unseen.clear()
        if not source.waiting:
            return 0
        source.failed[source.next_ordinal - 1] = SOURCE_CRASHED
        source.waiting = 0
        for position, send in enumerate(source.current):
            if send is not None:
                source.current[position] = None
                send.is_orphan = True
                is_there = send.arrived_ns != MISSING_NS
                in_hand = (
                    send is send.subscriber.at_work or send in send.subscriber.queue
                )
                if in_hand or not (send.is_lost or is_there):
                    self.timeline.unsettled += 1
                elif not is_there:
                    self._drop(send)
        source.lost_users += 1
        self.timeline.settle(1)
        return 1

    def _bury(self, subscriber: Subscribing) -> None:
        """Let go of what waits at a subscriber that is down, and nobody sends again."""
        for send in [each for each in subscriber.queue if each.is_orphan]:
            subscriber.queue.remove(send)
            self._drop(send)
            self.timeline.settle(1)

    def _drop(self, send: Send) -> None:
        row = self._bases[send.source.code] + send.ordinal
        now_ns = self.calendar.now_ns
        self.drops.append((row, send.subscriber.code, now_ns, SOURCE_CRASHED))


def lose(connection: Connection) -> None:
    """Let a sender learn that a message was lost with its connection."""
    if connection.on_lost is not None:
        connection.on_lost(connection)

"""Point to point: each source sends each event to each subscriber itself.

The synchronous kind. A source takes its next event, sends it to every subscriber that
wants it, and goes on when the last of them has answered; a subscriber answers when it
has done its work, one event after the other. So a source is as fast as its slowest
subscriber, and a subscriber that is down blocks every source that sends to it: the
source tries again until it is back. Nothing is kept: who comes later gets what is sent
from then on.
"""

from typing import Final

from kafkasim.engine.sim.at_work import UNSLOWED, slowed_ns
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar
from kafkasim.engine.sim.drawn import services
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.links import Links, effect_of
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.systems.common import (
    run_facts,
    write_events,
    write_resources,
)
from kafkasim.engine.sim.systems.ends import LoopOfEvents, Send, Sending, Subscribing
from kafkasim.engine.sim.systems.point_to_point_tables import (
    ROW_SHIFT,
    number_events,
    write_links,
    write_records,
)
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.ids import Target
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.drawn_blocks import drawn_source
from kafkasim.scenario.draws import thinks_ns
from kafkasim.scenario.events import Event, LinkEvent, Pause, Slow
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.plan import Plan, SourcePlan
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import FOREVER_NS, MISSING_NS, ns_from_s

NOT_RECORDED: Final = dict.fromkeys(
    ("batches", "appends", "commits", "assignments", "requests"),
    "point to point has no such thing",
) | {"violations": "point to point has no invariants to check"}

_STANDS_STILL = 1
"""Code of the cause of `blocked`."""
_PROCESSED, _ABANDONED, _IN_FLIGHT = range(3)
"""Codes into the schema's outcomes of `deliveries`."""


class PointToPointRun:
    """One run: sources, subscribers, and a pipe between every pair."""

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
        links = Links(self.calendar, 0, scenario.events, self.traffic, resolved.system)
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

    def _make_source(self, code: int, plan: SourcePlan) -> Sending:
        loop = self._make_loop(plan.source)
        source = Sending(code, len(self.names) + code + 1, plan, loop)
        there = f"source:{plan.source}"
        for name, subscriber in zip(self.names, self.subscribers, strict=True):
            if plan.stream not in self.traffic.subscribers[name].streams:
                continue
            work = self.plan.work_ns[name, plan.source].data
            source.wants.append((subscriber, work))
            if loop is not None:
                loop.readers.append(name)
            source.sends.append(0)
            source.sent_bytes.append(0)
            source.up.append(self.hosts.pipe(there, f"subscriber:{name}"))
            back = self.hosts.pipe(f"subscriber:{name}", there, messages="responses")
            source.down.append(back)
        return source

    def _make_loop(self, name: str) -> LoopOfEvents | None:
        """Return the closed loop that is a source's traffic, if it is one."""
        law = self.traffic.sources[name].arrivals
        if not isinstance(law, ClosedLoop):
            return None
        return LoopOfEvents(
            drawn_source(name, self.traffic, self.scenario.seed),
            thinks_ns(name, law, self.scenario.seed),
            law.outstanding,
            ns_from_s(self.traffic.duration_s),
        )

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        for event in self.scenario.events:
            self.timeline.schedule(event, self._begin, self._end)
        for source in self.sources:
            self._go_on(source)
        self.timeline.run()
        return self._finish()

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
        for position, (subscriber, _) in enumerate(source.wants):
            if self._late_ns[subscriber.code] > now_ns:
                continue
            source.waiting += 1
            source.sends[position] += 1
            source.sent_bytes[position] += size_bytes
            source.arrival_key += 1
            self.calendar.at(
                source.up[position].transfer(now_ns, size_bytes),
                source.arrival_key,
                self._arrive,
                Send(source, ordinal, position),
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
        send.arrived_ns = self.calendar.now_ns
        subscriber = send.subscriber
        subscriber.queue.append(send)
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
        work_ns = source.wants[send.position][1][send.ordinal]
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
        self._write(send, _PROCESSED, send.started_ns, send.ended_ns)
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
        if source.is_still:
            source.unseen.append(send)
            return
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

    # --- events and the end -------------------------------------------------------

    def _begin(self, event: Event, target: Target, until_ns: int) -> str:
        if isinstance(event, LinkEvent):
            return effect_of(event)
        if target.kind == "source":
            return self._stand_still(self._source(target), until_ns)
        receiver = self.subscribers[self.names.index(target.name)]
        if isinstance(event, Slow):
            receiver.slowed = event.factor
            return f"its work takes {event.factor:g} times as long"
        if isinstance(event, Pause):
            return self._pause(receiver, until_ns)
        receiver.up = receiver.paused = False
        if receiver.at_work is not None:
            self._write_unfinished(receiver.at_work, _ABANDONED)
            self._send_again(receiver.at_work)
            receiver.queue.appendleft(receiver.at_work)
            receiver.at_work = None
        return "it stopped; whoever sends to it tries again until it is back"

    def _source(self, target: Target) -> Sending:
        return self.sources[list(self.plan.sources).index(target.name)]

    def _stand_still(self, source: Sending, until_ns: int) -> str:
        """Let a source send nothing and see no answer for a while."""
        source.stand_still(until_ns)
        self._end_blocked(source)
        end_ns = until_ns if until_ns < FOREVER_NS else MISSING_NS
        since_ns = self.calendar.now_ns
        self._write_blocked(source.code, since_ns, end_ns, _STANDS_STILL)
        return "it stands still; what is wanted meanwhile waits"

    def _resume(self, source: Sending) -> None:
        """Let it see what has come, and go on."""
        for send in source.resume():
            self._answered(send)
        if source.is_due:
            source.is_due = False
            self._go_on(source)

    def _pause(self, receiver: Subscribing, until_ns: int) -> str:
        """Let what is at work, and all that arrives, wait for the end of a pause."""
        if not receiver.up:
            return "it was down"
        receiver.paused = True
        now_ns, send = self.calendar.now_ns, receiver.at_work
        if send is not None and send.ended_ns > now_ns:
            send.ended_ns += until_ns - now_ns
            if send.started_ns > now_ns:
                send.started_ns += until_ns - now_ns
            if until_ns < FOREVER_NS:
                self._end_at(send)
        return "it stands still; whoever sends to it waits"

    def _send_again(self, send: Send) -> None:
        """Count the repetition; it is worked on at the moment the receiver is back."""
        source = send.source
        source.send_count[send.ordinal] += 1
        source.sends[send.position] += 1
        size_bytes = max(0, int(source.plan.value_bytes[send.ordinal]))
        source.sent_bytes[send.position] += size_bytes

    def _end(self, event: Event, target: Target) -> None:
        if isinstance(event, LinkEvent):
            return
        if target.kind == "source":
            self._resume(self._source(target))
            return
        receiver = self.subscribers[self.names.index(target.name)]
        if isinstance(event, Slow):
            receiver.slowed = UNSLOWED
            return
        if isinstance(event, Pause):
            if not receiver.paused:
                return  # a crash has ended it
            receiver.paused = False
        receiver.up = True
        if receiver.at_work is None:
            self._work_on(receiver)

    def _write_unfinished(self, send: Send, outcome: int) -> None:
        """Write work that had begun and will not end."""
        begun = send.started_ns <= self.calendar.now_ns
        self._write(send, outcome, send.started_ns if begun else MISSING_NS, MISSING_NS)

    def _finish(self) -> Result:
        for subscriber in self.subscribers:
            if subscriber.at_work is not None:
                self._write_unfinished(subscriber.at_work, _IN_FLIGHT)
        for source in self.sources:
            self._end_blocked(source)
        if self._loops:
            number_events(self.recorder, self._loops, self.sources)
        write_records(self.recorder, self.plan, self.sources)
        names = tuple(self.names)
        for column in ("subscriber", "member"):
            self.recorder.labels("deliveries", column, names)
        self.recorder.labels("deliveries", "topic", ())
        self.recorder.labels("blocked", "source", tuple(self.plan.sources))
        self.recorder.labels("blocked", "cause", ("waiting for answers", "paused"))
        write_links(self.recorder, self.sources, self.names)
        write_events(self.recorder, self.timeline.done)
        facts = run_facts(self.calendar, self.timeline)
        missing = NOT_RECORDED | write_resources(
            self.recorder, self.meter, self.calendar.now_ns
        )
        return self.recorder.finish(self.scenario, self.plan, facts, missing)

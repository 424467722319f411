"""A tiny system, sound, and what can be wrong with it: one mistake each."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import kafkasim as ks
from kafkasim.engine.sim.own_run import HandOut, OwnRecord, OwnSource, OwnSubscriber

Steps = Generator[Any, Any, None]


@dataclass(frozen=True, repr=False)
class Pigeonholes(ks.OwnSystem):
    """A porter puts each record into a pigeonhole, and subscribers look there."""

    look_ms: float = 20.0


class Sound(ks.OwnRun):
    """Nothing is wrong with it."""

    def start(self) -> None:
        self.holes: dict[str, list[OwnRecord]] = {s.stream: [] for s in self.sources}
        for source in self.sources:
            self.process(self.send(source))
        for subscriber in self.subscribers:
            self.process(self.read(subscriber))

    def send(self, source: OwnSource) -> Steps:
        for record in source.records:
            yield self.wait_until(record.intended_ns)
            self.create(record)
            yield self.wait(1_000)
            record.sends = record.copies = 1
            self.holes[record.stream].append(record)
            self.acknowledge(record)

    def read(self, subscriber: OwnSubscriber) -> Steps:
        want, seen = subscriber.want, 0
        yield self.wait_until(want.from_ns)
        hole = self.holes[want.streams[0]]
        if want.history == "new":
            seen = len(hole)
        while True:
            while seen < len(hole):
                seen += 1
                yield from self.take(hole[seen - 1], subscriber)
            yield self.wait(self.env.ms(self.system.look_ms))

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        yield from self.work_on(self.hand_out(record, subscriber))


class Loses(Sound):
    """lost for audit without a cause"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        if record.row % 5 == 2:
            record.copies = 0
            self.give_up(record, subscriber)
        else:
            yield from super().take(record, subscriber)


class Hurries(Sound):
    """audit did not work on it as long as it takes"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        if record.row % 5 == 2:
            hand_out = self.hand_out(record, subscriber)
            hand_out.started_ns = hand_out.fetched_ns
            self.close(hand_out, "processed")
        else:
            yield from super().take(record, subscriber)


class Repeats(Sound):
    """was handed out again without a cause"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        yield from super().take(record, subscriber)
        if record.row % 5 == 2:
            yield from super().take(record, subscriber)


class TurnsRound(Sound):
    """came after a later one of its source, by subscriber"""

    def read(self, subscriber: OwnSubscriber) -> Steps:
        yield self.wait_until(max(400_000_000, subscriber.want.from_ns))
        for record in reversed(self.holes["orders"]):
            yield from self.take(record, subscriber)
        yield from super().read(subscriber)


class Invents(Sound):
    """was handed out and never sent"""

    def start(self) -> None:
        super().acknowledge(self.records[-1])
        self.process(self.take(self.records[-1], self.subscribers[0]))
        super().start()

    def acknowledge(self, record: OwnRecord) -> None:
        if record is not self.records[-1]:
            super().acknowledge(record)

    def create(self, record: OwnRecord) -> None:
        if record is not self.records[-1]:
            super().create(record)


class Foresees(Sound):
    """was handed out before it was sent"""

    def start(self) -> None:
        self.process(self.take(self.sources[1].records[-1], self.subscribers[0]))
        super().start()


class Ignores(Sound):
    """was handed to late, who had not come yet"""

    def read(self, subscriber: OwnSubscriber) -> Steps:
        if subscriber.name == "late" and self.holes["orders"] == []:
            yield self.wait_until(subscriber.want.from_ns // 2)
            for record in self.holes["orders"]:
                yield from self.take(record, subscriber)
        yield from super().read(subscriber)


class Delivers(Sound):
    """was handed to audit, who does not want its stream"""

    def start(self) -> None:
        super().start()
        self.process(self.pry(self.subscribers_by_name["audit"]))

    def pry(self, subscriber: OwnSubscriber) -> Steps:
        yield self.wait(700_000_000)
        for record in self.holes.get("returns", []):
            yield from self.take(record, subscriber)


class Forgets(Sound):
    """the run does not end: something is pending for ever"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        if record.row != 1:
            yield from super().take(record, subscriber)


class Miscounts(Sound):
    """its hand-outs are not counted 1, 2, 3"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        subscriber.counts[record.row] = 1
        yield from super().take(record, subscriber)


_RUNS: Iterator[int] = count()


class Wavers(Sound):
    """the digest differs: no two runs of it are the same"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        yield self.wait(next(_RUNS))
        yield from super().take(record, subscriber)


class IsShy(Sound):
    """the digest differs: checking it changes it"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        yield self.wait(len(type(self.env).__name__))
        yield from super().take(record, subscriber)


class SaysNothing(Sound):
    """is not in the table events"""

    def run(self) -> ks.Result:
        self.timeline.done = _Deaf()
        return super().run()


class _Deaf(list[Any]):
    def append(self, _: object) -> None:
        pass


class Fails(Sound):
    """not_accepted for audit without a cause"""

    def send(self, source: OwnSource) -> Steps:
        most, last = source.records[:-1], source.records[-1:]
        yield from super().send(OwnSource(source.name, source.stream, most))
        for record in last:
            yield self.wait_until(record.intended_ns)
            self.create(record)
            self.fail(record, "NO_ROOM")


class AnswersEarly(Sound):
    """was acknowledged before it was created"""

    def create(self, record: OwnRecord) -> None:
        super().create(record)
        record.created_ns += 2_000


class SendsEarly(Sound):
    """was created before it was intended"""

    def create(self, record: OwnRecord) -> None:
        super().create(record)
        record.created_ns -= 10


class Renumbers(Sound):
    """deliveries.record_id is"""

    def take(self, record: OwnRecord, subscriber: OwnSubscriber) -> Steps:
        hand_out = self.hand_out(record, subscriber)
        yield from self.work_on(hand_out)

    def _write(self, each: HandOut, outcome: str, ended_ns: int) -> None:
        row = each.record.row
        each.record.row = len(self.records)
        super()._write(each, outcome, ended_ns)
        each.record.row = row


class Swaps(Sound):
    """the world wants"""

    def _write_records(self) -> None:
        for planned in self.plan.sources.values():
            planned.value_bytes.flags.writeable = True
            planned.value_bytes[:1] += 1
        super()._write_records()
        for planned in self.plan.sources.values():
            planned.value_bytes[:1] -= 1


class Crashes(Sound):
    """ZeroDivisionError"""

    def read(self, subscriber: OwnSubscriber) -> Steps:
        yield self.wait(len(subscriber.name) // 0)


MISTAKES = [
    Loses, Hurries, Repeats, TurnsRound, Invents, Foresees, Ignores, Delivers,
    Forgets, Miscounts, Wavers, IsShy, SaysNothing, Fails, AnswersEarly, SendsEarly,
    Renumbers, Swaps,
]  # fmt: skip

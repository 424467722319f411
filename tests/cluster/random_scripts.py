"""Random scripts: what can be done to a log, in any order."""

from collections.abc import Callable
from typing import Literal

from kafkasim.log.header import CODECS
from kafkasim.log.record import Record
from tests.cluster.batches import Draws
from tests.cluster.script import Script

STEPS = 70
_SIZES = (0, 5, 30, 30, 80, 250)
"""Of values. Each batch goes into a segment: what is too large in two ways is refused
for the one by kafkasim, and for the other by the broker above Kafka's log."""


class Deeds:
    """What a script may do next, and what it has to remember for that.

    Parameters
    ----------
    seed : int
        Of the draws.
    """

    def __init__(self, seed: int) -> None:
        draws = self.draws = Draws(seed)
        self.compacts = draws.often(0.4)
        config: dict[str, object] = {
            "index_interval_bytes": draws.one((0, 80, 200)),
            "internal_segment_bytes": draws.one((400, 900, 3_000)),
            "segment_index_bytes": 1_000 if self.compacts else draws.one((36, 120)),
            "segment_ms": draws.one((700, 5_000, 604_800_000)),
        }
        if self.compacts:
            config["cleanup_policy"] = "compact"
            config["delete_retention_ms"] = 3_000
        else:
            config["retention_ms"] = draws.one((-1, 4_000))
            config["retention_bytes"] = draws.one((-1, 1_500))
        if draws.often(0.2):
            config["message_timestamp_type"] = "LogAppendTime"
        self.script = Script(**config)
        self.sequences: dict[tuple[int, int], int] = {}
        self.epochs: dict[int, int] = {}
        self.open: set[tuple[int, int]] = set()
        self.sent = 0
        self.dirty = 0

    def records(self) -> list[Record]:
        draws, made = self.draws, []
        count = draws.one((1, 1, 2, 3, 6))
        for _ in range(count):
            value = b"v" * draws.one(_SIZES[: 4 + 2 * (count == 1)])
            if self.compacts and draws.often(0.2):
                made.append(self._record(None))
            else:
                made.append(self._record(value))
        self.sent += len(made)
        return made

    def _record(self, value: bytes | None) -> Record:
        late = self.draws.one((0, 0, 0, 40, 900))
        return Record(self.script.now_ms - late, b"key %d" % self.draws.below(9), value)

    def send(self) -> None:
        codecs = ("none",) if self.compacts else ("none", "none", *CODECS)
        self.script.send(self.records(), codec=self.draws.one(codecs))

    def send_numbered(self) -> None:
        producer = (self.draws.below(3), self.draws.one((0, 0, 1)))
        records = self.records()
        known = self.sequences.get(producer, 0)
        sequence = known if self.draws.often(0.9) else self.draws.below(known + 5)
        self.sequences[producer] = sequence + len(records)
        self.script.send(records, producer=(*producer, sequence))

    def send_in_transaction(self) -> None:
        producer_id = 20 + self.draws.below(3)
        producer = (producer_id, self.epochs.get(producer_id, 0))
        records = self.records()
        sequence = self.sequences.get(producer, 0)
        self.sequences[producer] = sequence + len(records)
        self.open.add(producer)
        self.script.send(records, producer=(*producer, sequence), transactional=True)

    def end(self) -> None:
        producer = self.draws.one(sorted(self.open) or [(20, self.epochs.get(20, 0))])
        self.open.discard(producer)
        kinds: tuple[Literal["abort", "commit"], ...] = ("abort", "commit")
        self.script.end(self.draws.one(kinds), producer)
        self.epochs[producer[0]] = producer[1] + 1
        self.sent += 1

    def follow(self) -> None:
        self.script.leader_epoch += self.draws.below(3)

    def wait(self) -> None:
        self.script.wait(self.draws.one((10, 300, 2_000, 70_000)))

    def high_watermark(self) -> None:
        offset = 10**6 if self.draws.often(0.5) else self.draws.below(self.sent + 1)
        self.script.do("high_watermark", offset=offset, whole=True)

    def truncate(self) -> None:
        lost = self.draws.below(min(self.sent, 12) + 1)
        self.script.do("truncate_to", offset=max(0, self.sent - lost))

    def delete(self) -> None:
        if self.compacts:
            self.script.do("high_watermark", offset=10**6).do("clean").do("state")
        elif self.draws.often(0.5):
            offset = self.draws.below(self.sent + 1)
            self.script.do("delete_records", offset=offset, whole=True)
            self.script.do("delete_old_segments")
        else:
            self.script.do("delete_old_segments")

    def read(self) -> None:
        offset = self.draws.below(self.sent + 2)
        until = self.draws.one(("LOG_END", "HIGH_WATERMARK", "TXN_COMMITTED"))
        most = self.draws.one((1, 100, 1_000, 10**6))
        self.script.do("read", offset=offset, until=until, most_bytes=most)
        back = self.draws.below(9_000)
        self.script.do("offset_for_time", timestamp_ms=self.script.now_ms - back)
        self.script.do("end_offset_for_epoch", epoch=self.draws.below(9))

    def roll(self) -> None:
        self.script.do("roll")

    def again(self) -> None:
        clean = self.draws.often(0.6)
        recovery_point = 0 if self.draws.often(0.5) else self.draws.below(self.sent + 1)
        self.script.again(clean=clean, recovery_point=recovery_point).do("state")
        # Kafka moves it to where the first batch begins, once somebody asks for it.
        self.script.do("high_watermark", offset=10**6)


def random_script(seed: int) -> Script:
    """Return a script of some seventy deeds."""
    deeds = Deeds(seed)
    choice: tuple[Callable[[], None], ...] = (
        *(deeds.send,) * 5,
        *(deeds.send_numbered,) * 5,
        *(deeds.send_in_transaction,) * 4,
        *(deeds.end,) * 3,
        *(deeds.wait,) * 4,
        *(deeds.high_watermark,) * 3,
        *(deeds.read,) * 2,
        *(deeds.delete,) * 2,
        deeds.follow,
        deeds.truncate,
        deeds.roll,
        deeds.again,
    )
    for _ in range(STEPS):
        deeds.draws.one(choice)()
    return deeds.script.do("state")

"""Random record batches, said once and built by Kafka's classes and by kafkasim."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from kafkasim.log.columns import Blob, Columns
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.record import Record

T = TypeVar("T")
T0_MS = 1_700_000_000_000
_SIZES = (0, 1, 7, 63, 64, 127, 128, 300, 8_191, 8_192, 20_000)
"""Around the lengths at which a varint takes a byte more."""
_NAMES = ("", "k", "trace-id", "이름", "é", "🚀", "x" * 70)


class Draws:
    """Draws that numpy's generator makes, as Python's own numbers.

    Parameters
    ----------
    seed : int
        Of the generator.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def below(self, end: int) -> int:
        return int(self._random.integers(end))

    def often(self, share: float) -> bool:
        return bool(self._random.random() < share)

    def one(self, of: Sequence[T]) -> T:
        return of[self.below(len(of))]

    def some_bytes(self) -> bytes | None:
        if self.often(0.15):
            return None
        return self._random.bytes(_SIZES[min(self.below(11) for _ in range(3))])

    def headers(self) -> list[list[Any]]:
        count = self.one((0, 0, 0, 1, 2, 5))
        return [[self.one(_NAMES), self.some_bytes()] for _ in range(count)]

    def timestamps(self, count: int) -> list[int]:
        """Return timestamps that go back and forth, by days sometimes; or none."""
        if self.often(0.05):
            return [-1] * count
        most = self.one((1, 50, 70, 5_000, 86_400_000, T0_MS - 1))
        return [T0_MS - most + self.below(2 * most + 1) for _ in range(count)]


def some_batch(draws: Draws, codec: str = "none") -> dict[str, Any]:
    """Return a batch as `Kafka.java` takes it.

    It is one that a producer could have sent, a broker have stamped or a cleaner have
    left.
    """
    base = draws.one((0, 1, draws.below(2**31), draws.below(2**62)))
    batch: dict[str, Any] = {
        "base_offset": base,
        "leader_epoch": draws.one((-1, 0, 7, 2**31 - 1)),
        "codec": codec,
    }
    if draws.often(0.5):
        batch["producer_id"] = draws.one((0, 4_000, 2**62))
        batch["producer_epoch"] = draws.one((0, 3, 2**15 - 1))
        batch["base_sequence"] = draws.one((0, 9, 2**31 - 1))
        batch["transactional"] = draws.often(0.5)
    count = 70 if draws.often(0.03) else draws.one((1, 1, 2, 3, 5, 12))
    stamps = draws.timestamps(count)
    gaps = draws.often(0.2)
    offset, rows = base, []
    for stamp in stamps:
        row = [stamp, draws.some_bytes(), draws.some_bytes(), draws.headers()]
        rows.append([*row, offset])
        offset += draws.one((1, 1, 2, 90)) if gaps else 1
    batch["records"] = rows
    if gaps:
        batch["last_offset"] = offset + draws.one((0, 3))
    if draws.often(0.1):
        batch["log_append_time_ms"] = T0_MS + draws.below(10_000)
    elif draws.often(0.1):
        batch["delete_horizon_ms"] = T0_MS + draws.below(10_000)
    return batch


def some_marker(draws: Draws) -> dict[str, Any]:
    """Return a transaction's marker."""
    return {
        "control": draws.one(("commit", "abort")),
        "base_offset": draws.below(2**40),
        "timestamp_ms": T0_MS + draws.below(10_000),
        "leader_epoch": draws.below(9),
        "producer_id": draws.below(2**40),
        "producer_epoch": draws.below(2**15),
        "coordinator_epoch": draws.one((-1, 0, 5, 2**31 - 1)),
    }


def records_of(batch: dict[str, Any]) -> list[Record]:
    """Return a batch's records, with the offsets they have in it."""
    return [
        Record(stamp, key, value, tuple((n, v) for n, v in headers), offset)
        for stamp, key, value, headers, offset in batch["records"]
    ]


def encoded(batch: dict[str, Any]) -> bytes:
    """Return the batch as kafkasim's plain encoder makes it."""
    given = {k: v for k, v in batch.items() if k not in {"records", "last_offset"}}
    if kind := given.pop("control", None):
        return control_batch(kind, **given)
    records = records_of(batch)
    base = batch.get("base_offset", 0)
    if "last_offset" in batch:
        given["last_offset_delta"] = batch["last_offset"] - base
    deltas = [record.offset - base for record in records]
    return encode_batch(records, offset_deltas=deltas, **given)


def gathered(batches: Sequence[dict[str, Any]]) -> Columns:
    """Return batches as columns, for the encoder of many at once."""
    records = [record for batch in batches for record in records_of(batch)]
    counts = [len(batch["records"]) for batch in batches]

    def each(name: str, otherwise: int = -1) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array([b.get(name, otherwise) for b in batches], dtype=np.int64)

    bases = each("base_offset")
    offsets = np.array([record.offset for record in records], dtype=np.int64)
    ends = [b.get("last_offset", b["records"][-1][4]) for b in batches]
    return Columns(
        timestamps_ms=np.array([r.timestamp_ms for r in records], dtype=np.int64),
        keys=Blob.of(record.key for record in records),
        values=Blob.of(record.value for record in records),
        batch_starts=np.concatenate(([0], np.cumsum(counts, dtype=np.int64))),
        headers=[record.headers for record in records],
        offset_deltas=offsets - bases.repeat(counts),
        last_offset_deltas=np.array(ends, dtype=np.int64) - bases,
        base_offsets=bases,
        leader_epochs=each("leader_epoch"),
        producer_ids=each("producer_id"),
        producer_epochs=each("producer_epoch"),
        base_sequences=each("base_sequence"),
        transactional=each("transactional", 0) == 1,
        log_append_times_ms=each("log_append_time_ms"),
        delete_horizons_ms=each("delete_horizon_ms"),
    )

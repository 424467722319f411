"""A script: what is done to a log, step by step, by Kafka and by kafkasim alike.

A step is a command of `Kafka.java` with what it is given. Batches are made once, by
kafkasim's encoder or Kafka's, and handed to both as bytes.
"""

from typing import Any, Literal

from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.record import Record
from tests.cluster.batches import T0_MS

Step = dict[str, Any]
SMALL = {
    "internal.segment.bytes": 600,
    "segment.index.bytes": 120,
    "index.interval.bytes": 80,
    "retention.ms": -1,
    "message.timestamp.after.max.ms": 3_600_000,
}
"""Settings under which a few batches make several segments with indexes."""


class Script:
    """Steps in order; the clock only goes on.

    Parameters
    ----------
    config : dict
        The topic's settings, those of `SMALL` first.
    """

    def __init__(self, **config: object) -> None:
        self.now_ms = T0_MS
        self.leader_epoch = 0
        self.transaction_version = 2
        self.config = SMALL | {k.replace("_", "."): v for k, v in config.items()}
        self.steps: list[Step] = []
        self._made = 0
        self.open(clean=True)

    def do(self, do: str, **given: object) -> "Script":
        self.steps.append({"do": do, "now_ms": self.now_ms} | given)
        return self

    def open(self, *, clean: bool, **given: object) -> "Script":
        return self.do("open", config=self.config, clean=clean, **given)

    def again(self, *, clean: bool = True, **given: object) -> "Script":
        """Close the log, or let it fall, and open it again."""
        return self.do("close" if clean else "drop").open(clean=clean, **given)

    def wait(self, ms: int) -> "Script":
        self.now_ms += ms
        return self

    def records(self, count: int, size: int = 20, key: str = "k") -> list[Record]:
        """Return new records, one a millisecond from now on."""
        self._made += count
        some = range(self._made - count, self._made)
        return [
            Record(
                self.now_ms + at - some.start,
                f"{key}{at % 7}".encode() if key else None,
                (f"value {at} " * size).encode()[:size],
            )
            for at in some
        ]

    def send(
        self,
        records: int | list[Record] = 2,
        *,
        producer: tuple[int, int, int] | None = None,
        size: int = 20,
        follower: bool = False,
        **batch: Any,  # noqa: ANN401 - settings by name
    ) -> "Script":
        """Append a batch: of new records, or of those given."""
        if isinstance(records, int):
            records = self.records(records, size)
        if producer is not None:
            names = ("producer_id", "producer_epoch", "base_sequence")
            batch |= dict(zip(names, producer, strict=True))
        if follower:
            batch.setdefault("leader_epoch", self.leader_epoch)
        return self.append(encode_batch(records, **batch), follower=follower)

    def append(self, data: bytes, **given: object) -> "Script":
        """Append bytes as they are."""
        return self.do("append", data=data, leader_epoch=self.leader_epoch, **given)

    def end(
        self,
        kind: Literal["abort", "commit"],
        producer: tuple[int, int],
        coordinator_epoch: int = 0,
    ) -> "Script":
        """Append the marker that ends a producer's transaction.

        From version 2 on it has the epoch that the producer has next (KIP-890).
        """
        data = control_batch(
            kind,
            base_offset=0,
            timestamp_ms=self.now_ms,
            producer_id=producer[0],
            producer_epoch=producer[1] + (self.transaction_version >= 2),
            coordinator_epoch=coordinator_epoch,
        )
        version = self.transaction_version
        return self.append(data, coordinator=True, transaction_version=version)

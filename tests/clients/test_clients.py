"""Three clients of Kafka's read a folder that kafkasim wrote, over the wire."""

from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.header import CODECS
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore
from tests.clients.clients import CLIENTS, READ_COMMITTED, READ_UNCOMMITTED, Client
from tests.clients.server import serving

T0_MS = 1_700_000_000_000
SEGMENTED = TopicConfig(internal_segment_bytes=700, index_interval_bytes=100)
EVERY_CODEC = dict.fromkeys(CLIENTS, CODECS) | {
    "kafka-python": tuple(codec for codec in CODECS if codec != "snappy")
}
"""kafka-python takes snappy from a package that the other two do without."""

Log = PartitionLog[Any]
Fate = Literal["plain", "abort", "commit", "open"]
"""What becomes of a record."""


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    """Return a client, each in turn."""
    return CLIENTS[request.param]


def records(count: int, start: int = 0) -> list[Record]:
    """Return records with the offsets they will have, some of them odd."""
    odd: dict[int, tuple[bytes | None, bytes | None]] = {
        3: (None, b"no key"),
        4: (b"tombstone", None),
        5: (None, None),
        6: (b"", b""),
    }
    headers = (
        ("trace", b"abc"),
        ("twice", b""),
        ("twice", b"2"),
        ("이름", "값".encode()),
    )
    made = []
    for offset in range(start, start + count):
        key, value = odd.get(offset, (b"key %d" % (offset % 5), b"value %d" % offset))
        some = headers[: offset % 5] if offset % 3 == 0 else ()
        made.append(Record(T0_MS + offset * offset % 50, key, value, some, offset))
    return made


def in_order(*parts: list[Record]) -> list[Record]:
    return sorted(chain(*parts), key=lambda record: record.offset)


def written(
    folder: Path,
    config: TopicConfig = SEGMENTED,
    *,
    codecs: tuple[str, ...] = ("none",),
) -> list[Record]:
    """Write 60 records, four a batch, the codecs in turn; return them."""
    log: Log = PartitionLog(FolderStore(folder), config, now_ms=T0_MS)
    sent = records(60)
    for start in range(0, 60, 4):
        codec = codecs[start // 4 % len(codecs)]
        batch = encode_batch(sent[start : start + 4], codec=codec)
        log.append_as_leader(batch, now_ms=T0_MS + start)
    assert len(log.segments) > 3
    log.close()
    return sent


def opened(folder: Path, config: TopicConfig = SEGMENTED) -> Log:
    """Return the folder's log; all replicas have it."""
    log: Log = PartitionLog(FolderStore(folder), config, now_ms=T0_MS)
    log.advance_high_watermark(log.log_end_offset)
    return log


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_reads_the_records_that_were_written(
    name: str, tmp_path: Path
) -> None:
    """All codecs, headers, null and empty keys and values, several segments."""
    sent = written(tmp_path, codecs=EVERY_CODEC[name])

    with serving({"orders": [opened(tmp_path)]}) as server:
        assert CLIENTS[name](server.address, "orders", READ_UNCOMMITTED) == sent
        assert CLIENTS[name](server.address, "orders", READ_COMMITTED, 31) == sent[31:]


def test_offsets_that_compaction_took_are_passed_over(
    client: Client, tmp_path: Path
) -> None:
    """In a batch, at its ends, and a batch of which its header alone is left."""
    config = TopicConfig(
        cleanup_policy="compact", internal_segment_bytes=700, delete_retention_ms=0
    )
    log: Log = PartitionLog(FolderStore(tmp_path), config, now_ms=T0_MS)
    keys = [b"key %d" % (offset * offset % 11) for offset in range(60)]
    sent = [Record(T0_MS + i, key, b"v%d" % i, (), i) for i, key in enumerate(keys)]
    for start in range(0, 60, 3):
        batch = encode_batch(
            sent[start : start + 3],
            producer_id=7,
            producer_epoch=0,
            base_sequence=start,
        )
        log.append_as_leader(batch, now_ms=T0_MS)
    log.advance_high_watermark(60)
    ends = log.active.base_offset
    log.clean(T0_MS)
    log.close()
    newest = {record.key: record.offset for record in sent[:ends]}
    kept = [r for r in sent if r.offset >= ends or newest[r.key] == r.offset]
    assert len(kept) < 30

    with serving({"orders": [opened(tmp_path, config)]}) as server:
        assert client(server.address, "orders", READ_UNCOMMITTED) == kept
        gap = next(at for at in range(60) if at not in {r.offset for r in kept})
        after = [record for record in kept if record.offset > gap]
        assert client(server.address, "orders", READ_UNCOMMITTED, gap) == after


class Transactions:
    """Two producers whose transactions alternate, and plain records between.

    Parameters
    ----------
    folder : Path
        Where the log is.
    """

    def __init__(self, folder: Path) -> None:
        self.log: Log = PartitionLog(FolderStore(folder), SEGMENTED, now_ms=T0_MS)
        self.sent: dict[Fate, list[Record]] = {fate: [] for fate in get_args(Fate)}
        self.sequences = {1: 0, 2: 0}

    def send(self, fate: Fate, producer: int | None, count: int = 2) -> None:
        """Append records that will have a fate."""
        made = records(count, self.log.log_end_offset)
        numbers: dict[str, Any] = {}
        if producer is not None:
            numbers = {"producer_id": producer, "producer_epoch": 0}
            numbers |= {"base_sequence": self.sequences[producer]}
            numbers |= {"transactional": True}
            self.sequences[producer] += count
        self.log.append_as_leader(encode_batch(made, **numbers), now_ms=T0_MS)
        self.sent[fate] += made

    def end(self, kind: Literal["abort", "commit"], producer: int) -> None:
        """Append a marker, as before KIP-890: the epoch stays."""
        marker = control_batch(
            kind,
            base_offset=0,
            timestamp_ms=T0_MS,
            producer_id=producer,
            producer_epoch=0,
        )
        self.log.append_as_leader(
            marker, now_ms=T0_MS, origin="coordinator", transaction_version=1
        )

    def write(self) -> int:
        """Write all, and return where the last transaction begins, which stays open."""
        for _ in range(5):
            self.send("abort", 1)
            self.send("commit", 2)
            self.send("plain", None)
            self.send("abort", 1, 3)
            self.end("commit", 2)
            self.send("abort", 1)
            self.end("abort", 1)
        self.send("abort", 1)
        self.send("commit", 2)
        self.end("abort", 1)
        self.end("commit", 2)
        stable = self.log.log_end_offset
        self.send("open", 2)
        self.send("open", None)
        self.log.close()
        return stable


def test_read_committed_leaves_out_what_was_aborted(
    client: Client, tmp_path: Path
) -> None:
    """Also of a transaction that began before the fetch, and none of an open one."""
    transactions = Transactions(tmp_path)
    stable, sent = transactions.write(), transactions.sent
    every = in_order(*sent.values())
    committed = in_order(sent["plain"], sent["commit"])
    assert len(transactions.log.segments) > 3
    assert committed[-1].offset < stable < every[-1].offset

    with serving({"orders": [opened(tmp_path)]}) as server:
        assert client(server.address, "orders", READ_UNCOMMITTED) == every
        assert client(server.address, "orders", READ_COMMITTED) == committed
        within = sent["abort"][9].offset
        rest = [record for record in committed if record.offset >= within]
        assert client(server.address, "orders", READ_COMMITTED, within) == rest


def test_records_below_the_log_start_are_gone(client: Client, tmp_path: Path) -> None:
    sent = written(tmp_path)
    log = opened(tmp_path)
    log.delete_records(22)
    assert log.delete_old_segments(T0_MS)

    with serving({"orders": [log]}) as server:
        assert client(server.address, "orders", READ_UNCOMMITTED, 22) == sent[22:]
        with pytest.raises(Exception, match=r"(?i)offset.?out.?of.?range"):
            client(server.address, "orders", READ_UNCOMMITTED, 21)


def test_a_time_is_looked_up_where_the_log_finds_it(tmp_path: Path) -> None:
    from confluent_kafka import Consumer, TopicPartition

    sent = written(tmp_path)
    with serving({"orders": [opened(tmp_path)]}) as server:
        consumer = Consumer({"bootstrap.servers": server.address, "group.id": "none"})
        for late in (0, 1, 25, 44, 49):
            asked = [TopicPartition("orders", 0, T0_MS + late)]
            (found,) = consumer.offsets_for_times(asked, 30)
            stamps = (r.offset for r in sent if r.timestamp_ms >= T0_MS + late)
            assert found.offset == next(stamps)
        consumer.close()

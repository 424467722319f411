"""Record batches: kafkasim's bytes are Kafka's, and each reads what the other wrote."""

from collections.abc import Iterator
from typing import Any

import pytest

from kafkasim.log.columns import Bytes
from kafkasim.log.decode import decode_batch
from kafkasim.log.gather import encode_batches
from kafkasim.log.header import CODECS, unpack_header
from kafkasim.log.record import Record
from kafkasim.log.scan import decode_columns
from tests.cluster.batches import (
    Draws,
    encoded,
    gathered,
    records_of,
    some_batch,
    some_marker,
)
from tests.cluster.kafka import Kafka, plain

pytestmark = pytest.mark.cluster

BATCHES = 10_000
SEED = 20_261_126


def test_ten_thousand_random_batches_are_kafkas_byte_for_byte(kafka: Kafka) -> None:
    """Source: MemoryRecordsBuilder, DefaultRecordBatch.writeHeader, DefaultRecord."""
    draws = Draws(SEED)
    batches = [some_batch(draws) for _ in range(BATCHES)]

    built = kafka.encode(batches)

    assert len(built) == BATCHES
    for batch, data in zip(batches, built, strict=True):
        assert encoded(batch) == data, batch
    for start in range(0, BATCHES, 1_000):
        some = slice(start, start + 1_000)
        many, _ = encode_batches(gathered(batches[some]))
        assert many.tobytes() == b"".join(built[some])
        assert list(column_rows(many)) == [r for b in batches[some] for r in seen(b)]


def test_markers_and_bare_headers_are_kafkas_byte_for_byte(kafka: Kafka) -> None:
    """Source: MemoryRecords.withEndTransactionMarker, writeEmptyHeader."""
    draws = Draws(SEED)
    markers = [some_marker(draws) for _ in range(200)]
    # What compaction leaves of a batch whose records are gone: DefaultRecordBatch.
    bare = {"base_offset": 7, "last_offset": 19, "leader_epoch": 3, "records": []}
    bare |= {"producer_id": 5, "producer_epoch": 0, "base_sequence": 40}

    built = kafka.encode([*markers, bare, bare | {"transactional": True}])

    for batch, data in zip([*markers, bare], built, strict=False):
        assert encoded(batch) == data, batch
    assert encoded(bare | {"transactional": True}) == built[-1]


@pytest.mark.parametrize("codec", CODECS)
def test_kafkasim_reads_what_kafka_compressed(kafka: Kafka, codec: str) -> None:
    draws = Draws(SEED)
    batches = [some_batch(draws, codec) for _ in range(200)]

    for batch, data in zip(batches, kafka.encode(batches), strict=True):
        assert CODECS[unpack_header(data, 0).codec] == codec
        assert decode_batch(data) == seen(batch)


@pytest.mark.parametrize("codec", CODECS)
def test_kafka_reads_what_kafkasim_compressed(kafka: Kafka, codec: str) -> None:
    draws = Draws(SEED + 1)
    batches = [some_batch(draws, codec) for _ in range(200)]

    for batch in batches:
        (read,) = kafka.ask("decode", data=encoded(batch))
        assert read["codec"] == codec
        records = [
            [r.timestamp_ms, r.key, r.value, [list(h) for h in r.headers], r.offset]
            for r in seen(batch)
        ]
        assert [plain(record) for record in read["records"]] == records
        plan = batch.get("producer_id", -1), batch.get("producer_epoch", -1)
        assert read["producer"] == [*plan, batch.get("base_sequence", -1)]
        assert read["delete_horizon_ms"] == batch.get("delete_horizon_ms")


def column_rows(data: Bytes) -> Iterator[Record]:
    """Walk the records of many batches as the decoder to columns has them."""
    decoded = decode_columns(data)
    for at in range(decoded.record_count):
        headers = decoded.headers[at] if decoded.headers else ()
        yield Record(
            int(decoded.timestamps_ms[at]),
            decoded.keys[at],
            decoded.values[at],
            headers,
            int(decoded.offsets[at]),
        )


def seen(batch: dict[str, Any]) -> list[Record]:
    """Return a batch's records as a reader sees them: the broker's timestamp counts."""
    stamp = batch.get("log_append_time_ms")
    records = records_of(batch)
    if stamp is None:
        return records
    return [record._replace(timestamp_ms=stamp) for record in records]

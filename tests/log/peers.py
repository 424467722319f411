"""Kafka's other clients: their encoders and decoders of one record batch."""

import warnings
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatch as AioBatch
from aiokafka.record.default_records import DefaultRecordBatchBuilder as AioBuilder
from aiokafka.record.default_records import (
    _DefaultRecordBatchBuilderPy as AioPythonBuilder,
)

from kafkasim.log.header import CODECS
from kafkasim.log.record import Record
from tests.cluster.batches import Draws

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of kafka-python's own imports
    from kafka.record.default_records import DefaultRecordBatch as KafkaPythonBatch
    from kafka.record.default_records import (
        DefaultRecordBatchBuilder as KafkaPythonBuilder,
    )

BUILDERS = {
    "aiokafka": AioBuilder,
    "aiokafka's Python": AioPythonBuilder,
    "kafka-python": KafkaPythonBuilder,
}
READERS = {"aiokafka": AioBatch, "kafka-python": KafkaPythonBatch}
CODECS_OF = {
    "aiokafka": CODECS,
    "kafka-python": ("none", "gzip", "lz4", "zstd"),  # its snappy needs python-snappy
}
LEADER_EPOCHS = {"aiokafka": -1, "aiokafka's Python": -1, "kafka-python": 0}
"""What each puts where the leader's epoch will stand, outside the CRC."""
_MOST_BYTES = 1 << 30


def some_records(draws: Draws) -> list[Record]:
    """Return records as a producer has them, lengths around a varint's next byte."""
    count = 70 if draws.often(0.02) else draws.one((1, 1, 2, 3, 5, 12))
    return [
        Record(
            stamp,
            draws.some_bytes(),
            draws.some_bytes(),
            tuple((name, value) for name, value in draws.headers()),
        )
        for stamp in draws.timestamps(count)
    ]


def some_producer(draws: Draws) -> dict[str, Any]:
    """Return who sends: nobody in particular, an idempotent or a transactional one."""
    if draws.often(0.5):
        return {}
    return {
        "producer_id": draws.one((0, 4_000, 2**62)),
        "producer_epoch": draws.one((0, 3, 2**15 - 1)),
        "base_sequence": draws.one((0, 9, 2**31 - 1)),
        "transactional": draws.often(0.5),
    }


def built_by(
    peer: str, records: list[Record], codec: str = "none", **producer: int
) -> bytes:
    """Return the batch that a peer builds of the records."""
    builder = BUILDERS[peer](
        magic=2,
        compression_type=CODECS.index(codec),
        is_transactional=int(producer.get("transactional", False)),
        producer_id=producer.get("producer_id", -1),
        producer_epoch=producer.get("producer_epoch", -1),
        base_sequence=producer.get("base_sequence", -1),
        batch_size=_MOST_BYTES,
    )
    for at, record in enumerate(records):
        stamp, key, value, headers, _ = record
        assert builder.append(at, stamp, key, value, list(headers)) is not None
    return bytes(builder.build())


def read_by(peer: str, batch: bytes) -> list[Record]:
    """Return the records that a peer reads out of a batch."""
    reader = READERS[peer](bytearray(batch))
    assert reader.validate_crc()
    return [
        Record(r.timestamp, r.key, r.value, tuple(map(tuple, r.headers)), r.offset)
        for r in reader
    ]

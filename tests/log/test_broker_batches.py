"""Every batch that a real broker wrote is read, and written again to the same bytes."""

import re
from itertools import chain

import pytest

from kafkasim.log.decode import check_batch, control_kind, decode_batch
from kafkasim.log.encode import control_batch, encode_batch, stamped
from kafkasim.log.header import CODECS, HEADER_BYTES, BatchHeader, unpack_header
from kafkasim.log.record import Record
from tests.log.broker_files import TOPICS, batches, every_batch, sent

LOGS = sorted(set(TOPICS) - {"compact_after_cleaning", "transactions"})


def written_again(header: BatchHeader, records: list[Record]) -> bytes:
    """Return the batch that has this header and these records, all told anew."""
    return encode_batch(
        records,
        base_offset=header.base_offset,
        leader_epoch=header.leader_epoch,
        codec=CODECS[header.codec],
        log_append_time_ms=(
            header.max_timestamp_ms if header.is_log_append_time else None
        ),
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        transactional=header.is_transactional,
        control=header.is_control,
        offset_deltas=[record.offset - header.base_offset for record in records],
        last_offset_delta=header.last_offset_delta,
        delete_horizon_ms=header.delete_horizon_ms,
    )


@every_batch
def test_a_batch_of_the_broker_is_written_again_byte_for_byte(batch: bytes) -> None:
    """Source: DefaultRecordBatch.writeHeader, DefaultRecord.writeTo."""
    header = check_batch(batch, 0)
    records = decode_batch(batch)

    again = written_again(header, records)

    assert len(records) == header.record_count
    if header.codec:  # compressed bytes are not canonical
        assert decode_batch(again) == records
        fields = again[:HEADER_BYTES]
        theirs = header._replace(
            size_bytes=len(again), crc=unpack_header(fields, 0).crc
        )
        assert fields == theirs.pack()
    else:
        assert again == batch


@pytest.mark.parametrize("topic", LOGS)
def test_the_records_of_a_log_are_those_that_were_sent(topic: str) -> None:
    """All kinds: null and empty keys and values, headers, several segments, lz4."""
    read = [decode_batch(batch) for batch in batches(topic)]

    plain = [[record._replace(offset=-1) for record in records] for records in read]
    assert plain == sent(topic)
    offsets = [record.offset for record in chain.from_iterable(read)]
    assert offsets == list(range(len(offsets)))


def test_data_of_transactions_are_those_that_were_sent() -> None:
    logged = [b for b in batches("transactions") if not unpack_header(b, 0).is_control]

    plain = [[r._replace(offset=-1) for r in decode_batch(batch)] for batch in logged]
    assert plain == sent("transactions")


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_kafkas_own_dump_reads_the_same_headers_and_records(topic: str) -> None:
    """Source: DumpLogSegments with --print-data-log."""
    printed = [
        re.sub(r" (key|payload): .*| position: \d+", "", line)
        for line in TOPICS[topic]["dump"]
        if line.startswith(("baseOffset", "|"))
    ]

    assert list(chain.from_iterable(map(dumped, batches(topic)))) == printed


def dumped(batch: bytes) -> list[str]:
    """Return a batch as Kafka's tool prints it, without keys, values and position."""
    header = check_batch(batch, 0)
    horizon = header.delete_horizon_ms
    until = "OptionalLong.empty" if horizon is None else f"OptionalLong[{horizon}]"
    kind = "LogAppendTime" if header.is_log_append_time else "CreateTime"
    lines = [
        (
            f"baseOffset: {header.base_offset} lastOffset: {header.last_offset} "
            f"count: {header.record_count} baseSequence: {header.base_sequence} "
            f"lastSequence: {header.last_sequence} producerId: {header.producer_id} "
            f"producerEpoch: {header.producer_epoch} "
            f"partitionLeaderEpoch: {header.leader_epoch} "
            f"isTransactional: {str(header.is_transactional).lower()} "
            f"isControl: {str(header.is_control).lower()} deleteHorizonMs: {until} "
            f"{kind}: {header.max_timestamp_ms} size: {header.size_bytes} "
            f"magic: {header.magic} compresscodec: {CODECS[header.codec]} "
            f"crc: {header.crc} isvalid: true"
        )
    ]
    for record in decode_batch(batch):
        sequence = -1
        if header.base_sequence >= 0:
            sequence = header.base_sequence + record.offset - header.base_offset
        names = ",".join(name for name, _ in record.headers)
        line = (
            f"| offset: {record.offset} {kind}: {record.timestamp_ms} "
            f"keySize: {-1 if record.key is None else len(record.key)} "
            f"valueSize: {-1 if record.value is None else len(record.value)} "
            f"sequence: {sequence} headerKeys: [{names}]"
        )
        if header.is_control:
            epoch = int.from_bytes((record.value or b"")[2:], signed=True)
            kind_of_end = str(control_kind(record)).upper()
            line += f" endTxnMarker: {kind_of_end} coordinatorEpoch: {epoch}"
        lines.append(line)
    return lines


def test_markers_of_the_broker_are_written_again() -> None:
    """Source: MemoryRecords.withEndTransactionMarker, EndTransactionMarker."""
    kinds = []
    for batch in batches("transactions"):
        header = unpack_header(batch, 0)
        if not header.is_control:
            continue
        (marker,) = decode_batch(batch)
        kind = control_kind(marker)
        assert kind in {"commit", "abort"}
        kinds.append(kind)
        again = control_batch(
            "commit" if kind == "commit" else "abort",
            base_offset=header.base_offset,
            timestamp_ms=marker.timestamp_ms,
            producer_id=header.producer_id,
            producer_epoch=header.producer_epoch,
            coordinator_epoch=int.from_bytes((marker.value or b"")[2:], signed=True),
            leader_epoch=header.leader_epoch,
        )
        assert again == batch

    assert kinds == ["commit", "abort", "commit", "abort", "abort", "abort"]


@every_batch
def test_a_leader_stamps_what_a_producer_sent_to_the_brokers_bytes(
    batch: bytes,
) -> None:
    """Source: LogValidator; setLastOffset and setPartitionLeaderEpoch keep the CRC."""
    header = unpack_header(batch, 0)
    sent_by_producer = header._replace(base_offset=0, leader_epoch=-1).pack()
    before = sent_by_producer + batch[HEADER_BYTES:]

    after = stamped(
        before, base_offset=header.base_offset, leader_epoch=header.leader_epoch
    )

    assert after == batch
    assert check_batch(before, 0).crc == header.crc


def test_a_cleaned_log_has_gaps_and_a_delete_horizon() -> None:
    """Source: the cleaner's first pass (KIP-534): the horizon is the base timestamp."""
    headers = [unpack_header(batch, 0) for batch in batches("compact_after_cleaning")]
    horizons = [h for h in headers if h.delete_horizon_ms is not None]

    assert len(horizons) == 2
    for header in horizons:
        assert header.base_timestamp_ms == header.delete_horizon_ms
        assert header.max_timestamp_ms < header.base_timestamp_ms
    assert any(h.record_count <= h.last_offset_delta for h in headers)
    gone = {record.offset for b in batches("compact") for record in decode_batch(b)}
    for batch in batches("compact_after_cleaning"):
        gone -= {record.offset for record in decode_batch(batch)}
    assert len(gone) > 20

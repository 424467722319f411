"""Source of the rules: MemoryRecords.filterBatch, buildRetainedRecordsInto (4.3)."""

from functools import partial
from itertools import compress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError
from kafkasim.log import contents
from kafkasim.log.batch_retention import emptied
from kafkasim.log.byte_cleaning import (
    DecodedRun,
    rebuilt,
    retained_bytes,
    view_of_bytes,
)
from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.header import CODECS, unpack_header
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import MemoryStore

RECORDS = [
    Record(5_000, b"a", b"1"),
    Record(4_000, b"", None, (("h", None), ("h", b"x"))),
    Record(6_000, None, b""),
    Record(5_500, b"b", b"4" * 300),
]
produced = partial(encode_batch, producer_id=7, producer_epoch=2, base_sequence=41)


def test_the_view_tells_null_from_empty() -> None:
    deltas = [0, 2, 3, 7]
    batch = encode_batch(RECORDS, base_offset=90, offset_deltas=deltas)
    view = view_of_bytes(b"xx" + batch, 2, unpack_header(batch, 0))

    assert view.offset_deltas == deltas
    assert view.keys == [b"a", b"", None, b"b"]
    assert view.has_value == [True, False, True, True]
    assert view.marker is None


@pytest.mark.parametrize("kind", ["abort", "commit"])
def test_the_view_of_a_marker_says_how_its_transaction_ended(kind: str) -> None:
    batch = control_batch(
        "abort" if kind == "abort" else "commit",
        base_offset=3,
        timestamp_ms=5,
        producer_id=7,
        producer_epoch=2,
    )
    header = unpack_header(batch, 0)

    assert view_of_bytes(batch, 0, header).marker == kind
    bare, emptied_batch = retained_bytes(batch, 0, header, [False])
    assert view_of_bytes(emptied_batch, 0, bare).marker is None


def test_a_stamped_marker_is_one_as_before() -> None:
    """LG-18: only base timestamp and delete horizon change (filterTo)."""
    batch = control_batch(
        "abort", base_offset=3, timestamp_ms=5, producer_id=7, producer_epoch=2
    )
    before = unpack_header(batch, 0)
    header, stamped = retained_bytes(batch, 0, before, [True], delete_horizon_ms=99)

    assert header.is_control and header.is_transactional
    assert header.delete_horizon_ms == 99 and header.base_sequence == -1
    assert header.max_timestamp_ms == 5
    assert decode_batch(stamped) == decode_batch(batch)


def test_base_offset_last_offset_and_sequence_stay() -> None:
    """LG-17, LG-20: so a producer's sequence goes on (overrideLastOffset)."""
    batch = produced(RECORDS, base_offset=90, leader_epoch=5)
    keep = [False, True, True, False]
    header, left = retained_bytes(batch, 0, unpack_header(batch, 0), keep)

    assert (header.base_offset, header.last_offset) == (90, 93)
    assert (header.producer_id, header.producer_epoch) == (7, 2)
    assert (header.base_sequence, header.last_sequence) == (41, 44)
    assert (header.leader_epoch, header.record_count) == (5, 2)
    assert check_batch(left) == header and len(left) == header.size_bytes
    assert [record.offset for record in decode_batch(left)] == [91, 92]


def test_timestamps_are_those_of_the_records_left_or_the_delete_horizon() -> None:
    """LG-18. Source: MemoryRecordsBuilder: the horizon is the base timestamp."""
    batch = encode_batch(RECORDS)
    before = unpack_header(batch, 0)
    plain, _ = retained_bytes(batch, 0, before, [False, True, False, True])
    stamped, left = retained_bytes(
        batch, 0, before, [False, True, False, True], delete_horizon_ms=10**13
    )

    assert (plain.base_timestamp_ms, plain.max_timestamp_ms) == (4_000, 5_500)
    assert plain.delete_horizon_ms is None
    assert (stamped.delete_horizon_ms, stamped.max_timestamp_ms) == (10**13, 5_500)
    assert [record.timestamp_ms for record in decode_batch(left)] == [4_000, 5_500]


def test_records_stamped_by_the_broker_stay_so() -> None:
    """Source: buildRetainedRecordsInto: the log append time is the largest one."""
    batch = encode_batch(RECORDS, log_append_time_ms=9_000)
    header, left = retained_bytes(
        batch, 0, unpack_header(batch, 0), [True, False, False, True]
    )

    assert header.is_log_append_time
    assert (header.base_timestamp_ms, header.max_timestamp_ms) == (9_000, 9_000)
    assert left == encode_batch(
        [record._replace(timestamp_ms=9_000) for record in (RECORDS[0], RECORDS[3])],
        log_append_time_ms=9_000,
        offset_deltas=[0, 3],
    )


def test_a_batch_of_which_nothing_stays_is_its_header() -> None:
    """LG-20."""
    batch = produced(RECORDS, base_offset=90, codec="gzip")
    before = unpack_header(batch, 0)
    header, left = retained_bytes(batch, 0, before, [False] * 4)

    assert header == emptied(before) == check_batch(left)
    assert left == produced(
        [], base_offset=90, last_offset_delta=3, max_timestamp_ms=6_000
    )
    assert decode_batch(left) == []
    assert retained_bytes(left, 0, header, []) == (header, left)


@given(
    st.lists(
        st.builds(
            Record,
            st.integers(0, 2**41),
            st.none() | st.binary(max_size=3),
            st.none() | st.binary(max_size=200),
        ),
        min_size=1,
        max_size=6,
    ),
    st.data(),
    st.sampled_from(CODECS),
)
def test_what_is_kept_is_read_as_it_was(
    records: list[Record], data: st.DataObject, codec: str
) -> None:
    count = len(records)
    keep = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    horizon_ms = data.draw(st.none() | st.integers(0, 2**41))
    batch = encode_batch(records, base_offset=7, codec=codec)
    header, left = retained_bytes(
        batch, 0, unpack_header(batch, 0), keep, delete_horizon_ms=horizon_ms
    )

    assert decode_batch(left) == list(compress(decode_batch(batch), keep))
    assert header == check_batch(left)
    assert (header.base_offset, header.last_offset) == (7, 6 + count)


_data = st.none() | st.binary(max_size=5)
_headers = st.lists(st.tuples(st.text(max_size=2), _data), max_size=2).map(tuple)
_records = st.lists(
    st.builds(Record, st.integers(0, 2**41), _data, _data, _headers),
    min_size=1,
    max_size=4,
)


@st.composite
def some_batch(draw: st.DrawFn) -> bytes:
    """Draw a batch as it may lie in a compacted log."""
    kind = draw(st.sampled_from(["data", "data", "marker", "stamped", "empty"]))
    if kind == "marker":
        return control_batch(
            "abort", base_offset=3, timestamp_ms=5, producer_id=7, producer_epoch=2
        )
    if kind == "empty":
        return encode_batch([], base_offset=9, last_offset_delta=2)
    return encode_batch(
        draw(_records),
        base_offset=draw(st.integers(0, 2**40)),
        codec=draw(st.sampled_from(["none", "none", *CODECS])),
        log_append_time_ms=77 if kind == "stamped" else None,
    )


@given(st.lists(some_batch(), max_size=6), st.data())
def test_batches_decoded_together_are_as_decoded_one_by_one(
    batches: list[bytes], data: st.DataObject
) -> None:
    run = DecodedRun(b"".join(batches) + b"the next one's beginning", 40)
    position = 40
    for batch in batches:
        header = unpack_header(batch, 0)
        view = view_of_bytes(batch, 0, header)
        count = len(view.keys)
        keep = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
        horizon_ms = data.draw(st.none() | st.just(9_000))

        assert position in run and run.view(position, header) == view
        kept = run.kept(position, keep)
        alone = retained_bytes(batch, 0, header, keep, delete_horizon_ms=horizon_ms)
        assert rebuilt(header, kept, horizon_ms) == alone
        position += len(batch)
    assert position not in run


def long_log(store: MemoryStore) -> PartitionLog[Any]:
    """Return a log with a sealed segment of some 40 KiB."""
    log: PartitionLog[Any] = PartitionLog(store, TopicConfig(cleanup_policy="compact"))
    for number in range(60):
        pairs = [(b"k%d" % (number * at % 40), b"v" * 90) for at in range(6)]
        log.append([Record(number, *pair) for pair in pairs], codec=CODECS[number % 2])
    log.append([Record(99, b"k1", None)])
    log.roll(99)
    log.advance_high_watermark(log.log_end_offset)
    return log


def test_a_log_is_compacted_alike_in_long_runs_and_batch_by_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("00000000000000000000.log", "00000000000000000000.index")
    left = []
    for run_bytes, least_bytes in ((2**20, 0), (20_000, 0), (2**20, 2**30)):
        monkeypatch.setattr(contents, "_RUN_BYTES", run_bytes)
        monkeypatch.setattr(contents, "_LEAST_RUN_BYTES", least_bytes)
        log = long_log(store := MemoryStore())
        before = log.segments[0].size_bytes
        cleaned = log.clean(100)
        assert cleaned.bytes_after == log.segments[0].size_bytes < before
        left.append([bytes(store.read(name)) for name in names])

    assert left[0] == left[1] == left[2]


def test_a_batch_that_cannot_be_decoded_is_named_in_a_long_run_too() -> None:
    log = long_log(store := MemoryStore())
    position, header = list(log.segments[0].contents.headers())[30]
    store.write_at("00000000000000000000.log", position + 61, b"\xff")

    assert header.codec == 0
    with pytest.raises(CorruptBatchError):
        log.clean(100)

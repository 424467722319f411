"""Columns as Hypothesis draws them, and the plain encoder's batches of them."""

import numpy as np
from hypothesis import strategies as st

from kafkasim.log.columns import Blob, Columns, Headers, Ints
from kafkasim.log.encode import encode_batch
from kafkasim.log.record import Record

NEAR_STEPS = (
    0,
    1,
    53,
    54,
    55,
    56,
    57,
    63,
    64,
    127,
    128,
    300,
    8_180,
    8_184,
    8_191,
    8_192,
)
"""Sizes about which the varint of a value or of a whole record grows."""
DELTAS_MS = (0, 0, 0, 1, -1, 63, 64, -64, -65, 8_191, 8_192, 2**20, 2**34, 2**41)

sizes = st.sampled_from((-1, *NEAR_STEPS)) | st.integers(-1, 40)
headers = st.lists(
    st.tuples(st.text(max_size=3), st.none() | st.binary(max_size=70)), max_size=2
).map(tuple)


def a_blob(draw: st.DrawFn, count: int) -> Blob:
    """Draw a column: of one size, of one key or of any, in order or not."""
    kind = draw(st.sampled_from(["one size", "dictionary", "any"]))
    if kind == "one size":
        lengths = [draw(sizes)] * count
    elif kind == "dictionary":
        known = Blob.of([b"Gander", None, b"", b"Oslo"])
        ids = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
        return known.take(np.array(ids, dtype=np.int64))
    else:
        lengths = draw(st.lists(sizes, min_size=count, max_size=count))
    data = bytes(i % 251 for i in range(sum(max(length, 0) for length in lengths)))
    return Blob.packed(data, np.array(lengths, dtype=np.int64))


def ints(draw: st.DrawFn, count: int, values: st.SearchStrategy[int]) -> Ints:
    drawn = draw(st.lists(values, min_size=count, max_size=count))
    return np.array(drawn, dtype=np.int64)


def times(draw: st.DrawFn, records: int) -> Ints:
    """Draw timestamps, near each other or at the steps of a varint."""
    deltas = st.sampled_from(DELTAS_MS) if draw(st.booleans()) else st.integers(-2, 2)
    return 2**42 + ints(draw, records, deltas)


def gaps(draw: st.DrawFn, counts: list[int]) -> Ints:
    """Draw offset deltas, rising in each batch."""
    steps = st.sampled_from([1, 1, 2, 64, 8_192])
    parts = [np.cumsum(ints(draw, count, steps)) - 1 for count in counts]
    return np.concatenate([*parts, np.zeros(0, dtype=np.int64)])


def ends(draw: st.DrawFn, counts: list[int], deltas: Ints | None) -> Ints:
    """Draw last offset deltas, at or behind the last record of each batch."""
    last = ints(draw, len(counts), st.integers(0, 100))
    for batch, stop in enumerate(np.cumsum(counts).tolist()):
        if counts[batch]:
            last[batch] += counts[batch] if deltas is None else deltas[stop - 1]
    return last


@st.composite
def columns(draw: st.DrawFn, *, many: int = 70) -> Columns:
    """Draw batches, alike or not, some empty, with gaps or without."""
    some = st.lists(st.sampled_from([0, 1, 1, 2, 3, 7, many]), max_size=6)
    alike = st.tuples(st.integers(1, many), st.integers(2, 4))
    counts = draw(some | alike.map(lambda t: [t[0]] * t[1]))
    records, batches = sum(counts), len(counts)
    compacted, idempotent = draw(st.booleans()), draw(st.booleans())
    deltas = gaps(draw, counts) if compacted else None
    lines = st.lists(st.just(()) | headers, min_size=records, max_size=records)

    def each(values: st.SearchStrategy[int]) -> Ints:
        return ints(draw, batches, values)

    return Columns(
        times(draw, records),
        a_blob(draw, records),
        a_blob(draw, records),
        np.append(0, np.cumsum(counts)).astype(np.int64),
        headers=draw(st.none() | lines),
        offset_deltas=deltas,
        last_offset_deltas=(
            ends(draw, counts, deltas) if compacted or 0 in counts else None
        ),
        base_offsets=each(st.integers(0, 2**40)) if draw(st.booleans()) else None,
        leader_epochs=each(st.integers(0, 9)) if draw(st.booleans()) else -1,
        producer_ids=each(st.integers(0, 2**33)) if idempotent else -1,
        producer_epochs=each(st.integers(0, 9)) if idempotent else -1,
        base_sequences=each(st.integers(0, 2**31 - 1)) if idempotent else -1,
        transactional=each(st.integers(0, 1)).astype(bool) if idempotent else False,
        log_append_times_ms=each(st.sampled_from([-1, 2**41])),
        delete_horizons_ms=each(st.sampled_from([-1, 2**41])) if compacted else -1,
        max_timestamps_ms=2**40 if compacted else -1,
    )


def plainly(columns: Columns) -> list[bytes]:
    """Encode each batch by the plain encoder."""
    batches = columns.batch_count

    def each(values: object) -> list[int]:
        return [*np.broadcast_to(np.asarray(values), (batches,)).tolist()]

    lines: list[Headers] = list(columns.headers or [()] * columns.record_count)
    records = [
        Record(*fields)
        for fields in zip(
            columns.timestamps_ms.tolist(),
            columns.keys,
            columns.values,
            lines,
            strict=True,
        )
    ]
    encoded = []
    offset = 0
    for i in range(batches):
        lo, hi = columns.batch_starts[i : i + 2].tolist()
        deltas = columns.offset_deltas
        last = columns.last_offset_deltas
        append_ms = each(columns.log_append_times_ms)[i]
        horizon_ms = each(columns.delete_horizons_ms)[i]
        batch = encode_batch(
            records[lo:hi],
            base_offset=offset
            if columns.base_offsets is None
            else each(columns.base_offsets)[i],
            leader_epoch=each(columns.leader_epochs)[i],
            log_append_time_ms=None if append_ms < 0 else append_ms,
            producer_id=each(columns.producer_ids)[i],
            producer_epoch=each(columns.producer_epochs)[i],
            base_sequence=each(columns.base_sequences)[i],
            transactional=bool(each(columns.transactional)[i]),
            offset_deltas=None if deltas is None else deltas[lo:hi].tolist(),
            last_offset_delta=None if last is None else int(last[i]),
            delete_horizon_ms=None if horizon_ms < 0 else horizon_ms,
            max_timestamp_ms=each(columns.max_timestamps_ms)[i],
        )
        offset += hi - lo if last is None else int(last[i]) + 1
        encoded.append(batch)
    return encoded

"""Columns of a log against the plain decoder, and what is not believed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import CorruptBatchError
from kafkasim.log.columns import Columns, DecodedColumns
from kafkasim.log.decode import decode_batch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.record import Record
from kafkasim.log.scan import decode_columns, scan
from tests.log.test_gather import columns, plainly


def records_of(found: DecodedColumns) -> list[Record]:
    return [
        Record(*fields)
        for fields in zip(
            found.timestamps_ms.tolist(),
            found.keys,
            found.values,
            found.headers or [()] * found.record_count,
            found.offsets.tolist(),
            strict=True,
        )
    ]


@given(columns())
def test_columns_hold_what_the_plain_decoder_reads(columns: Columns) -> None:
    plain = plainly(columns)

    found = decode_columns(b"".join(plain))

    expected = [decode_batch(batch) for batch in plain]
    assert records_of(found) == [record for batch in expected for record in batch]
    batches = np.repeat(np.arange(len(plain)), [len(batch) for batch in expected])
    assert found.batch.tolist() == batches.tolist()
    sizes = [len(batch) for batch in plain]
    assert found.batches["position"].tolist() == np.cumsum([0, *sizes])[:-1].tolist()
    assert [found.header(i).pack() for i in range(len(plain))] == [
        b[:61] for b in plain
    ]

"""Source of the rules: TransactionIndex, AbortedTxn (4.3)."""

import pytest

from kafkasim.errors import LogError
from kafkasim.log.transaction_index import AbortedTransaction, TransactionIndex

ROWS = [
    AbortedTransaction(7, 100, 110, 105),
    AbortedTransaction(8, 105, 120, 115),
    AbortedTransaction(7, 115, 130, 131),
]


def filled() -> TransactionIndex:
    index = TransactionIndex(100)
    for row in ROWS:
        index.append(row)
    return index


def test_the_bytes_are_kafkas() -> None:
    """Source: AbortedTxn: version, producer, first, last and last stable offset."""
    data = filled().to_bytes()

    assert len(data) == 3 * 34
    assert data[:34].hex() == (
        "000000000000000000070000000000000064000000000000006e0000000000000069"
    )
    assert filled().to_bytes(2) == data[68:]
    assert TransactionIndex.from_bytes(100, data + b"stray").entries == ROWS


def test_an_unknown_version_is_refused_by_its_first_byte() -> None:
    """AbortedTxn.version reads one byte of the two."""
    data = filled().to_bytes()

    assert TransactionIndex.from_bytes(100, b"\0\x01" + data[2:]).entries == ROWS
    with pytest.raises(LogError, match="version 256"):
        TransactionIndex.from_bytes(100, b"\x01\0" + data[2:])


def test_markers_rise() -> None:
    index = filled()

    with pytest.raises(LogError, match="marker 130 is not after 130"):
        index.append(AbortedTransaction(9, 0, 130, 131))
    assert index.entry_count == 3


def test_what_a_read_meets() -> None:
    """Source: TransactionIndex.collectAbortedTxns."""
    index = filled()

    assert index.aborted_between(100, 105) == (ROWS[:1], True)
    assert index.aborted_between(100, 106) == (ROWS[:2], True)
    assert index.aborted_between(111, 113) == (ROWS[1:2], True)
    assert index.aborted_between(110, 131) == (ROWS, True)
    assert index.aborted_between(121, 132) == (ROWS[2:], False)
    assert index.aborted_between(131, 200) == ([], False)


def test_a_cut_forgets_markers_at_the_offset_and_above() -> None:
    for offset, left in ((131, 3), (130, 2), (121, 2), (120, 1), (0, 0)):
        index = filled()
        index.truncate_to(offset)
        assert index.entries == ROWS[:left]


def test_an_emptied_index_has_no_bytes() -> None:
    index = filled()
    index.clear()
    assert index.to_bytes() == b""


def test_a_marker_below_the_segment_is_noticed() -> None:
    """Source: TransactionIndex.sanityCheck, the one check when a log is opened."""
    filled().check()
    low = TransactionIndex.from_bytes(111, filled().to_bytes())

    with pytest.raises(LogError, match="ends before 111"):
        low.check()

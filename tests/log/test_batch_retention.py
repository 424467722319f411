"""Source of the rules: Cleaner.cleanInto, MemoryRecords.filterTo, KIP-534."""

from collections.abc import Sequence

import pytest
from crc32c import crc32c

from kafkasim.log.batch_retention import (
    CleaningView,
    Fate,
    LastRecord,
    Retention,
    emptied,
    fates_of,
    is_last_of_producer,
    retention_of,
)
from kafkasim.log.header import (
    CONTROL,
    DELETE_HORIZON,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    BatchHeader,
)
from kafkasim.log.offset_map import OffsetMap

NOW_MS = 1_000
HORIZON_MS = 90_000
KEPT, SUPERSEDED = Fate.KEPT, Fate.SUPERSEDED


def batch(
    *, base: int = 10, records: int = 3, bits: int = 0, **fields: int
) -> BatchHeader:
    """Return a header; the base timestamp is the horizon where that bit is set."""
    header = BatchHeader(
        *(base, 200, 4, 2, 99, bits, records - 1, 500, 502, -1, -1, -1, records)
    )
    return header._replace(**fields)


def view_of(
    keys: Sequence[str | None],
    values: Sequence[bool] | None = None,
    marker: str | None = None,
) -> CleaningView:
    has_value = [True] * len(keys) if values is None else values
    return CleaningView(range(len(keys)), keys, has_value, marker)


def mapped(newest: dict[str, int], end: int = 99) -> OffsetMap:
    latest = OffsetMap(100)
    latest.newest.update(newest)
    latest.latest_offset = end
    return latest


def kept(
    view: CleaningView,
    latest: OffsetMap,
    header: BatchHeader | None = None,
    *,
    now_ms: int = NOW_MS,
    is_needless: bool = False,
    is_last: bool = False,
) -> Retention:
    header = header or batch(records=len(view.keys))
    fates = fates_of(header, view, latest, now_ms, is_needless=is_needless)
    return retention_of(
        header,
        view,
        fates,
        is_needless=is_needless,
        is_last=is_last,
        new_horizon_ms=HORIZON_MS,
    )


def test_a_record_stays_unless_a_newer_one_has_its_key() -> None:
    """LG-17, pass 2. Source: Cleaner.shouldRetainRecord."""
    view = view_of(["a", "b", "c"])

    assert kept(view, mapped({"a": 10, "b": 12})) == Retention(
        "in part", [KEPT, SUPERSEDED, KEPT]
    )
    assert kept(view, mapped({"a": 10, "b": 11})).how == "as it is"
    assert kept(view, mapped({"a": 9})).how == "as it is", "newer than the map knows"


def test_what_the_first_pass_has_not_reached_stays() -> None:
    """LG-14: a full map ends in the middle (Cleaner: pastLatestOffset)."""
    view = view_of(["a", None, None])

    assert kept(view, mapped({"a": 50}, end=9)).how == "as it is"
    assert kept(view, mapped({"a": 50}, end=11)).fates == [
        *(SUPERSEDED, Fate.NO_KEY, KEPT)
    ]


def test_records_without_a_key_go() -> None:
    """LG-17. An empty key is one. Source: Cleaner.shouldRetainRecord."""
    assert kept(view_of([None, "", "a"]), mapped({})).keep == [False, True, True]


def test_a_tombstone_stays_and_gives_its_batch_a_delete_horizon() -> None:
    """LG-18, the first pass: also where all else stays as it was (filterTo)."""
    view = view_of(["a", "b"], [True, False])

    assert kept(view, mapped({})) == Retention("in part", [KEPT, KEPT], HORIZON_MS)
    superseded = kept(view, mapped({"b": 50}))
    assert superseded == Retention("in part", [KEPT, SUPERSEDED])


@pytest.mark.parametrize(("now_ms", "fate"), [(499, KEPT), (500, Fate.TOMBSTONE)])
def test_a_tombstone_goes_when_its_horizon_is_reached(now_ms: int, fate: Fate) -> None:
    """LG-18, a later pass; a horizon is never moved (KIP-534)."""
    view = view_of(["a", "b"], [True, False])
    stamped = batch(records=2, bits=DELETE_HORIZON)
    found = kept(view, mapped({}), stamped, now_ms=now_ms)

    assert found.fates == [KEPT, fate]
    assert found.how == ("as it is" if fate is KEPT else "in part")
    assert found.delete_horizon_ms == 500


def test_data_of_an_aborted_transaction_goes() -> None:
    """LG-19; also the newest of a key, and beyond the map (Cleaner.cleanInto)."""
    view = view_of(["a", "b", None])
    found = kept(view, mapped({}, end=5), is_needless=True)

    assert found == Retention("nothing", [Fate.ABORTED] * 3)


def test_a_marker_stays_while_it_is_needed() -> None:
    """LG-18. Source: Cleaner.cleanInto, filterTo."""
    marker = batch(records=1, bits=CONTROL | TRANSACTIONAL)
    view = view_of(["type"], marker="commit")

    assert kept(view, mapped({"type": 50}), marker).how == "as it is"
    stamped = marker._replace(attributes=marker.attributes | DELETE_HORIZON)
    assert kept(view, mapped({}), stamped, now_ms=9_999).how == "as it is"


def test_a_marker_without_data_is_stamped_and_goes_in_a_later_pass() -> None:
    """LG-18: as a tombstone does."""
    marker = batch(records=1, bits=CONTROL | TRANSACTIONAL)
    view = view_of(["type"], marker="abort")
    stamped = marker._replace(attributes=marker.attributes | DELETE_HORIZON)

    def found(header: BatchHeader, now_ms: int) -> Retention:
        return kept(view, mapped({}), header, now_ms=now_ms, is_needless=True)

    assert found(marker, 9_999) == Retention("in part", [KEPT], HORIZON_MS)
    assert found(stamped, 499) == Retention("as it is", [KEPT], 500)
    assert found(stamped, 500) == Retention("nothing", [Fate.MARKER])


def test_a_batch_without_records_goes_unless_it_is_a_last_one() -> None:
    """LG-20: DELETE_EMPTY, RETAIN_EMPTY. One that was emptied before comes again."""
    view = view_of(["a", "b"])
    gone = mapped({"a": 50, "b": 51})

    assert kept(view, gone).how == "nothing"
    assert kept(view, gone, is_last=True) == Retention("header", [SUPERSEDED] * 2)
    assert kept(view, gone, is_last=True, is_needless=True).how == "header"
    bare = batch(record_count=0)
    assert kept(view_of([]), gone, bare, is_last=True) == Retention("header", [])
    assert kept(view_of([]), gone, bare).how == "nothing"


def test_the_last_batch_of_a_producer_is_the_one_with_its_last_offset() -> None:
    """LG-20. Source: Cleaner.cleanInto, isBatchLastRecordOfProducer."""
    known = {7: LastRecord(12, 3)}

    assert is_last_of_producer(batch(producer_id=7), known)
    assert not is_last_of_producer(batch(producer_id=7, base=9), known)
    assert not is_last_of_producer(batch(producer_id=8), known), "expired"
    assert not is_last_of_producer(batch(), {-1: LastRecord(12, 3)}), "no producer"


def test_a_producer_known_by_a_marker_alone_keeps_one_of_its_epoch() -> None:
    """LG-20: the epoch fences (lastDataOffset is empty)."""
    known = {7: LastRecord(-1, 3)}
    marker = batch(producer_id=7, producer_epoch=3, bits=CONTROL | TRANSACTIONAL)

    assert is_last_of_producer(marker, known)
    assert not is_last_of_producer(marker._replace(producer_epoch=2), known)
    assert not is_last_of_producer(marker._replace(attributes=0), known)


def test_the_header_that_stays_keeps_what_producers_and_readers_need() -> None:
    """Source: DefaultRecordBatch.writeEmptyHeader."""
    kinds = LOG_APPEND_TIME | TRANSACTIONAL | CONTROL
    full = batch(bits=kinds | DELETE_HORIZON | 4 | 1 << 7, producer_id=7)
    bare = emptied(full._replace(producer_epoch=3, base_sequence=41))

    assert bare == BatchHeader(
        *(10, 61, 4, 2, bare.crc, kinds, 2, -1, 502, 7, 3, 41, 0)
    )
    assert bare.crc == crc32c(bare.pack()[21:])
    assert emptied(bare) == bare

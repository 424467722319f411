"""What Kafka's own tool reports on stderr, and what stands for its exceptions."""

import pytest

from kafkasim.log.dump_complaints import complaints
from tests.log.broker_files import TOPICS, partition
from tests.log.test_dump_text import DAMAGED, LOG, damaged, store_of

TIME_INDEX = "00000000000000000000.timeindex"


def kafkas(lines: list[str]) -> list[str]:
    """Return Kafka's lines without those of a count that begins at −1."""
    kept: list[str] = []
    for line in lines:
        if line.startswith("  -1 is followed by "):
            kept.pop()  # the line that names the file
        else:
            kept.append(line)
    return kept


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("kind", ["records", "batches"])
def test_damage_is_reported_as_kafkas_tool_reports_it(case: str, kind: str) -> None:
    truth = DAMAGED[case]
    if kind in truth:
        got = complaints(damaged(case), print_data_log=kind == "records")
        # It lists what does not fit in an offset index from the end.
        assert sorted(got) == sorted(kafkas(truth[kind]["stderr"]))


def test_the_cases_have_something_to_report() -> None:
    said = {case for case, row in DAMAGED.items() if kafkas(row["records"]["stderr"])}
    assert said == {"index-lies", "time-lies", "torn", "text"}


@pytest.mark.parametrize("topic", TOPICS)
def test_a_real_brokers_files_are_in_order(topic: str) -> None:
    said = complaints(store_of(partition(topic)), print_data_log=True)
    # A compacted log has gaps, and time index entries of removed records' offsets.
    gaps = topic == "compact_after_cleaning"
    assert bool(said) == gaps
    if gaps:
        assert said[0] == f"Non-consecutive offsets in {LOG}"
        assert said[1] == "  28 is followed by 32"


def test_offsets_that_jump_are_reported_when_records_are_looked_at() -> None:
    files = partition("compact")
    log = files[LOG]
    store = store_of({LOG: log[:145] + log[282:]})  # the second batch is missing
    assert complaints(store, print_data_log=True) == [
        f"Non-consecutive offsets in {LOG}",
        "  3 is followed by 8",
    ]
    assert complaints(store) == []


def test_index_entries_that_point_to_nothing_are_reported() -> None:
    files = partition("compact")
    files[LOG] = files[LOG][:145]
    said = complaints(store_of({n: files[n] for n in files if n.startswith("0" * 20)}))
    assert said[:2] == [
        "Mismatches in :00000000000000000000.index",
        "  Index offset: 7, no batch at position 145",
    ]
    missing = f"The following indexed offsets are not found in :{TIME_INDEX}"
    assert said[said.index(missing) + 1] == "Indexed offset: 7, found log offset: -1"


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (b"\xff" * 30, "a batch cannot have a length of -1"),
        (bytes(30), "a batch cannot have a length of 0"),
    ],
)
def test_where_kafkas_tool_ends_with_an_exception_a_line_says_why(
    rest: bytes, why: str
) -> None:
    said = complaints(store_of({LOG: partition("plain")[LOG] + rest}))
    assert said == [f"No record batch in {LOG} at position 381: {why}"]


def test_records_that_are_none_are_reported_with_their_batch() -> None:
    data = bytearray(partition("plain")[LOG])
    data[127 + 61] = 0x70
    (said,) = complaints(store_of({LOG: bytes(data)}), print_data_log=True)
    assert said.startswith(f"No record batch in {LOG} at position 127: ")


def test_a_snapshot_that_was_changed_is_reported() -> None:
    files = partition("idempotent")
    (name,) = (name for name in files if name.endswith(".snapshot"))
    data = bytearray(files[name])
    data[20] ^= 1
    (said,) = complaints(store_of({name: bytes(data)}))
    assert said.startswith(f"{name}: ")
    assert "CRC" in said

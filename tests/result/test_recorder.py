import hashlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import ValidationError
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.result.schema import DEFAULT_LABELS, TABLES
from kafkasim.result.schema_columns import Column
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Traffic

_WEB = Source(stream="orders", arrivals=Periodic(rate_per_s=2.0))
_SCENARIO = Scenario(Traffic({"web": _WEB}, {}, duration_s=1.0), seed=7)
_PLAN = _SCENARIO.plan()
_LABELS = ("first", "second", "third")


def _finished(recorder: Recorder, **not_recorded: str) -> Result:
    return recorder.finish(_SCENARIO, _PLAN, {"engine": "test"}, not_recorded)


def _with_links(*rows: tuple[int, int, int, int, int]) -> Recorder:
    recorder = Recorder()
    recorder.labels("links", "sender", ("source:web", "member:billing/1"))
    recorder.labels("links", "receiver", ("broker:1",))
    write = recorder.writer("links")
    for row in rows:
        write(*row)
    return recorder


def _values(table: str, column: Column) -> st.SearchStrategy[float]:
    if column.kind == "share":
        return st.floats(0.0, 1.0)
    if column.kind == "label":
        count = len(DEFAULT_LABELS.get((table, column.name), _LABELS))
        return st.integers(-1, count - 1)
    limits = np.iinfo(column.dtype)
    return st.integers(int(limits.min), int(limits.max))


@st.composite
def _tables(draw: st.DrawFn) -> tuple[str, list[tuple[float, ...]]]:
    table = draw(st.sampled_from(list(TABLES)))
    row = st.tuples(*(_values(table, column) for column in TABLES[table]))
    return table, draw(st.lists(row, max_size=5))


def _written(table: str, rows: list[tuple[float, ...]]) -> Recorder:
    recorder = Recorder()
    write = recorder.writer(table)
    for row in rows:
        write(*row)
    for column in TABLES[table]:
        if column.kind == "label" and (table, column.name) not in DEFAULT_LABELS:
            recorder.labels(table, column.name, _LABELS)
    return recorder


@given(_tables())
def test_columns_hold_the_rows_that_were_written(
    written: tuple[str, list[tuple[float, ...]]],
) -> None:
    name, rows = written
    recorder = _written(name, rows)
    assert recorder.row_count(name) == len(rows)
    table = _finished(recorder).columns(name)
    read = list(zip(*(table[c.name].tolist() for c in TABLES[name]), strict=True))
    assert read == rows


@given(_tables(), st.data())
def test_the_digest_changes_exactly_when_a_row_does(
    written: tuple[str, list[tuple[float, ...]]], data: st.DataObject
) -> None:
    name, rows = written
    first = _finished(_written(name, rows)).digest
    assert _finished(_written(name, list(rows))).digest == first
    row = data.draw(st.tuples(*(_values(name, column) for column in TABLES[name])))
    place = data.draw(st.integers(0, len(rows)))
    more = [*rows[:place], row, *rows[place:]]
    assert _finished(_written(name, more)).digest != first
    if place < len(rows):
        changed = [*rows[:place], row, *rows[place + 1 :]]
        same = changed == rows
        assert (_finished(_written(name, changed)).digest == first) == same


def test_a_tables_digest_is_over_its_packed_little_endian_rows() -> None:
    digests = _finished(_with_links((0, 0, 1, 2, 300), (1, -1, 1, 5, 7))).digests
    packed = struct.pack("<iiiqq", 0, 0, 1, 2, 300)
    packed += struct.pack("<iiiqq", 1, -1, 1, 5, 7)
    assert digests == {"links": hashlib.sha256(packed).hexdigest()}


def test_the_results_digest_is_over_the_names_and_the_scenario() -> None:
    result = _finished(_with_links((0, 0, 1, 2, 300)))
    text = f"schema 2\nscenario {_SCENARIO.digest}\nlinks {result.digests['links']}"
    assert result.digest == hashlib.sha256(text.encode()).hexdigest()
    other = _with_links((0, 0, 1, 2, 300)).finish(
        _SCENARIO.where({"seed": 8}), _PLAN, {}, {}
    )
    assert other.digest != result.digest


def test_extra_rows_go_into_the_digest_and_are_no_table() -> None:
    def digests(second: int) -> tuple[str, tuple[str, ...]]:
        recorder = _with_links((0, 0, 1, 2, 300))
        recorder.hashed("polls", "<iqq")(1, 2, second)
        result = _finished(recorder)
        return result.digest, result.tables

    assert digests(3) == digests(3)
    assert digests(3)[0] != digests(4)[0]
    assert digests(3)[1] == ("links",)


def test_an_array_goes_into_the_digest_whole_or_in_blocks() -> None:
    def digest(*blocks: Any) -> str:  # noqa: ANN401 - arrays of several dtypes
        recorder = Recorder()
        for block in blocks:
            recorder.hash_array("append_list/web/orders/0", block)
        return _finished(recorder).digest

    numbers = np.arange(10, dtype="<i4")
    assert digest(numbers) == digest(numbers[:4], numbers[4:])
    assert digest(numbers) == digest(numbers.astype(">i4"))
    assert digest(numbers) == digest(np.repeat(numbers, 2)[::2])
    assert digest(numbers) != digest(numbers[::-1])
    assert digest(numbers[:0]) != digest(numbers)


def test_a_table_given_as_columns_is_not_in_the_digest() -> None:
    def result(moved: int) -> Result:
        recorder = Recorder()
        columns = {c.name: np.zeros(1, c.dtype) for c in TABLES["links"]}
        columns["moved_bytes"][0] = moved
        recorder.columns(
            "links", columns, {"sender": ("a",), "receiver": ("broker:1",)}
        )
        return _finished(recorder)

    assert result(1).digest == result(2).digest
    assert result(1) != result(2)
    assert result(1).columns("links").labels["sender"] == ("a",)


def test_written_rows_can_be_read_while_the_run_is_on() -> None:
    recorder = _with_links((0, 0, 1, 2, 300), (1, 0, 1, 5, 7))
    assert recorder.rows("links")["moved_bytes"].tolist() == [300, 7]
    write = recorder.hashed("polls", "<iq")
    write(4, 5)
    assert recorder.rows("polls").tolist() == [(4, 5)]
    view = recorder.rows("polls")
    with pytest.raises(BufferError):
        write(6, 7)
    del view
    write(6, 7)
    assert recorder.row_count("polls") == 2


def test_a_value_too_large_for_its_column_is_an_error() -> None:
    with pytest.raises(struct.error):
        _with_links((2**31, 0, 1, 2, 3))


def test_a_code_without_a_label_is_found_when_the_run_ends() -> None:
    with pytest.raises(ValidationError, match=r"links\.sender: 2 is not allowed"):
        _finished(_with_links((2, 0, 1, 2, 3)))


def test_unknown_names_are_refused_at_once() -> None:
    recorder = Recorder()
    with pytest.raises(ValidationError, match="linkz"):
        recorder.writer("linkz")
    with pytest.raises(ValidationError, match="linkz"):
        recorder.columns("linkz", {})
    with pytest.raises(ValidationError, match="a name that no table has"):
        recorder.hashed("links", "<iq")
    for wrong in ("iq", "<i q", "<3i", ">iq"):
        with pytest.raises(ValidationError, match="row_format"):
            recorder.hashed("polls", wrong)


def test_a_name_stands_for_one_thing_only() -> None:
    recorder = _with_links()
    recorder.hashed("polls", "<iq")
    recorder.hash_array("keys", np.arange(3))
    for refused in (
        lambda: recorder.columns("links", {}),
        lambda: recorder.hashed("polls", "<iqq"),
        lambda: recorder.hash_array("polls", np.arange(3)),
        lambda: recorder.hashed("keys", "<i"),
    ):
        with pytest.raises(ValidationError):
            refused()
    recorder.columns("events", {})
    with pytest.raises(ValidationError, match="a table not given as columns"):
        recorder.writer("events")


def test_labels_of_a_table_that_was_not_recorded_are_refused() -> None:
    recorder = Recorder()
    recorder.labels("links", "sender", ("a",))
    with pytest.raises(ValidationError, match=r"labels\.links"):
        _finished(recorder)


def test_a_reason_for_a_recorded_or_unknown_table_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"not_recorded\.links"):
        _finished(_with_links(), links="no room")
    with pytest.raises(ValidationError, match=r"not_recorded\.linkz"):
        _finished(_with_links(), linkz="no room")


def test_a_finished_recorder_holds_nothing() -> None:
    recorder = _with_links((0, 0, 1, 2, 300))
    result = _finished(recorder)

    assert recorder.row_count("links") == 0
    assert len(result.columns("links")) == 1


def test_rows_that_are_gathered_are_the_rows_that_are_written() -> None:
    rows = [(0, 1, 5 * n, n, 0, 7, n) for n in range(5)]
    one, other = Recorder(), Recorder()
    write, values = one.writer("queues"), other.gathered("queues")
    for row in rows:
        write(*row)
        values += row
        if len(values) > 14:
            other.pack("queues")
    for recorder in (one, other):
        recorder.labels("queues", "topic", _LABELS)
        recorder.labels("queues", "member", _LABELS)

    assert other.row_count("queues") == 5
    assert not values
    assert _finished(one).digest == _finished(other).digest


def test_rows_of_an_array_come_behind_those_that_were_written() -> None:
    recorder = _with_links((0, 1, 1, 2, 300))
    more = recorder.rows("links").copy()
    more["moved_bytes"] = 4
    recorder.add("links", more)

    assert recorder.rows("links")["moved_bytes"].tolist() == [300, 4]
    with pytest.raises(ValidationError, match="rows of the table 'links'"):
        recorder.add("links", more["moved_bytes"])

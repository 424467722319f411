from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import TraceError, ValidationError
from kafkasim.scenario.trace import Trace
from kafkasim.traces.assembly import Reading, build_trace
from kafkasim.traces.cells import Cells
from kafkasim.traces.csv_rows import Table
from kafkasim.traces.moments import Clock

SECONDS = Reading(
    time="at",
    columns=None,
    sizes=(),
    speedup=1.0,
    sort=False,
    clock=Clock("s"),
    resolution_s=0.0,
    on_bad_rows="raise",
    name="clicks",
)
SIZED = replace(SECONDS, sizes=["bytes"])


def table(**columns: Sequence[object]) -> Table:
    """Return a table whose cells are given by column, None for an empty one."""
    cells = {}
    for name, values in columns.items():
        distinct = list(dict.fromkeys(value for value in values if value is not None))
        codes = [-1 if value is None else distinct.index(value) for value in values]
        cells[name] = Cells(np.array(codes, np.int64), distinct)
    return Table(cells, len(next(iter(columns.values()))), [])


def texts(trace: Trace, column: str) -> list[str | None]:
    codes, labels = trace.codes(column)
    return [None if code < 0 else labels[code] for code in codes]


def test_the_first_row_is_at_zero_and_the_rest_after_it() -> None:
    trace = build_trace(table(at=[100, 100.5, 103], user=["a", None, "a"]), SECONDS)

    assert trace.times_ns.tolist() == [0, 500_000_000, 3_000_000_000]
    assert texts(trace, "user") == ["a", None, "a"]
    assert (trace.name, trace.resolution_ns, trace.speedup) == ("clicks", 0, 1.0)
    assert trace.skipped == {}


def test_resolution_and_speedup_go_into_the_trace() -> None:
    reading = replace(SECONDS, resolution_s=0.5, speedup=60)
    trace = build_trace(table(at=[0, 60]), reading)

    assert trace.resolution_ns == 500_000_000
    assert trace.duration_ns == 1_008_333_334


def test_unsorted_times_are_an_error_that_names_the_remedy() -> None:
    with pytest.raises(TraceError, match="sort=True sorts the rows") as caught:
        build_trace(table(at=[1, 3, 2, 4]), SECONDS)

    assert (caught.value.row, caught.value.column) == (3, "at")


def test_a_time_out_of_order_names_the_row_it_is_compared_with() -> None:
    with pytest.raises(
        TraceError, match=r"row 4, column 'at': time out of order.* than row 3;"
    ):
        build_trace(table(at=[1, 3, 3, 2, 1]), SECONDS)


def test_a_row_without_a_usable_time_sets_no_mark_for_those_after_it() -> None:
    rows = table(at=[-5, "x", -4, None, -3])

    with pytest.warns(UserWarning, match="1 missing time, 1 unparseable time$"):
        trace = build_trace(rows, replace(SECONDS, on_bad_rows="skip"))

    assert trace.times_ns.tolist() == [0, 1_000_000_000, 2_000_000_000]


def test_sorting_is_stable() -> None:
    unsorted = table(at=[2, 1, 2, 1], user=["c", "a", "d", "b"])
    trace = build_trace(unsorted, replace(SECONDS, sort=True))

    assert trace.times_ns.tolist() == [0, 0, 1_000_000_000, 1_000_000_000]
    assert texts(trace, "user") == ["a", "b", "c", "d"]


def test_a_sorted_table_is_the_same_trace_however_it_was_shuffled() -> None:
    sort = replace(SECONDS, sort=True)

    shuffled = build_trace(table(at=[3, 1, 2], user=["c", "a", "b"]), sort)

    assert shuffled == build_trace(table(at=[1, 2, 3], user=["a", "b", "c"]), sort)


@pytest.mark.parametrize(
    ("size", "cause"),
    [
        (None, "missing size"),
        ("-1", "negative size '-1'"),
        (-1.0, "negative size -1.0"),
        ("1.5", "size is no whole number '1.5'"),
        ("big", "size is no whole number 'big'"),
        (2**31, "size above 2147483647 2147483648"),
    ],
)
def test_a_bad_size_names_row_and_column(size: object, cause: str) -> None:
    with pytest.raises(TraceError, match=cause) as caught:
        build_trace(table(at=[1, 2, 3], bytes=[0, 7, size]), SIZED)

    assert (caught.value.row, caught.value.column) == (3, "bytes")


def test_sizes_are_numbers_however_they_are_written() -> None:
    trace = build_trace(table(at=[1, 2, 3], bytes=["007", "8.0", 9]), SIZED)

    assert trace.numbers("bytes").tolist() == [7, 8, 9]


def test_the_first_bad_row_is_named_whatever_its_cause() -> None:
    unsorted_and_negative = table(at=[1, 2, 0], bytes=[1, -1, 1])

    with pytest.raises(TraceError, match="row 2, column 'bytes': negative size"):
        build_trace(unsorted_and_negative, SIZED)


def test_skipped_rows_are_counted_by_cause_with_one_warning() -> None:
    reading = replace(SIZED, on_bad_rows="skip")
    rows = table(
        at=[5, "x", None, 4, 6, 7], bytes=[1, -1, 1, 1, -1, 1], user=list("abcdef")
    )

    with pytest.warns(UserWarning, match="skipped 4 of 6 rows: 1 missing time, 1"):
        trace = build_trace(rows, reading)

    assert trace.times_ns.tolist() == [0, 2_000_000_000]
    assert trace.codes("user").labels == ("a", "f")
    assert trace.skipped == {
        "missing time": 1,
        "unparseable time": 1,
        "time out of order": 1,
        "negative size": 1,
    }


def test_a_bad_first_row_does_not_set_the_start() -> None:
    rows = table(at=[None, 7, 8])

    with pytest.warns(UserWarning, match="skipped 1 of 3 rows"):
        trace = build_trace(rows, replace(SECONDS, on_bad_rows="skip"))

    assert trace.times_ns.tolist() == [0, 1_000_000_000]


def test_a_span_of_more_than_146_years_names_the_last_row() -> None:
    with pytest.raises(TraceError, match="more than 146 years after") as caught:
        build_trace(table(at=[-3_000_000_000, 2_000_000_000]), SECONDS)

    assert (caught.value.row, caught.value.column) == (2, "at")


def test_nothing_left_is_an_error() -> None:
    with (
        pytest.warns(UserWarning, match="skipped 2 of 2 rows"),
        pytest.raises(TraceError, match="none of the 2 rows can be used"),
    ):
        build_trace(table(at=[None, "x"]), replace(SECONDS, on_bad_rows="skip"))


@given(
    times=st.lists(st.integers(0, 50) | st.none() | st.just("x"), min_size=1),
    data=st.data(),
)
@pytest.mark.filterwarnings("ignore:skipped")
def test_skipping_keeps_the_rows_that_a_plain_loop_keeps(
    times: list[int | str | None], data: st.DataObject
) -> None:
    sizes = data.draw(
        st.lists(st.integers(-2, 5), min_size=len(times), max_size=len(times))
    )
    kept: list[tuple[int, int, int]] = []
    latest = 0
    for row, (time, size) in enumerate(zip(times, sizes, strict=True)):
        if isinstance(time, int) and time >= latest:
            latest = time
            if size >= 0:
                kept.append((row, time, size))
    rows = table(at=times, bytes=sizes, row=list(range(len(times))))
    reading = replace(SIZED, on_bad_rows="skip")

    if not kept:
        with pytest.raises(TraceError, match="none of the"):
            build_trace(rows, reading)
        return
    trace = build_trace(rows, reading)

    first = kept[0][1]
    assert trace.numbers("row").tolist() == [row for row, _, _ in kept]
    assert trace.numbers("bytes").tolist() == [size for _, _, size in kept]
    assert trace.times_ns.tolist() == [
        (time - first) * 1_000_000_000 for _, time, _ in kept
    ]
    assert sum(trace.skipped.values()) == len(times) - len(kept)


def test_all_columns_but_the_time_are_carried_unless_some_are_named() -> None:
    names = ["user", "at", "bytes", "shop"]

    assert SECONDS.choose(names) == ["at", "user", "bytes", "shop"]
    assert replace(SECONDS, columns=["shop"]).choose(names) == ["at", "shop"]
    assert replace(SIZED, columns=["shop"]).choose(names) == ["at", "shop", "bytes"]
    assert replace(SECONDS, columns=[]).choose(names) == ["at"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"time": "AT"}, "AT"),
        ({"columns": ["usr"]}, "usr"),
        ({"sizes": ["byte"]}, "byte"),
    ],
)
def test_a_column_that_is_not_there_is_named(
    change: dict[str, object], name: str
) -> None:
    reading = replace(SECONDS, **change)  # type: ignore[arg-type]

    with pytest.raises(TraceError, match="did you mean") as caught:
        reading.choose(["at", "user", "bytes"])

    assert caught.value.column == name


def test_two_columns_of_one_name_are_an_error() -> None:
    with pytest.raises(TraceError, match="column 'user': two columns have this name"):
        SECONDS.choose(["at", "user", "user"])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"resolution_s": -1.0}, "resolution_s"),
        ({"resolution_s": float("nan")}, "resolution_s"),
        ({"columns": "user"}, "columns"),
        ({"sizes": "bytes"}, "sizes"),
        ({"on_bad_rows": "drop"}, "on_bad_rows"),
        ({"clock": Clock("h")}, "time_unit"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_option_is_named_before_anything_is_read(
    change: dict[str, object], path: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        replace(SECONDS, **change)  # type: ignore[arg-type]

    assert caught.value.path == path

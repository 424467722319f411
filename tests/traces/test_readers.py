"""The three readers on whole files, as a user would call them."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import TraceError, ValidationError
from kafkasim.scenario.bundled import flights
from kafkasim.scenario.trace import Trace
from kafkasim.traces import from_csv, from_dataframe, from_parquet

HEADER = "at,shop,bytes\n"
GOOD = "2026-01-01T08:00:00Z,north,10\n2026-01-01T08:00:01Z,south,20\n"


def read(path: Path, body: str, *, sort: bool = False) -> Trace:
    path.write_text(body, encoding="utf-8")
    return from_csv(path, time="at", sizes=["bytes"], sort=sort)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders 2026.csv"


def test_a_csv_becomes_a_trace_named_for_its_file(path: Path) -> None:
    trace = read(path, HEADER + GOOD)

    assert repr(trace) == "Trace('orders 2026', 2 rows in 1 s, columns shop, bytes)"
    assert trace.times_ns.tolist() == [0, 1_000_000_000]
    assert trace.codes("shop").labels == ("north", "south")
    assert trace.numbers("bytes").tolist() == [10, 20]
    assert trace.source is None


@pytest.mark.parametrize(
    ("line", "column", "cause"),
    [
        (",east,30", "at", "missing time"),
        ("noon,east,30", "at", "unparseable time 'noon'; expected ISO 8601"),
        ("2026-01-01T08:00:02,east,30", "at", "mixed time zones '2026-01-01T08"),
        ("2026-01-01T10:00:02+02:00,east,30", "at", "mixed time zones"),
        ("2026-01-01T07:59:59Z,east,30", "at", "time out of order"),
        ("2026-01-01T08:00:02Z,east,-30", "bytes", "negative size '-30'"),
        ("2026-01-01T08:00:02Z,east,", "bytes", "missing size"),
        ("2026-01-01T08:00:02Z,east,3.5", "bytes", "size is no whole number '3.5'"),
        ("2026-01-01T08:00:02Z,east", "", "wrong number of cells; the header has 3"),
        ("2026-01-01T08:00:02Z,east,30,x", "", "wrong number of cells"),
        ('2026-01-01T08:00:02Z,"ea"st,30', "", "stray quotes"),
    ],
)
def test_each_kind_of_bad_row_names_row_and_column_or_is_counted(
    path: Path, line: str, column: str, cause: str
) -> None:
    body = HEADER + GOOD + line + "\n2026-01-01T08:00:09Z,west,40\n"
    with pytest.raises(TraceError) as caught:
        read(path, body)

    assert (caught.value.row, caught.value.column) == (3, column)
    assert cause in str(caught.value)
    assert "row 1 is the first row of data" in str(caught.value)

    with pytest.warns(UserWarning, match=r"skipped 1 of 4 rows") as warned:
        trace = from_csv(path, time="at", sizes=["bytes"], on_bad_rows="skip")

    assert [Path(each.filename).name for each in warned] == ["test_readers.py"]
    assert list(trace.skipped.values()) == [1]
    assert next(iter(trace.skipped)) in cause
    assert trace.codes("shop").labels == ("north", "south", "west")
    assert trace.times_ns.tolist() == [0, 1_000_000_000, 9_000_000_000]


@pytest.mark.parametrize(
    ("body", "column", "text"),
    [
        ("", "", "the file is empty"),
        (HEADER, "", "no row below the header"),
        ("at,bytes,bytes\n1,2,3\n", "bytes", "two columns have this name"),
        ("time,bytes\n1,2\n", "at", "there is no such column"),
        ("at,byte\n1,2\n", "bytes", "did you mean 'byte'?"),
        ("at,bytes\n1700000000,2\n", "at", "say their unit: time_unit='s'"),
    ],
)
def test_a_table_that_cannot_be_read_is_one_clear_error(
    path: Path, body: str, column: str, text: str
) -> None:
    with pytest.raises(TraceError) as caught:
        read(path, body)

    assert text in str(caught.value)
    assert caught.value.column == column


def hundred_rows(first: str, last: str) -> str:
    """Return rows a second apart with a cell set in rows 11 and 81."""
    shops = {11: first, 81: last}
    return HEADER + "".join(
        f"2026-01-01T08:{row // 60:02}:{row % 60:02}Z,{shops.get(row, 'east')},10\n"
        for row in range(1, 101)
    )


@pytest.mark.parametrize(
    ("last", "cause"),
    [
        ('we"st', "stray quotes"),
        ('"', "wrong number of cells"),
        ('",west', "wrong number of cells"),
    ],
)
def test_a_bad_row_that_swallowed_others_is_an_error_even_when_skipping(
    path: Path, last: str, cause: str
) -> None:
    body = hundred_rows('"north', last)
    if last == '"':
        body = body.replace('",10', '",10,10')

    for on_bad_rows in ("raise", "skip"):
        path.write_text(body)
        with pytest.raises(TraceError) as caught:
            from_csv(path, time="at", on_bad_rows=on_bad_rows)

        assert str(caught.value).startswith(f"row 11, file lines 12-82: {cause}")
        assert "rows lost inside quotes cannot be counted" in str(caught.value)
        assert caught.value.row == 11
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_bad_value_in_a_row_that_swallowed_others_is_an_error_too(path: Path) -> None:
    path.write_text(hundred_rows('"north', '"').replace('",10', '",-10'))

    with pytest.raises(
        TraceError, match=r"^row 11, file lines 12-82, column 'bytes': negative size"
    ):
        from_csv(path, time="at", sizes=["bytes"], on_bad_rows="skip")


def test_good_rows_over_several_lines_stay_when_others_are_skipped(path: Path) -> None:
    path.write_text(HEADER + GOOD.replace("south", '"so\nuth"') + ",east,30\n")

    with pytest.warns(UserWarning, match="skipped 1 of 3 rows"):
        trace = from_csv(path, time="at", on_bad_rows="skip")

    assert trace.codes("shop").labels == ("north", "so\nuth")


@pytest.mark.parametrize(("written", "shown"), [(";", "';'"), ("\t", r"'\t'")])
def test_another_delimiter_than_said_is_hinted_at(
    path: Path, written: str, shown: str
) -> None:
    with pytest.raises(TraceError) as caught:
        read(path, (HEADER + GOOD).replace(",", written))

    assert str(caught.value).endswith(f"say delimiter={shown}")
    assert caught.value.column == "at"


def test_no_delimiter_is_hinted_at_where_none_is_seen(path: Path) -> None:
    with pytest.raises(TraceError, match="no such column") as caught:
        read(path, "when\n1\n")

    assert "delimiter" not in str(caught.value)


@pytest.mark.parametrize("frame", [{"at": [1]}, [1, 2], None, "orders.csv"])
def test_what_is_no_dataframe_is_a_clear_error(frame: object) -> None:
    with pytest.raises(ValidationError, match=r"frame: .* a pandas DataFrame"):
        from_dataframe(frame, time="at")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, 0])
def test_a_column_is_named_by_text(path: Path, wrong: object) -> None:
    path.write_text(HEADER + GOOD)

    with pytest.raises(ValidationError, match=f"time: {wrong} is not allowed"):
        from_csv(path, time=wrong)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=f"sizes: {wrong} is not allowed"):
        from_csv(path, time="at", sizes=[wrong])  # type: ignore[list-item]
    with pytest.raises(ValidationError, match=r"columns: 7 .* a list of names"):
        from_csv(path, time="at", columns=7)  # type: ignore[arg-type]


def test_sort_puts_rows_in_order(path: Path) -> None:
    trace = read(path, HEADER + "2026-01-01T09:00:00Z,east,30\n" + GOOD, sort=True)

    assert trace.codes("shop").labels == ("north", "south", "east")


def test_local_times_across_daylight_saving_are_read_as_instants(path: Path) -> None:
    path.write_text("at\n2013-03-10T01:59:00-05:00\n2013-03-10T03:00:00-04:00\n")

    trace = from_csv(path, time="at", utc=True)

    assert trace.times_ns.tolist() == [0, 60_000_000_000]


def test_a_csv_as_a_spreadsheet_writes_it(path: Path) -> None:
    path.write_bytes(
        b'\xef\xbb\xbfat;place\r\n01.02.2026 08:00;"Aarau; AG"\r\n'
        b'01.02.2026 08:01;"Z\xc3\xbcrich"\r\n'
    )

    trace = from_csv(path, time="at", time_format="%d.%m.%Y %H:%M", delimiter=";")

    assert trace.times_ns.tolist() == [0, 60_000_000_000]
    assert trace.codes("place").labels == ("Aarau; AG", "Zürich")


def test_a_file_name_that_fits_no_trace_is_mended(tmp_path: Path) -> None:
    path = tmp_path / ".what?.csv"
    path.write_text("at\n2026-01-01\n")

    assert from_csv(path, time="at").name == "_what_"
    assert from_csv(path, time="at", name="own").name == "own"


def test_what_was_written_for_people_is_read_alike_from_all_three(
    tmp_path: Path,
) -> None:
    frame = pd.DataFrame(
        {
            "at": pd.to_datetime([0, 500], unit="ms", utc=True),
            "user": ["ann", None],
            "bytes": [10, 20],
        }
    )
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")

    traces = [
        from_dataframe(frame, time="at"),
        from_csv(tmp_path / "a.csv", time="at"),
        from_parquet(tmp_path / "a.parquet", time="at"),
    ]

    assert traces[0] == traces[1] == traces[2]
    assert [trace.name for trace in traces] == ["trace", "a", "a"]


def test_the_bundled_year_goes_through_a_csv_unchanged(tmp_path: Path) -> None:
    january = flights(1)
    columns = {name: january.codes(name) for name in january.columns}
    frame = pd.DataFrame(
        {
            "at": january.times_ns // 60_000_000_000 * 60,
            **{
                name: pd.Series([*labels, None], dtype=object).to_numpy()[codes]
                for name, (codes, labels) in columns.items()
            },
        }
    )
    frame.to_csv(tmp_path / "january.csv", index=False)

    trace = from_csv(
        tmp_path / "january.csv", time="at", time_unit="s", resolution_s=60
    )

    assert np.array_equal(trace.times_ns, january.times_ns - january.times_ns[0])
    for name, (codes, labels) in columns.items():
        found = trace.codes(name)
        assert np.array_equal(
            np.array([*found.labels, ""])[found.codes],
            np.array([*labels, ""])[codes],
        )


@given(
    times=st.lists(st.integers(-(2**50), 2**50), min_size=1, max_size=20),
    data=st.data(),
)
def test_a_dataframe_keeps_its_order(times: list[int], data: st.DataObject) -> None:
    times.sort()
    rows = len(times)
    users = data.draw(
        st.lists(st.sampled_from("abc") | st.none(), min_size=rows, max_size=rows)
    )
    frame = pd.DataFrame({"at": times, "user": pd.Series(users, dtype=object)})

    trace = from_dataframe(frame, time="at", time_unit="ns")

    codes, labels = trace.codes("user")
    assert trace.times_ns.tolist() == [time - times[0] for time in times]
    assert [None if code < 0 else labels[code] for code in codes] == users


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_timestamps_of_every_resolution_and_zone_are_read(
    unit: str, zone: str | None
) -> None:
    stamps = pd.DatetimeIndex(["2026-03-08 01:59", "2026-03-08 03:00"]).tz_localize(
        zone
    )
    frame = pd.DataFrame({"at": stamps.as_unit(unit)})  # type: ignore[arg-type]

    trace = from_dataframe(frame, time="at")

    minutes = 1 if zone == "America/New_York" else 61
    assert trace.times_ns.tolist() == [0, minutes * 60_000_000_000]


def test_timestamps_of_arrow_are_read() -> None:
    stamps = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"]))
    frame = pd.DataFrame({"at": stamps.astype("timestamp[ns][pyarrow]")})

    assert from_dataframe(frame, time="at").times_ns.tolist() == [0, 86_400 * 10**9]


def test_timestamps_of_mixed_zones_in_one_column_name_the_row() -> None:
    stamps = [pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02")]
    frame = pd.DataFrame({"at": pd.Series(stamps, dtype=object)})

    with pytest.raises(TraceError, match="row 2, column 'at': mixed time zones"):
        from_dataframe(frame, time="at")


def test_two_columns_of_one_name_in_a_dataframe_are_an_error() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["at", "a", "a"])

    with pytest.raises(TraceError, match="column 'a': two columns have this name"):
        from_dataframe(frame, time="at", time_unit="s")


def test_two_columns_of_one_name_in_a_parquet_file_are_an_error(tmp_path: Path) -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(table, tmp_path / "a.parquet")

    with pytest.raises(TraceError, match="column 'a': two columns have this name"):
        from_parquet(tmp_path / "a.parquet", time="a", time_unit="s")


def test_a_file_that_is_no_parquet_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text(HEADER)

    with pytest.raises(TraceError, match=r"a\.parquet is no Parquet file to read"):
        from_parquet(tmp_path / "a.parquet", time="at")
    with pytest.raises(TraceError, match=r"cannot read .*none\.parquet"):
        from_parquet(tmp_path / "none.parquet", time="at")


def test_a_named_index_in_a_parquet_file_is_a_column(tmp_path: Path) -> None:
    stamps = pd.DatetimeIndex(["2026-01-01", "2026-01-02"], name="at")
    pd.DataFrame({"user": ["a", "b"]}, index=stamps).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"at": stamps}, index=[7, 3]).to_parquet(tmp_path / "b.parquet")

    assert list(from_parquet(tmp_path / "a.parquet", time="at").columns) == ["user"]
    assert list(from_parquet(tmp_path / "b.parquet", time="at").columns) == []


def test_large_numbers_with_gaps_keep_their_digits(tmp_path: Path) -> None:
    table = pa.table({"at": [1, 2], "id": [2**60 + 1, None]})
    pq.write_table(table, tmp_path / "a.parquet")

    trace = from_parquet(tmp_path / "a.parquet", time="at", time_unit="s")

    assert trace.codes("id").labels == ("1152921504606846977",)
    assert trace.codes("id").codes.tolist() == [0, -1]


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    for name, time in (("b", 2), ("a", 1)):
        pq.write_table(pa.table({"at": [time]}), tmp_path / f"{name}.parquet")

    trace = from_parquet(tmp_path, time="at", time_unit="s", name="days")

    assert trace.times_ns.tolist() == [0, 1_000_000_000]


def test_a_wrong_option_is_an_error_before_the_file_is_opened() -> None:
    with pytest.raises(ValidationError, match="time_unit: 'h' is not allowed"):
        from_csv("none.csv", time="at", time_unit="h")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="speedup: 0"):
        from_dataframe(pd.DataFrame({"at": [1]}), time="at", time_unit="s", speedup=0)

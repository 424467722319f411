import bz2
import codecs
import csv
import gzip
import io
import lzma
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.csv_rows import Dialect, Table, read_csv_table

PLAIN = Dialect()


def read(path: Path, body: str | bytes, dialect: Dialect = PLAIN) -> Table:
    path.write_bytes(body.encode() if isinstance(body, str) else body)
    return read_csv_table(path, dialect, list)


def values(table: Table, column: str) -> list[object]:
    cells = table.columns[column]
    return [None if code < 0 else cells.distinct[code] for code in cells.codes]


def bad(table: Table) -> dict[str, list[int]]:
    return {each.cause: each.rows.tolist() for each in table.problems if len(each.rows)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.csv"


def test_cells_are_text_and_empty_ones_are_missing(path: Path) -> None:
    table = read(path, "at,carrier\n1,NA\n2,\n3,B6\n")

    assert table.rows == 3
    assert values(table, "at") == ["1", "2", "3"]
    assert values(table, "carrier") == ["NA", None, "B6"]


def test_what_is_missing_can_be_said(path: Path) -> None:
    table = read(path, "at,tail\n1,NA\n2,\n3,x\n", Dialect(missing=("NA",)))

    assert values(table, "tail") == [None, "", "x"]


def test_a_byte_order_mark_is_no_part_of_the_first_name(path: Path) -> None:
    assert list(read(path, codecs.BOM_UTF8 + b"at,b\n1,2\n").columns) == ["at", "b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_one(path: Path, end: str) -> None:
    table = read(path, end.join(["at,b", "1,x", "2,y", ""]))

    assert values(table, "b") == ["x", "y"]


def test_quotes_hold_commas_line_ends_and_quotes(path: Path) -> None:
    table = read(
        path, 'at,b\r\n1,"New York, NY"\r\n2,"two\r\nlines"\r\n3,"a ""b"""\r\n'
    )

    assert values(table, "b") == ["New York, NY", "two\r\nlines", 'a "b"']


def test_blank_lines_are_no_rows_and_do_not_count(path: Path) -> None:
    table = read(path, "\nat,b\n\n1,x\n\n2,y,z\n\n")

    assert table.rows == 2
    assert bad(table) == {"wrong number of cells": [1]}


def test_another_delimiter_and_encoding_can_be_said(path: Path) -> None:
    table = read(path, "at;b\n1;Zürich\n".encode("latin-1"), Dialect(";", "latin-1"))

    assert values(table, "b") == ["Zürich"]


def test_a_row_of_another_width_keeps_its_place(path: Path) -> None:
    table = read(path, "at,b\n1,x\n2\n3,y,z\n4,w\n")

    assert bad(table) == {"wrong number of cells": [1, 2]}
    assert values(table, "at") == ["1", None, None, "4"]


def test_a_row_with_stray_quotes_keeps_its_place(path: Path) -> None:
    table = read(path, 'at,b\n1,"x"y\n2,z\n')

    assert bad(table) == {"stray quotes": [0]}
    assert values(table, "b") == [None, "z"]


def test_a_quote_that_is_never_closed_names_the_row_it_begins_in(path: Path) -> None:
    with pytest.raises(TraceError, match="row 2: a quote is opened") as caught:
        read(path, 'at,b\n1,x\n2,"y\n3,z\n')

    assert caught.value.row == 2


def test_rows_over_several_lines_are_noted_with_their_lines(path: Path) -> None:
    table = read(path, 'at,b\n\n1,x\n2,"y\nz"\n\n3,"u\n\nv"w\n4,x\n')

    assert table.rows == 4
    assert table.spans.tolist() == [[1, 4, 5], [2, 7, 9]]


def test_a_cell_above_the_csv_limit_is_called_that(path: Path) -> None:
    with pytest.raises(
        TraceError, match=r"row 2: a cell has more than 131,072 char.*csv module"
    ):
        read(path, f"at,b\n1,x\n2,{'y' * 140_000}\n3,z\n")


def test_an_open_quote_that_runs_into_the_csv_limit_names_its_lines(path: Path) -> None:
    rows = "1,abcdefgh\n" * 20_000

    with pytest.raises(
        TraceError, match=r"row 2, file lines 3-\d+: a cell .* left open"
    ):
        read(path, f'at,b\n1,x\n2,"y\n{rows}')


def test_a_header_above_the_csv_limit_is_called_that(path: Path) -> None:
    with pytest.raises(TraceError, match=r"^a cell has more than 131,072") as caught:
        read(path, f"at,{'b' * 140_000}\n1,x\n")

    assert caught.value.row is None


def test_a_broken_header_is_an_error(path: Path) -> None:
    with pytest.raises(TraceError, match="header cannot be read"):
        read(path, '"at"x,b\n1,2\n')


@pytest.mark.parametrize("body", ["", "\n\n", codecs.BOM_UTF8])
def test_an_empty_file_is_an_error(path: Path, body: str | bytes) -> None:
    with pytest.raises(TraceError, match="the file is empty"):
        read(path, body)


def test_a_header_alone_is_an_error(path: Path) -> None:
    with pytest.raises(TraceError, match="no row below the header"):
        read(path, "at,b\n")


def test_a_missing_file_is_an_error(path: Path) -> None:
    with pytest.raises(TraceError, match=r"cannot read .*a\.csv: No such file"):
        read_csv_table(path, PLAIN, list)


def test_another_encoding_than_said_is_an_error(path: Path) -> None:
    with pytest.raises(TraceError, match=r"a\.csv needs another encoding"):
        read(path, "at,b\n1,Zürich\n".encode("latin-1"))


def test_a_byte_of_another_encoding_names_its_row_and_line(path: Path) -> None:
    rows = "".join(f"{row},x\n" for row in range(1, 3001))
    body = f'at,b\n\n{rows}"4\n2",Zürich\n5,y\n'.encode("latin-1")

    with pytest.raises(
        TraceError, match=r"^row 3001: .*: byte 0xfc in file line 3004 is not utf-8$"
    ):
        read(path, body)


def test_a_byte_of_another_encoding_inside_quotes_names_the_row(path: Path) -> None:
    with pytest.raises(TraceError, match=r"^row 2: .* byte 0xfc in file line 4 "):
        read(path, 'at,b\n1,x\n2,"in\nZürich"\n'.encode("latin-1"))


def test_a_byte_of_another_encoding_in_the_header_has_no_row(path: Path) -> None:
    with pytest.raises(TraceError, match=r"byte 0xff in file line 1 ") as caught:
        read(path, "at,b\n1,x\n".encode("utf-16"))

    assert caught.value.row is None


def test_utf_16_without_its_mark_is_an_error(path: Path) -> None:
    with pytest.raises(TraceError, match="needs another encoding=: "):
        read(path, b"at,b\n1,x\n", Dialect(encoding="utf-16"))


@pytest.mark.parametrize(
    ("packed", "kind"),
    [
        pytest.param(gzip.compress(b"at\n1\n", mtime=0), "gzip", id="gzip"),
        pytest.param(bz2.compress(b"at\n1\n"), "bzip2", id="bzip2"),
        pytest.param(lzma.compress(b"at\n1\n"), "xz", id="xz"),
        pytest.param(b"\x28\xb5\x2f\xfd\x00", "zstd", id="zstd"),
        pytest.param(b"PK\x03\x04\x00", "zip", id="zip"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_a_compressed_file_is_called_that(
    path: Path, packed: bytes, kind: str, encoding: str
) -> None:
    with pytest.raises(TraceError, match=rf"a\.csv is compressed \({kind}.*\); unpack"):
        read(path, packed, Dialect(encoding=encoding))


def test_an_encoding_that_is_none_is_an_error(path: Path) -> None:
    with pytest.raises(ValidationError, match="encoding: 'utf-9' is not allowed"):
        read(path, "at\n1\n", Dialect(encoding="utf-9"))


def test_a_delimiter_is_one_character(path: Path) -> None:
    with pytest.raises(ValidationError, match="delimiter: '::' is not allowed"):
        read(path, "at\n1\n", Dialect("::"))


def test_only_chosen_columns_are_read(path: Path) -> None:
    def choose(names: Sequence[str]) -> list[str]:
        assert names == ["at", "b", "c"]
        return ["c", "at"]

    path.write_text("at,b,c\n1,2,3\n")

    assert list(read_csv_table(path, PLAIN, choose).columns) == ["c", "at"]


def test_more_rows_than_a_block_stay_in_order(path: Path) -> None:
    rows = [f"{row % 20_001}" for row in range(40_000)]

    table = read(path, "\n".join(["at", *rows]))

    assert values(table, "at") == rows


CELL = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([("at", "b"), *rows])

    table = read(tmp_path_factory.mktemp("csv") / "a.csv", text.getvalue())

    assert list(zip(values(table, "at"), values(table, "b"), strict=True)) == rows
    assert bad(table) == {}

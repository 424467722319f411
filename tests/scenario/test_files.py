from pathlib import Path

import numpy as np
import pytest

from kafkasim.errors import OutputError, ValidationError
from kafkasim.scenario.files import (
    json_text,
    read_file,
    read_text,
    toml_text,
    write_file,
)
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_rule import file_name

TRACE = Trace(np.array([0, 5]), {}, name="clicks")


def test_toml_begins_with_the_version_and_leaves_out_what_is_none() -> None:
    text = toml_text({"seed": 7, "a": {"b": None, "c": [{"d": None, "e": 1.0}]}})

    assert text.startswith("kafkasim = 1\nseed = 7\n")
    assert read_text(text, name="x", is_json=False) == {
        "seed": 7,
        "a": {"c": [{"e": 1.0}]},
    }


def test_json_keeps_what_is_none() -> None:
    plain = {"seed": 7, "a": {"b": None, "ü": ["x"]}}

    assert read_text(json_text(plain), name="x", is_json=True) == plain


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed = 7\nname = = 3\n", "a.toml, line 2, column 8: 'name = = 3' "),
        ("name = '', x = 1\n", "a.toml, line 1, column 10: "),
        ("name = [\n1,\n", "a.toml, line 2, column 3: '1,' "),
    ],
    ids=["a value", "the end of a line", "the end of the file"],
)
def test_a_syntax_error_in_toml_names_its_line(text: str, place: str) -> None:
    with pytest.raises(ValidationError, match="expected TOML") as caught:
        read_text(text, name="a.toml", is_json=False)

    assert str(caught.value).startswith(place)


def test_a_syntax_error_in_json_names_its_line() -> None:
    with pytest.raises(ValidationError, match=r"^a\.json, line 2, column 2: 'x}'"):
        read_text('{"seed": 7,\n x}', name="a.json", is_json=True)


def test_another_version_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"^x: kafkasim: 2 is not allowed"):
        read_text("kafkasim = 2", name="x", is_json=False)


def test_a_list_is_no_scenario() -> None:
    with pytest.raises(ValidationError, match="a table"):
        read_text("[]", name="x", is_json=True)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ValidationError, match="text in UTF-8"):
        read_file(path)


def test_a_trace_is_written_beside_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"

    write_file(path, "seed = 7\n", [TRACE])
    written = (tmp_path / file_name(TRACE)).stat()
    write_file(path, "seed = 8\n", [TRACE])

    assert path.read_text() == "seed = 8\n"
    assert (tmp_path / file_name(TRACE)).stat().st_mtime_ns == written.st_mtime_ns
    assert {each.name for each in tmp_path.iterdir()} == {"x.toml", file_name(TRACE)}


def test_a_damaged_trace_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / file_name(TRACE)).write_bytes(b"")

    write_file(tmp_path / "x.toml", "", [TRACE])

    assert (tmp_path / file_name(TRACE)).stat().st_size > 0


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        write_file(tmp_path / "missing" / "x.toml", "", [])


def test_odd_shapes_are_left_for_the_documents_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    for text in ("traffic = 3", "[traffic]\nsources = 3", "[traffic.sources]\nweb = 3"):
        path.write_text(text)
        assert "traffic" in read_file(path)

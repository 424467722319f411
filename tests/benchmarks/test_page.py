"""The tables in the page of benchmarks."""

import platform
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.bench import figure

SHORT = figure("speed", 0.4, 0.5, at_least=True)
OVER = figure("bytes a record", 1_250.0, 1_000.0)
HELD = figure("speed", 0.6, 0.5, at_least=True)


def test_a_figure_that_fails_says_by_how_much_and_on_which_side() -> None:
    assert page.verdict(SHORT) == "**no**: 20% short of the bar"
    assert page.verdict(OVER) == "**no**: 25% over the bar"
    assert page.verdict(HELD) == "yes"


def test_a_table_has_a_row_per_figure_with_what_else_was_measured() -> None:
    units = {"batches": 3, "fetches": 4}
    size = figure("size", 80.0, 100.0, records=10_000, us_each=1.25, units=units)

    table = page.table_of([size, SHORT])

    beside = "records 10,000; µs each 1.25; units (batches 3; fetches 4)"
    assert table.splitlines() == [
        "| figure | measured | bar | holds | beside it |",
        "|---|---|---|---|---|",
        f"| size | 80 | at most 100 | yes | {beside} |",
        "| speed | 0.4 | at least 0.5 | **no**: 20% short of the bar |  |",
    ]


def test_what_it_was_taken_on_names_the_day_the_commit_and_the_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"rev-parse": "abc1234", "status": " M kafkasim/units.py"}
    monkeypatch.setattr(page, "_git", lambda *arguments: said[arguments[0]])

    text = page.taken_on()

    assert re.match(r"Taken on \d{4}-\d\d-\d\d at ", text)
    assert "at commit abc1234 with changes: " in text
    assert f"Python {platform.python_version()}" in text
    assert f"numpy {version('numpy')}, simpy {version('simpy')}." in text


def test_without_a_repository_the_commit_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(page, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert "at an unknown commit: " in page.taken_on()


def test_a_table_replaces_the_one_before_and_leaves_the_text_around_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "page.md"
    path.write_text(
        "Before.\n<!-- figures: one -->\n<!-- end of figures -->\nBetween.\n"
        "<!-- figures: two -->\nstays\n<!-- end of figures -->\nAfter.\n",
        encoding="utf-8",
    )

    page.update(path, "one", [OVER])
    page.update(path, "one", [HELD])

    before, rest = path.read_text(encoding="utf-8").split("<!-- figures: one -->")
    table, rest = rest.split("<!-- end of figures -->", 1)
    assert before == "Before.\n"
    assert "| speed | 0.6 |" in table and "bytes" not in table
    assert rest == (
        "\nBetween.\n<!-- figures: two -->\nstays\n<!-- end of figures -->\nAfter.\n"
    )


@pytest.mark.parametrize("marks", [0, 2])
def test_a_page_needs_exactly_one_place_for_a_benchmark(
    tmp_path: Path, marks: int
) -> None:
    path = tmp_path / "page.md"
    text = "<!-- figures: one -->\n<!-- end of figures -->\n" * marks
    path.write_text(text, encoding="utf-8")

    with pytest.raises(page.NoPlaceError, match=f"has {marks} places for"):
        page.update(path, "one", [HELD])

    assert path.read_text(encoding="utf-8") == text

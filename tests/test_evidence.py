"""A thorough run becomes a row of its page, unless it shows nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import evidence
from tests.evidence import RULE, NotEvidenceError, row

KEPT: dict[str, Any] = {
    "date": "2027-01-15",
    "commit": "46d0705a" + 32 * "0",
    "changed": False,
    "passed": True,
    "workers": 2,
    "wall_s": 1_230.0,
    "seeds": [1, 2, 3],
    "hypothesis_seed": "7",
    "areas": {
        "units": {"seconds": 60.4, "passed": 1_500, "skipped": 2},
        "log": {"seconds": 9.6, "passed": 30},
    },
}
ROW = (
    "| 2027-01-15 | `46d0705` | 1,530 passed, 2 skipped | 1 to 3; Hypothesis 7 "
    "| units 1,500 in 60 s; log 30 in 10 s | 20.5 min on 2 workers |\n"
)


def test_a_row_names_commit_seeds_counts_and_seconds() -> None:
    assert row(KEPT) == ROW


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [("passed", False, "did not pass"), ("changed", True, "not one of a commit")],
)
def test_a_run_that_shows_nothing_is_refused(
    name: str, value: object, why: str
) -> None:
    with pytest.raises(NotEvidenceError, match=why):
        row(KEPT | {name: value})


def test_rows_go_into_the_page_once_each_the_newest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "thorough.md"
    page.write_text(f"text\n\n| head |\n{RULE}")
    monkeypatch.setattr(evidence, "PAGE", page)
    monkeypatch.setattr(evidence, "KEPT", tmp_path / "thorough.json")
    with pytest.raises(NotEvidenceError, match="no thorough run"):
        evidence.main()
    for date in ("2027-01-15", "2027-01-15", "2027-01-16"):
        (tmp_path / "thorough.json").write_text(json.dumps(KEPT | {"date": date}))
        evidence.main()
    newest = ROW.replace("2027-01-15", "2027-01-16")
    assert page.read_text() == f"text\n\n| head |\n{RULE}{newest}{ROW}"


def test_the_page_has_the_rule_that_rows_go_under() -> None:
    assert evidence.PAGE.read_text(encoding="utf-8").count(RULE) == 1

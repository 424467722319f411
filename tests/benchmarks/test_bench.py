"""The harness of the benchmarks: figures and their bars, medians, which to run."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import bench
from benchmarks.page import Figure


@pytest.mark.parametrize(
    ("ratio", "at_least", "holds"),
    [
        (0.99, False, True),
        (1.0, False, True),
        (1.0004, False, False),
        (1.01, True, True),
        (1.0, True, True),
        (0.9996, True, False),
    ],
)
def test_a_figure_is_held_against_its_bar_before_it_is_rounded(
    *, ratio: float, at_least: bool, holds: bool
) -> None:
    found = bench.figure("speed", ratio, 1.0, at_least=at_least)

    assert found["holds"] is holds


def test_a_figure_is_one_line_with_what_was_measured_first() -> None:
    line = json.dumps(bench.figure("speed", 2 / 3, 0.5, seconds=1 / 3, entries=7))

    assert line == (
        '{"figure": "speed", "ratio": 0.667, "bar": 0.5, "holds": false, '
        '"at_least": false, "seconds": 0.3333, "entries": 7}'
    )


def test_actions_run_in_turn_and_the_first_round_does_not_count() -> None:
    called: list[str] = []
    # The first call of `one` computes long, as a cold one would.
    cold = time.process_time() + 0.1

    def one() -> None:
        called.append("one")
        while len(called) == 1 and time.process_time() < cold:
            pass

    took_one, took_other = bench.interleaved(one, lambda: called.append("other"), 1)

    assert called == ["one", "other"] * 2
    assert max(took_one, took_other) < 0.05


def test_five_rounds_are_taken_unless_said_otherwise() -> None:
    called: list[str] = []

    bench.medians(lambda: called.append("one"), lambda: called.append("other"))

    assert called == ["one", "other"] * 6


def test_waiting_is_not_computing() -> None:
    assert bench.cpu_seconds(lambda: time.sleep(0.05)) < 0.04
    assert bench.seconds(lambda: time.sleep(0.05)) >= 0.05


def test_every_committed_scenario_of_a_benchmark_can_be_planned() -> None:
    names = [path.stem for path in (bench.HERE / "scenarios").glob("*.toml")]

    assert len(names) > 5
    for name in names:
        short = bench.scenario(name).where({"traffic.duration_s": 0.01})
        assert short.plan().seed == short.seed


def test_the_page_has_a_place_for_every_benchmark_and_for_nothing_else() -> None:
    text = bench.PAGE.read_text(encoding="utf-8")

    places = re.findall(r"<!-- figures: (\w+) -->", text)

    assert sorted(places) == bench.names()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let two benchmarks give fixed figures; return the page they may go to."""

    def fixed(name: str) -> Iterator[Figure]:
        yield bench.figure(f"{name} one", 0.5, 1.0)
        yield bench.figure(f"{name} two", 0.5, 1.0, at_least=name == "slow")

    page = tmp_path / "page.md"
    page.write_text(
        "".join(
            f"<!-- figures: {name} -->\nold {name}\n<!-- end of figures -->\n"
            for name in ("fast", "slow")
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(bench, "names", lambda: ["fast", "slow"])
    monkeypatch.setattr(bench, "figures", fixed)
    monkeypatch.setattr(bench, "PAGE", page)
    return page


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize(
    ("arguments", "code", "first"),
    [
        ([], 1, ["fast one", "fast two", "slow one", "slow two"]),
        (["fast"], 0, ["fast one", "fast two"]),
        (["slow"], 1, ["slow one", "slow two"]),
    ],
)
def test_the_named_or_all_are_run_and_one_that_fails_its_bar_fails_them(
    arguments: list[str],
    code: int,
    first: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.main(arguments) == code

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["figure"] for line in lines] == first


@pytest.mark.usefixtures("measured")
def test_an_unknown_name_is_answered_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.main(["fast", "quick"]) == 2
    assert capsys.readouterr().out == "no benchmark quick; there are fast, slow\n"


def test_only_what_was_measured_for_the_page_changes_it(measured: Path) -> None:
    before = measured.read_text(encoding="utf-8")
    bench.main(["fast"])
    unchanged = measured.read_text(encoding="utf-8")

    bench.main(["--page", "fast"])

    after = measured.read_text(encoding="utf-8")
    assert unchanged == before
    assert "old fast" not in after
    assert "| fast one | 0.5 | at most 1 | yes |" in after
    assert "old slow" in after

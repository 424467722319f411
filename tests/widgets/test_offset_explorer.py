"""What a crash costs, by commit mode and point, by moving the controls (DS-14…16)."""

import base64
from pathlib import Path

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets import OffsetExplorer
from kafkasim.widgets.inputs import Value
from kafkasim.widgets.offset_shown import Shown, shown_of
from kafkasim.widgets.offset_traffic import (
    CRASHES,
    OTHER,
    POINTS,
    Commit,
    CrashPoint,
    Values,
    scenario_at,
)

TWICE: dict[Commit, tuple[int, ...]] = {
    "auto": (8, 10, 12, 0),
    "each_poll": (0, 2, 4, 0),
    "before_work": (0, 0, 0, 0),
    "after_work": (0, 2, 4, 0),
    "manual": (0, 0, 1, 0),
}
"""Records done twice, by the point of the crash, four records to a poll. The group has
joined at 3 s, so the first automatic commit is at the first poll after 8 s, which is at
9 s; the crash falls into the work on records 8 to 11, which begins at 7 s."""


@pytest.fixture(scope="module")
def explorer() -> OffsetExplorer:
    return OffsetExplorer(live=True)


def seen(commit: Commit, crash: CrashPoint, per_poll: int = 4) -> Shown:
    result = ks.run(scenario_at(Values(commit, crash, per_poll)))
    return shown_of(result, CRASHES, OTHER)


@pytest.mark.parametrize("commit", list(TWICE))
def test_what_is_done_twice_depends_on_the_mode_and_the_point(commit: Commit) -> None:
    runs = [seen(commit, point) for point in POINTS[1:]]

    assert tuple(run.twice for run in runs) == TWICE[commit]
    never = (0, 2, 0, 4) if commit == "before_work" else (0, 0, 0, 0)
    assert tuple(run.never for run in runs) == never


@pytest.mark.parametrize("per_poll", [3, 10])
def test_k_of_n_done_are_done_twice_or_n_less_k_never(per_poll: int) -> None:
    """DS-14 and DS-15: the crash falls when half of a poll's records are done."""
    done = per_poll // 2
    assert seen("after_work", "in the work", per_poll).twice == done
    assert seen("before_work", "in the work", per_poll).never == per_poll - done


@pytest.mark.parametrize("point", POINTS)
def test_the_other_group_is_untouched(point: CrashPoint) -> None:
    """DS-43: whatever befalls one group, the other one reads each record once."""
    other, calm = seen("auto", point), seen("auto", "never")

    assert (other.other == 1).all()
    assert other.others_work.at_s.tolist() == calm.others_work.at_s.tolist()


def test_the_next_process_waits_until_the_old_one_is_given_up() -> None:
    """The session of 6 s runs from the last heartbeat, sent up to 3 s before."""
    shown = seen("after_work", "in the work")

    assert 3.0 <= shown.begins_s - shown.crash_s <= 6.1
    assert not seen("after_work", "never").crashed


def test_each_question_has_its_answer_in_the_title(explorer: OffsetExplorer) -> None:
    answers = []
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        answers.append(explorer.canvas.title.get_text())

    assert answers == [
        "Records 8 and 9 are done twice, none is missing",
        "Records 10 and 11 are never done",
        "Records 0 to 9 are done twice, none is missing",
        "Records 8 to 11 are done twice, none is missing",
        "Record 11 is done twice, none is missing",
        "Records 10 to 19 are never done",
        "Each record is done once, in spite of the crash",
    ]


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: OffsetExplorer,
) -> None:
    explorer.set(commit="each_poll", crash="after the work", per_poll=6)

    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))
    assert again.digest == explorer.result.digest


def test_the_run_before_stays_in_the_table(explorer: OffsetExplorer) -> None:
    first = explorer.shown
    explorer.set(per_poll=2)

    assert explorer.before is first
    assert "run before" in explorer.panel.below.value


@pytest.mark.slow
def test_an_export_holds_what_is_shown_as_tables(
    explorer: OffsetExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")

    names = {path.stem for path in folder.glob("*.csv")}
    assert names == {"summary", "deliveries", "commits", "offsets_topic"}
    assert "member:billing/1" in (folder / "scenario.toml").read_text()


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: OffsetExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"].startswith("OffsetExplorer(commit ")


@pytest.mark.parametrize(
    "wrong", [{"commit": "sometimes"}, {"crash": "later"}, {"per_poll": 11}]
)
def test_a_value_out_of_reach_is_refused(
    explorer: OffsetExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)

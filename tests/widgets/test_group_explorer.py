"""What a group goes through when a member comes, leaves, dies or restarts."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets import GroupExplorer
from kafkasim.widgets.group_shown import shown_of
from kafkasim.widgets.group_traffic import EVENT_S, Values, scenario_at
from kafkasim.widgets.inputs import Value
from tests.widgets.test_group_picture import seen


@pytest.fixture(scope="module")
def explorer() -> GroupExplorer:
    return GroupExplorer(live=True)


def test_the_first_start_takes_six_seconds_and_three_for_one_alone() -> None:
    """Members that come during the delay make it longer, up to the double (GR-2)."""
    assert seen().owned[0].since_s == pytest.approx(6.0, abs=0.1)
    assert seen(members=1).owned[0].since_s == pytest.approx(3.0, abs=0.1)
    kip_848 = min(bar.since_s for bar in seen(protocol="KIP-848").owned)
    assert kip_848 < 0.2


@pytest.mark.parametrize("protocol", ["eager", "cooperative", "static", "KIP-848"])
def test_a_death_is_noticed_after_the_session_timeout(protocol: str) -> None:
    """45 s after the last heartbeat, which came 3 or 5 s before at most."""
    shown = seen(protocol=protocol, event="crash")

    died = [gap for gap in shown.after if gap.since_s == EVENT_S]
    assert died
    assert all(40.0 <= gap.until_s - EVENT_S <= 65.0 for gap in died)
    (noticed_s,) = [since for since, _ in shown.unrest if since >= EVENT_S]
    assert 40.0 <= noticed_s - EVENT_S <= 45.1


def test_a_farewell_is_heard_at_once() -> None:
    shown = seen()
    left_s = min(gap.since_s for gap in shown.after)
    begun_s = min(since for since, _ in shown.unrest if since >= EVENT_S)

    assert begun_s == pytest.approx(left_s, abs=0.01)
    assert max(gap.until_s - gap.since_s for gap in shown.after) < 15.0


def test_eager_stops_all_and_the_others_only_what_moves() -> None:
    stopped = {
        protocol: {gap.lane for gap in seen(protocol=protocol, event="add").after}
        for protocol in ("eager", "cooperative", "KIP-848")
    }

    assert stopped["eager"] == set(range(6))
    assert len(stopped["cooperative"]) == len(stopped["KIP-848"]) == 1
    assert [
        seen(protocol=each, event="add").rebalances for each in ("eager", "cooperative")
    ] == [1, 2]


def test_a_static_member_is_back_without_a_rebalance() -> None:
    shown = seen(protocol="static", event="restart")

    assert (shown.rebalances, shown.moved) == (0, 0)
    assert seen(event="restart").rebalances == 2


def test_a_static_member_that_leaves_is_missed_as_late_as_a_dead_one() -> None:
    shown = seen(protocol="static")
    left_s = min(gap.since_s for gap in shown.after)

    assert min(since for since, _ in shown.unrest if since > EVENT_S) >= left_s + 40.0


def test_the_seventh_of_seven_has_nothing_and_steps_in() -> None:
    shown = seen(members=7)

    (first, *_) = shown.idle
    assert len(first[2]) == 1
    assert shown.idle_at_last == ()
    reading = {bar.member for bar in shown.owned if bar.until_s == shown.until_s}
    assert reading == {1, 3, 4, 5, 6, 7}


def test_after_a_crash_records_are_worked_on_again() -> None:
    values = replace(Values(), event="crash", protocol="KIP-848", members=7)
    result = ks.run(scenario_at(values))
    shown = shown_of(result, values)

    again = result.deliveries.query("outcome == 'processed'")["record_id"].duplicated()
    assert shown.twice == int(again.sum()) > 0
    assert seen().twice == 0


def test_each_question_has_its_answer_in_the_title(explorer: GroupExplorer) -> None:
    answers = []
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        answers.append(explorer.canvas.title.get_text())

    assert answers[0].startswith("Member 2 leaves: 6 of 6 partitions")
    assert "up to 4" in answers[1]
    assert answers[3].startswith("Member 4 comes: 6 of 6 partitions")
    assert answers[4].startswith("Member 4 comes: 1 of 6 partitions")
    assert answers[5].startswith("Member 4 comes: 1 of 6 partitions")
    assert answers[6].startswith("Member 1 restarts: 6 of 6 partitions")
    assert answers[7].startswith("Member 1 restarts: 2 of 6 partitions")
    assert explorer.canvas.note.get_text() == "No rebalance"


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: GroupExplorer,
) -> None:
    explorer.set(members=2, partitions=3, protocol="static", event="crash")

    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))
    assert again.digest == explorer.result.digest


def test_the_run_before_stays_in_the_picture_and_in_the_table(
    explorer: GroupExplorer,
) -> None:
    first = explorer.shown
    explorer.set(protocol="cooperative")

    assert explorer.before is first
    assert "run before" in explorer.panel.below.value


def test_an_export_holds_what_is_shown_as_tables(
    explorer: GroupExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")

    names = {path.stem for path in folder.glob("*.csv")}
    assert names == {"summary", "rebalances", "ownership", "group-states", "commits"}


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: GroupExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"].startswith("GroupExplorer(members ")


@pytest.mark.parametrize(
    "wrong", [{"members": 9}, {"partitions": 0}, {"protocol": "lazy"}, {"event": "die"}]
)
def test_a_value_out_of_reach_is_refused(
    explorer: GroupExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)

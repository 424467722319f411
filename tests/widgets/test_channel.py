"""What a learner is to see within ten seconds, proven from the numbers shown."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets.channel import (
    NOBODY,
    NOTHING,
    PRESETS,
    ChannelExplorer,
    Values,
)
from kafkasim.widgets.channel_canvas import SUBSCRIBERS, TOPICS, Shown, producers
from kafkasim.widgets.inputs import Value

PRODUCER_COLUMNS = ("topic", "offset", "created_ns", "acked_ns")
NO_ONE: dict[str, Value] = {"board": NOTHING, "billing": NOTHING, "archive": NOTHING}


@pytest.fixture(scope="module")
def one() -> ChannelExplorer:
    return ChannelExplorer()


@pytest.fixture
def explorer(one: ChannelExplorer) -> ChannelExplorer:
    one.panel.reset_button.click()
    return one


def stands(shown: Shown) -> dict[str, list[int]]:
    """Return each subscriber's positions, −1 where it has none."""
    return {
        want.subscriber: shown.now.position[row].tolist()
        for row, want in enumerate(shown.now.wants)
    }


def produced(shown: Shown) -> list[list[int]]:
    return [getattr(shown, name).tolist() for name in PRODUCER_COLUMNS]


def test_twenty_records_are_evenly_spaced_over_two_topics(
    explorer: ChannelExplorer,
) -> None:
    shown = explorer.shown
    assert np.diff(shown.created_ns).tolist() == [500_000_000] * 19
    assert shown.topic.tolist() == [0, 1] * 10
    assert shown.offset.tolist() == [n // 2 for n in range(20)]


def seen(explorer: ChannelExplorer, **values: Value) -> Shown:
    """Return what the figure would show, without drawing it."""
    stand = replace(Values(), **values)  # type: ignore[arg-type]
    return explorer.look(ks.run(explorer.scenario_at(stand)), stand)


@pytest.mark.parametrize("at_s", [6.5, 8.0, 10.0])
@pytest.mark.parametrize("paused", SUBSCRIBERS)
def test_pausing_one_moves_only_its_own_marker(
    one: ChannelExplorer, paused: str, at_s: float
) -> None:
    usual, still = seen(one, at_s=at_s), seen(one, at_s=at_s, paused=paused)
    before, after = stands(usual), stands(still)
    assert sum(after[paused]) < sum(before[paused])
    del before[paused], after[paused]
    assert after == before
    count = sum(np.not_equal(stands(usual)[paused], stands(still)[paused]))
    title = f"Only {paused}'s marker{'s' * int(count > 1)} moved"
    assert one.canvas.title(still, usual) == title


def test_one_that_comes_within_the_pause_is_paused_from_then_on(
    one: ChannelExplorer,
) -> None:
    late: dict[str, Value] = {"archive_from_s": 8.0, "at_s": 9.5}
    usual, still = seen(one, **late), seen(one, **late, paused="archive")
    assert stands(still)["archive"] == [-1, -1]
    assert one.canvas.title(still, usual) == "Only archive's marker moved"
    for from_s in (8.0, 10.0):
        after = seen(one, archive_from_s=from_s, at_s=20.0, paused="archive")
        assert stands(after)["archive"] == [10, 10]


def test_one_that_was_paused_goes_on_where_it_stood(explorer: ChannelExplorer) -> None:
    then, still, later = (
        stands(seen(explorer, paused="board", at_s=at_s))["board"]
        for at_s in (6.0, 9.5, 20.0)
    )
    assert then == still == [6, 6]
    assert later == [10, 10]
    explorer.set(paused="board")
    done = explorer.result.deliveries.query("subscriber == 'board'")
    assert done["record_id"].is_unique
    assert len(done) == 20


@pytest.mark.parametrize("from_s", [0.0, 2.5, 5.0, 10.0])
def test_the_late_one_begins_at_offset_0_and_gets_all(
    one: ChannelExplorer, from_s: float
) -> None:
    now = seen(one, archive_from_s=from_s, at_s=20.0).now
    row = [want.subscriber for want in now.wants].index("archive")
    assert now.first[row].tolist() == [0, 0]
    assert now.position[row].tolist() == [10, 10]


def test_before_it_comes_the_late_one_has_no_place(explorer: ChannelExplorer) -> None:
    explorer.set(at_s=4.5)
    assert stands(explorer.shown)["archive"] == [-1, -1]
    assert "archive: not there yet" in explorer.alt_text


PAUSES: list[dict[str, Value]] = [{"paused": name} for name in SUBSCRIBERS]
CHANGES: list[dict[str, Value]] = [
    *PAUSES,
    NO_ONE,
    {**NO_ONE, "board": "both"},
    {**NO_ONE, "billing": "arrivals"},
    {"board": "departures", "billing": "both", "archive": "arrivals"},
    {"archive_from_s": 0.0},
    {"archive_from_s": 10.0},
    {"billing_work_s": 3.0},
    {"billing_work_s": 3.0, "paused": "billing", "archive_from_s": 1.0, "at_s": 3.0},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_no_control_of_a_subscriber_changes_what_the_producers_see(
    one: ChannelExplorer, change: dict[str, Value]
) -> None:
    usual, changed = seen(one), seen(one, **change)
    assert produced(changed) == produced(usual)
    told = "Producers: created, acked and offset of all 20 as before"
    assert producers(changed, usual) == told


@pytest.mark.parametrize("count", [0, 1, 3])
def test_created_acked_and_offset_are_equal_with_any_number_of_subscribers(
    one: ChannelExplorer, count: int
) -> None:
    columns = ["created_ms", "acked_ms", "offset"]
    usual = ks.run(one.scenario_at(Values())).table("records", columns)
    none = dict.fromkeys(SUBSCRIBERS[count:], NOTHING)
    for paused in (NOBODY, *SUBSCRIBERS):
        stand = replace(Values(), paused=paused, **none)  # type: ignore[arg-type]
        scenario = one.scenario_at(stand)
        assert ks.run(scenario).table("records", columns).equals(usual)
        assert len(scenario.traffic.subscribers) == count


def test_a_slow_one_falls_behind_alone(one: ChannelExplorer) -> None:
    before, after = stands(seen(one)), stands(seen(one, billing_work_s=3.0))
    assert after["billing"][0] < before["billing"][0] == 8
    assert {**after, "billing": 0} == {**before, "billing": 0}


def test_who_reads_nothing_is_left_out_and_cannot_be_paused(
    one: ChannelExplorer,
) -> None:
    stand = replace(Values(), billing=NOTHING, paused="billing")
    scenario = one.scenario_at(stand)
    assert list(scenario.traffic.subscribers) == ["board", "archive"]
    assert scenario.events == ()


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: ChannelExplorer,
) -> None:
    explorer.set(paused="archive", billing_work_s=1.0)
    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))
    assert again.digest == explorer.result.digest


def test_each_question_has_its_answer_in_the_title(one: ChannelExplorer) -> None:
    usual = seen(one)
    titles = [one.canvas.title(seen(one, **p.values), usual) for p in PRESETS]
    assert titles == [
        "Only board's markers moved",
        "At 15 s archive still has 7 of 20 records to read, the others none",
        "Only billing's marker moved",
        "The markers of board, billing and archive moved",
    ]


def test_a_button_asks_its_question(explorer: ChannelExplorer) -> None:
    explorer.panel.preset_buttons[0].click()
    assert explorer.settings.paused == "board"
    assert explorer.canvas.log_title.get_text() == "Only board's markers moved"


def test_an_export_holds_the_positions_shown(
    explorer: ChannelExplorer, tmp_path: Path
) -> None:
    explorer.set(at_s=6.0)
    folder = explorer.export(tmp_path / "channel")
    lines = (folder / "positions.csv").read_text().splitlines()
    assert len(lines) == 1 + 5
    assert {line.split(",")[1] for line in lines[1:]} == set(TOPICS)
    assert len((folder / "records.csv").read_text().splitlines()) == 21


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: ChannelExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"] == (
        "ChannelExplorer(board reads both, billing reads departures, archive reads "
        "both, archive starts 5 s, billing's work 0.5 s, paused 6–10 s nobody, time "
        "looked at 8 s)"
    )


def test_a_name_that_is_no_choice_is_refused(explorer: ChannelExplorer) -> None:
    with pytest.raises(ValidationError, match=f"{NOBODY}, board"):
        explorer.set(paused="audit")

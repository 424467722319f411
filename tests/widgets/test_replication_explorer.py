"""What copies and acks are worth when brokers die, by moving the controls."""

import base64
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets import ReplicationExplorer
from kafkasim.widgets.inputs import Value
from kafkasim.widgets.replication_shown import Shown, shown_of
from kafkasim.widgets.replication_traffic import TOPIC, Values, scenario_at

S = 1_000_000_000


@cache
def seen(**values: Any) -> Shown:  # noqa: ANN401 - of several types
    return shown_of(ks.run(scenario_at(replace(Values(), **values))), TOPIC)


@pytest.fixture(scope="module")
def explorer() -> ReplicationExplorer:
    return ReplicationExplorer(live=True)


def pause_s(shown: Shown) -> float:
    since, until = shown.copies.longest_without_ack()
    return (until - since) / S


@pytest.mark.parametrize("first", ["leader", "followers"])
def test_one_death_stops_all_for_seven_to_ten_seconds_and_then_it_goes_on(
    first: str,
) -> None:
    """A death goes unnoticed for so long (CT-1), and up to a second until a try."""
    shown = seen(first=first)

    assert 7.0 <= pause_s(shown) <= 11.5
    assert shown.acked == shown.read == shown.sent == 8_000
    assert shown.copies.acked_lost == 0
    assert shown.elections == (first == "leader")


def test_with_acks_1_a_followers_death_is_felt_by_readers_alone() -> None:
    shown = seen(first="followers", acks="1")

    assert pause_s(shown) < 0.1
    since, until, _ = shown.copies.longest_hidden()
    assert 7.0 <= (until - since) / S <= 10.5


def test_with_two_down_nothing_is_written_and_the_high_watermark_stands_still() -> None:
    shown = seen(first="followers", down=2)

    assert pause_s(shown) > 34.0
    assert "NOT_ENOUGH_REPLICAS" in shown.copies.refused_with
    then = np.array([14 * S, 37 * S])
    for line in (shown.copies.log_end, shown.copies.high_watermark):
        before, after = line.then(then).tolist()
        assert before == after
    assert shown.acked == 8_000


def test_with_acks_1_it_is_accepted_and_invisible() -> None:
    shown = seen(first="followers", down=2, acks="1")

    since, until, records = shown.copies.longest_hidden()
    assert (until - since) / S > 33.0
    assert records > 6_500
    assert shown.acked == shown.read == 8_000


def test_and_lost_if_the_last_one_dies_before_the_others_have_it() -> None:
    shown = seen(first="followers", down=2, acks="1", leave="clean stop", last_too=True)

    assert shown.acked == 8_000
    # 24 s of 200 a second, less what is sent until the followers may stop.
    assert shown.copies.acked_lost == pytest.approx(4_800, abs=30)
    assert shown.read == 8_000 - shown.copies.acked_lost


def test_in_good_order_there_is_no_pause() -> None:
    shown = seen(leave="clean stop")

    assert pause_s(shown) < 0.5
    assert shown.elections == 1


@pytest.mark.parametrize(("copies", "acks"), [(1, "all"), (1, "0"), (2, "1"), (3, "0")])
def test_no_setting_runs_into_an_error(copies: int, acks: str) -> None:
    shown = seen(replication_factor=copies, min_isr=3, acks=acks, down=2, last_too=True)

    assert shown.sent == 8_000


@pytest.mark.slow
def test_each_question_has_its_answer_in_the_title(
    explorer: ReplicationExplorer,
) -> None:
    answers = []
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        answers.append(explorer.canvas.title.get_text())

    assert answers[0].startswith("No record is acknowledged for ")
    assert answers[1].startswith("No record is acknowledged for ")
    assert "acknowledged records that nobody may read" in answers[2]
    assert answers[3] == "The high watermark keeps up with the log end"
    assert answers[4].startswith("No record is acknowledged for 34.")
    assert "acknowledged records that nobody may read" in answers[5]
    assert "acknowledged records are lost" in answers[6]


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: ReplicationExplorer,
) -> None:
    explorer.set(down=0, replication_factor=2, min_isr=1)

    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))
    assert again.digest == explorer.result.digest


def test_the_run_before_stays_in_the_picture_and_in_the_table(
    explorer: ReplicationExplorer,
) -> None:
    first = explorer.shown
    explorer.set(acks="1")

    assert explorer.before is first
    assert "run before" in explorer.panel.below.value


def test_an_export_holds_what_is_shown_as_tables(
    explorer: ReplicationExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")

    names = {path.stem for path in folder.glob("*.csv")}
    assert names == {"summary", "replication", "replicas", "appends", "requests"}
    assert "replication_factor" in (folder / "scenario.toml").read_text()


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: ReplicationExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"].startswith("ReplicationExplorer(replication factor ")


@pytest.mark.parametrize(
    "wrong",
    [{"replication_factor": 4}, {"min_isr": 0}, {"acks": "2"}, {"down": 3}],
)
def test_a_value_out_of_reach_is_refused(
    explorer: ReplicationExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)

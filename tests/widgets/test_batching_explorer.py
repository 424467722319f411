"""What linger, batch.size, rate and partitions do, by moving the controls."""

import base64
from pathlib import Path

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets import BatchingExplorer
from kafkasim.widgets.batching_traffic import PRESETS
from kafkasim.widgets.inputs import Value


@pytest.fixture(scope="module")
def explorer() -> BatchingExplorer:
    return BatchingExplorer(live=True)


@pytest.fixture(autouse=True)
def at_the_beginning(explorer: BatchingExplorer) -> None:
    explorer.set(linger_ms=5, batch_kib=16, rate_per_s=5_000, partitions=6, brokers=6)


def test_it_begins_with_some_five_records_a_batch_nearly_all_closed_by_linger(
    explorer: BatchingExplorer,
) -> None:
    shown = explorer.shown
    assert 4.5 < shown.per_batch < 5.5
    assert shown.shares["linger"] > 0.98
    assert int(explorer.result.facts["calendar_entries"]) < 6_000


def test_partitions_to_32_shrink_batches_towards_two(
    explorer: BatchingExplorer,
) -> None:
    sizes = []
    for partitions in (6, 12, 18, 24, 32):
        explorer.panel.widgets["partitions"].value = partitions
        sizes.append(explorer.shown.per_batch)
    assert sizes == sorted(sizes, reverse=True)
    assert 1.2 < sizes[-1] < 2


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: BatchingExplorer,
) -> None:
    explorer.set(linger_ms=9, batch_kib=2, rate_per_s=1_500, partitions=7, brokers=2)
    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))
    assert again.digest == explorer.result.digest


def test_each_question_has_its_answer_in_the_titles(explorer: BatchingExplorer) -> None:
    answers = []
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        canvas = explorer.canvas
        titles = (canvas.queue_title, canvas.request_title, canvas.time_title)
        answers.append([title.get_text() for title in titles])
    ended = [each[0].partition("; ")[2] for each in answers]
    assert ended == [
        "all ended by linger",
        "all sent at once",
        "nearly all were full",
        "70 % drained along",
        "94 % drained along",
        "all ended by linger",
    ]
    assert answers[3][1] == "A request: 3.3 batches, 5.3 records"
    assert answers[4][1] == "A request: 18 batches, 27 records"
    assert answers[5][2].startswith("98 % of 26.")
    assert len({tuple(sorted(each.values.items())) for each in PRESETS}) == len(PRESETS)


def test_waiting_longer_costs_latency_and_saves_requests(
    explorer: BatchingExplorer,
) -> None:
    seen = []
    for linger_ms in (0, 5, 50):
        explorer.set(linger_ms=linger_ms)
        seen.append(explorer.shown)
    at_once, usual, long = seen
    assert at_once.requests > 4 * usual.requests > 16 * long.requests
    assert at_once.latency_ms[0] < usual.latency_ms[0] < long.latency_ms[0]
    assert long.throughput_per_s == pytest.approx(at_once.throughput_per_s, rel=0.1)


def test_moving_a_control_changes_the_figure_and_keeps_the_run_before(
    explorer: BatchingExplorer,
) -> None:
    first, page = explorer.shown, explorer.panel.picture.value
    explorer.panel.widgets["linger_ms"].value = 20
    assert explorer.before is first
    assert explorer.panel.picture.value != page
    assert explorer.message.startswith("Shown: linger 20 ms, batch.size 16 KiB, rate")
    assert "run before" in explorer.panel.below.value


def test_an_export_holds_what_is_shown_as_tables(
    explorer: BatchingExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")
    names = {path.stem for path in folder.glob("*.csv")}
    assert names == {"summary", "batching", "batches", "requests"}
    lines = (folder / "batches.csv").read_text().splitlines()
    assert len(lines) == 1 + explorer.shown.batches
    assert "linger_ms" in (folder / "scenario.toml").read_text()


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: BatchingExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"] == (
        "BatchingExplorer(linger 5 ms, batch.size 16 KiB, rate 5,000 records/s, "
        "partitions 6, brokers 6)"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"linger_ms": 51},
        {"batch_kib": 0},
        {"rate_per_s": 20_500},
        {"partitions": 33},
        {"brokers": 7},
    ],
)
def test_a_value_out_of_reach_is_refused(
    explorer: BatchingExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)


@pytest.mark.slow
def test_no_move_of_a_control_runs_into_an_error(explorer: BatchingExplorer) -> None:
    ends: list[dict[str, Value]] = [
        {"linger_ms": 0, "batch_kib": 1, "rate_per_s": 500, "partitions": 32},
        {"linger_ms": 0, "batch_kib": 64, "rate_per_s": 20_000, "partitions": 32},
        {"linger_ms": 50, "batch_kib": 1, "rate_per_s": 20_000, "brokers": 1},
        {"linger_ms": 50, "batch_kib": 64, "rate_per_s": 500, "partitions": 1},
    ]
    for values in ends:
        explorer.set(**values)
        assert explorer.message.startswith("Shown: ")

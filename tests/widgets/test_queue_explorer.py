"""What a queue forgets and a log keeps, by moving the controls (MS-2, MS-33)."""

import base64
from pathlib import Path

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets import QueueOrLogExplorer
from kafkasim.widgets.inputs import Value


@pytest.fixture(scope="module")
def explorer() -> QueueOrLogExplorer:
    return QueueOrLogExplorer(live=True)


@pytest.fixture(autouse=True)
def _from_the_start(explorer: QueueOrLogExplorer) -> None:
    explorer.panel.put({"second_s": 20, "dies": False, "replay": False})
    explorer.panel.put({"in_time": False})


def test_the_queue_is_empty_the_log_full_and_the_late_reader_has_0_against_40(
    explorer: QueueOrLogExplorer,
) -> None:
    explorer.set(second_s=20)

    assert (explorer.shown.queue.left, explorer.shown.log.left) == (0, 40)
    assert (explorer.shown.queue.got, explorer.shown.log.got) == (0, 40)


@pytest.mark.parametrize(("comes_s", "got"), [(0, 40), (10, 20), (30, 0)])
def test_a_queue_gives_what_was_sent_since_it_was_bound(
    explorer: QueueOrLogExplorer, comes_s: int, got: int
) -> None:
    explorer.set(second_s=comes_s)
    assert (explorer.shown.queue.got, explorer.shown.log.got) == (got, 40)

    explorer.set(in_time=True)
    assert (explorer.shown.queue.got, explorer.shown.queue.left) == (40, 0)


def test_a_death_before_the_ack_deletes_nothing_in_either(
    explorer: QueueOrLogExplorer,
) -> None:
    explorer.set(dies=True)

    for side in (explorer.shown.queue, explorer.shown.log):
        assert side.handed_out_again == 1
        assert (side.first_times == 1).all()
    again = explorer.queue.deliveries.query("delivery_count == 2")
    assert again["record_id"].tolist() == [16]


def test_only_the_log_can_be_read_again(explorer: QueueOrLogExplorer) -> None:
    explorer.set(replay=True)

    assert (explorer.shown.queue.again, explorer.shown.log.again) == (0, 39)
    (effect,) = explorer.queue.events["effect"]
    assert effect.startswith("not applicable")


@pytest.mark.slow
def test_each_question_has_a_figure_of_its_own(explorer: QueueOrLogExplorer) -> None:
    said = set()
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        said.add(explorer.alt_text)
        assert "RabbitMQ, queues" in explorer.panel.below.value

    assert len(said) == len(explorer.panel.preset_buttons)


@pytest.mark.slow
def test_an_export_holds_both_runs(
    explorer: QueueOrLogExplorer, tmp_path: Path
) -> None:
    explorer.set(dies=True)
    folder = explorer.export(tmp_path / "out")

    names = {path.stem for path in folder.glob("*.csv")}
    assert names == {"comparison", "queue-deliveries", "log-deliveries", "queues"}
    for name, result in (("queue", explorer.queue), ("scenario", explorer.result)):
        again = ks.Scenario.from_toml((folder / f"{name}.toml").read_text())
        assert ks.run(again).digest == result.digest


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: QueueOrLogExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"].startswith("QueueOrLogExplorer(second reader")


@pytest.mark.parametrize("wrong", [{"second_s": 31}, {"dies": "yes"}, {"replay": 1}])
def test_a_value_out_of_reach_is_refused(
    explorer: QueueOrLogExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)

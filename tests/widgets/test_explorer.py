import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

import kafkasim as ks
from kafkasim.errors import OutputError, ValidationError
from kafkasim.scenario.traffic import Traffic
from kafkasim.widgets import explorer as module
from kafkasim.widgets.canvas import Canvas
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.inputs import Slider
from kafkasim.widgets.panel import Preset


@dataclass(frozen=True)
class Values:
    rate: int = 100
    partitions: int = 1


class Counted(Canvas[int]):
    def draw(self) -> None:
        self.title = self.figure.suptitle("")

    def update(self, shown: int, before: int | None) -> None:
        self.title.set_text(f"{shown}, before {before}")

    def alt_text(self, shown: int) -> str:
        return f"{shown} records & more"


class CountExplorer(Explorer[Values, int]):
    def __init__(self, *, live: bool | None = None) -> None:
        controls = {
            "rate": Slider("rate", 0, 500, 1, "records/s"),
            "partitions": Slider("partitions", 1, 4),
        }
        presets = [Preset("Twice as many?", {"rate": 200})]
        super().__init__(
            Values(), controls, Counted((3.0, 1.0)), presets=presets, live=live
        )

    def scenario_at(self, values: Values) -> ks.Scenario:
        web = ks.Source("orders", ks.Periodic(values.rate))  # a rate of 0 is refused
        traffic = ks.Traffic({"web": web}, {"shop": ks.Subscriber(["orders"])}, 1)
        topics = {"orders": ks.Topic(partitions=values.partitions)}
        return ks.Scenario(traffic, ks.Kafka(topics=topics))

    def look(self, result: ks.Result, values: Values) -> int:
        del values
        return len(result.columns("records"))

    def tables(self, result: ks.Result) -> dict[str, pd.DataFrame]:
        return {"records": result.records}

    def below(self, shown: int, before: int | None) -> str:
        return f"<p>{shown} after {before}"


@pytest.fixture
def explorer() -> CountExplorer:
    return CountExplorer()


def test_moving_a_control_shows_the_new_run_and_keeps_the_run_before(
    explorer: CountExplorer,
) -> None:
    page = explorer.panel.picture.value

    explorer.panel.widgets["rate"].value = 250

    assert (explorer.shown, explorer.before) == (250, 100)
    assert explorer.settings == Values(rate=250)
    assert explorer.panel.picture.value != page
    assert explorer.panel.below.value == "<p>250 after 100"
    assert explorer.message == "Shown: rate 250 records/s, partitions 1."


def test_set_runs_once_with_all_its_values(
    explorer: CountExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[ks.Scenario] = []

    def counted(scenario: ks.Scenario, **more: object) -> ks.Result:
        runs.append(scenario)
        return ks.run(scenario, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "run", counted)

    explorer.set(rate=30, partitions=4)

    assert runs == [explorer.scenario]
    assert explorer.scenario == explorer.scenario_at(Values(30, 4))


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: CountExplorer,
) -> None:
    explorer.set(partitions=3)

    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))

    assert again.digest == explorer.result.digest


def test_the_plan_is_drawn_again_only_when_the_traffic_changes(
    explorer: CountExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Traffic] = []
    whole = ks.Scenario.plan

    def counted(scenario: ks.Scenario) -> object:
        drawn.append(scenario.traffic)
        return whole(scenario)

    monkeypatch.setattr(ks.Scenario, "plan", counted)

    explorer.set(partitions=2)
    explorer.set(partitions=4)
    assert drawn == []

    explorer.set(rate=50)
    assert drawn == [explorer.scenario.traffic]
    assert explorer.shown == 50


def test_reset_goes_back_to_where_it_began(explorer: CountExplorer) -> None:
    explorer.set(rate=50, partitions=4)

    explorer.panel.reset_button.click()

    assert explorer.settings == Values()
    assert explorer.shown == 100


def test_a_question_answers_itself(explorer: CountExplorer) -> None:
    explorer.panel.preset_buttons[0].click()

    assert explorer.settings == Values(rate=200)
    assert explorer.shown == 200


def test_an_error_is_a_text_and_the_last_figure_stays(explorer: CountExplorer) -> None:
    shown, page = explorer.scenario, explorer.panel.picture.value

    explorer.panel.widgets["rate"].value = 0

    assert explorer.message.startswith("This cannot run: rate_per_s")
    assert 'role="alert"' in explorer.panel.message.value
    assert explorer.scenario == shown
    assert explorer.settings == Values()
    assert explorer.panel.picture.value == page


def test_a_control_out_of_reach_is_refused_and_nothing_runs(
    explorer: CountExplorer,
) -> None:
    with pytest.raises(ValidationError, match="1 to 4"):
        explorer.set(rate=30, partitions=9)

    assert explorer.settings == Values()
    assert explorer.panel.settings == {"rate": 100, "partitions": 1}


def test_a_fault_is_told_and_not_swallowed(
    explorer: CountExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(module, "run", fails)

    with pytest.raises(ZeroDivisionError):
        explorer.set(partitions=2)

    assert explorer.message.startswith("Stopped by a fault: ZeroDivisionError")


def clock(monkeypatch: pytest.MonkeyPatch, *seconds: float) -> None:
    """Let each run take these many seconds, one after the other."""

    def ticks() -> Iterator[float]:
        now = 0.0
        for each in seconds:
            yield now
            now += each
            yield now

    monkeypatch.setattr(module, "perf_counter", ticks().__next__)


def test_after_a_slow_run_changes_wait_for_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, 1.0, 1.1, 1.1, 1.1)
    explorer = CountExplorer()
    live = [explorer.panel.live_box.value]

    explorer.set(rate=50)
    live.append(explorer.panel.live_box.value)
    assert live == [True, False]
    assert "press Run after a change" in explorer.message

    explorer.panel.widgets["rate"].value = 60
    assert explorer.shown == 50
    explorer.panel.run_button.click()
    assert explorer.shown == 60


def test_who_wants_each_change_run_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, 5.0, 5.0, 5.0)
    explorer = CountExplorer()
    explorer.panel.live_box.value = True

    explorer.set(rate=50)

    assert explorer.panel.live_box.value is True
    clock(monkeypatch, 5.0)
    assert CountExplorer(live=True).panel.live_box.value is True


def test_the_fold_shows_the_scenario_of_the_figure(explorer: CountExplorer) -> None:
    explorer.panel.fold.value = True
    explorer.set(partitions=4)

    text = explorer.panel.toml_box.value
    assert ks.Scenario.from_toml(text) == explorer.scenario


def test_an_export_holds_the_figure_the_tables_the_scenario_and_the_words(
    explorer: CountExplorer, tmp_path: Path
) -> None:
    explorer.set(rate=30)

    folder = explorer.export(tmp_path / "out")

    assert {path.name for path in folder.iterdir()} == {
        *("figure.png", "figure.svg", "figure.pdf", "records.csv"),
        *("scenario.toml", "alt-text.txt", "SHA256SUMS"),
    }
    assert len(pd.read_csv(folder / "records.csv")) == 30
    assert ks.load(folder / "scenario.toml") == explorer.scenario
    text = (folder / "alt-text.txt").read_text(encoding="utf-8")
    assert text == "30 records & more\n"
    again = explorer.export(tmp_path / "again")
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()
    with pytest.raises(OutputError, match="is there already; name another"):
        explorer.export(folder)


def test_the_button_exports_says_where_and_overwrites_nothing(
    explorer: CountExplorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    panel = explorer.panel
    assert panel.folder_box.value == "count-explorer"

    panel.export_button.click()
    assert explorer.message.endswith(f"are in {tmp_path / 'count-explorer'}.")
    assert panel.folder_box.value == "count-explorer-2"
    panel.export_button.click()
    assert panel.folder_box.value == "count-explorer-3"

    before = (tmp_path / "count-explorer" / "figure.png").read_bytes()
    explorer.set(rate=30)
    panel.folder_box.value = "count-explorer"
    panel.export_button.click()
    assert explorer.message.startswith("Nothing written: count-explorer is there")
    assert 'role="alert"' in panel.message.value
    assert (tmp_path / "count-explorer" / "figure.png").read_bytes() == before


@pytest.mark.parametrize(
    "name", ["", "a-file", "a-file/inside", "~nobody-of-this-name", "x" * 300, "a\0b"]
)
def test_an_export_that_cannot_be_is_a_message(
    explorer: CountExplorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").write_text("mine")
    explorer.panel.folder_box.value = name

    explorer.panel.export_button.click()

    assert explorer.message.startswith("Nothing written")
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


@pytest.mark.parametrize(
    ("name", "following"),
    [("mine", "mine-2"), ("mine-9", "mine-10"), ("mine-", "mine--2"), ("m-²", "m-²-2")],
)
def test_after_an_export_the_next_free_name_is_proposed(
    explorer: CountExplorer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    following: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    explorer.panel.folder_box.value = name

    explorer.panel.export_button.click()

    assert explorer.panel.folder_box.value == following


def test_a_page_without_a_kernel_gets_a_picture_and_a_fixed_text(
    explorer: CountExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"]) == explorer.canvas.png()
    assert 'alt="100 records &amp; more"' in bundle["text/html"]
    assert bundle["text/plain"] == "CountExplorer(rate 100 records/s, partitions 1)"


def test_the_figure_says_in_words_what_it_shows(explorer: CountExplorer) -> None:
    explorer.set(rate=30)

    assert '<img alt="30 records &amp; more"' in explorer.panel.picture.value


def test_two_explorers_at_the_same_values_show_the_same_bytes(
    explorer: CountExplorer,
) -> None:
    other = CountExplorer()

    assert other.panel.picture.value == explorer.panel.picture.value

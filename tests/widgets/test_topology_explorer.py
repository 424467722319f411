"""What a tangle and a star are made of, and who is hurt when one dies."""

import base64
from pathlib import Path

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets import TopologyExplorer
from kafkasim.widgets.inputs import Value
from kafkasim.widgets.topology_traffic import PRESETS


@pytest.fixture(scope="module")
def explorer() -> TopologyExplorer:
    return TopologyExplorer(live=True)


@pytest.mark.slow
def test_each_question_has_its_answer_in_the_title(explorer: TopologyExplorer) -> None:
    answers = []
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        answers.append(explorer.canvas.title.get_text())

    assert answers[0].startswith("16 links point to point, 8 with a hub")
    assert answers[1].startswith("One more subscriber: 4 new links point to point, 1")
    assert answers[2].endswith("more with a hub")
    assert answers[3].endswith("as many either way")
    assert "all 16 pairs stop point to point, 4 with a hub" in answers[4]
    assert "4 of 16 pairs stop either way" in answers[5]
    assert answers[6].startswith("The hub dies: all 16 pairs stop")
    assert len(set(answers)) == len(PRESETS)


def test_what_is_shown_are_the_runs_of_the_scenarios_it_names(
    explorer: TopologyExplorer,
) -> None:
    explorer.set(sources=2, subscribers=3, crash="a subscriber", one_more=True)

    for name, result in explorer.results.items():
        again = ks.run(ks.Scenario.from_toml(result.scenario.to_toml()))
        assert again.digest == result.digest, name
    assert explorer.result is explorer.results["point to point"]
    plans = {result.plan.digest for result in explorer.results.values()}
    assert len(plans) == 1


def test_the_run_before_stays_in_the_table(explorer: TopologyExplorer) -> None:
    first = explorer.shown
    explorer.set(sources=3)

    assert explorer.before is first
    assert "run before" in explorer.panel.below.value


@pytest.mark.slow
def test_an_export_holds_both_scenarios_and_what_is_shown_as_tables(
    explorer: TopologyExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")

    tables = {path.stem for path in folder.glob("*.csv")}
    assert tables == {"scorecard"} | {
        f"{name}-{what}"
        for name in ("point-to-point", "hub")
        for what in ("summary", "links", "interruptions")
    }
    assert ks.load(folder / "scenario.toml") == explorer.scenario
    assert ks.load(folder / "hub.toml") == explorer.beside["hub"].scenario
    assert {path.suffix for path in folder.glob("figure.*")} == {".png", ".svg", ".pdf"}


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: TopologyExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"].startswith("TopologyExplorer(sources ")


@pytest.mark.parametrize(
    "wrong", [{"sources": 11}, {"density": 0.0}, {"crash": "all"}, {"mode": "lazy"}]
)
def test_a_value_out_of_reach_is_refused(
    explorer: TopologyExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)

import base64
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets.knobs import NO_KEY
from kafkasim.widgets.partition import PartitionExplorer, partitions


def orders(rate_per_s: float = 1_500, *, keys: int = 60) -> ks.Traffic:
    web = ks.Source("orders", ks.Poisson(rate_per_s), keys=ks.UniformKeys(keys))
    billing = ks.Subscriber(["orders"], work_ms=1.0)
    return ks.Traffic({"web": web}, {"billing": billing}, duration_s=1)


@pytest.fixture
def explorer() -> PartitionExplorer:
    system = ks.Kafka(groups={"billing": ks.Group(members=4)})
    keys: dict[str, ks.UniformKeys | ks.TraceColumn] = {
        "customer": ks.UniformKeys(60),
        "nobody": ks.TraceColumn("nobody"),  # the traffic is no trace
    }
    return partitions(ks.Scenario(orders(), system, seed=3), keys={**keys})


def test_moving_a_slider_changes_the_figure_and_keeps_the_run_before(
    explorer: PartitionExplorer,
) -> None:
    first, page = explorer.shown, explorer.panel.picture.value

    explorer.panel.widgets["partitions"].value = 4

    assert explorer.shown.total.max() < first.total.max()
    assert explorer.before is first
    assert explorer.shown.partitions == 4
    assert explorer.panel.picture.value != page
    assert explorer.message.startswith("Shown: partitions 4, members 4")


def test_the_figure_shown_is_the_run_of_the_scenario_it_names(
    explorer: PartitionExplorer,
) -> None:
    explorer.set(partitions=4, keys=NO_KEY, linger_ms=20)

    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))

    assert again.digest == explorer.result.digest
    metrics = ks.analysis.metrics(again)
    assert explorer.shown.numbers == {
        name: metrics[name] for name in explorer.shown.numbers
    }
    assert f">{100 * metrics['overtaken_share']:.0f} %<" in explorer.panel.below.value


def test_an_error_is_a_text_and_the_last_figure_stays(
    explorer: PartitionExplorer,
) -> None:
    shown, page = explorer.scenario, explorer.panel.picture.value

    explorer.panel.widgets["keys"].value = "nobody"

    assert explorer.message.startswith("This cannot run: traffic.sources.web.keys")
    assert 'role="alert"' in explorer.panel.message.value
    assert explorer.scenario == shown
    assert explorer.panel.picture.value == page


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: PartitionExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"] == (
        "PartitionExplorer(partitions 1, members 4, key customer, linger 5 ms, "
        "work 1 ms)"
    )


def test_it_brings_its_own_traffic() -> None:
    explorer = PartitionExplorer()

    assert repr(explorer) == (
        "PartitionExplorer(partitions 1, members 4, keys by key, "
        "rate 3,000 records/s, key skew 0, work 1 ms)"
    )
    assert explorer.alt_text.startswith("Lag climbs by 2,000 records a second.")
    assert explorer.panel.live_box.value is True


def test_every_question_runs_and_only_partitions_decide_what_it_sends() -> None:
    explorer = PartitionExplorer()

    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        assert explorer.settings.rate_per_s == 3_000


def test_the_questions_of_an_own_scenario_run_whatever_its_size() -> None:
    system = ks.Kafka(groups={"billing": ks.Group(members=40)})
    explorer = partitions(ks.Scenario(orders(), system))

    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
    assert explorer.settings == replace(explorer.settings, keys=NO_KEY)


def test_only_the_subscriber_that_was_named_is_looked_at() -> None:
    traffic = orders(100)
    slow = ks.Subscriber(["orders"], work_ms=30.0)
    both = replace(traffic, subscribers={**traffic.subscribers, "audit": slow})

    fast = partitions(ks.Scenario(both)).shown.numbers
    seen = partitions(ks.Scenario(both), subscriber="audit").shown.numbers

    assert seen["latency_ms_p50"] > 10 * fast["latency_ms_p50"]
    with pytest.raises(ValidationError, match="billing, audit"):
        partitions(ks.Scenario(both), subscriber="nobody")


def test_a_scenario_is_not_taken_for_knobs() -> None:
    with pytest.raises(TypeError, match=r"explored by widgets\.partitions\(scenario\)"):
        PartitionExplorer(ks.Scenario(orders()))  # type: ignore[arg-type]


def test_an_export_holds_what_is_shown_as_tables(
    explorer: PartitionExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")

    names = {path.name for path in folder.glob("*.csv")}
    assert names == {"summary.csv", "lag.csv", "ordering.csv"}
    assert "pdf" in {path.suffix[1:] for path in folder.glob("figure.*")}


def test_a_run_without_records_is_a_figure_that_says_so() -> None:
    nothing = ks.Traffic(
        {"web": ks.Source("orders", ks.Poisson(0.001))},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=0.001,
    )

    explorer = partitions(ks.Scenario(nothing))

    assert explorer.alt_text.startswith("No record was appended.")
    assert "No record was processed" in explorer.alt_text


def test_no_global_figure_is_made_and_ipywidgets_comes_with_the_first_explorer() -> (
    None
):
    script = """
import sys
import kafkasim as ks
from kafkasim import widgets
assert "ipywidgets" not in sys.modules
widgets.PartitionExplorer()
assert "ipywidgets" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_lines_of_the_figure_are_the_numbers_shown() -> None:
    explorer = PartitionExplorer()
    explorer.set(partitions=3)

    lines = explorer.canvas.figure.axes[0].get_lines()
    drawn = {tuple(np.asarray(line.get_ydata()).tolist()) for line in lines}
    assert explorer.before is not None
    for wanted in (*explorer.shown.lag, explorer.shown.total, explorer.before.total):
        assert tuple(wanted.tolist()) in drawn

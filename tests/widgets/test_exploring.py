import base64
import subprocess
import sys

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.widgets.exploring import PartitionExplorer, partitions
from kafkasim.widgets.knobs import NO_KEY


@pytest.fixture
def explorer() -> PartitionExplorer:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Poisson(1_500), keys=ks.UniformKeys(60))},
        {"billing": ks.Subscriber(["orders"], work_ms=1.0)},
        duration_s=1,
    )
    system = ks.Kafka(groups={"billing": ks.Group(members=4)})
    keys: dict[str, ks.UniformKeys | ks.TraceColumn] = {
        "customer": ks.UniformKeys(60),
        "nobody": ks.TraceColumn("nobody"),  # the traffic is no trace
    }
    return partitions(ks.Scenario(traffic, system, seed=3), keys={**keys})


def drawn(explorer: PartitionExplorer) -> list[float]:
    values: list[float] = np.asarray(explorer.picture.lag_line.get_ydata()).tolist()
    return values


def test_moving_a_slider_changes_the_figure_and_keeps_the_run_before(
    explorer: PartitionExplorer,
) -> None:
    before, page = drawn(explorer), explorer.controls.picture.value

    explorer.controls.widgets["partitions"].value = 4

    assert max(drawn(explorer)) < max(before)
    assert np.asarray(explorer.picture.before_line.get_ydata()).tolist() == before
    assert len(explorer.picture.stairs.get_data().values) == 4
    assert explorer.controls.picture.value != page
    assert explorer.message.startswith("Shown: 4 partitions, 4 members")


def test_the_figure_shown_is_the_run_of_the_scenario_it_names(
    explorer: PartitionExplorer,
) -> None:
    explorer.set(partitions=4, keys=NO_KEY, linger_ms=20)

    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))

    assert again.digest == explorer.result.digest
    share = ks.analysis.metrics(again)["overtaken_share"]
    assert f">{100 * share:.0f} %<" in explorer.controls.picture.value


def test_an_error_is_a_text_and_the_last_figure_stays(
    explorer: PartitionExplorer,
) -> None:
    shown, page = explorer.scenario, explorer.controls.picture.value

    explorer.controls.widgets["keys"].value = "nobody"

    assert explorer.message.startswith("This cannot run: traffic.sources.web.keys")
    assert 'role="alert"' in explorer.controls.message.value
    assert explorer.scenario == shown
    assert explorer.controls.picture.value == page


def test_a_fault_is_told_and_not_swallowed(
    explorer: PartitionExplorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: ks.Scenario) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("kafkasim.widgets.exploring.run", fails)

    with pytest.raises(ZeroDivisionError):
        explorer.set(partitions=2)

    assert explorer.message.startswith("Stopped by a fault: ZeroDivisionError")


def test_reset_goes_back_to_where_it_began(explorer: PartitionExplorer) -> None:
    first = drawn(explorer)
    explorer.set(partitions=8, members=8, work_ms=0.5)

    explorer.controls.reset_button.click()

    assert drawn(explorer) == first
    assert explorer.controls.values.members == 4


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: PartitionExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()

    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"] == (
        "PartitionExplorer(1 partition, 4 members, keys customer, linger 5 ms, "
        "work 1 ms)"
    )


def test_the_picture_says_in_words_what_it_shows(
    explorer: PartitionExplorer,
) -> None:
    page = explorer.controls.picture.value

    assert '<img alt="Lag over' in page
    assert "1 partition, none of them without a record" in page


def test_no_global_figure_is_made_and_ipywidgets_comes_with_the_first_explorer() -> (
    None
):
    script = """
import sys
import kafkasim as ks
from kafkasim import widgets
assert "ipywidgets" not in sys.modules
web = ks.Source("orders", ks.Periodic(20))
traffic = ks.Traffic({"web": web}, {"b": ks.Subscriber(["orders"])}, duration_s=1)
widgets.partitions(ks.Scenario(traffic))
assert "ipywidgets" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)

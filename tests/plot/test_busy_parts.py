"""How busy parts were: what is drawn and said."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import StepPatch

from kafkasim import plot
from kafkasim.errors import ValidationError


def table(**by_part: list[float]) -> pd.DataFrame:
    """Return parts of broker:1 and an idle broker:2, second by second."""
    rows = [
        ("broker:1", kind, 1_000.0 * second, share)
        for kind, each in by_part.items()
        for second, share in enumerate(each)
    ]
    rows.append(("broker:2", "disk", 0.0, 0.0))
    return pd.DataFrame(rows, columns=["resource", "kind", "at_ms", "busy_share"])


def lines(ax: Axes) -> dict[str, list[float]]:
    """Return the steps drawn, by label."""
    return {
        str(step.get_label()): np.asarray(step.get_data()[0]).tolist()
        for step in ax.patches
        if isinstance(step, StepPatch)
    }


def test_each_part_that_does_anything_is_a_line_of_steps() -> None:
    shares = {"disk": [0.2, 1.0, 1.0, 0.5], "nic_out": [0.4, 0.4, 0.4, 0.1]}
    ax = plot.resources(table(**shares, cpu=[0.0, 0.001, 0.0, 0.0]))
    assert lines(ax) == {
        "disk": shares["disk"],
        "network card, sending": shares["nic_out"],
    }
    assert ax.get_ylabel() == "busy"


def test_the_title_says_which_part_holds_the_rest_up() -> None:
    title = plot.resources(table(disk=[0.2, 1.0, 1.0, 0.5])).get_title(loc="left")
    assert title.replace("\n", " ") == (
        "The disk of broker:1 holds the rest up: busy throughout 2 of 3 s"
    )
    many = plot.resources(table(io_thread=[1.0, 1.0])).get_title(loc="left")
    assert many.replace("\n", " ") == (
        "The IO threads of broker:1 hold the rest up: busy throughout 1 of 1 s"
    )


def test_or_that_none_does() -> None:
    title = plot.resources(table(disk=[0.2, 0.4, 0.0])).get_title(loc="left")
    assert title.replace("\n", " ") == (
        "Nothing is busy all the time; most is the disk of broker:1, 30 %"
    )


def test_a_page_cache_is_dotted_and_never_the_finding() -> None:
    ax = plot.resources(table(page_cache=[1.0, 1.0], disk=[0.1, 0.1]))
    assert lines(ax)["page cache, in use"] == [1.0, 1.0]
    assert "disk" in ax.get_title(loc="left")


def test_no_two_lines_have_the_same_dashes() -> None:
    kinds = ("disk", "nic_out", "nic_in", "network_thread", "io_thread", "cpu")
    ax = plot.resources(table(page_cache=[1.0], **{kind: [0.5] for kind in kinds}))

    dashes = {str(step.get_linestyle()) for step in ax.patches}
    assert len(dashes) == len(kinds) + 1


def test_a_host_may_be_named_and_must_be_there() -> None:
    ax = plot.resources(table(disk=[1.0, 1.0]), resource="broker:2")
    assert lines(ax) == {"disk": [0.0]}
    with pytest.raises(ValidationError, match="broker:1, broker:2"):
        plot.resources(table(disk=[1.0]), resource="broker:3")


def test_another_table_is_refused() -> None:
    with pytest.raises(ValidationError):
        plot.resources(pd.DataFrame({"at_ms": [0.0]}))

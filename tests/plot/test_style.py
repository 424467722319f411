"""The style holds while drawing and nowhere else."""

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kafkasim.plot.axes import CaptionedAxes
from kafkasim.plot.sizes import sized
from kafkasim.plot.style import (
    DASHES,
    HATCHES,
    MARKERS,
    OKABE_ITO,
    SERIES,
    canvas,
    hatch,
    legend_below,
    legend_beside,
    legend_of_all,
    marked,
    nothing,
    panels,
    series,
    stroke,
    style,
)


def test_the_palette_is_that_of_okabe_and_ito() -> None:
    # https://jfly.uni-koeln.de/color, the RGB values of its table in hexadecimal.
    assert set(OKABE_ITO.values()) == {
        "#000000",
        "#E69F00",
        "#56B4E9",
        "#009E73",
        "#F0E442",
        "#0072B2",
        "#D55E00",
        "#CC79A7",
    }


def test_no_series_is_told_by_colour_alone() -> None:
    assert len(MARKERS) == len(DASHES) == len(HATCHES) == len(SERIES)
    looks = [series(number) for number in range(len(SERIES))]
    assert len({str(look["linestyle"]) for look in looks}) == len(looks)
    assert len({look["color"] for look in looks}) == len(looks)


def test_the_style_leaves_no_trace() -> None:
    before = dict(mpl.rcParams)
    with style():
        assert mpl.rcParams["axes.spines.top"] is False
    assert dict(mpl.rcParams) == before


def test_axes_given_are_used_and_others_are_new() -> None:
    mine = Figure().subplots()
    assert canvas(mine) is mine
    assert isinstance(canvas(None), CaptionedAxes)


def test_panels_stand_row_by_row() -> None:
    drawn = panels(None, 4, 3, (2.0, 1.0))
    assert len(drawn) == 4
    assert len(drawn[0].figure.axes) == 4
    spec = drawn[3].get_subplotspec()
    assert spec is not None
    assert (spec.rowspan.start, spec.colspan.start) == (1, 0)


def test_panels_take_the_place_of_axes_in_a_grid() -> None:
    left, right = Figure().subplots(1, 2)
    drawn = panels(right, 2, 1, (2.0, 1.0))
    assert drawn[0].figure is left.figure
    assert right not in left.figure.axes
    loose = Figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match="stand in a grid"):
        panels(loose, 2, 1, (2.0, 1.0))


def test_one_legend_serves_all_panels() -> None:
    drawn = panels(None, 2, 2, (2.0, 1.0))
    drawn[0].plot([0, 1], [0, 1], label="a")
    legend_of_all(drawn, "keys")
    (legend,) = drawn[0].figure.legends
    assert legend.get_title().get_text() == "keys"
    assert [text.get_text() for text in legend.get_texts()] == ["a"]


def test_empty_axes_say_why() -> None:
    ax = canvas(None)
    nothing(ax, "no log")
    assert [text.get_text() for text in ax.texts] == ["no log"]
    assert len(ax.get_xticks()) == 0


def test_a_line_has_markers_at_some_of_its_points_only() -> None:
    assert marked(1, 240)["markevery"] == 20
    assert marked(1, 3)["markevery"] == 1
    assert marked(1, 3)["marker"] == MARKERS[1]


def test_hatches_are_dense_enough_for_a_column() -> None:
    assert hatch(1) == "//"
    with sized("print"):
        assert hatch(1) == "////"
        assert stroke(2.0) < 2.0


def test_a_legend_below_stands_under_the_axes_and_their_label() -> None:
    with style():
        ax = canvas(None)
        ax.plot([0, 1], [0, 1], label="a")
        ax.set_xlabel("time (s)")
        legend_below(ax)
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    legend = ax.get_legend()
    assert legend is not None
    label = ax.xaxis.label.get_window_extent()
    assert legend.get_window_extent().y1 <= label.y0


def test_without_labels_there_is_no_legend() -> None:
    ax = canvas(None)
    legend_beside(ax)
    legend_below(ax)
    assert ax.get_legend() is None


def test_series_are_told_apart_without_colour() -> None:
    looks = [marked(number, 12) for number in range(len(SERIES))]
    kinds = {(str(look["linestyle"]), look["marker"]) for look in looks}
    assert len(kinds) == len(looks)

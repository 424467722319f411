"""Sizes hold within their context, and decide how large everything is."""

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot import sizes
from kafkasim.plot.sizes import SIZES, inches, now, sized
from kafkasim.plot.style import canvas, panels, style
from kafkasim.result.result import Result


def whole(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def width(ax: Axes) -> float:
    return float(whole(ax).get_size_inches()[0])


def test_a_size_holds_within_its_context_and_only_there() -> None:
    assert now() is SIZES["notebook"]
    with sized("slide"):
        assert now() is SIZES["slide"]
        with sized("print"):
            assert now() is SIZES["print"]
        assert now() is SIZES["slide"]
    with pytest.raises(RuntimeError, match="within"), sized("print"):
        raise RuntimeError("within")
    assert now() is SIZES["notebook"]


def test_another_size_is_refused_with_those_there_are() -> None:
    with (
        pytest.raises(ValidationError, match="one of notebook, slide, print"),
        sized("poster"),  # type: ignore[arg-type]
    ):
        pass


def test_a_figure_is_as_wide_as_a_slide_or_a_column(five: Result) -> None:
    widths = {}
    for name in SIZES:
        with sized(name):  # type: ignore[arg-type]
            widths[name] = width(plot.lag(five))
    assert widths == {"notebook": 9.0, "slide": 12.4, "print": 3.5}


def test_small_multiples_take_the_page_and_never_more() -> None:
    with sized("print"):
        assert width(panels(None, 6, 3, (4.6, 3.0))[0]) == SIZES["print"].page
    with sized("slide"):
        drawn = panels(None, 6, 3, (4.6, 4.0))
        assert width(drawn[0]) == SIZES["slide"].page
        assert drawn[0].figure.bbox.height / drawn[0].figure.dpi == 6.9
    assert inches((4.0, 2.0)) == (4.0, 2.0)


@pytest.mark.parametrize("size", SIZES)
def test_no_text_is_smaller_than_its_readers_need(five: Result, size: str) -> None:
    # Seen from the last row: 15 points or more on a slide of 13.3 inches. In print no
    # text is below 5 points, the least that journals take.
    least = {"slide": 15.0, "notebook": 10.0, "print": 5.0}[size]
    with sized(size):  # type: ignore[arg-type]
        drawn = [plot.lag(five), plot.latency(five), plot.batching(five)]
        drawn += [plot.offsets(five), plot.latency_ladder(five), plot.topology(five)]
    for ax in drawn:
        FigureCanvasAgg(whole(ax))
        whole(ax).draw_without_rendering()
        shown = [text for text in whole(ax).findobj(Text) if text.get_text().strip()]
        assert min(float(text.get_fontsize()) for text in shown) >= least


def test_ticks_that_are_made_later_have_the_size_too() -> None:
    with sized("slide"), style():
        ax = canvas(None)
    ax.set_xlim(0, 1_000)
    FigureCanvasAgg(whole(ax))
    whole(ax).draw_without_rendering()
    sizes_of_labels = {label.get_fontsize() for label in ax.get_xticklabels()}
    assert sizes_of_labels == {sizes.SIZES["slide"].text * 12 / 13}


def test_a_column_has_its_legend_below(five: Result) -> None:
    def below(ax: Axes) -> bool:
        FigureCanvasAgg(whole(ax))
        whole(ax).draw_without_rendering()
        legend = ax.get_legend()
        assert legend is not None
        return bool(legend.get_window_extent().y1 < ax.get_window_extent().y0)

    assert not below(plot.lag(five))
    with sized("print"):
        assert below(plot.lag(five))

"""A title, and a line below it that stands apart."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kafkasim.plot.headings import headed, title_of_all
from kafkasim.plot.style import canvas, panels, style


def test_the_line_below_stands_between_title_and_axes() -> None:
    with style():
        ax = canvas(None)
        headed(ax, "Twelve of thirty overtaken", "30 records, 12 overtaken")
    figure = ax.figure
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    title = ax.title if ax.title.get_text() else ax._left_title  # type: ignore[attr-defined]
    (below,) = ax.texts
    assert title.get_window_extent().y0 >= below.get_window_extent().y1 - 2
    assert below.get_window_extent().y0 >= ax.get_window_extent().y1


def test_a_long_title_is_wrapped_to_its_panel() -> None:
    with style():
        first, _ = panels(None, 2, 2, (4.0, 3.0))
        headed(first, "a word " * 20, "counts", beside=2)
        title_of_all(first, "a word " * 40)
    assert first.get_title(loc="left").count("\n") >= 2
    assert first.figure.get_suptitle().count("\n") >= 1

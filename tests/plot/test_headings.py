"""A title, and a line below it that stands apart; none wider than its room."""

from collections.abc import Callable

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from kafkasim.plot.headings import headline, headline_of_all, wrapped
from kafkasim.plot.style import canvas, panels, style


def title_of(ax: Axes) -> Artist:
    """Return the text that stands over axes at their left."""
    text = ax.get_title(loc="left")
    return next(
        each
        for each in ax.get_children()
        if isinstance(each, Text) and each.get_text() == text
    )


def test_the_line_below_stands_between_title_and_axes(
    drawn: Callable[[Axes], Figure],
) -> None:
    with style():
        ax = canvas(None)
        headline(ax, "Twelve of thirty overtaken", below="30 records, 12 overtaken")
    drawn(ax)
    (below,) = ax.texts
    title = title_of(ax).get_window_extent()
    assert title.y0 >= below.get_window_extent().y1 - 2
    assert below.get_window_extent().y0 >= ax.get_window_extent().y1


def test_a_title_takes_as_many_lines_as_it_needs(
    drawn: Callable[[Axes], Figure],
) -> None:
    text = "billing waits longest: " + "p99 latency 42 ms, " * 6
    with style():
        ax = canvas(None)
        headline(ax, text)
    assert not ax.texts
    lines = ax.get_title(loc="left").split("\n")
    assert len(lines) > 1
    assert " ".join(lines) == text.strip()
    figure = drawn(ax)
    assert title_of(ax).get_window_extent().x1 <= figure.bbox.x1


def test_a_title_is_wrapped_to_its_panel(drawn: Callable[[Axes], Figure]) -> None:
    with style():
        first, second = panels(None, 2, 2, (4.0, 3.0))
        headline(first, "a word " * 20, below="counts " * 12)
    figure = drawn(first)
    beside = second.get_tightbbox()
    assert beside is not None
    assert first.get_title(loc="left").count("\n") >= 2
    for text in (title_of(first), *first.texts):
        assert text.get_window_extent().x1 <= beside.x0
    assert figure.axes == [first, second]


def test_panels_have_one_title_above_them_beside_a_legend() -> None:
    with style():
        alone, beside = (panels(None, 2, 2, (4.0, 3.0)) for _ in range(2))
        headline_of_all(alone, "a word " * 20)
        headline_of_all(beside, "a word " * 20, legend=True)
    lines = [each[0].figure.get_suptitle().count("\n") for each in (alone, beside)]
    assert 1 <= lines[0] < lines[1]


def test_a_number_and_its_unit_stand_on_one_line() -> None:
    lines = wrapped("latency up to 1234 ms or 33 % of 5 s", 1.2, 10.0).split("\n")
    assert len(lines) > 1
    assert not any(line.endswith(("1234", "33", "5")) for line in lines)


def test_lines_of_hangul_end_earlier() -> None:
    latin, hangul = (
        max(map(len, wrapped(12 * word, 3.0, 13.0).split("\n")))
        for word in ("ab cd ", "가나 다라 ")
    )
    assert hangul < 0.8 * latin

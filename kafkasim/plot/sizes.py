"""How large a figure is, and its text: for a notebook, a slide, or a column in print.

    with ks.plot.sized("slide"):
        ks.plot.lag(result)

Within that context every figure of the package is made for a slide of 13.3 × 7.5 inches
(16:9), read from the last row; with `"print"` for a column of 3.5 inches, small
multiples for the two columns of a page. Without it a figure is made for a notebook.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError

SizeName = Literal["notebook", "slide", "print"]


@dataclass(frozen=True, slots=True)
class Size:
    """How large things are; lengths in inches, text in points."""

    width: float
    """Width of a figure with one axes."""
    page: float
    """Width of a figure of small multiples, at most."""
    tall: float
    """Height of a figure for each inch that it has in a notebook."""
    tallest: float
    """Height of a figure, at most."""
    text: float
    """Size of labels; titles are larger, ticks and legends smaller."""
    stroke: float
    """Width of lines and size of markers, for each that a notebook has."""
    legend: Literal["beside", "below"]
    """Where legends stand: below where a column is too narrow for them."""


SIZES: Final = MappingProxyType(
    {
        "notebook": Size(9.0, 15.6, 1.0, 14.0, 13.0, 1.0, "beside"),
        "slide": Size(12.4, 12.6, 1.34, 6.9, 19.0, 1.45, "beside"),
        "print": Size(3.5, 7.1, 0.64, 9.0, 7.5, 0.55, "below"),
    }
)
"""The sizes, by name."""

NOTEBOOK_WIDTH: Final = 9.0
"""Width of a figure with one axes in a notebook, inches; others are scaled from it."""

_NOW: ContextVar[SizeName] = ContextVar("kafkasim_size", default="notebook")


@contextmanager
def sized(size: SizeName) -> Iterator[None]:
    """Make figures of one size within this context, and only there.

    Parameters
    ----------
    size : {"notebook", "slide", "print"}
        What they are for: 9 inches wide with text of 13 points, 12.4 inches with 19
        points, 3.5 inches (small multiples 7.1) with 7.5 points.

    Raises
    ------
    ValidationError
        `size` is none of the three.
    """
    if size not in SIZES:
        raise ValidationError(
            "size", size, say("one of {names}", names=", ".join(SIZES))
        )
    before = _NOW.set(size)
    try:
        yield
    finally:
        _NOW.reset(before)


def now() -> Size:
    """Return the size that holds now."""
    return SIZES[_NOW.get()]


def inches(size: tuple[float, float]) -> tuple[float, float]:
    """Return what a notebook's width and height are at the size that holds now."""
    held = now()
    width = min(held.page, size[0] * held.width / NOTEBOOK_WIDTH)
    if size[0] > NOTEBOOK_WIDTH:
        width = held.page
    return width, min(held.tallest, size[1] * held.tall)


def ticks_across() -> int:
    """Return how many ticks stand beside each other below a small panel, at most."""
    return 4 if now() is SIZES["notebook"] else 3

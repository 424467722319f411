"""The figure of an explorer: made once, its artists moved, as a PNG with words.

Drawing axes, labels and legends costs more than the data in them, and a layout engine
more than all (measured: 127 ms of 200), so an explorer's figure is laid out once and a
run only moves its artists. It is shown as an `<img>` whose alternative text is made
from the data: a notebook drops the text of a bare PNG.
"""

from abc import ABC, abstractmethod
from base64 import b64encode
from html import escape
from io import BytesIO
from typing import Final, Generic, TypeVar

from matplotlib.figure import Figure

from kafkasim.plot.sizes import sized
from kafkasim.plot.style import style

ShownT = TypeVar("ShownT")
"""What a figure shows of one run: numbers, no artists."""

DPI: Final = 100
"""Dots per inch of the PNG."""

_COMPRESSION: Final = 3
"""As small as the usual 6 for such figures, in two thirds of the time (measured)."""


class Canvas(ABC, Generic[ShownT]):
    """One persistent figure; a subclass adds artists and moves them.

    Parameters
    ----------
    size : tuple of float
        Width and height in inches. Ten inches fill a notebook's column.

    Attributes
    ----------
    figure : Figure
    """

    def __init__(self, size: tuple[float, float]) -> None:
        with sized("notebook"), style():
            self.figure = Figure(figsize=size)
            self.draw()

    @abstractmethod
    def draw(self) -> None:
        """Make axes and artists, and lay them out: once, before any data."""

    @abstractmethod
    def update(self, shown: ShownT, before: ShownT | None) -> None:
        """Move the artists to what one run gave, and the one before it."""

    @abstractmethod
    def alt_text(self, shown: ShownT) -> str:
        """Return what is seen, for those who cannot see it."""

    def png(self) -> bytes:
        """Return the figure as a PNG; the same figure gives the same bytes."""
        buffer = BytesIO()
        with sized("notebook"), style():
            self.figure.savefig(
                buffer,
                format="png",
                dpi=DPI,
                metadata={"Software": None},
                pil_kwargs={"compress_level": _COMPRESSION},
            )
        return buffer.getvalue()


def image(png: bytes, alt_text: str) -> str:
    """Return an `<img>` that holds a PNG and says in words what it shows.

    It keeps the figure's size, and shrinks where the page is narrower.
    """
    source = b64encode(png).decode()
    return (
        f'<img alt="{escape(alt_text)}" style="max-width:100%;height:auto" '
        f'src="data:image/png;base64,{source}">'
    )

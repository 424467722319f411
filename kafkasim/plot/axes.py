"""Axes that a notebook shows as a picture with its caption and alternative text.

JupyterLab and nbconvert drop the alternative text of a bare PNG; an `<img alt>` inside
HTML keeps it. This module imports matplotlib and is itself imported when the first
figure is drawn.
"""

import base64
import io
from html import escape
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kafkasim.plot.captions import alt_text, caption

DPI: Final = 100
"""Points of the picture to an inch."""


class CaptionedAxes(Axes):
    """Axes with an HTML face: the whole figure, its caption, its alternative text."""

    def _repr_html_(self) -> str:
        figure = self.get_figure(root=True)
        assert isinstance(figure, Figure)
        picture = base64.b64encode(png(figure)).decode()
        return (
            f'<figure><img alt="{escape(alt_text(self))}" style="max-width:100%" '
            f'src="data:image/png;base64,{picture}">'
            f"<figcaption>{escape(caption(self))}</figcaption></figure>"
        )


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG, without what differs between versions of matplotlib.

    The bytes are those of `Figure.savefig`, which draws a figure that lays itself out
    twice: once to lay it out, and again for the picture. A canvas draws it once.
    """
    canvas, dpi = figure.canvas, figure.dpi
    buffer = io.BytesIO()
    try:
        figure.dpi = DPI
        drawing = FigureCanvasAgg(figure)
        drawing.print_png(buffer, metadata={"Software": None})  # type: ignore[no-untyped-call]
    finally:
        figure.dpi = dpi
        figure.set_canvas(canvas)
    return buffer.getvalue()

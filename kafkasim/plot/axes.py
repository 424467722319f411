"""Axes that a notebook shows as a picture with its caption and alternative text.

JupyterLab and nbconvert drop the alternative text of a bare PNG; an `<img alt>` inside
HTML keeps it. This module imports matplotlib and is itself imported when the first
figure is drawn.
"""

import base64
import io
from html import escape

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kafkasim.plot.captions import alt_text, caption


class CaptionedAxes(Axes):
    """Axes with an HTML face: the whole figure, its caption, its alternative text."""

    def _repr_html_(self) -> str:
        figure = self.get_figure(root=True)
        assert isinstance(figure, Figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
        picture = base64.b64encode(buffer.getvalue()).decode()
        return (
            f'<figure><img alt="{escape(alt_text(self))}" style="max-width:100%" '
            f'src="data:image/png;base64,{picture}">'
            f"<figcaption>{escape(caption(self))}</figcaption></figure>"
        )

"""Figures as PNG, SVG and PDF.

A figure's file says nothing of when or by which version it was drawn, and SVG's element
ids come from a fixed salt: the same figure gives the same bytes, so a notebook that is
run again changes no file.
"""

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kafkasim.errors import ValidationError
from kafkasim.result.folder import new_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METADATA: Final = MappingProxyType(
    {
        ".png": {"Software": None},
        ".svg": {"Date": None, "Creator": None},
        ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }
)
"""What matplotlib would write of itself and the day, by suffix."""


def figure(
    figure_or_axes: "Figure | Axes", path: str | Path, *, dpi: int = 150
) -> Path:
    """Write a figure to a PNG, SVG or PDF file.

    Parameters
    ----------
    figure_or_axes : Figure or Axes
        The figure, or one of its axes: the whole figure is written, at the size at
        which it was drawn (`kafkasim.plot.sized`).
    path : str or Path
        The suffix chooses the format. A file that stands there is replaced once the
        new one is complete; missing folders are made.
    dpi : int
        Dots per inch of a PNG, and of images inside an SVG or PDF.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValidationError
        The suffix is none of the three, or there is no figure.
    OutputError
        The file cannot be written; what was there is untouched.
    """
    import matplotlib as mpl

    target = Path(path).expanduser()
    suffix = target.suffix.lower()
    if suffix not in _METADATA:
        raise ValidationError("path", str(path), f"a name in {', '.join(_METADATA)}")
    whole = _whole(figure_or_axes)
    # Type 42 embeds TrueType fonts: the text in a PDF stays text.
    with (
        new_file(target) as partial,
        mpl.rc_context({"svg.hashsalt": "kafkasim", "pdf.fonttype": 42}),
    ):
        whole.savefig(
            partial, format=suffix[1:], dpi=dpi, metadata=dict(_METADATA[suffix])
        )
    return target


def _whole(figure_or_axes: "Figure | Axes") -> "Figure":
    """Return the figure that holds it all, from an axes of a subfigure too."""
    from matplotlib.artist import Artist

    whole = None
    if isinstance(figure_or_axes, Artist):
        whole = figure_or_axes.get_figure(root=True)
    if whole is None:
        given = type(figure_or_axes).__name__
        raise ValidationError("figure_or_axes", given, "a figure, or axes in one")
    return whole

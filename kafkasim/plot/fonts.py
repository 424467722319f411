"""The fonts of figures: DejaVu Sans, and for Hangul a subset that ships with kafkasim.

matplotlib brings DejaVu Sans along; a character that it does not hold is taken from the
next family. The subset is made known to matplotlib when the first figure is drawn: no
file is looked for and no setting changed at import.
"""

from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Final

HANGUL: Final = "Kafkasim Hangul"
"""Family of the subset, as its file says."""

FILE: Final = "kafkasim-hangul.ttf"
"""Its name in `kafkasim.data`."""


@cache
def families() -> tuple[str, ...]:
    """Return the families of a figure's text; registers the subset the first time.

    It has one weight, which stands for the bold one too: matplotlib would else say on
    the error stream, for each bold title, that there is none.
    """
    from matplotlib.font_manager import fontManager

    fontManager.addfont(str(files("kafkasim.data").joinpath(FILE)))
    fontManager.ttflist.append(replace(fontManager.ttflist[-1], weight=700))
    return ("DejaVu Sans", HANGUL)

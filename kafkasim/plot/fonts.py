"""The fonts of figures: DejaVu Sans, and for Hangul subsets that ship with kafkasim.

matplotlib brings DejaVu Sans along; a character that it does not hold is taken from the
next family. Its subsets, regular and bold, are made known to matplotlib when the
first figure is drawn: no file is looked for and no setting changed at import.
"""

from functools import cache
from importlib.resources import files
from typing import Final

HANGUL: Final = "Kafkasim Hangul"
"""Family of the subset, as its file says."""

FILE: Final = "kafkasim-hangul.ttf"
"""Its name in `kafkasim.data`."""

BOLD_FILE: Final = "kafkasim-hangul-bold.ttf"
"""The same in bold."""


@cache
def families() -> tuple[str, ...]:
    """Return the families of a figure's text; registers the subset the first time."""
    from matplotlib.font_manager import fontManager

    for file in (FILE, BOLD_FILE):
        fontManager.addfont(str(files("kafkasim.data").joinpath(file)))
    return ("DejaVu Sans", HANGUL)

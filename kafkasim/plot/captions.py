"""What a figure says in words.

A picture alone is nothing to someone who cannot see it, and little to someone who does
not know what ran. Every figure of this package has a **caption** (what ran, made from
the scenario) and an **alternative text** (what is seen, made from the data).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KEY: Final = "kafkasim_words"


@dataclass(frozen=True, slots=True)
class Words:
    """A figure in words."""

    caption: str
    """What ran."""
    alt_text: str
    """What is seen."""


def give_words(ax: "Axes", words: Words) -> None:
    """Give axes their words; of several in one figure the first speaks for all."""
    vars(_root(ax)).setdefault(_KEY, words)
    vars(ax)[_KEY] = words


def caption(ax: "Axes") -> str:
    """Return what ran, in one or two sentences.

    Parameters
    ----------
    ax : Axes
        As a function of this package returned it.

    Raises
    ------
    LookupError
        When no function of this package drew into it or its figure.
    """
    return _words(ax).caption


def alt_text(ax: "Axes") -> str:
    """Return what is seen, for those who cannot see it.

    Parameters
    ----------
    ax : Axes
        As a function of this package returned it.

    Raises
    ------
    LookupError
        When no function of this package drew into it or its figure.
    """
    return _words(ax).alt_text


def _words(ax: "Axes") -> Words:
    found = vars(ax).get(_KEY) or vars(_root(ax)).get(_KEY)
    if found is None:
        raise LookupError("these axes were not drawn by kafkasim.plot")
    return cast("Words", found)


def _root(ax: "Axes") -> "Figure":
    figure = ax.get_figure(root=True)
    if figure is None:
        raise LookupError("these axes stand in no figure")
    return figure

"""Captions and alternative texts stay with their figure."""

import pickle

import pytest
from matplotlib.figure import Figure

from kafkasim.plot.captions import Words, alt_text, caption, give_words


def test_axes_keep_their_own_words_and_the_first_speaks_for_the_figure() -> None:
    one, two, silent = Figure().subplots(1, 3)
    give_words(one, Words("ran one", "seen one"))
    give_words(two, Words("ran two", "seen two"))
    assert (caption(one), alt_text(one)) == ("ran one", "seen one")
    assert (caption(two), alt_text(two)) == ("ran two", "seen two")
    assert (caption(silent), alt_text(silent)) == ("ran one", "seen one")


def test_words_survive_a_pickle() -> None:
    ax = Figure().subplots()
    give_words(ax, Words("ran", "seen"))
    again = pickle.loads(pickle.dumps(ax.figure))
    assert alt_text(again.axes[0]) == "seen"


def test_axes_of_others_have_no_words() -> None:
    with pytest.raises(LookupError, match="not drawn by kafkasim"):
        caption(Figure().subplots())


def test_removed_axes_stand_in_no_figure() -> None:
    ax = Figure().subplots()
    ax.remove()
    with pytest.raises(LookupError, match="stand in no figure"):
        alt_text(ax)

"""States and ways, and the way of a run: what is drawn, and what it says."""

import pandas as pd
import pytest
from matplotlib.axes import Axes

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.experiments.transitions import transitions
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.plot.state_machine import states
from tests.analysis.test_ownership import member_dies
from tests.plot.test_layout import assert_readable


def texts(ax: Axes) -> list[str]:
    return [each.get_text() for each in ax.texts]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_every_state_has_a_place_and_every_way_a_letter(protocol: str) -> None:
    table = transitions(protocol)
    ax = states(table)

    names = set(table["state"]) | set(table["next_state"])
    places = {each.get_position() for each in ax.texts if each.get_text() in names}
    assert len(places) == len(names) == 5
    letters = [chr(ord("a") + number) for number in range(len(table))]
    assert [each for each in texts(ax) if each in letters] == letters
    listed = "\n".join(texts(ax)).replace("\n     ", " ")
    assert all(why in listed for why in table["why"])


def test_a_run_s_steps_are_numbered_on_their_ways() -> None:
    ax = states(transitions("classic"), run=member_dies())

    said = texts(ax)
    assert {"1", "2, 5", "3, 6", "4"} <= set(said)
    assert {"Stable\n56 s", "PreparingRebalance\n4 s", "Dead"} <= set(said)
    assert (
        ax.get_title(loc="left") == "Group billing is Stable in the end, after 6 steps"
    )
    assert "4. at 50 s Stable to PreparingRebalance: session expired" in (
        plot.alt_text(ax)
    )
    bold = [t.get_text() for t in ax.texts if t.get_bbox_patch() is not None
            and t.get_fontweight() == "bold" and "\n" in t.get_text()]  # fmt: skip
    assert bold == ["Stable\n56 s"]


def test_a_frame_shows_the_way_until_its_moment() -> None:
    ax = states(transitions("classic"), run=member_dies(), at_s=50.5)

    assert "PreparingRebalance\n3.5 s" in texts(ax)
    assert "2, 5" not in texts(ax)
    assert ax.get_title(loc="left") == (
        "Group billing is PreparingRebalance at 50.5 s, after 4 steps"
    )


def test_a_run_of_the_other_protocol_and_another_table_are_refused() -> None:
    with pytest.raises(ValidationError, match="Empty to PreparingRebalance"):
        states(transitions("consumer"), run=member_dies())
    with pytest.raises(ValidationError, match="what transitions returns"):
        states(pd.DataFrame({"state": []}))


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(states(transitions("classic"), run=member_dies()))

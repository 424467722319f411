"""Who has which partition: what is drawn, and what titles and words say of it."""

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.experiments.assignment import assign
from tests.plot.test_layout import assert_readable

TOPICS = {"orders": 8, "returns": 4}


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def joined(assignor: str) -> pd.DataFrame:
    before = assign(assignor, members=3, topics=TOPICS)
    return assign(assignor, members=4, topics=TOPICS, previous=before)


def boxes(ax: Axes) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_each_partition_is_a_box_in_the_row_of_its_member() -> None:
    ax = plot.assignment(assign("range", members=["a", "b", "c"], topics={"t": 2}))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]
    assert [round(box.get_y() + box.get_height() / 2, 6) for box in boxes(ax)] == [0, 1]
    assert [text.get_text() for text in ax.texts] == ["0", "1"]
    assert title(ax) == "2 partitions over 3 members: 0 to 1 each"
    assert "a: t-0; b: t-1; c: none" in plot.alt_text(ax)


def test_what_was_somebody_else_s_has_a_thick_edge_and_says_whose() -> None:
    ax = plot.assignment(joined("sticky"))
    assert title(ax) == "12 partitions over 4 members: 3 each, 3 moved"
    assert len([box for box in boxes(ax) if not box.get_fill()]) == 3
    assert {text.get_text() for text in ax.texts} >= {"5 ← c3", "6 ← c1", "7 ← c2"}
    assert "moved: orders-5 from c3 to c4" in plot.alt_text(ax)
    assert plot.caption(ax).startswith("Partitions of a group's members by sticky")
    assert_readable(ax)


def test_what_nobody_has_stands_in_a_row_of_its_own() -> None:
    ax = plot.assignment(joined("cooperative-sticky"))
    assert ax.get_yticklabels()[-1].get_text() == "nobody"
    assert [text.get_text() for text in ax.texts[-3:]] == [
        "orders-5",
        "orders-6",
        "orders-7",
    ]
    assert title(ax).endswith("0 to 3 each, none moved; 3 free")
    assert_readable(ax)


def test_topics_differ_by_colour_and_hatch() -> None:
    ax = plot.assignment(joined("sticky"))
    looks = {
        (box.get_facecolor(), box.get_hatch()) for box in boxes(ax) if box.get_fill()
    }
    assert len(looks) == 2
    assert len({hatch for _, hatch in looks}) == 2


def test_a_table_of_three_columns_will_do_and_nobody_is_said() -> None:
    ax = plot.assignment(
        pd.DataFrame({"member": ["a"], "topic": ["t"], "partition": [0]})
    )
    assert title(ax) == "1 partition over 1 member: 1 each"
    nobody = plot.assignment(assign("range", members=[], topics={}))
    assert title(nobody) == "There is no member"


def test_what_is_no_assignment_is_refused() -> None:
    with pytest.raises(ValidationError, match="what assign returns"):
        plot.assignment(pd.DataFrame({"member": ["a"]}))
    with pytest.raises(ValidationError, match="what assign returns"):
        plot.assignment({"member": ["a"]})  # type: ignore[arg-type]

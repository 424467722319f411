"""What the group explorer says of a run."""

from dataclasses import replace

import pytest

from kafkasim.widgets.group_traffic import Values
from kafkasim.widgets.group_words import alt_text, happens, note, numbers, title
from tests.widgets.test_group_shown import one_of_three_leaves


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (Values(event="add"), "member 4 comes"),
        (Values(), "member 2 leaves"),
        (Values(event="crash", members=1), "member 1 crashes"),
        (Values(event="restart"), "member 1 restarts"),
    ],
)
def test_what_happens_is_said_of_whom(values: Values, said: str) -> None:
    assert happens(replace(one_of_three_leaves(), values=values)) == said


def test_the_title_is_for_how_long_partitions_had_no_reader() -> None:
    shown = one_of_three_leaves()

    assert title(shown) == (
        "Member 2 leaves: 2 of 2 partitions without a reader, up to 4 s"
    )
    assert title(replace(shown, gaps=())) == (
        "Member 2 leaves: every partition is read all the time"
    )
    for_good = replace(shown, gaps=(replace(shown.gaps[0], until_s=80.0),))
    assert title(for_good).endswith("1 of 2 partitions without a reader to the end")


def test_the_note_is_what_moved_and_who_has_nothing() -> None:
    shown = one_of_three_leaves()

    assert note(shown) == "1 rebalance, 1 change of hands"
    idle = replace(shown, unrest=(), idle=((19.5, 80.0, (4, 5)),))
    assert note(idle) == "No rebalance; members 4 and 5 without a partition"


def test_the_numbers_are_those_of_the_run() -> None:
    assert numbers(one_of_three_leaves()) == {
        "first partition read after": "6 s",
        "partitions that lost their reader for a while": "2",
        "longest time without one": "4 s",
        "such times of all partitions together": "6 s",
        "changes of hands": "1",
        "rebalances": "1",
        "members without a partition": "0",
        "records worked on": "2",
        "of them again": "1",
    }
    assert numbers(replace(one_of_three_leaves(), gaps=()))[
        "longest time without one"
    ] == ("–")


def test_the_alternative_text_says_who_reads_what_in_the_end() -> None:
    words = alt_text(one_of_three_leaves())

    assert words.startswith("Member 2 leaves: 2 of 2 partitions without a reader")
    assert "3 members, eager; at 15 s member 2 leaves." in words
    assert "In the end member 1 reads 0 and member 3 reads 1." in words
    assert words.endswith("2 records are worked on, 1 again.")

"""Owners of partitions over time: bars, gaps, what the group went through."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from kafkasim import analysis, plot
from kafkasim.errors import ValidationError
from kafkasim.plot.owning import NOBODY_READS, Owned, ownership
from kafkasim.plot.owning_many import READ, UNREAD, counts
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.result.result import Result
from kafkasim.testing.builders import Row, small_result
from tests.analysis.test_ownership import FACTS, member_dies, owned, state
from tests.plot.test_layout import assert_readable


def bars(ax: Axes, label: str) -> list[tuple[float, float, float]]:
    """Return lane, begin and end of each bar of a label."""
    (found,) = (
        each
        for each in ax.containers
        if isinstance(each, BarContainer) and each.get_label() == label
    )
    return [
        (round(p.get_y() + p.get_height() / 2, 6), p.get_x(), p.get_x() + p.get_width())
        for p in found.patches
    ]


def test_each_owner_has_its_bars_and_nobody_the_rest() -> None:
    ax = ownership(member_dies())

    assert bars(ax, "billing/1") == [(0, 3, 50), (0, 51, 60), (1, 51, 60)]
    assert bars(ax, "billing/2") == [(1, 3, 5)]
    assert bars(ax, NOBODY_READS) == [(0, 50, 51), (1, 5, 51)]
    assert ax.get_title(loc="left").replace("\n", " ") == (
        "Nobody read 2 of 2 partitions for a while, at most 46 s"
    )


def test_the_states_of_the_group_stand_below() -> None:
    ax = ownership(member_dies())

    np.testing.assert_allclose(
        bars(ax, "PreparingRebalance") + bars(ax, "Stable"),
        [(2.4, 0, 3), (2.4, 3, 50)],
    )
    assert [each.get_text() for each in ax.get_yticklabels()] == [
        "partition 0", "partition 1", "group billing",
    ]  # fmt: skip


def test_the_name_of_a_state_stands_in_its_bar_where_there_is_room() -> None:
    def names(until_s: float) -> list[str]:
        result = small_result(
            records=[{"intended_ms": 0.0, "created_ms": 0.0}],
            facts=FACTS,
            assignments=[owned(0, "billing/1", until_s, None)],
            group_states=[
                state(0, "PreparingRebalance", 0, 1, "member joined"),
                state(until_s, "Stable", 1, 1, "assignment came"),
            ],
        )
        return [each.get_text() for each in ownership(result).texts]

    assert "PreparingRebalance" not in names(9)
    assert "PreparingRebalance" in names(15)
    assert "Stable" in names(50)
    assert "Stable" not in names(57)


def test_what_was_done_to_the_group_stands_above_the_lanes() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=[owned(0, "billing/1", 3, None)],
        events=[
            {"event": event, "target": target, "at_ms": 1e3 * at_s, "until_ms": until}
            for event, target, at_s, until in (
                ("Crash", "member:billing/2", 5, 40_000.0),
                ("AddMember", "subscriber:billing", 20, None),
                ("RemoveMember", "member:billing/1", 30, None),
                ("Crash", "member:audit/1", 6, None),
                ("Crash", "broker:1", 7, None),
            )
        ],
    )

    ax = ownership(result)

    assert [(line.get_xdata()[0]) for line in ax.lines] == [5, 20, 30, 40]  # type: ignore[index]
    named = [each.get_text() for each in ax.texts]
    assert named[-4:] == ["2: crash", "add member", "1: leave", "2: back"]
    assert ax.get_ylim()[1] < -0.6


def test_the_legend_has_members_then_nobody_then_states() -> None:
    legend = ownership(member_dies()).get_legend()

    assert legend is not None
    assert [each.get_text() for each in legend.get_texts()] == [
        "billing/1", "billing/2", NOBODY_READS,
        "PreparingRebalance", "Stable",
    ]  # fmt: skip


def test_words_say_who_owned_what() -> None:
    ax = ownership(member_dies())

    assert "orders-1: billing/2 then billing/1, 46 s without one" in plot.alt_text(ax)
    assert plot.caption(ax).startswith("Owners of the partitions that group billing")


def legend(ax: Axes) -> list[str]:
    made = ax.get_legend()
    return [] if made is None else [each.get_text() for each in made.get_texts()]


def spells(rows: list[Row]) -> list[Owned]:
    result = only(*rows)
    table = analysis.ownership(result)
    times = (table[each] for each in ("since_ms", "until_ms", "gap_ms"))
    return [Owned(("orders", 0), "", *row) for row in zip(*times, strict=True)]


def only(*rows: object) -> Result:
    return small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=list(rows),  # type: ignore[arg-type]
    )


def test_without_gaps_the_title_says_so() -> None:
    ax = ownership(only(owned(0, "billing/1", 0, None)))

    assert ax.get_title(loc="left") == (
        "1 member, and no partition was without an owner"
    )


def test_the_title_says_from_when_on_all_have_owners() -> None:
    ax = ownership(only(owned(0, "billing/1", 3, None), owned(1, "billing/1", 6, None)))

    assert ax.get_title(loc="left").replace("\n", " ") == (
        "1 member, and from 6 s on no partition was without an owner"
    )


def test_the_title_tells_a_moment_from_the_longest_gap() -> None:
    ax = ownership(
        only(
            *(owned(0, "billing/1", 0, 5), owned(0, "billing/1", 5.002, None)),
            *(owned(1, "billing/2", 0, 5), owned(1, "billing/1", 48, None)),
        )
    )

    assert ax.get_title(loc="left").replace("\n", " ") == (
        "Nobody read 1 of 2 partitions for a while, at most 43 s, and 1 more for at "
        "most 2 ms"
    )


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of billing"):
        ownership(member_dies(), group="audit")


def test_many_partitions_are_counted() -> None:
    rows = [owned(n, f"billing/{n % 9}", 1, 5 if n < 9 else None) for n in range(90)]
    rows += [owned(n, "billing/9", 7, None) for n in range(9)]

    ax = ownership(only(*rows))

    assert legend(ax) == [READ, UNREAD]
    at_ms, read, unread = counts(spells(rows), 60_000.0)
    assert at_ms.tolist() == [0, 1_000, 5_000, 7_000, 60_000]
    assert read.tolist() == [0, 90, 81, 90, 90]
    assert unread.tolist() == [0, 0, 9, 0, 0]


def test_of_many_members_names_stand_in_the_bars_alone() -> None:
    ax = ownership(only(*(owned(n, f"billing/{n}", 0, None) for n in range(7))))

    assert legend(ax) == []
    assert {each.get_text() for each in ax.texts} == set("0123456")


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(ownership(member_dies()))

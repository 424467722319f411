"""What the topology explorer shows of two runs, in numbers."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.analysis.wired import HUB, Node
from kafkasim.widgets.topology_shown import Shown, shown_of
from kafkasim.widgets.topology_traffic import Values, star_at, tangle_at


@cache
def seen(**changes: Any) -> Shown:  # noqa: ANN401 - of several types
    values = replace(Values(), **changes)
    return shown_of(ks.run(tangle_at(values)), ks.run(star_at(values)), values)


def links(**changes: Any) -> tuple[int, int]:  # noqa: ANN401
    shown = seen(**changes)
    return shown.tangle.links, shown.star.links


def test_sixteen_links_against_eight() -> None:
    shown = seen()

    assert links() == (16, 8)
    assert Node("source", "source-1") in {one for one, _ in shown.tangle.bytes_}
    assert {HUB in edge for edge in shown.star.bytes_} == {True}
    assert {one.kind for one, _ in shown.tangle.bytes_} == {"source"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sources": 2, "subscribers": 2}, (4, 4)),
        ({"sources": 1}, (4, 5)),
        ({"subscribers": 1}, (4, 5)),
        ({"density": 0.5}, (8, 8)),
    ],
)
def test_where_point_to_point_has_no_more_links(
    changes: dict[str, Any], expected: tuple[int, int]
) -> None:
    """PH-2: equal at 2 × 2, fewer with one source or one subscriber, d = 2/n."""
    assert links(**changes) == expected


def test_one_more_is_four_links_against_one_and_gets_its_history_from_the_log() -> None:
    shown = seen(one_more=True)

    assert [len(side.new) for side in shown.sides] == [4, 1]
    assert [side.touched for side in shown.sides] == [4, 0]
    assert [side.links for side in shown.sides] == [16, 8]
    assert [side.made["replayed_share"] for side in shown.sides] == [0.0, 1.0]


def test_a_dead_subscriber_stops_all_only_where_sources_wait() -> None:
    waiting = seen(crash="a subscriber", mode="synchronous")
    queued = seen(crash="a subscriber")

    assert [side.pairs_hurt for side in waiting.sides] == [16, 4]
    assert [side.pairs_hurt for side in queued.sides] == [4, 4]
    victim = Node("subscriber", "subscriber-2")
    assert queued.star.hurt == {(HUB, victim)}
    assert {edge[1] for edge in queued.tangle.hurt} == {victim}
    assert 3.0 < queued.tangle.longest_s < 6.0


def test_a_dead_hub_stops_everybody_behind_it_and_is_nowhere_else() -> None:
    shown = seen(crash="the hub")

    assert [side.pairs_hurt for side in shown.sides] == [0, 16]
    assert [side.no_such_point for side in shown.sides] == [True, False]
    assert len(shown.star.hurt) == 8
    assert shown.star.longest_s > 4.0
    assert not seen().tangle.no_such_point


def test_the_hub_moves_more_in_all_and_less_out_of_sources() -> None:
    """PH-5, MS-43."""
    tangle, star = seen().sides

    assert star.per_record("total_bytes") > tangle.per_record("total_bytes") == 800
    assert star.per_record("source_bytes") < tangle.per_record("source_bytes")
    assert star.made["hub_nodes"] == 3
    assert star.p50_ms > tangle.p50_ms


def test_everything_processed_is_in_the_line() -> None:
    for side in seen(crash="the hub", one_more=True).sides:
        edges, counts = side.line
        assert len(edges) == len(counts) + 1
        wanted = 4 * 4 * 18
        assert counts.sum() >= wanted
    tangle = seen().tangle
    assert np.all(tangle.line[1] == 16)

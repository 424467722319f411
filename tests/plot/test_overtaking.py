"""Who overtook whom, drawn record by record or counted."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from kafkasim import analysis, plot
from kafkasim.errors import ValidationError
from kafkasim.plot.overtaking import MOST_BARS
from kafkasim.plot.style import OKABE_ITO
from kafkasim.result.result import Result
from kafkasim.testing.builders import small_result


def places(line: Line2D) -> list[float]:
    drawn: list[float] = np.asarray(line.get_ydata()).tolist()
    return [drawn[0], drawn[-1]]


def test_each_record_is_a_line_from_intended_to_processed(five: Result) -> None:
    ax = plot.ordering(five)
    drawn = {line.get_label(): places(line) for line in ax.lines}
    # Processed 1 2 4 0 3.
    assert drawn == {
        "record 0": [0, 3],
        "record 1": [1, 0],
        "record 2": [2, 1],
        "record 3": [3, 4],
        "record 4": [4, 2],
    }
    late = [
        line.get_label()
        for line in ax.lines
        if line.get_color() == OKABE_ITO["vermillion"]
    ]
    assert sorted(map(str, late)) == ["record 0", "record 3"]
    assert ax.get_yticklabels()[0].get_text() == "0   N1"
    assert ax.texts[0].get_text() == "1   at 2.5 ms, partition 1"
    assert "record 0 by 3 others and record 3 by 1 other" in plot.alt_text(ax)


def test_pairs_are_counted_in_the_legend(five: Result) -> None:
    legend = plot.ordering(five).get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "overtaken (2 in 4 pairs)",
        "not overtaken (3)",
    ]


def test_within_partitions_no_line_stands_out(five: Result) -> None:
    ax = plot.ordering(five, per="partition")
    assert "none" in plot.alt_text(ax)
    assert ax.get_ylabel() == "record"


def test_another_subscriber_has_its_own_order(five: Result) -> None:
    ax = plot.ordering(five, subscriber="audit")
    assert all(len(set(places(line))) == 1 for line in ax.lines)
    title = "audit: no record overtaken within its entity"
    assert ax.get_title(loc="left") == title


def test_the_title_is_what_was_found(five: Result) -> None:
    title = "billing: 2 of 5 records overtaken within their entity"
    assert plot.ordering(five).get_title(loc="left") == title


def test_a_table_of_few_groups_is_drawn_as_bars(five: Result) -> None:
    ax = plot.ordering(analysis.ordering(five))
    (bar,) = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert bar.get_width() == 0.4
    assert (
        ax.get_title(loc="left") == "Overtaken within their entity: 40 % of 5 records"
    )
    assert ax.texts[0].get_text() == " 40 %, 4 pairs"


def test_partitions_are_named_with_their_topic(five: Result) -> None:
    ax = plot.ordering(analysis.ordering(five, per="partition"))
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert sorted(labels) == ["orders-0", "orders-1"]


def many(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subscriber": "billing",
            "stream": "orders",
            "entity": [f"N{number}" for number in range(count)],
            "records": 10,
            "overtaken": [number % 3 for number in range(count)],
            "overtaken_share": [number % 3 / 20 for number in range(count)],
            "overtaken_pairs": [number % 3 for number in range(count)],
        }
    )


def test_many_groups_are_counted_by_share() -> None:
    ax = plot.ordering(many(30))
    heights = [
        patch.get_height() for patch in ax.patches if isinstance(patch, Rectangle)
    ]
    assert heights == [10, 20, *([0] * 9)]
    assert ax.get_ylabel() == "entities"
    assert "30 entities" in plot.alt_text(ax)


def test_there_is_a_bar_for_each_group_up_to_a_limit() -> None:
    bars = plot.ordering(many(MOST_BARS)).patches
    assert len(bars) == MOST_BARS
    assert not plot.ordering(many(MOST_BARS)).findobj(PathCollection)


def test_nothing_processed_can_be_drawn(
    nothing_sent: Result, drawn: Callable[[Axes], Figure]
) -> None:
    ax = plot.ordering(nothing_sent)
    drawn(ax)
    assert "none" in plot.alt_text(ax)
    empty = plot.ordering(analysis.ordering(nothing_sent))
    drawn(empty)


def test_a_table_that_is_not_of_ordering_says_what_it_lacks(five: Result) -> None:
    with pytest.raises(
        ValidationError, match=r"analysis\.ordering made of one, with records"
    ):
        plot.ordering(analysis.overtakings(five))
    with pytest.raises(ValidationError, match="one of billing and audit"):
        plot.ordering(five, subscriber="board")


def test_strands_that_cross_between_entities_are_not_marked_as_pairs() -> None:
    run = small_result(
        records=[
            {"entity": f"N{at}", "key": None, "intended_ms": at} for at in range(2)
        ],
        deliveries=[
            {"record_id": at, "subscriber": "billing", "ended_ms": 9.0 - at}
            for at in range(2)
        ],
    )
    ax = plot.ordering(run)
    assert sorted(places(line) for line in ax.lines) == [[0, 1], [1, 0]]


def test_another_grouping_is_refused(five: Result) -> None:
    with pytest.raises(ValidationError, match="one of partition, key, entity"):
        plot.ordering(five, per="topic")  # type: ignore[arg-type]

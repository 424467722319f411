"""One entity's records, produced against processed."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kafkasim import analysis, plot
from kafkasim.errors import ValidationError
from kafkasim.plot.braiding import MOST_STRANDS
from kafkasim.plot.strands import OVERTAKEN
from kafkasim.result.result import Result
from kafkasim.testing.builders import small_result


def run_of(
    orders: dict[str, list[int]], *, unprocessed: dict[str, int] | None = None
) -> Result:
    """Return a run in which each entity's records are processed in the order given.

    `orders` has each record's place in the order processed; of `unprocessed` the last
    records never are.
    """
    records = [
        {"entity": entity, "key": None, "intended_ms": at, "partition": at % 2}
        for entity, places in orders.items()
        for at in range(len(places))
    ]
    places = [
        (entity, at, place)
        for entity, order in orders.items()
        for at, place in enumerate(order)
    ]
    left_out = unprocessed or {}
    deliveries = [
        {
            "record_id": record,
            "subscriber": "board",
            "started_ms": 1_000.0 + place,
            "ended_ms": 1_000.5 + place,
        }
        for record, (entity, at, place) in enumerate(places)
        if at < len(orders[entity]) - left_out.get(entity, 0)
    ]
    return small_result(records=records, deliveries=deliveries)


def strands(ax: Axes) -> list[Line2D]:
    return [line for line in ax.lines if str(line.get_label()).startswith("record")]


def ends(ax: Axes) -> list[tuple[float, float]]:
    data = [np.asarray(line.get_ydata()) for line in strands(ax)]
    return [(float(each[0]), float(each[-1])) for each in data]


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def figure_of(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


MIXED = {"N1": [3, 0, 1, 4, 2], "N2": [0, 1]}
KEPT = {"N1": [0, 1, 2, 3, 4], "N2": [0, 1]}


def test_each_record_is_a_strand_from_its_place_to_its_place() -> None:
    ax = plot.braid(run_of(MIXED), entity="N1")
    assert ends(ax) == [(0, 3), (1, 0), (2, 1), (3, 4), (4, 2)]
    late = [line.get_label() for line in strands(ax) if line.get_color() == OVERTAKEN]
    assert late == ["record 0", "record 3"]


def test_counts_are_those_of_the_analysis() -> None:
    run = run_of(MIXED)
    row = analysis.ordering(run).set_index("entity").loc["N1"]
    ax = plot.braid(run, entity="N1")
    (crosses,) = [line for line in ax.lines if line.get_label() == "crossing"]
    assert len(np.asarray(crosses.get_xdata())) == row["overtaken_pairs"] == 4
    assert f"{row['records']} records, {row['overtaken']} overtaken, 4 pairs" in texts(
        ax
    )
    assert ax.get_title(loc="left") == "N1: 2 of 5 records overtaken"
    assert "5 records, 2 overtaken, 4 pairs" in plot.alt_text(ax)


def test_it_is_the_entity_most_overtaken_in_any_run_when_nobody_says() -> None:
    one = run_of({"N1": [1, 0, 2], "N2": [0, 1, 2, 3]})
    two = run_of({"N1": [0, 1, 2], "N2": [3, 1, 2, 0]})
    assert "N1" in plot.alt_text(plot.braid(one))
    assert "N2" in plot.alt_text(plot.braid({"one": one, "two": two}))
    kept = run_of({"N1": [0, 1], "N2": [0, 1, 2], "N0": [0, 1, 2]})
    assert "of N0" in plot.alt_text(plot.braid(kept))


def test_several_runs_are_panels_and_the_title_is_the_finding() -> None:
    runs = {"1 partition": run_of(KEPT), "2, no key": run_of(MIXED)}
    ax = plot.braid(runs | {"2, by key": run_of(KEPT)}, entity="N1")
    figure = figure_of(ax)
    titles = [each.get_title(loc="left") for each in figure.axes]
    assert titles == ["1 partition", "2, no key", "2, by key"]
    assert figure.get_suptitle() == (
        "N1: 4 overtaken pairs with 2, no key; none in the other 2 runs"
    )
    assert "5 records, none overtaken" in texts(figure.axes[2])
    two = figure_of(plot.braid(runs, entity="N1")).get_suptitle()
    assert (
        two.replace("\n", " ")
        == "N1: 4 overtaken pairs with 2, no key; none with 1 partition"
    )
    kept = figure_of(plot.braid({"a": run_of(KEPT), "b": run_of(KEPT)}, entity="N1"))
    assert kept.get_suptitle() == "N1: in order in all 2 runs"
    fewer = run_of({"N1": [1, 0, 2, 3, 4]})
    both = figure_of(plot.braid({"a": fewer, "b": run_of(MIXED)}, entity="N1"))
    assert both.get_suptitle() == "N1: 4 overtaken pairs with b, the most"


def test_the_caption_says_only_what_all_runs_have_in_common(
    five: Result, nothing_sent: Result
) -> None:
    ax = plot.braid({"a": five, "b": nothing_sent}, entity="N1")
    assert "in 2 runs: “a” and “b”" in plot.caption(ax)
    assert "seed 7" in plot.caption(ax)
    assert "5 records in" not in plot.caption(ax)
    assert texts(figure_of(ax).axes[1]) == ["no record processed", "no records"]


def test_another_subscriber_has_its_own_order(five: Result) -> None:
    assert "2 overtaken" in plot.alt_text(plot.braid(five))
    kept = plot.braid(five, subscriber="audit")
    assert kept.get_title(loc="left") == "N1: every record in its order"
    with pytest.raises(ValidationError, match="one of billing and audit"):
        plot.braid(five, subscriber="board")


def test_records_never_processed_are_counted_and_not_drawn() -> None:
    ax = plot.braid(run_of(MIXED, unprocessed={"N1": 2}), entity="N1")
    assert len(strands(ax)) == 3
    assert any("3 of 5 records processed" in text for text in texts(ax))


def test_of_a_long_entity_a_window_is_drawn_where_most_are_overtaken() -> None:
    order = list(range(300))
    order[210], order[211] = order[211], order[210]
    order[10], order[11], order[12] = order[12], order[10], order[11]
    ax = plot.braid(run_of({"N1": order}))
    assert len(strands(ax)) == MOST_STRANDS
    assert "300 records, 3 overtaken" not in plot.alt_text(ax)
    assert "300 records, 2 overtaken, 3 pairs" in plot.alt_text(ax)
    (legend,) = figure_of(ax).legends
    # Both windows hold one overtaken record; the first of them is taken.
    assert legend.get_title().get_text() == "records 1 to 80 of 300 are drawn"
    order[220], order[221] = order[221], order[220]
    ax = plot.braid(run_of({"N1": order}))
    assert "Drawn are records 142 to 221 of 300." in plot.caption(ax)
    assert ax.get_yticklabels()[0].get_text() == "142"


def test_a_window_asked_for_is_drawn() -> None:
    ax = plot.braid(run_of(MIXED), entity="N1", window=(1, 4))
    assert ends(ax) == [(0, 0), (1, 1), (2, 2)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2", "3", "4"]
    assert "Drawn are records 2 to 4 of 5." in plot.alt_text(ax)
    with pytest.raises(ValidationError, match="within 0 to 5"):
        plot.braid(run_of(MIXED), entity="N1", window=(5, 9))
    with pytest.raises(ValidationError, match=f"at most {MOST_STRANDS} records"):
        plot.braid(run_of({"N1": list(range(300))}), window=(0, 200))


def test_one_record_and_none_are_drawn(
    nothing_sent: Result, drawn: Callable[[Axes], Figure]
) -> None:
    one = plot.braid(run_of({"N1": [0]}))
    assert "1 record, none overtaken" in texts(one)
    drawn(one)
    empty = plot.braid(nothing_sent)
    assert empty.get_title(loc="left") == "No record of an entity was processed"
    drawn(empty)


def test_what_is_not_there_is_refused_by_name(five: Result) -> None:
    with pytest.raises(ValidationError, match="entity: 'N9'"):
        plot.braid(five, entity="N9")
    with pytest.raises(ValidationError, match="mapping of names"):
        plot.braid({})


def test_panels_take_the_place_of_axes_that_are_given(five: Result) -> None:
    figure = Figure()
    ax = plot.braid({"a": five, "b": five}, ax=figure.add_subplot())
    assert ax.figure is figure
    assert len(figure.axes) == 2
    assert not figure.get_suptitle()

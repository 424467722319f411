"""The log of a topic with everyone's place in it: its data, its words, its edges."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.path import Path
from numpy.typing import NDArray

from kafkasim import analysis, plot
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.plot.sizes import sized
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

BOTH = ["departures", "arrivals"]


def flights(
    subscribers: dict[str, Subscriber], *, rate_per_s: float = 1.0, partitions: int = 1
) -> Result:
    sources = {
        "gates": Source("departures", Periodic(rate_per_s), keys=UniformKeys(5)),
        "tower": Source("arrivals", Periodic(rate_per_s, phase_s=0.5)),
    }
    system = Kafka(
        topics={"departures": Topic(partitions=partitions)}, hardware=Hardware.ideal()
    )
    return run(Scenario(Traffic(sources, subscribers, duration_s=10.0), system))


@pytest.fixture(scope="module")
def three() -> Result:
    return flights(
        {
            "board": Subscriber(BOTH, work_ms=100),
            "billing": Subscriber(["departures"], work_ms=1_500),
            "archive": Subscriber(BOTH, work_ms=400, from_s=5, wants="all"),
        }
    )


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def corners(path: Path) -> NDArray[np.float64]:
    return np.asarray(path.vertices, dtype=np.float64)


def middles(collection: PolyCollection) -> list[float]:
    """Return the offset at which each box stands."""
    return [float(corners(p)[:4, 0].mean()) for p in collection.get_paths()]


def scattered(ax: Axes, marker: str) -> list[tuple[float, float]]:
    """Return the places of the triangles or squares, from top to bottom."""
    count = {"^": 4, "s": 5}[marker]
    return sorted(
        (
            (float(x), float(y))
            for each in ax.collections
            if isinstance(each, PathCollection)
            and len(corners(each.get_paths()[0])) == count
            for x, y in np.asarray(each.get_offsets())
        ),
        key=lambda place: place[1],
    )


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_visible()]


def test_each_record_is_a_box_and_the_next_offset_a_dashed_one(three: Result) -> None:
    ax = plot.log(three, at_s=8)
    records, following = (
        each for each in ax.collections if isinstance(each, PolyCollection)
    )
    assert middles(records) == list(range(8))
    assert middles(following) == [8]
    shown = texts(ax)
    assert [text for text in shown if text.isdigit()] == [*map(str, range(9))]
    keys = three.records.query("topic == 'departures'").sort_values("offset")["key"]
    assert [text for text in shown if "key-" in text] == keys.tolist()[:8]


def test_marks_stand_at_positions_and_committed_offsets(three: Result) -> None:
    ax = plot.log(three, topic="departures", at_s=8)
    table = analysis.positions(three, at_s=8, topic="departures")
    positions = [x for x, _ in scattered(ax, "^")]
    assert positions == table["position"].tolist() == [8, 6, 3]
    assert [x for x, _ in scattered(ax, "s")] == table["committed"].dropna().tolist()
    lanes = [text.get_text() for text in ax.get_yticklabels()]
    assert lanes == ["departures-0", "board", "billing", "archive"]
    told = ["log end 8", "position 8, at the end", "position 6, 2 to read"]
    assert texts(ax)[:4] == [*told, "position 3, 5 to read"]


def test_title_and_words_say_who_is_behind(three: Result) -> None:
    ax = plot.log(three, topic=BOTH, at_s=8)
    assert title(ax) == "At 8 s archive still has 8 of 16 records to read"
    assert plot.alt_text(ax) == (
        "At 8 s archive still has 8 of 16 records to read. departures-0 holds 8 "
        "records, offsets 0 to 7; board: position 8, at the end, committed 5; billing: "
        "position 6, 2 to read, committed 4; archive: position 3, 5 to read. "
        "arrivals-0 holds 8 records, offsets 0 to 7; board: position 8, at the end, "
        "committed 5; archive: position 5, 3 to read."
    )
    assert plot.caption(ax).startswith("Log of departures and arrivals at 8 s. Kafka")
    assert ax.get_xlabel() == "offset in the partition (old → new)"


def test_who_is_not_there_yet_has_no_mark_and_is_named(three: Result) -> None:
    ax = plot.log(three, at_s=3)
    assert len(scattered(ax, "^")) == 2
    assert "not there yet" in texts(ax)
    assert title(ax) == (
        "At 3 s billing still has 1 of 3 records to read, board none; "
        "archive is not there yet"
    )


def test_at_the_end_everyone_has_read_and_nothing_is_deleted(three: Result) -> None:
    ax = plot.log(three)
    assert title(ax).endswith("board, billing and archive have read to the end")
    assert "departures-0 holds 10 records, offsets 0 to 9" in plot.alt_text(ax)


def test_two_moments_of_a_short_log_have_one_scale(three: Result) -> None:
    early, late = plot.log(three, at_s=2), plot.log(three, at_s=9)
    assert early.get_xlim() == late.get_xlim()


def test_an_empty_log_is_drawn_and_said(three: Result) -> None:
    ax = plot.log(three, at_s=0)
    assert title(ax) == "At 0 s the log is empty"
    assert "departures-0 is empty; board: position 0, at the end" in plot.alt_text(ax)


def test_one_record_that_nobody_reads() -> None:
    ax = plot.log(flights({}), at_s=0.6)
    assert title(ax) == "At 600 ms nobody reads the 1 record"
    assert plot.alt_text(ax).endswith(
        "departures-0 holds 1 record, offset 0; nobody reads it."
    )


def test_a_latecomer_that_has_begun_nothing_is_no_latecomer_that_is_not_there() -> None:
    new = flights({"late": Subscriber(["departures"], from_s=5.5)})
    assert title(plot.log(new, at_s=5.8)) == "At 5.8 s late has begun nothing yet"
    slow = Subscriber(["arrivals", "departures"], 3_000, from_s=5.5, wants="all")
    late = flights({"late": slow})
    # It has begun with one topic and has all of the other before it.
    ax = plot.log(late, topic=BOTH, at_s=5.8)
    assert title(ax) == "At 5.8 s late still has 11 of 12 records to read"


def test_many_records_are_a_bar_with_its_offsets_on_the_axis() -> None:
    result = flights({"board": Subscriber(["departures"])}, rate_per_s=50.0)
    ax = plot.log(result)
    records, following = (
        each for each in ax.collections if isinstance(each, PolyCollection)
    )
    assert [len(each.get_paths()) for each in (records, following)] == [1, 0]
    assert corners(records.get_paths()[0])[:, 0].max() == 499.5
    assert not [text for text in texts(ax) if text.isdigit()]
    assert "log end 500" in texts(ax)
    assert max(ax.get_xticks()) >= 400


@pytest.fixture(scope="module")
def wide() -> Result:
    traffic = Traffic(
        {"web": Source("orders", Poisson(4_000.0), keys=UniformKeys(3_000))},
        {
            "billing": Subscriber(["orders"], work_ms=1.0),
            "later": Subscriber(["orders"], from_s=9.0),
        },
        duration_s=1.0,
    )
    system = Kafka(
        topics={"orders": Topic(partitions=1_000)}, groups={"billing": Group(members=2)}
    )
    return run(Scenario(traffic, system, seed=2))


def test_a_thousand_partitions_are_an_area_and_lines(wide: Result) -> None:
    ax = plot.log(wide, at_s=0.5)
    table = analysis.positions(wide, at_s=0.5)
    mine = table[table["subscriber"] == "billing"]
    mine = mine.sort_values("log_end", ascending=False, kind="stable")
    stairs = {str(each.get_label()): each for each in ax.patches}
    ends, positions = stairs["log end"], stairs["position of billing"]
    assert ends.get_data().values.tolist() == mine["log_end"].tolist()  # type: ignore[attr-defined]
    assert positions.get_data().values.tolist() == mine["position"].tolist()  # type: ignore[attr-defined]
    left = int((mine["log_end"] - mine["position"]).sum())
    held = int(mine["log_end"].sum())
    assert title(ax) == (
        f"At 500 ms billing still has {left:,} of {held:,} records to read; "
        "later is not there yet"
    )
    assert f"billing has {left:,} to read" in plot.alt_text(ax)
    assert ax.get_ylabel() == "partition of orders, longest log first"


def test_up_to_sixty_partitions_stand_by_number() -> None:
    board = Subscriber(["departures"])
    result = flights({"board": board}, rate_per_s=20.0, partitions=30)
    table = analysis.positions(result, topic="departures")
    (ends,) = (p for p in plot.log(result).patches if p.get_label() == "log end")
    assert ends.get_data().values.tolist() == table["log_end"].tolist()  # type: ignore[attr-defined]
    assert len(set(table["log_end"])) > 1


def test_one_partition_of_many_is_drawn_with_its_boxes(wide: Result) -> None:
    ax = plot.log(wide, partition=17)
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names == ["orders-17", "billing", "later"]


def test_of_very_many_subscribers_those_with_most_to_read_have_a_lane() -> None:
    readers = {
        f"reader-{n:02}": Subscriber(["departures"], work_ms=60.0 * n)
        for n in range(60)
    }
    result = flights(readers)
    ax = plot.log(result, at_s=9.5)
    table = analysis.positions(result, at_s=9.5, topic="departures")
    left = (table["log_end"] - table["position"]).to_numpy()
    names = [text.get_text() for text in ax.get_yticklabels()][1:]
    drawn = table["subscriber"].isin(names).to_numpy()
    assert drawn.sum() == 25
    assert left[drawn].min() >= left[~drawn].max()
    assert ax.get_xlabel().endswith("; 35 more, not further behind, left out")
    assert plot.alt_text(ax).endswith(
        "Subscribers: 35 more, not further behind, left out."
    )
    with sized("slide"):
        assert len(plot.log(result, at_s=9.5).get_yticklabels()) == 14


def test_it_draws_into_axes_that_are_given(three: Result) -> None:
    given = plot.log(three)
    figure = given.figure
    other = figure.add_subplot(2, 1, 2)
    assert plot.log(three, topic="arrivals", ax=other) is other
    assert title(other).endswith("have read to the end")


def test_a_title_that_is_too_long_for_print_has_two_lines(three: Result) -> None:
    with sized("print"):
        assert "\n" in plot.log(three, at_s=3).get_title(loc="left")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"topic": "orders"}, "one of departures, arrivals"),
        ({"topic": [*BOTH, "orders"]}, "one of departures, arrivals"),
        ({"partition": 3}, "0 to 0"),
        ({"at_s": -0.5}, "at least 0"),
    ],
)
def test_what_there_is_not_is_refused(
    three: Result, asked: dict[str, object], text: str
) -> None:
    with pytest.raises(ValidationError, match=text):
        plot.log(three, **asked)  # type: ignore[arg-type]


def test_a_system_without_a_log_says_so(direct: Result) -> None:
    with pytest.raises(TableNotRecorded):
        plot.log(direct)


@pytest.mark.parametrize("rate_per_s", [1.0, 4.0])
def test_what_retention_took_has_no_box_from_that_moment_on(rate_per_s: float) -> None:
    short = TopicConfig(segment_ms=2_000, retention_ms=4_000)
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000, log_initial_task_delay_ms=0
    )
    gates = Source("departures", Periodic(rate_per_s))
    board = Subscriber(["departures"], work_ms=1)
    late = Subscriber(["departures"], work_ms=10_000, from_s=15.25, wants="all")
    readers = {"board": board, "late": late}
    result = run(
        Scenario(
            Traffic({"gates": gates}, readers, duration_s=20.0),
            Kafka(topics={"departures": Topic(config=short)}, broker_config=looks),
        )
    )
    starts = []
    for at_s in (3.5, 15.5):
        there = analysis.offsets(result).query(f"at_ms <= {1_000 * at_s}").iloc[-1]
        start, end = int(there["log_start"]), int(there["log_end"])
        ax = plot.log(result, at_s=at_s)
        records = next(c for c in ax.collections if isinstance(c, PolyCollection))
        covered = [corners(path)[:, 0] for path in records.get_paths()]
        assert min(x.min() for x in covered) == start - 0.5
        assert max(x.max() for x in covered) == end - 0.5
        assert f"offsets {start} to {end - 1};" in plot.alt_text(ax)
        assert f"holds {end - start} records" in plot.alt_text(ax)
        starts.append(start)
        if at_s > 15:
            left = f"late still has {end - start - 1} of {end - start} records to read"
            assert title(ax) == f"At 15.5 s {left}, board none"
            said = f"position {start + 1}, {end - start - 1} to read"
            assert said in plot.alt_text(ax)
    assert 0 == starts[0] < starts[1]


def test_a_log_from_which_all_is_gone_is_empty() -> None:
    short = TopicConfig(segment_ms=2_000, retention_ms=4_000)
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000, log_initial_task_delay_ms=0
    )
    traffic = Traffic(
        {"gates": Source("departures", Periodic(1.0))},
        {"late": Subscriber(["departures"], from_s=20, wants="all")},
        duration_s=10.0,
    )
    topics = {"departures": Topic(config=short)}
    kafka = Kafka(topics=topics, broker_config=looks)
    ax = plot.log(run(Scenario(traffic, kafka)))
    said = "the log is empty: what was written, 10 records, is gone"
    assert title(ax).endswith(said)
    assert "departures-0 is empty, all before offset 10 is gone" in plot.alt_text(ax)

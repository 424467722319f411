"""Segments over time: what is deleted, whom it overtakes, and what is seen of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection

from kafkasim import analysis, plot
from kafkasim.analysis.measures import summary
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.plot.lives import Lives
from kafkasim.plot.segment_lives import _begun
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result
from tests.plot.test_layout import assert_readable

SUBSCRIBERS = {
    "early": Subscriber(["orders"], work_ms=1.0),
    "slow": Subscriber(["orders"], work_ms=60.0, wants="all"),
    "reset": Subscriber(["orders"], work_ms=60.0),
}


@pytest.fixture(scope="module")
def kept_short() -> Result:
    config = TopicConfig(segment_ms=2_000, retention_ms=4_000)
    kafka = Kafka(
        topics={"orders": Topic(config=config)},
        broker_config=BrokerConfig(log_retention_check_interval_ms=1_000),
    )
    traffic = Traffic(
        {"web": Source("orders", Poisson(40.0))}, SUBSCRIBERS, duration_s=50
    )
    return run(Scenario(traffic, kafka, seed=3))


def table(deleted: int = 3) -> pd.DataFrame:
    bases = np.arange(6) * 100
    gone = np.where(np.arange(6) < deleted, 6_000.0 + 1_000 * np.arange(6), np.nan)
    return pd.DataFrame(
        {
            "topic": "orders",
            "partition": 0,
            "base_offset": bases,
            "end_offset": bases + 100,
            "created_ms": np.arange(6) * 1_000.0,
            "rolled_ms": [1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0, np.nan],
            "deleted_ms": gone,
        }
    )


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def labels(ax: Axes) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def labelled(ax: Axes, label: str, kind: type[Any]) -> Any:  # noqa: ANN401
    (found,) = (each for each in ax.collections if each.get_label() == label)
    assert isinstance(found, kind)
    return found


def test_whole_segments_vanish_and_the_log_start_jumps() -> None:
    ax = plot.retention(table())
    assert title(ax) == (
        "3 of 6 segments are deleted, each whole; the log then begins at offset 300"
    )
    cuts = labelled(ax, "deleted", LineCollection).get_segments()
    assert [cut.tolist() for cut in cuts] == [
        [[6.0, 0], [6.0, 100]],
        [[7.0, 100], [7.0, 200]],
        [[8.0, 200], [8.0, 300]],
    ]
    closed = labelled(ax, "closed", PolyCollection).get_paths()
    assert len(closed) == 5
    first = np.asarray(closed[0].vertices)[:4]
    assert (first.min(axis=0).tolist(), first.max(axis=0).tolist()) == (
        [1.0, 0.0],
        [6.0, 100.0],
    )
    starts = labelled(ax, "log start", LineCollection).get_segments()
    assert [float(line[0, 1]) for line in starts] == [0, 100, 200, 300]
    assert plot.alt_text(ax).endswith(
        "The log's start jumps to 100 at 6 s, 200 at 7 s and 300 at 8 s."
    )


@pytest.mark.parametrize(
    ("deleted", "said"),
    [
        (0, "Nothing is deleted: all 6 segments stay"),
        (1, "1 of 6 segments is deleted, and whole; the log then begins at offset 100"),
        (
            6,
            (
                "6 of 6 segments are deleted, each whole; "
                "the log then begins at offset 600"
            ),
        ),
    ],
)
def test_titles_say_how_many(deleted: int, said: str) -> None:
    assert title(plot.retention(table(deleted))) == said


def test_one_segment_that_stays() -> None:
    said = title(plot.retention(table(0).iloc[:1]))
    assert said == "Nothing is deleted: the one segment stays"


def test_the_counts_of_those_overtaken_are_those_of_the_summary(
    kept_short: Result,
) -> None:
    told = summary(kept_short)
    for name, expired, skipped in zip(
        told["subscriber"], told["expired"], told["skipped"], strict=True
    ):
        said = title(plot.retention(kept_short, subscriber=name))
        if not expired:
            assert name == "early"
            assert said.startswith("25 of 26 segments are deleted, each whole")
            continue
        passed = f", {skipped:,} more are passed by the reset" if skipped else ""
        assert said == (
            f"Deletion overtakes {name}: {expired:,} records are gone unread{passed}"
        )
    assert told["expired"].gt(0).sum() == 2
    assert told["skipped"].gt(0).sum() == 1


def test_log_end_and_position_are_those_of_the_analysis(kept_short: Result) -> None:
    ax = plot.retention(kept_short, subscriber="slow")
    table = analysis.offsets(kept_short, subscriber="slow")
    lines = {str(line.get_label()): line for line in ax.lines}
    ends = np.asarray(lines["log end"].get_ydata())
    assert ends.tolist() == table["log_end"].tolist()
    position = np.asarray(lines["position of slow"].get_ydata(), dtype=np.float64)
    assert np.nanmax(position) == table["position"].max()
    assert {"gone unread", "gone, fetched before"} <= set(labels(ax))
    assert "slow goes from " in plot.alt_text(ax)
    assert plot.caption(ax).startswith("Segments of orders-0. Kafka, 1 broker; ")


def test_a_reader_in_time_has_nothing_gone(kept_short: Result) -> None:
    ax = plot.retention(kept_short, subscriber="early")
    assert not [label for label in labels(ax) if label.startswith("gone")]
    assert "position of early" in labels(ax)
    assert "log end" in labels(plot.retention(kept_short))


def test_a_segment_grows_under_the_log_end(kept_short: Result) -> None:
    ax = plot.retention(kept_short)
    segments = kept_short.segments
    grown = labelled(ax, "being written", PolyCollection).get_paths()
    assert len(grown) == len(segments)
    for path, base, end in zip(
        grown, segments["base_offset"], segments["end_offset"], strict=True
    ):
        heights = np.asarray(path.vertices)[:, 1]
        assert heights.min() == base
        assert heights.max() <= end


def test_a_segment_has_its_first_batch_from_its_beginning_on(
    kept_short: Result,
) -> None:
    ax = plot.retention(kept_short)
    grown = labelled(ax, "being written", PolyCollection).get_paths()
    ends = analysis.offsets(kept_short)
    for path, at_ms in zip(
        grown[1:], kept_short.segments["created_ms"].iloc[1:], strict=True
    ):
        corners = np.asarray(path.vertices)
        height = corners[corners[:, 0] == corners[0, 0], 1].max()
        assert height == ends.loc[ends["at_ms"] <= at_ms, "log_end"].iloc[-1]


def test_the_log_start_jumps_at_the_moment_of_the_deletion() -> None:
    lives = Lives(table(), None)
    moments = np.array([0.0, 5_999.0, 6_000.0, 7_500.0, 9_000.0])
    assert lives.start_at(moments).tolist() == [0, 0, 100, 200, 300]


def test_what_a_reader_reached_is_not_gone_unread_whenever_it_is_deleted() -> None:
    read = pd.DataFrame(
        {
            "at_ms": [0.0, 1_000.0, 8_500.0],
            "log_end": [0.0, 100.0, 600.0],
            "position": [0.0, 100.0, 202.0],
        }
    )
    begun = np.array([*range(100), 200.0, 201.0])
    # At 8.5 s the log starts at 300; 200 and 201 were fetched before.
    assert Lives(table(), read, begun).jumps().tolist() == [[8_500, 100, 200, 200]]


def test_what_was_held_when_the_run_was_cut_counts_as_reached(five: Result) -> None:
    result = small_result(
        records=[{"intended_ms": at, "offset": at, "partition": 0} for at in range(3)],
        deliveries=[
            {"record_id": 0, "subscriber": "billing", "ended_ms": 2},
            {
                "record_id": 1,
                "subscriber": "billing",
                "outcome": "in_flight",
                "started_ms": None,
                "ended_ms": None,
            },
        ],
        scenario=five.scenario,
    )
    assert _begun(result, "orders", 0, "billing").tolist() == [0, 1]


def test_no_segments_at_all_and_what_there_is_not() -> None:
    assert title(plot.retention(table().iloc[:0])) == "There is no segment"
    with pytest.raises(ValidationError, match="one of orders"):
        plot.retention(table(), topic="other")
    with pytest.raises(ValidationError, match="0 to 0"):
        plot.retention(table(), partition=4)
    with pytest.raises(ValidationError, match="knows no subscriber"):
        plot.retention(table(), subscriber="slow")
    with pytest.raises(ValidationError, match="with deleted_ms"):
        plot.retention(table().drop(columns="deleted_ms"))


def test_a_system_without_a_log_says_so(direct: Result) -> None:
    with pytest.raises(TableNotRecorded):
        plot.retention(direct)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [None, "slow"])
def test_it_is_readable_at_every_size(
    kept_short: Result, size: SizeName, name: str | None
) -> None:
    with plot.sized(size):
        assert_readable(plot.retention(kept_short, subscriber=name))


def test_it_draws_into_axes_that_are_given() -> None:
    other = plot.retention(table()).figure.add_subplot(2, 1, 2)
    assert plot.retention(table(), ax=other) is other


@pytest.fixture(scope="module", params=["compact", "compact,delete"])
def compacted(request: pytest.FixtureRequest) -> Result:
    config = TopicConfig(
        segment_ms=2_000,
        retention_ms=4_000,
        cleanup_policy=request.param,
        min_cleanable_dirty_ratio=0.9,
    )
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000,
        log_initial_task_delay_ms=0,
        log_cleaner_backoff_ms=1_000,
    )
    topics = {"orders": Topic(config=config)}
    source = Source("orders", Poisson(40.0), keys=UniformKeys(9))
    traffic = Traffic({"web": source}, {}, duration_s=50)
    return run(Scenario(traffic, Kafka(topics=topics, broker_config=looks), seed=3))


def test_what_compaction_wrote_anew_is_not_deleted(compacted: Result) -> None:
    segments = compacted.segments
    rewritten = segments[segments["cause"] == "compaction"]
    expired = segments[segments["cause"] == "time"]
    often = rewritten["deleted_ms"].nunique()
    assert often > 3
    ax = plot.retention(compacted)
    start = segments["base_offset"][segments["deleted_ms"].isna()].min()
    if not len(expired):
        assert start == 0
        assert title(ax) == (
            f"Compaction rewrites closed segments {often} times; "
            "the log still begins at offset 0"
        )
        assert "deleted" not in labels(ax)
        assert "The log's start jumps" not in plot.alt_text(ax)
    else:
        assert title(ax) == (
            f"{len(expired)} segments are deleted, each whole, and compaction "
            f"rewrites others {often} times; the log then begins at offset {start}"
        )
        cuts = labelled(ax, "deleted", LineCollection).get_segments()
        assert len(cuts) == len(expired)
    made = labelled(ax, "written by compaction", PolyCollection).get_paths()
    assert len(made) == (segments["created_ms"] == segments["rolled_ms"]).sum()
    assert "Compaction writes closed segments anew at " in plot.alt_text(ax)
    assert plot.caption(ax).startswith("Segments of orders-0. Kafka, 1 broker; ")
    with pytest.raises(ValidationError, match="nobody reads in this one"):
        plot.retention(compacted, subscriber="slow")
    assert_readable(ax)


@pytest.mark.parametrize(("work_ms", "overtaken"), [(1_500.0, True), (900.0, False)])
def test_what_compaction_took_is_not_gone_by_deletion(
    work_ms: float, *, overtaken: bool
) -> None:
    config = TopicConfig(
        segment_ms=2_000,
        retention_ms=9_000,
        cleanup_policy="compact,delete",
        min_cleanable_dirty_ratio=0.6,
    )
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000,
        log_initial_task_delay_ms=0,
        log_cleaner_backoff_ms=1_000,
    )
    kafka = Kafka(topics={"orders": Topic(config=config)}, broker_config=looks)
    source = Source("orders", Periodic(1.0), keys=UniformKeys(4))
    slow = Subscriber(["orders"], work_ms=work_ms, wants="all")
    traffic = Traffic({"web": source}, {"slow": slow}, duration_s=60)
    result = run(Scenario(traffic, kafka))
    expired = result.removals.query("cause != 'compaction'")
    lost = {
        offset
        for first, end in zip(expired["from_offset"], expired["to_offset"], strict=True)
        for offset in range(first, end)
    } - set(result.deliveries["offset"])
    assert bool(lost) == overtaken
    said = title(plot.retention(result, subscriber="slow"))
    if overtaken:
        assert said == f"Deletion overtakes slow: {len(lost)} records are gone unread"
    else:
        assert " segments are deleted, each whole, and compaction rewrites " in said

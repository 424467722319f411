"""Everyone's offsets at one moment: what `offsets` says over time, looked up."""

import pandas as pd
import pytest

from kafkasim.analysis.positions import positions, standing
from kafkasim.analysis.progress import offsets
from kafkasim.analysis.world import world_of
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


def by_hand(**fields: object) -> Result:
    # Record 1 is begun, lost in a crash, and the group begins again with record 0.
    return small_result(
        records=[
            {"intended_ms": n, "appended_ms": n, "partition": 0, "offset": n}
            for n in range(4)
        ],
        deliveries=[
            {"record_id": 0, "started_ms": 2, "ended_ms": 3},
            {"record_id": 1, "started_ms": 3, "outcome": "abandoned"},
            {"record_id": 0, "started_ms": 7, "ended_ms": 8, "delivery_count": 2},
            {"record_id": 1, "outcome": "in_flight"},
        ],
        appends=[
            {"base_offset": 0, "record_count": 2, "appended_ms": 1},
            {"base_offset": 2, "record_count": 2, "appended_ms": 5},
        ],
        commits=[{"offset": 1, "at_ms": 4}],
        **fields,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("at_ms", "log_end", "first", "position", "committed"),
    [
        (0.5, 0, None, 0, 0),
        (1.0, 2, None, 0, 0),
        (2.0, 2, 0, 1, 0),
        (3.5, 2, 0, 2, 0),
        (4.0, 2, 0, 2, 1),
        (6.9, 4, 0, 2, 1),
        (7.0, 4, 0, 1, 1),
    ],
)
def test_at_each_moment_the_last_word_of_each_stands(
    at_ms: float, log_end: int, first: int | None, position: int, committed: int
) -> None:
    (row,) = positions(by_hand(), at_s=at_ms / 1_000).to_dict("records")
    assert row["log_end"] == log_end
    assert row["first_offset"] == first
    assert (row["position"], row["committed"]) == (position, committed)


def test_without_a_moment_it_is_the_end_of_the_run() -> None:
    at_end, at_8_ms = positions(by_hand()), positions(by_hand(), at_s=0.008)
    assert at_end.equals(at_8_ms)
    assert at_end.attrs["title"] == "Positions at 0.008 s"
    assert "1 record in" not in at_end.attrs["scenario"]
    assert "4 records" in at_end.attrs["scenario"]


def test_a_latecomer_is_not_there_and_has_no_position_until_it_begins() -> None:
    source = Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))
    late = Subscriber(streams=["orders"], from_s=0.0015, wants="all")
    traffic = Traffic({"web": source}, {"billing": late}, duration_s=1.0)
    result = by_hand(scenario=Scenario(traffic))
    rows = [
        positions(result, at_s=at_ms / 1_000).iloc[0] for at_ms in (1, 1.5, 2, 3.9, 4)
    ]
    assert [bool(row["there"]) for row in rows] == [False, True, True, True, True]
    assert [str(row["position"]) for row in rows] == ["<NA>", "<NA>", "1", "2", "2"]
    assert [str(row["committed"]) for row in rows] == ["<NA>"] * 4 + ["1"]


@pytest.fixture(scope="module")
def crashed() -> Result:
    sources = {
        "gates": Source("departures", Poisson(400.0), keys=UniformKeys(30)),
        "tower": Source("arrivals", Poisson(300.0), keys=UniformKeys(30)),
    }
    subscribers = {
        "archive": Subscriber(
            ["departures", "arrivals"], from_s=0.7, wants="all", work_ms=1.0
        ),
        "billing": Subscriber(["departures"], work_ms=Exponential(4.0)),
        "board": Subscriber(["arrivals", "departures"], work_ms=0.3),
    }
    system = Kafka(
        topics={"departures": Topic(partitions=3), "arrivals": Topic(partitions=2)},
        groups={
            "billing": Group(
                members=2, config=ConsumerConfig(auto_commit_interval_ms=300)
            )
        },
    )
    scenario = Scenario(
        Traffic(sources, subscribers, duration_s=2.0),
        system,
        events=[Crash("subscriber:billing", at_s=1.0, for_s=0.2)],
        seed=5,
    )
    return run(scenario)


@pytest.mark.parametrize("at_s", [0.0, 0.31, 0.7, 0.9999, 1.3, 9.0])
def test_every_row_is_what_offsets_says_of_that_partition_then(
    crashed: Result, at_s: float
) -> None:
    table = positions(crashed, at_s=at_s)
    assert len(table) == (5 + 3 + 5)
    for row in table.to_dict("records"):
        over_time = offsets(
            crashed,
            subscriber=row["subscriber"],
            topic=row["topic"],
            partition=row["partition"],
        )
        known = over_time[over_time["at_ms"] <= at_s * 1_000]
        for column in ("log_end", "position", "committed"):
            then = known[column].iloc[-1]
            assert row[column] == (None if pd.isna(then) else then), (row, column)


def test_one_topic_has_the_rows_of_those_who_read_it(crashed: Result) -> None:
    table = positions(crashed, topic="arrivals")
    assert table["subscriber"].unique().tolist() == ["archive", "board"]
    assert table["partition"].tolist() == [0, 1, 0, 1]
    assert set(table["topic"]) == {"arrivals"}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"topic": "orders"}, "one of departures, arrivals"),
        ({"at_s": -1.0}, "at least 0"),
        ({"at_s": float("nan")}, "at least 0"),
        ({"at_s": float("inf")}, "less than 146 years"),
        ({"at_s": 1e300}, "less than 146 years"),
    ],
)
def test_what_there_is_not_is_refused(
    crashed: Result, asked: dict[str, object], text: str
) -> None:
    with pytest.raises(ValidationError, match=text):
        positions(crashed, **asked)  # type: ignore[arg-type]


def test_without_subscribers_there_are_no_rows() -> None:
    traffic = Traffic({"web": Source("orders", Periodic(10.0))}, {}, duration_s=1.0)
    table = positions(run(Scenario(traffic)))
    assert len(table) == 0
    assert "position" in table


def test_a_system_without_a_log_says_so() -> None:
    traffic = Traffic(
        {"web": Source("orders", Periodic(10.0))},
        {"billing": Subscriber(["orders"])},
        duration_s=1.0,
    )
    with pytest.raises(TableNotRecorded):
        positions(run(Scenario(traffic, PointToPoint())))


@pytest.fixture(scope="module", params=["delete", "compact"])
def thinned(request: pytest.FixtureRequest) -> Result:
    sources = {
        "gates": Source("departures", Periodic(20.0), keys=UniformKeys(6)),
        "tower": Source("arrivals", Periodic(9.0), keys=UniformKeys(6)),
    }
    both = ["departures", "arrivals"]
    subscribers = {
        "board": Subscriber(both, work_ms=1.0),
        "slow": Subscriber(both, work_ms=200.0, wants="all"),
        "late": Subscriber(["departures"], work_ms=90.0, from_s=9.0, wants="all"),
    }
    config = TopicConfig(
        segment_ms=1_000, retention_ms=4_000, cleanup_policy=request.param
    )
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000,
        log_initial_task_delay_ms=0,
        log_cleaner_backoff_ms=1_000,
    )
    topics = {name: Topic(partitions=2, config=config) for name in both}
    kafka = Kafka(topics=topics, broker_config=looks)
    return run(Scenario(Traffic(sources, subscribers, duration_s=12.0), kafka, seed=2))


@pytest.mark.parametrize("at_s", [0.0, 1.05, 8.0, 9.0, 11.3, 60.0])
def test_what_is_gone_is_neither_in_the_log_nor_to_be_read(
    thinned: Result, at_s: float
) -> None:
    topics = ("departures", "arrivals")
    now = standing(thinned, world_of(thinned), topics, int(at_s * 1e9))
    removals = thinned.removals.query(f"at_ms <= {at_s * 1_000}")
    assert bool(len(removals)) == (at_s > 5)
    for column, (topic, partition) in enumerate(now.partitions):
        mine = removals[
            (removals["topic"] == topic) & (removals["partition"] == partition)
        ]
        there = set(range(int(now.log_end[column])))
        for first, end in zip(mine["from_offset"], mine["to_offset"], strict=True):
            there -= set(range(first, end))
        assert now.kept[column] == len(there)
        for row, want in enumerate(now.wants):
            if not now.reads[row, column]:
                assert now.unread[row, column] == 0
                continue
            position = int(now.position[row, column])
            if position == -1:
                position = 0 if want.history == "all" else int(now.log_end[column])
            left = sum(offset >= position for offset in there)
            assert now.unread[row, column] == left, (want.subscriber, topic, partition)

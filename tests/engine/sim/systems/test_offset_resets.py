"""An administrator sets what a group has committed, in a run."""

from typing import Literal

import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event
from kafkasim.scenario.member_events import ResetOffsets
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

Protocol = Literal["classic", "consumer"]
BILLING = "subscriber:billing"
DOWN = Crash(BILLING, at_s=10.0, for_s=60.0)


def reset(
    event: ResetOffsets, *, down: bool = True, protocol: Protocol = "classic"
) -> Result:
    """Return a run in which a group is away from 10 s to 70 s, and reset."""
    traffic = Traffic(
        sources={"web": Source("orders", Periodic(10))},
        subscribers={"billing": Subscriber(["orders"])},
        duration_s=90,
    )
    config = ConsumerConfig(group_protocol=protocol)
    system = Kafka(
        topics={"orders": Topic(partitions=2)},
        groups={"billing": Group(members=2, config=config)},
    )
    events: list[Event] = [event, *([DOWN] if down else [])]
    result = run(Scenario(traffic, system, events=events), check=True)
    assert len(result.violations) == 0, result.violations.to_string()
    return result


def told(result: Result) -> str:
    """Return what came of it."""
    events = result.events
    [effect] = events[events["event"] == "ResetOffsets"]["effect"]
    return str(effect)


def ends(result: Result, at_ms: float) -> list[int]:
    """Return how many records each partition had at a time."""
    records = result.records
    there = records[records["committed_ms"] <= at_ms]
    return [int((there["partition"] == number).sum()) for number in (0, 1)]


def begun(result: Result) -> list[int]:
    """Return where members began in the two partitions when they came back."""
    rows = result.assignments
    rows = rows[rows["since_ms"] > 70_000].sort_values(["partition", "since_ms"])
    return list(rows.groupby("partition")["start_offset"].first())


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_members_that_come_back_begin_where_it_was_reset_to(protocol: Protocol) -> None:
    result = reset(ResetOffsets(BILLING, at_s=60), protocol=protocol)
    assert told(result) == "orders-0 to 0; orders-1 to 0"
    assert begun(result) == [0, 0]
    deliveries = result.deliveries
    done = deliveries[deliveries["outcome"] == "processed"]
    assert done["record_id"].nunique() == len(result.records)
    early = result.records[result.records["committed_ms"] < 9_900]
    twice = done[done["delivery_count"] == 2]
    assert set(early["record_id"]) <= set(twice["record_id"])


def test_what_is_skipped_is_never_processed() -> None:
    result = reset(ResetOffsets(BILLING, at_s=60, to="latest"))
    assert begun(result) == ends(result, 60_000)
    done = set(result.deliveries["record_id"])
    records = result.records
    missed = records[~records["record_id"].isin(done)]
    assert missed["committed_ms"].between(9_900, 60_000).all()
    assert len(missed) == pytest.approx(500, abs=2)


def test_by_duration_is_the_first_record_so_young() -> None:
    result = reset(ResetOffsets(BILLING, at_s=60, to="by_duration:PT30S"))
    records = result.records
    old = records[records["created_ms"] < 30_000]
    assert begun(result) == [int((old["partition"] == n).sum()) for n in (0, 1)]


def test_an_offset_that_is_not_there_becomes_the_nearest() -> None:
    result = reset(ResetOffsets(BILLING, at_s=60, to=1_000_000))
    assert begun(result) == ends(result, 60_000)


def test_one_partition_alone() -> None:
    result = reset(ResetOffsets(BILLING, at_s=60, to=7, partition=1))
    assert told(result) == "orders-1 to 7"
    assert begun(result)[1] == 7


@pytest.mark.parametrize(("down", "at_s"), [(False, 62.0), (True, 31.0)])
def test_it_is_refused_while_the_group_has_members(*, down: bool, at_s: float) -> None:
    result = reset(ResetOffsets(BILLING, at_s=at_s), down=down)
    assert told(result) == "refused: UNKNOWN_MEMBER_ID"
    topic = result.offsets_topic
    here = topic["at_ms"].between(at_s * 1_000, at_s * 1_000 + 1)
    assert not (here & (topic["kind"] == "OffsetCommit")).any()

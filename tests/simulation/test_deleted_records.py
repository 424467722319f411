"""An administrator deletes records: DeleteRecords, as short stories (LG-23)."""

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from tests.simulation.stories import evenly, records_at, story


def shop(
    *events: ks.DeleteRecords | ks.Crash,
    reset: str = "earliest",
    partitions: int = 1,
    work_ms: float = 0.0,
    linger_ms: int = 0,
    fetch_min_bytes: int = 1,
    fetch_max_wait_ms: int = 500,
    **topic: object,
) -> ks.Result:
    """Run 20 records a second for 10 s through one broker, and one reader."""
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Periodic(20, 0.01), keys=ks.UniformKeys(30))},
        {"billing": ks.Subscriber(["orders"], work_ms=work_ms)},
        duration_s=10.0,
    )
    config = ks.TopicConfig.from_dict(topic)
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=partitions, config=config)},
        producers={"shop": ks.Producer(ks.ProducerConfig(linger_ms=linger_ms))},
        groups={
            "billing": ks.Group(
                config=ks.ConsumerConfig.from_dict(
                    {
                        "auto_offset_reset": reset,
                        "max_poll_records": 1,
                        "fetch_min_bytes": fetch_min_bytes,
                        "fetch_max_wait_ms": fetch_max_wait_ms,
                    }
                )
            )
        },
        broker_config=ks.BrokerConfig(
            log_initial_task_delay_ms=9_000, log_retention_check_interval_ms=9_000
        ),
    )
    result = ks.run(ks.Scenario(traffic, cluster, events=events), check=True)
    assert result.violations.empty
    return result


def outcomes(result: ks.Result) -> list[str]:
    return ks.receipts(result).sort_values("record_id").outcome.tolist()


def test_a_reader_that_has_read_them_does_not_notice() -> None:
    result = shop(ks.DeleteRecords("stream:orders", at_s=5.0))

    assert outcomes(result) == ["once"] * 200
    (gone,) = result.removals.itertuples()
    assert (gone.from_offset, gone.to_offset, gone.cause) == (0, 100, "start_offset")
    assert result.events.effect.tolist() == ["partition 0 begins at 100"]


@pytest.mark.parametrize(
    ("reset", "skipped"), [("earliest", 0), ("latest", 10)], ids=["earliest", "latest"]
)
def test_a_reader_that_is_down_meanwhile_finds_them_gone(
    reset: str, skipped: int
) -> None:
    """It comes back at 40, which is no offset of the log any more, and is reset."""
    down = ks.Crash("subscriber:billing", at_s=2.0, for_s=2.5)
    delete = ks.DeleteRecords("stream:orders", at_s=4.0)

    result = shop(down, delete, reset=reset, retention_ms=-1)

    counts = {name: outcomes(result).count(name) for name in set(outcomes(result))}
    assert counts.pop("expired") >= 40
    assert counts.pop("skipped", 0) == pytest.approx(skipped, abs=1)
    assert result.requests.query("api == 'ListOffsets'").shape[0] == 1
    assert set(counts) == {"once", "duplicated"} or set(counts) == {"once"}


def test_an_offset_in_the_middle_of_a_batch_keeps_what_is_behind_it() -> None:
    """Batches of 20; the reader asks for one, and passes over what is before."""
    down = ks.Crash("subscriber:billing", at_s=2.5, for_s=2.0)
    delete = ks.DeleteRecords("stream:orders", at_s=4.3, to=55)

    result = shop(down, delete, linger_ms=1_000)

    found = outcomes(result)
    (read_ms,) = result.assignments.query("start_offset == 55").since_ms
    assert read_ms > 4_500
    assert set(found[45:55]) == {"expired"}
    assert set(found[55:]) == {"once"}
    assert (result.batches.record_count > 15).any()


def test_what_a_reader_has_fetched_it_still_works_on() -> None:
    result = shop(ks.DeleteRecords("stream:orders", at_s=5.0), work_ms=200.0)

    at_work = result.deliveries.query("started_ms > 5_000 and record_id < 100")
    assert len(at_work) > 20
    assert "expired" in outcomes(result)


@pytest.mark.parametrize(("to", "effect"), [(101, "OFFSET_OUT_OF_RANGE"), (7, "at 7")])
def test_nothing_above_the_high_watermark_can_be_deleted(to: int, effect: str) -> None:
    result = shop(ks.DeleteRecords("stream:orders", at_s=5.0, to=to))

    assert effect in result.events.effect[0]
    assert len(result.removals) == (effect == "at 7")


def test_a_reader_that_waits_is_reset_at_once() -> None:
    """It waits at the leader, behind what is deleted, for more than there is."""
    delete = ks.DeleteRecords("stream:orders", at_s=5.003)

    result = shop(delete, fetch_min_bytes=5_000, fetch_max_wait_ms=20_000)

    (read_ms,) = result.assignments.query("start_offset > 0").since_ms
    assert 5_003 < read_ms < 5_010
    assert "expired" in outcomes(result)


def test_of_one_partition_alone() -> None:
    result = shop(
        ks.DeleteRecords("stream:orders", at_s=5.0, partition=1), partitions=3
    )

    assert set(result.removals.partition) == {1}


def test_the_files_go_with_the_next_retention_and_are_written_down_once() -> None:
    delete = ks.DeleteRecords("stream:orders", at_s=5.0, to=90)

    result = shop(delete, internal_segment_bytes=5_000)

    segments = result.segments.query("cause == 'start_offset'")
    assert set(segments.deleted_ms) == {9_000}
    assert segments.end_offset.max() <= 90
    rows = result.columns("removals")
    spans = map(np.arange, rows["from_offset"], rows["to_offset"])
    assert sorted(np.concatenate(list(spans)).tolist()) == list(range(90))


def test_followers_begin_where_the_leader_does_though_nothing_is_written() -> None:
    """LG-12: it comes with the answer to their next fetch, also when one leads next."""
    events = (
        ks.DeleteRecords("stream:orders", at_s=5.0),
        ks.Crash("broker:1", at_s=8.0),
        ks.DeleteRecords("stream:orders", at_s=30.0, to=3),
    )

    result = story(
        records_at(1.0, 1.5, 2.0, 2.5, 40.0), *events, until_s=41.0, min_isr=1
    )

    effects = [f"partition 0 begins at {start}" for start in (4, 4)]
    assert result.events.query("event == 'DeleteRecords'").effect.tolist() == effects
    assert set(result.replicas.query("cause == 'elected'").broker) == {2}


def test_a_topic_that_is_only_compacted_refuses() -> None:
    with pytest.raises(ValidationError, match="POLICY_VIOLATION"):
        shop(ks.DeleteRecords("stream:orders", at_s=5.0), cleanup_policy="compact")


def test_a_leader_that_is_missed_deletes_nothing() -> None:
    events = (
        ks.Crash("broker:1", at_s=4.0, for_s=4.0),
        ks.DeleteRecords("stream:orders", at_s=5.0),
    )

    result = story(evenly(20, 0.0), *events, until_s=10.0, copies=1, min_isr=1)

    assert result.removals.empty
    assert "has no leader" in result.events.effect[1]

"""How long one waits when something of a cluster is gone, and who hears of it.

DS-38 to DS-42 are the numbers of delivery scenarios.
"""

import pytest

import kafkasim as ks
from tests.simulation.stories import (
    evenly,
    story,
    times_read,
    waits_ms,
)


def test_records_flow_while_the_controller_fails_over_but_nobody_is_elected() -> None:
    """DS-38: a leader that dies in that time is missed a whole session longer."""
    resigns = ks.Crash("controller", at_s=5.0)
    dies = ks.Crash("broker:1", at_s=5.1)

    alone = story(evenly(20, 0.0), resigns, until_s=10.0)
    both = story(evenly(20, 0.0), resigns, dies, until_s=10.0)

    assert waits_ms(alone.records).max() < 10
    assert "elected" not in set(alone.replicas.cause)
    (elected_ms,) = both.replicas.query("cause == 'elected'").at_ms
    assert elected_ms > 5_000 + 9_000  # clocks begin anew when the next one is active
    assert waits_ms(both.records).max() > 9_000
    assert set(both.records.outcome) == {"acked"}


def test_a_leader_that_crashes_is_missed_for_7_to_10_seconds() -> None:
    """DS-39: with the defaults no error reaches the application."""
    result = story(evenly(20, 0.0), ks.Crash("broker:1", at_s=5.0), until_s=20.0)

    assert 7_000 < waits_ms(result.records).max() < 12_000  # and until it is told of
    assert set(result.records.outcome) == {"acked"}
    assert result.records.error.isna().all()
    assert set(times_read(result).values()) == {1}


def test_a_leader_that_shuts_down_in_order_is_hardly_missed() -> None:
    """DS-40: leadership has moved before it stops."""
    stops = ks.Crash("broker:1", at_s=5.0, clean=True)

    result = story(evenly(20, 0.0), stops, until_s=20.0)

    assert waits_ms(result.records).max() < 1_000
    assert set(result.records.outcome) == {"acked"}
    moved, stopped = (
        result.replicas.query(f"cause == '{cause}'").at_ms.tolist()
        for cause in ("elected", "shut down")
    )
    assert moved < stopped


@pytest.mark.parametrize(("pause_s", "failed"), [(30.0, 0), (100.0, 1)])
def test_a_full_buffer_makes_the_application_wait(pause_s: float, failed: int) -> None:
    """DS-41: `send` blocks for 60 s at most and then throws; nothing is dropped."""
    source = ks.Source("orders", ks.Periodic(100, 0.0), value_bytes=10_000)
    stands_still = ks.Pause("broker:1", at_s=1.0, for_s=pause_s)

    result = story(
        source,
        stands_still,
        until_s=3.0,
        copies=1,
        min_isr=1,
        buffer_memory=1_000_000,
    )

    records = result.records
    blocked = result.blocked.iloc[0]
    assert blocked.cause == "buffer.memory"
    assert blocked.since_ms == 1_000 + 61 * 10  # 61 batches of 16 KiB are there by then
    assert blocked.until_ms - blocked.since_ms == pytest.approx(
        min(pause_s, 60.0) * 1e3, abs=700
    )
    assert (records.created_ms - records.intended_ms).max() > pause_s * 900
    thrown = records[records.outcome == "failed"]
    assert len(thrown) == failed
    assert set(thrown.error) <= {"REQUEST_TIMED_OUT"}
    kept = records[records.outcome == "acked"]
    assert len(kept) + failed == len(records) == 300
    assert set(kept.log_copies) == {1}


def test_a_record_above_the_largest_request_is_refused_by_the_client() -> None:
    """DS-42: 1.5 MB never leave it."""
    source = ks.Source("orders", ks.Periodic(1.0, 0.0), value_bytes=1_500_000)

    result = story(source, until_s=1.0, copies=1, min_isr=1)

    (record,) = result.records.itertuples()
    assert record.outcome == "failed"
    assert record.error == "MESSAGE_TOO_LARGE"
    assert record.send_count == 0
    assert result.requests.query("api == 'Produce'").empty

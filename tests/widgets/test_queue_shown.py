"""What the queue explorer shows of two runs, in numbers."""

import numpy as np
import pytest

from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import Row, small_result
from kafkasim.widgets.queue_shown import Shown, shown_of

NAN = float("nan")


def by_hand(*, log: bool) -> Result:
    """Return three records; billing leaves 1 and does it later; audit comes at 1 s.

    In the queues 0 is acknowledged by billing, 1 by both, and 2 only by one of two.
    """
    traffic = Traffic(
        {"web": Source("orders", Periodic(10))},
        {
            "billing": Subscriber(["orders"]),
            "audit": Subscriber(["orders"], from_s=1, wants="all"),
        },
        0.3,
    )
    deliveries: list[Row] = [
        given(0, "billing", 10, 20),
        given(1, "billing", 110, None),
        given(1, "billing", 400, 500),
        given(2, "billing", 500, 600),
        given(1, "audit", 1_000, 1_010),
    ]
    if log:
        deliveries.append(given(0, "billing", 700, 710))
    records: list[Row] = [
        {"intended_ms": 100 * each, "acked_ms": 100 * each + 5}
        | {"appended_ms": 100 * each + 1, "topic": "orders"}
        | ({"partition": 0, "offset": each} if log else {})
        for each in range(3)
    ]
    events = [
        {"event": "Crash", "target": "subscriber:billing", "at_ms": 150}
        | {"until_ms": 400, "effect": "it stopped"},
        {"event": "Seek", "target": "subscriber:billing", "at_ms": 650}
        | {"effect": "done"},
    ]
    if log:
        return small_result(
            records, deliveries, scenario=Scenario(traffic), events=events
        )
    steps = [
        *(step("billing", each, 100 * each + 1, "enqueued") for each in range(3)),
        *(step("audit", each, 100 * each + 1, "enqueued") for each in (1, 2)),
        step("billing", 0, 30, "acked"),
        step("billing", 1, 510, "acked"),
        step("billing", 2, 610, "acked"),
        step("audit", 1, 1_020, "acked"),
    ]
    return small_result(
        records, deliveries, scenario=Scenario(traffic), events=events, queues=steps
    )


def given(record: int, who: str, started: float, ended: float | None) -> Row:
    row: dict[str, object] = {"record_id": record, "subscriber": who}
    row |= {"member": f"{who}/1", "started_ms": started, "fetched_ms": started}
    if ended is not None:
        row["ended_ms"] = ended
    return row | {"outcome": "processed" if ended is not None else "abandoned"}


def step(queue: str, record: int, at_ms: float, change: str) -> Row:
    row: dict[str, object] = {"topic": queue, "record_id": record, "at_ms": at_ms}
    return row | {"change": change, "ready": 0, "unacked": 0}


@pytest.fixture(scope="module")
def shown() -> Shown:
    return shown_of(by_hand(log=False), by_hand(log=True), "billing", "audit")


def test_a_record_is_gone_when_every_queue_that_had_it_is_done(shown: Shown) -> None:
    np.testing.assert_allclose(shown.queue.since_s, [0.001, 0.101, 0.201])
    np.testing.assert_allclose(shown.queue.until_s, [0.03, 1.02, NAN])
    assert shown.queue.kept.tolist() == [False, False, True]
    assert shown.queue.left == 1


def test_a_log_keeps_what_was_read(shown: Shown) -> None:
    np.testing.assert_allclose(shown.log.since_s, [0.001, 0.101, 0.201])
    assert np.isnan(shown.log.until_s).all()
    assert shown.log.left == 3


def test_readings_are_what_was_done_in_order_of_time(shown: Shown) -> None:
    first = shown.log.first
    assert first.record.tolist() == [0, 1, 2, 0]
    np.testing.assert_allclose(first.at_s, [0.02, 0.5, 0.6, 0.71])
    assert (first.left_record.tolist(), first.left_at_s.tolist()) == ([1], [0.11])
    assert shown.log.first_times.tolist() == [2, 1, 1]
    assert (shown.log.again, shown.queue.again) == (1, 0)
    assert (shown.log.got, shown.queue.got) == (1, 1)
    assert shown.queue.handed_out_again == 1


def test_moments_are_those_of_the_events(shown: Shown) -> None:
    assert (shown.comes_s, shown.dies_s, shown.replay_s) == (1.0, 0.15, 0.65)

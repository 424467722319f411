"""What a system is like to its subscribers: by hand, and in runs of two systems."""

import math
from typing import Any

import pytest

import kafkasim as ks
from kafkasim.analysis.service import SERVICE, service, service_of_all
from kafkasim.scenario.systems import System
from kafkasim.testing.builders import small_result


def kept(number: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - of a row
    """Return a record that a log has, intended one ms after the one before it."""
    place = {"partition": 0, "offset": number, "appended_ms": number + 0.5}
    return {"intended_ms": number, "acked_ms": number + 1, **place, **more}


def done(*ended: float, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of a row
    """Return a hand-out of each record in turn, by when it was processed (ms)."""
    return [
        {"record_id": record, "ended_ms": at, **more} for record, at in enumerate(ended)
    ]


def late(from_s: float, wants: Any = "all", **more: ks.Source) -> ks.Scenario:  # noqa: ANN401 - new or all
    """Return a scenario whose billing comes later."""
    sources = {"web": ks.Source("orders", ks.Periodic(1)), **more}
    billing = ks.Subscriber(["orders"], from_s=from_s, wants=wants)
    return ks.Scenario(ks.Traffic(sources, {"billing": billing}, duration_s=1))


def test_pairs_of_one_source_are_held_to_the_order_in_which_they_were_sent() -> None:
    # 0 was overtaken by 1, 2 and 4, and 3 by 4: four of the ten pairs.
    result = small_result([kept(n) for n in range(5)], done(7, 2.5, 3.5, 9, 5.5))

    assert service(result)[0]["order_kept_share"] == pytest.approx(0.6)


def test_records_of_two_sources_have_no_order() -> None:
    records = [kept(0), kept(1, source="app"), kept(2)]
    result = small_result(records, done(9, 5, 10))

    assert service(result)[0]["order_kept_share"] == 1.0
    alone = small_result(records[:2], done(9, 5))
    assert math.isnan(service(alone)[0]["order_kept_share"])


def test_every_hand_out_after_the_first_counts() -> None:
    again = [{"record_id": 1, "ended_ms": 9, "delivery_count": n} for n in (2, 3)]
    other = done(2, 3, subscriber="audit")
    result = small_result([kept(0), kept(1)], [*done(2, 3), *again, *other])

    assert [row["redelivered"] for row in service(result)] == [2, 0]
    assert service_of_all(result)["redelivered"] == 2


def test_what_a_log_holds_is_left_whoever_read_it() -> None:
    other = kept(3, source="app", stream="returns")
    records = [kept(0), kept(1), kept(2, log_copies=0), other]
    removal = {"topic": "orders", "partition": 0, "broker": 1, "cause": "time"}
    removal |= {"from_offset": 0, "to_offset": 1, "at_ms": 9}
    result = small_result(
        records[:3], done(2, 3, 4), removals=[removal], scenario=late(0)
    )

    assert service(result)[0]["left_to_read"] == 1  # 0 expired, 2 is in no log
    whole = small_result(records, done(2, 3, 4))
    assert service(whole)[0]["left_to_read"] == 2
    assert service_of_all(whole)["left_to_read"] == 3


def test_history_is_what_was_intended_before_a_latecomer() -> None:
    records = [kept(n) for n in range(4)]

    result = small_result(records, done(5, 6)[1:], scenario=late(0.003))
    assert service(result)[0]["history_share"] == pytest.approx(1 / 3)
    for scenario in (late(0), late(0.003, "new")):
        other = small_result(records, done(5, 6, 7, 8), scenario=scenario)
        assert math.isnan(service(other)[0]["history_share"])


def test_the_slowest_job_is_left_out_and_those_behind_it_are_not() -> None:
    slow = {"record_id": 0, "started_ms": 1, "ended_ms": 90}
    behind = [
        {"record_id": n, "started_ms": 89 + n, "ended_ms": 90 + n} for n in (1, 2)
    ]
    records = [kept(0), {**kept(1), "intended_ms": 10}, {**kept(2), "intended_ms": 20}]
    result = small_result(records, [slow, *behind])

    assert service(result)[0]["latency_ms_p99_others"] == 91 - 10
    assert ks.summary(result).latency_ms_p99.tolist() == [90.0]
    alone = small_result([kept(0)], [slow])
    assert math.isnan(service(alone)[0]["latency_ms_p99_others"])


def test_sources_are_blocked_from_since_to_until_or_the_end_of_the_run() -> None:
    blocked = [
        {"source": "web", "since_ms": 0, "until_ms": 250, "cause": "buffer.memory"},
        {"source": "web", "since_ms": 300, "until_ms": 400, "cause": "paused"},
        {"source": "app", "since_ms": 900, "cause": "crashed"},
    ]
    records = [kept(0), kept(1, source="app", stream="returns")]
    facts = {"end_ns": 1_000_000_000, "drained": 1}
    result = small_result(records, done(2), blocked=blocked, facts=facts)

    assert service(result)[0]["blocked_s"] == pytest.approx(0.25)
    assert service_of_all(result)["blocked_s"] == pytest.approx(0.35)


def test_what_the_client_gave_up_was_refused() -> None:
    refused = {"intended_ms": 1, "outcome": "failed", "error": "TIMEOUT"}
    result = small_result([kept(0), refused, refused], done(2))

    assert service(result)[0]["refused"] == 2


def test_a_streamed_run_has_what_is_not_asked_of_single_records() -> None:
    web = ks.Source("orders", ks.Poisson(100))
    traffic = ks.Traffic({"web": web}, {"billing": ks.Subscriber(["orders"])}, 1)
    row = ks.compare(traffic, {"Kafka": ks.Kafka()}, result="streamed").iloc[0]

    assert (row.blocked_s, row.refused) == (0.0, 0.0)
    assert row[list(SERVICE[:5])].isna().all()


def test_a_log_keeps_and_a_link_forgets() -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(100))},
        {
            "billing": ks.Subscriber(["orders"]),
            "late": ks.Subscriber(["orders"], from_s=0.505, wants="all"),
        },
        duration_s=1,
    )
    systems: dict[str, System] = {"log": ks.Kafka(), "links": ks.PointToPoint()}
    table = ks.compare(traffic, systems).set_index(["system", "subscriber"])

    assert table.left_to_read.tolist() == [100, 100, 0, 0]
    assert table.history_share["log", "late"] == 1.0
    assert table.history_share["links", "late"] == 0.0
    whole = ks.compare(traffic, systems, per="system").set_index("system")
    assert whole.history_share.to_dict() == {"log": 1.0, "links": 0.0}

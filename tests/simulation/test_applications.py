"""Applications that send again, and sources of several processes, as short stories."""

from typing import Literal

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.analysis import ordering
from kafkasim.errors import ValidationError
from tests.simulation.stories import records_at, story, times_read

# --- sending again after an error ---------------------------------------------------


def stalled(on_error: Literal["drop", "resend"]) -> ks.Result:
    """One record, which the log has and of which the client gets no answer in time.

    A follower died; until it has left the ISR nothing is committed.
    """
    crash = ks.Crash("broker:3", at_s=9.0)
    return story(
        records_at(10.0),
        crash,
        until_s=10.5,
        on_error=on_error,
        delivery_timeout_ms=3_000,
        request_timeout_ms=2_000,
    )


def test_a_record_that_failed_may_be_in_the_log_and_is_sent_again_as_another() -> None:
    """DS-12: the client told the application of an error; idempotence is on."""
    result = stalled("resend")

    original, *repeats = result.records.itertuples()
    assert original.outcome == "failed"
    assert original.error == "REQUEST_TIMED_OUT"
    assert original.log_copies == 1
    assert [each.resend_of for each in repeats] == [*range(len(repeats))]
    assert {each.caused_by for each in repeats} == {"REQUEST_TIMED_OUT"}
    assert [each.log_copies for each in repeats] == [1] * len(repeats)
    assert repeats[-1].outcome == "acked"
    assert set(times_read(result).values()) == {1}  # each of the copies once
    receipts = ks.receipts(result)
    assert receipts.outcome.tolist() == ["duplicated"]
    assert receipts.deliveries.tolist() == [1 + len(repeats)]


def test_an_application_that_drops_it_makes_no_duplicate() -> None:
    result = stalled("drop")

    assert len(result.records) == 1
    assert result.records.outcome.tolist() == ["failed"]
    assert ks.receipts(result).outcome.tolist() == ["once"]


def test_a_repetition_is_the_same_record_at_a_later_time() -> None:
    """It has the key, the size and the work of what it repeats, and its own number."""
    traffic = ks.Traffic(
        {
            "web": ks.Source(
                "orders",
                ks.Poisson(100),
                keys=ks.UniformKeys(5),
                value_bytes=ks.Uniform(10, 500),
            )
        },
        {"billing": ks.Subscriber(["orders"], work_ms=ks.Exponential(1.0))},
        duration_s=6,
    )
    config = ks.ProducerConfig(delivery_timeout_ms=1_200, request_timeout_ms=1_000)
    system = ks.Kafka(
        topics={"orders": ks.Topic(partitions=3)},
        producers={"web": ks.Producer(config, on_error="resend")},
    )
    crash = ks.Crash("broker:1", at_s=2, for_s=3)
    scenario = ks.Scenario(traffic, system, seed=4, events=[crash])
    result = ks.run(scenario, check=True)

    assert result.violations.empty
    records = result.records
    planned = scenario.plan().sources["web"]
    assert records.record_id.tolist() == [*range(len(records))]
    assert (records.resend_of[: len(planned)] == -1).all()
    again = records[len(planned) :]
    assert len(again) > 100
    assert again.created_ms.is_monotonic_increasing
    repeated = records.loc[again.resend_of]
    for column in ("source", "stream", "key", "entity", "value_bytes", "intended_ms"):
        assert again[column].tolist() == repeated[column].tolist()
    assert set(repeated.outcome) == {"failed"}
    assert (again.created_ms.to_numpy() > repeated.created_ms.to_numpy()).all()
    # Its work: the same for original and repetition, whichever is read.
    roots = records.index.to_numpy().copy()
    for row in again.index:
        roots[row] = roots[records.resend_of[row]]
    work_ns = scenario.plan().work_ns["billing", "web"]
    deliveries = result.columns("deliveries")
    took = deliveries["ended_ns"] - deliveries["started_ns"]
    assert (took == work_ns[roots[deliveries["record_id"]]]).all()
    # In the end each that was wanted has come, as itself or as a repetition.
    receipts = ks.receipts(result)
    assert receipts.record_id.tolist() == [*range(len(planned))]
    assert set(receipts.outcome) == {"once"}
    metrics = ks.summary(result)
    assert metrics["records"].tolist() == [len(planned)]
    assert metrics["latency_ms_p99"].gt(1_200).all()


def test_what_found_no_memory_is_sent_again_too() -> None:
    """PR-6: a wait for memory in vain is an error that another try may help."""
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Bursts(100, burst=50), value_bytes=1_000)},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=2,
    )
    config = ks.ProducerConfig(
        batch_size=2_000, buffer_memory=4_000, max_block_ms=5, linger_ms=0
    )
    link = ks.Link(delay_ms=10)

    def ran(on_error: Literal["drop", "resend"]) -> ks.Result:
        system = ks.Kafka(
            producers={"web": ks.Producer(config, on_error=on_error)},
            hardware=ks.Hardware(link=link),
        )
        return ks.run(ks.Scenario(traffic, system, seed=1), check=True)

    dropped, again = ran("drop"), ran("resend")

    assert "failed" in set(dropped.records.outcome)
    assert len(again.records) > len(dropped.records)
    assert set(ks.receipts(again).outcome) == {"once"}
    assert again.violations.empty


def test_who_waits_for_a_cluster_that_is_gone_gives_up_with_the_run() -> None:
    """Sending again is no progress: the run ends as if nothing were sent."""
    result = ks.run(
        ks.Scenario(
            ks.Traffic(
                {"web": ks.Source("orders", ks.Periodic(10))},
                {"billing": ks.Subscriber(["orders"])},
                duration_s=2,
            ),
            ks.Kafka(
                producers={
                    "web": ks.Producer(
                        ks.ProducerConfig(
                            delivery_timeout_ms=1_000, request_timeout_ms=900
                        ),
                        on_error="resend",
                    )
                }
            ),
            events=[ks.Crash("broker:1", at_s=1)],
            drain_limit_s=30,
        )
    )

    assert 30_000 < float(result.facts["end_ns"]) / 1e6 < 33_500
    assert set(ks.receipts(result).outcome) == {"once", "pending"}


def test_a_healthy_run_is_the_same_with_it_and_without() -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Poisson(200), keys=ks.ZipfKeys(20))},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=3,
    )

    def ran(on_error: Literal["drop", "resend"]) -> ks.Result:
        system = ks.Kafka(producers={"web": ks.Producer(on_error=on_error)})
        return ks.run(ks.Scenario(traffic, system, seed=4))

    drop, resend = ran("drop"), ran("resend")
    for table in ("records", "batches", "appends", "deliveries"):
        assert drop.table(table).equals(resend.table(table))


def test_a_streamed_run_refuses_it() -> None:
    traffic = ks.Traffic({"web": ks.Source("orders", ks.Poisson(1))}, {}, duration_s=1)
    system = ks.Kafka(producers={"web": ks.Producer(on_error="resend")})

    with pytest.raises(ValidationError, match=r"producers\.web\.on_error"):
        ks.run(ks.Scenario(traffic, system), result="streamed")


# --- several processes of one source ------------------------------------------------


def of_instances(count: int, *, seed: int = 3) -> ks.Scenario:
    traffic = ks.Traffic(
        {
            "web": ks.Source("orders", ks.Poisson(400), keys=ks.UniformKeys(4)),
            "app": ks.Source("orders", ks.Poisson(50)),
        },
        {"billing": ks.Subscriber(["orders"], work_ms=0.1)},
        duration_s=4,
    )
    system = ks.Kafka(
        brokers=2,
        topics={"orders": ks.Topic(partitions=4)},
        producers={"web": ks.Producer(instances=count)},
    )
    return ks.Scenario(traffic, system, seed=seed)


def test_record_k_goes_through_instance_k_mod_n() -> None:
    result = ks.run(of_instances(3), check=True)

    assert result.violations.empty
    records = result.records
    assert set(records.source) == {"web", "app"}
    batches = result.batches.set_index("batch_id").producer
    made_by = records.batch_id.map(batches).astype(str)
    assert set(made_by[records.source == "app"]) == {"app"}
    number = np.arange((records.source == "web").sum())
    expected = [f"web/{k % 3 + 1}" for k in number]
    assert made_by[records.source == "web"].tolist() == expected
    senders = set(result.requests.query("api == 'Produce'").sender)
    assert senders == {"source:app", "source:web/1", "source:web/2", "source:web/3"}


def test_the_world_wants_the_same_whatever_the_number_of_instances() -> None:
    one, three = ks.run(of_instances(1)), ks.run(of_instances(3))

    assert one.plan.digest == three.plan.digest
    for column in (
        "record_id",
        "source",
        "key",
        "entity",
        "value_bytes",
        "intended_ms",
    ):
        assert one.records[column].astype(str).tolist() == (
            three.records[column].astype(str).tolist()
        )
    assert set(ks.receipts(three).outcome) == {"once"}
    # What a subscriber was given is what stands at that place of the log.
    places = three.deliveries.merge(three.records, on="record_id")
    assert (places.offset_x == places.offset_y).all()
    assert (places.partition_x == places.partition_y).all()


def test_the_order_of_a_key_is_not_kept_across_instances() -> None:
    """Each client batches for itself: a later record may overtake an earlier one."""
    one, three = ks.run(of_instances(1)), ks.run(of_instances(3))

    assert ordering(one, per="key").overtaken.sum() == 0
    assert ordering(three, per="key").overtaken.sum() > 0


def test_a_streamed_run_counts_the_same_with_instances() -> None:
    scenario = of_instances(3)
    full, streamed = ks.run(scenario), ks.run(scenario, result="streamed")

    assert streamed.plan.digest == full.plan.digest
    columns = ["records", "throughput_per_s", "overtaken_share", "lag_records_max"]
    assert ks.summary(full)[columns].equals(ks.summary(streamed)[columns])


# --- sources that crash -------------------------------------------------------------


def crashed(on_error: Literal["drop", "resend"], instances: int = 1) -> ks.Result:
    """Five records; the application dies when the log has three and it knows of two.

    It is 5 ms from the application to the broker.
    """
    times_ns = np.array([1_000, 1_010, 1_040, 1_044.5, 1_060]) * 1e6
    source = ks.Source("orders", ks.Trace(times_ns.astype(np.int64), {}))
    traffic = ks.Traffic(
        {"shop": source}, {"billing": ks.Subscriber(["orders"])}, duration_s=2
    )
    config = ks.ProducerConfig(linger_ms=0)
    system = ks.Kafka(
        producers={"shop": ks.Producer(config, on_error=on_error, instances=instances)},
        hardware=ks.Hardware(link=ks.Link(delay_ms=5)),
    )
    crash = ks.Crash("source:shop", at_s=1.047, for_s=0.5)
    result = ks.run(ks.Scenario(traffic, system, events=[crash]), check=True)
    assert result.violations.empty
    return result


def test_a_producer_that_restarts_and_sends_again_makes_a_duplicate() -> None:
    """DS-13: to the log it is another producer; a session ends with it (ID-6)."""
    result = crashed("resend")

    records = result.records
    assert records.outcome.tolist()[:5] == [
        "acked", "acked", "failed", "failed", "acked",
    ]  # fmt: skip
    assert records.error.isna().all()  # nobody told the application anything
    assert result.requests.error.isna().all()  # the new session's numbers begin at 0
    assert records.resend_of.tolist()[5:] == [2, 3]
    assert records.caused_by.tolist()[2:4] == ["Crash"] * 2
    assert records.caused_by.tolist()[5:] == ["Crash"] * 2
    assert records.created_ms[4:].tolist() == [1_547.0] * 3
    # The log had the third; the fourth was lost on the way.
    assert records.log_copies.tolist() == [1, 1, 1, 0, 1, 1, 1]
    assert ks.receipts(result).outcome.tolist() == [
        "once", "once", "duplicated", "once", "once",
    ]  # fmt: skip
    # Sent again first, then what waited meanwhile.
    offsets = records.offset.dropna().sort_values()
    assert offsets.index.tolist() == [0, 1, 2, 5, 6, 4]


def test_a_producer_that_restarts_and_drops_it_loses_what_never_arrived() -> None:
    result = crashed("drop")

    assert ks.receipts(result).outcome.tolist() == [
        "once", "once", "once", "not_accepted", "once",
    ]  # fmt: skip
    (event,) = result.events.itertuples()
    assert event.effect == "2 records in memory lost; what is wanted meanwhile waits"


def test_what_is_wanted_while_a_source_is_down_waits_for_it() -> None:
    result = crashed("drop", instances=2)

    assert result.records.created_ms[4] == 1_547.0
    assert result.records.intended_ms[4] == 1_060.0
    blocked = result.blocked
    assert blocked.source.tolist() == ["shop/1", "shop/2"]
    assert blocked.cause.tolist() == ["crashed"] * 2
    assert blocked.since_ms.tolist() == [1_047.0] * 2
    assert blocked.until_ms.tolist() == [1_547.0] * 2


@pytest.mark.parametrize("on_error", ["drop", "resend"])
def test_users_of_a_source_that_crashed_go_on_when_it_is_back(
    on_error: Literal["drop", "resend"],
) -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.ClosedLoop(5, think_ms=10))},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=4,
    )
    system = ks.Kafka(producers={"web": ks.Producer(on_error=on_error)})
    crash = ks.Crash("source:web", at_s=0.99, for_s=1.01)
    result = ks.run(ks.Scenario(traffic, system, events=[crash]), check=True)

    records = result.records
    assert result.violations.empty
    created_s = records.created_ms / 1_000
    assert not created_s.between(0.99, 1.999).any()
    before, after = (created_s < 1).sum(), (created_s >= 3).sum()
    assert after == pytest.approx(before, rel=0.05)
    lost = (records.outcome == "failed").sum()
    assert 0 < lost <= 5
    assert (records.resend_of >= 0).sum() == (lost if on_error == "resend" else 0)

"""Sources that stand still for a while, as short stories."""

from typing import Literal

import numpy as np
import pytest

import kafkasim as ks


def paused(
    *events: ks.Pause | ks.Crash,
    times_ms: tuple[float, ...] = (1_000, 1_010, 1_040, 1_044.5, 1_060),
    end: Literal["drain", "cut"] = "drain",
    duration_s: float = 4,
    instances: int = 1,
    **config: object,
) -> ks.Result:
    """The story of `crashed`, whatever befalls its source in place of the crash."""
    times_ns = (np.array(times_ms) * 1e6).astype(np.int64)
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Trace(times_ns, {}), value_bytes=1_000)},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=duration_s,
    )
    settings = ks.ProducerConfig(**{"linger_ms": 0} | config)  # type: ignore[arg-type]
    system = ks.Kafka(
        producers={"shop": ks.Producer(settings, instances=instances)},
        hardware=ks.Hardware(link=ks.Link(delay_ms=5)),
    )
    scenario = ks.Scenario(traffic, system, events=events, end=end)
    result = ks.run(scenario, check=True)
    assert result.violations.empty
    return result


STILL = ks.Pause("source:shop", at_s=1.047, for_s=0.5)


def test_a_source_that_stands_still_sees_answers_and_hands_over_afterwards() -> None:
    """What it has sent arrives meanwhile."""
    result = paused(STILL)

    records = result.records
    assert set(records.outcome) == {"acked"}
    assert records.created_ms.tolist() == [1_000, 1_010, 1_040, 1_044.5, 1_547]
    assert records.acked_ms[2:4].tolist() == [1_547.0] * 2
    assert records.appended_ms[3] == pytest.approx(1_044.5 + 5, abs=0.1)
    assert records.appended_ms[4] == pytest.approx(1_547 + 5, abs=0.1)
    blocked = result.blocked
    assert blocked.cause.tolist() == ["paused"]
    assert blocked.since_ms.tolist() == [1_047.0]
    assert blocked.until_ms.tolist() == [1_547.0]
    (event,) = result.events.itertuples()
    assert event.effect == "it stands still; what is wanted meanwhile waits"
    assert set(ks.receipts(result).outcome) == {"once"}


def test_timers_of_a_source_that_stands_still_act_late() -> None:
    """A linger that is over meanwhile, and what was wanted then goes along."""
    result = paused(STILL, linger_ms=30)

    batches = result.batches.drop_duplicates("sent_ms")
    assert batches.sent_ms.tolist() == [1_030.0, 1_547.0]
    # The last two were in memory, and the fifth came before the sender looked.
    assert result.records.batch_id.tolist() == [0, 0, 1, 1, 1]
    assert result.batches.opened_ms.tolist() == [1_000.0, 1_040.0]


def test_a_streamed_run_counts_the_same_when_a_source_stands_still() -> None:
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Poisson(500), keys=ks.UniformKeys(9))},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=3,
    )
    system = ks.Kafka(
        brokers=2,
        topics={"orders": ks.Topic(partitions=3)},
        producers={"shop": ks.Producer(instances=2)},
    )
    events = [
        ks.Pause("source:shop", at_s=0.5, for_s=0.7),
        ks.Pause("broker:1", at_s=1, for_s=0.1),
        ks.Pause("source:shop", at_s=1.5, for_s=0.02),
    ]
    scenario = ks.Scenario(traffic, system, events=events)
    full, streamed = ks.run(scenario, check=True), ks.run(scenario, result="streamed")

    assert full.violations.empty
    assert set(ks.receipts(full).outcome) == {"once"}
    assert full.digest == streamed.digest
    created_s = full.records.created_ms / 1_000
    assert not created_s.between(0.5, 1.2, inclusive="left").any()
    assert (created_s == 1.2).sum() > 300


def test_what_was_sent_arrives_though_its_source_stands_still() -> None:
    """Also with two instances, one of which has nothing in flight."""
    result = paused(STILL, instances=2)

    assert result.records.appended_ms[3] == pytest.approx(1_044.5 + 5, abs=0.1)
    assert result.records.acked_ms[3] == 1_547.0
    assert result.blocked.source.tolist() == ["shop/1", "shop/2"]


def test_delivery_timeout_goes_on_while_a_source_stands_still() -> None:
    """What waits is too old then; what was answered meanwhile is not."""
    still = ks.Pause("source:shop", at_s=1.047, for_s=2)
    result = paused(
        still, linger_ms=30, delivery_timeout_ms=1_000, request_timeout_ms=900
    )

    records = result.records
    assert records.outcome.tolist() == ["acked"] * 2 + ["failed"] * 3
    assert records.error.tolist()[2:] == ["REQUEST_TIMED_OUT"] * 3
    assert records.created_ms[4] == 3_047.0  # it came into the batch that was too old
    # The first two were sent before, and answered before.
    in_flight = paused(still, delivery_timeout_ms=1_000, request_timeout_ms=900)
    assert set(in_flight.records.outcome) == {"acked"}
    assert in_flight.records.acked_ms[2:4].tolist() == [3_047.0] * 2


def test_who_waits_for_memory_gives_up_when_he_goes_on() -> None:
    """`max.block.ms` is over meanwhile, and the answer that would help is unseen."""
    result = paused(
        ks.Pause("source:shop", at_s=1.0455, for_s=0.5),
        buffer_memory=1_100,
        batch_size=1_000,
        max_block_ms=20,
    )

    records = result.records
    assert records.outcome.tolist() == ["acked"] * 3 + ["failed", "acked"]
    assert records.created_ms[4] == 1_545.5
    assert set(result.blocked.cause) == {"buffer.memory", "paused"}
    memory = result.blocked[result.blocked.cause == "buffer.memory"]
    assert memory.since_ms.tolist()[-1] == 1_044.5
    assert memory.until_ms.tolist()[-1] == 1_545.5


def test_who_goes_on_learns_first_that_a_broker_has_died() -> None:
    """Its linger is over, too; nothing is sent through the connection that is gone."""
    result = paused(
        ks.Pause("source:shop", at_s=1.042, for_s=1),
        ks.Crash("broker:1", at_s=1.5, for_s=5),
        linger_ms=20,
    )

    assert set(result.records.outcome) == {"acked"}
    sent_ms = result.requests.query("api == 'Produce'").sent_ms
    assert not sent_ms.between(1_042, 6_499).any()


def test_a_crash_ends_a_pause_and_who_is_down_does_not_stand_still() -> None:
    result = paused(
        ks.Pause("source:shop", at_s=1.042, for_s=1.5),
        ks.Crash("source:shop", at_s=1.047, for_s=0.5),
        instances=2,
    )

    assert result.records.created_ms[3:].tolist() == [1_547.0] * 2
    causes = result.blocked.cause.tolist()
    assert causes == ["paused"] * 2 + ["crashed"] * 2
    assert result.blocked.until_ms.tolist() == [1_047.0] * 2 + [1_547.0] * 2
    down = paused(
        ks.Crash("source:shop", at_s=1.042, for_s=0.5),
        ks.Pause("source:shop", at_s=1.047, for_s=1.5),
    )
    assert down.events.effect.tolist()[1] == "it was down"
    assert down.records.created_ms[4] == 1_542.0


@pytest.mark.parametrize("kind", [ks.Pause, ks.Crash])
def test_what_is_wanted_of_a_source_that_never_goes_on_is_never_created(
    kind: type[ks.Pause | ks.Crash],
) -> None:
    result = paused(kind("source:shop", at_s=1.02), duration_s=2)

    records = result.records
    assert records.created_ms.notna().tolist() == [True] * 2 + [False] * 3
    assert (records.outcome == "acked").sum() == 1
    assert result.blocked.until_ms.isna().all()


def test_users_of_a_source_that_stands_still_wait_for_it() -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.ClosedLoop(5, think_ms=10))},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=4,
    )
    system = ks.Kafka(producers={"web": ks.Producer(instances=2)})
    pause = ks.Pause("source:web", at_s=1, for_s=1)
    result = ks.run(ks.Scenario(traffic, system, events=[pause]), check=True)

    records = result.records
    assert result.violations.empty
    assert set(records.outcome) == {"acked"}
    created_s = records.created_ms / 1_000
    assert not created_s.between(1, 2, inclusive="left").any()
    assert not (records.acked_ms / 1_000).between(1, 2, inclusive="left").any()
    before, after = (created_s < 1).sum(), (created_s >= 3).sum()
    assert after == pytest.approx(before, rel=0.05)


def test_a_source_that_sends_point_to_point_may_stand_still() -> None:
    times_ns = (np.array([1_000, 1_010, 1_040, 1_050, 1_060]) * 1e6).astype(np.int64)
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Trace(times_ns, {}))},
        {"billing": ks.Subscriber(["orders"], work_ms=4.0)},
        duration_s=2,
    )
    system = ks.PointToPoint(hardware=ks.Hardware.ideal())
    pause = ks.Pause("source:shop", at_s=1.042, for_s=0.5)
    result = ks.run(ks.Scenario(traffic, system, events=[pause]))

    records = result.records
    assert set(records.outcome) == {"acked"}
    created_ms = [1_000, 1_010, 1_040, 1_542, 1_546]
    assert records.created_ms.to_numpy() == pytest.approx(created_ms, abs=1e-4)
    # The third was done at 1044; its answer was not seen.
    acked_ms = [1_004, 1_014, 1_542, 1_546, 1_550]
    assert records.acked_ms.to_numpy() == pytest.approx(acked_ms, abs=1e-4)
    assert result.deliveries.ended_ms.tolist()[2] == pytest.approx(1_044, abs=1e-4)
    blocked = result.blocked
    assert blocked.cause.tolist() == ["paused", "waiting for answers"]
    assert blocked.since_ms.tolist() == [1_042.0, 1_542.0]
    assert blocked.until_ms.to_numpy() == pytest.approx([1_542, 1_550], abs=1e-4)


@pytest.mark.parametrize("system", [ks.Kafka(), ks.PointToPoint()])
def test_what_means_nothing_to_a_source_is_said_among_the_events(
    system: ks.Kafka | ks.PointToPoint,
) -> None:
    traffic = ks.Traffic(
        {"shop": ks.Source("orders", ks.Periodic(10))}, {}, duration_s=2
    )
    slow = ks.Slow("source:shop", at_s=1)

    events = ks.run(ks.Scenario(traffic, system, events=[slow])).events

    assert events.effect.tolist() == [
        "not applicable: what a source does takes it no time; Delay is for its links"
    ]
    assert events.until_ms.isna().all()

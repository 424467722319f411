"""Closed loops: what comes back decides what is sent, as the laws of queues say.

With N users, each thinking for Z and waiting for R, throughput is N / (R + Z) (Little's
law for the whole loop, the interactive response time law). Where the system is one
server with exponential work, R itself follows from mean value analysis.
"""

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError

S = 20.0


def looped(
    loop: ks.ClosedLoop,
    system: ks.Kafka | ks.PointToPoint,
    *events: ks.Crash,
    work_ms: ks.Exponential | float = 0.0,
    duration_s: float = S,
    seed: int = 5,
) -> ks.Result:
    traffic = ks.Traffic(
        {
            "web": ks.Source(
                "orders", loop, keys=ks.UniformKeys(9), value_bytes=ks.Uniform(1, 99)
            )
        },
        {"billing": ks.Subscriber(["orders"], work_ms=work_ms)},
        duration_s=duration_s,
    )
    result = ks.run(ks.Scenario(traffic, system, seed=seed, events=events), check=True)
    if "violations" in result.tables:
        assert result.violations.empty
    return result


SYSTEMS: dict[str, ks.Kafka | ks.PointToPoint] = {
    "Kafka": ks.Kafka(topics={"orders": ks.Topic(partitions=3)}),
    "three copies": ks.Kafka(
        brokers=3, topics={"orders": ks.Topic(partitions=3, replication_factor=3)}
    ),
    "two instances": ks.Kafka(producers={"web": ks.Producer(instances=2)}),
    "point to point": ks.PointToPoint(),
}


@pytest.mark.parametrize("name", SYSTEMS)
def test_throughput_is_users_over_wait_and_thought(name: str) -> None:
    result = looped(ks.ClosedLoop(7, think_ms=10), SYSTEMS[name], duration_s=3)
    records = result.records

    assert set(records.outcome) == {"acked"}
    wait_ms = (records.acked_ms - records.created_ms).mean()
    assert len(records) == pytest.approx(7 / (wait_ms + 10) * 3_000, abs=7)
    # Never more are on their way than there are users; in the end none.
    at = np.concatenate([records.created_ms, records.acked_ms])
    step = np.repeat([1, -1], len(records))
    on_their_way = np.cumsum(step[np.lexsort((step, at))])
    assert on_their_way.max() == 7
    assert records.created_ms.max() < 3_000
    assert records.intended_ms.isna().all()
    assert set(ks.receipts(result).outcome) == {"once"}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("work_ms", [3.0, ks.Exponential(3.0)])
def test_work_on_a_loops_records_takes_its_time(
    name: str, work_ms: float | ks.Exponential
) -> None:
    loop = ks.ClosedLoop(4, think_ms=10)
    result = looped(loop, SYSTEMS[name], work_ms=work_ms, duration_s=1)
    rows = result.deliveries

    took_ms = (rows.ended_ms - rows.started_ms).sort_values()
    assert took_ms.mean() == pytest.approx(3.0, rel=0.25)
    constant = isinstance(work_ms, float)
    assert (took_ms.max() - took_ms.min() < 1e-6) == constant
    # One after the other: it is one member, or one subscriber.
    in_turn = rows.sort_values("started_ms")
    assert (in_turn.started_ms.iloc[1:] >= in_turn.ended_ms.iloc[:-1].array).all()


def test_one_user_goes_round_and_round() -> None:
    """Linger 5 ms, 0.2 ms there and back and 0.05 ms of a thread; 4.7 ms of thought."""
    system = ks.Kafka(
        hardware=ks.Hardware(
            link=ks.Link(delay_ms=0.2, bandwidth_mb_per_s=1e12),
            cpu=ks.Cpu(request_ms=0.05, mb_ms=0),
        )
    )
    records = looped(ks.ClosedLoop(1, think_ms=4.55), system, duration_s=1).records

    assert np.diff(records.created_ms) == pytest.approx(10.0, abs=1e-4)
    assert records.created_ms[0] == 0
    assert len(records) == 100


@pytest.mark.parametrize("users", [1, 4, 20])
def test_one_server_is_as_fast_as_mean_value_analysis_says(users: int) -> None:
    """M/M/1 with N users who think: R(n) = s (1 + Q(n−1)), Q(n) = n R / (R + Z)."""
    work_ms, think_ms = 2.0, 20.0
    queue = wait_ms = 0.0
    for n in range(1, users + 1):
        wait_ms = work_ms * (1 + queue)
        queue = n * wait_ms / (wait_ms + think_ms)
    expected = users / (wait_ms + think_ms) * 1e3

    result = looped(
        ks.ClosedLoop(users, think_ms=ks.Exponential(think_ms)),
        ks.PointToPoint(hardware=ks.Hardware.ideal()),
        work_ms=ks.Exponential(work_ms),
        duration_s=100,
    )

    records = result.records
    assert len(records) / 100 == pytest.approx(expected, rel=0.03)
    waited_ms = (records.acked_ms - records.created_ms).mean()
    assert waited_ms == pytest.approx(wait_ms, rel=0.06)
    assert len(records) / 100 < min(1e3 / work_ms, users * 1e3 / (work_ms + think_ms))


def test_users_of_a_system_that_answers_late_send_less() -> None:
    """What an open loop would not do; latency counts from the creation."""
    loop = ks.ClosedLoop(5, think_ms=10)
    crash = ks.Crash("broker:1", at_s=5, for_s=5)
    result = looped(loop, ks.Kafka(), crash)
    sent = np.bincount((result.records.created_ms // 1_000).astype(int), minlength=20)

    assert sent[:4].min() > 200
    assert sent[6:9].sum() == 0
    assert sent[17:19].min() > 200
    assert ks.summary(result)["latency_ms_p50"].between(5, 8).all()


def test_both_systems_meet_the_same_loop() -> None:
    traffic = looped(ks.ClosedLoop(2), ks.Kafka(), duration_s=1).scenario.traffic
    table = ks.compare(traffic, {"a": ks.Kafka(), "b": ks.PointToPoint()}, seed=5)

    assert set(table["system"]) == {"a", "b"}
    plan = ks.Scenario(traffic, seed=5).plan()
    assert plan.digest == ks.Scenario(traffic, ks.PointToPoint(), seed=5).plan().digest
    assert plan.digest != ks.Scenario(traffic, seed=6).plan().digest
    slower = ks.Scenario(traffic, seed=5).where(
        {"traffic.sources.web.arrivals.think_ms": 3.0}
    )
    assert slower.plan().digest != plan.digest


def test_the_same_seed_gives_the_same_loop() -> None:
    loop = ks.ClosedLoop(3, think_ms=ks.Exponential(5))
    first, again = (looped(loop, ks.Kafka(), duration_s=2) for _ in range(2))

    assert first.digest == again.digest
    assert first.records.equals(again.records)


def test_who_is_answered_sends_before_the_client_does() -> None:
    """What a broker's answer lets through takes along what the answered users send.

    Two brokers, one request in flight to each: some users wait in the client.
    """
    config = ks.ProducerConfig(linger_ms=0, max_in_flight_requests_per_connection=1)
    system = ks.Kafka(
        brokers=2,
        topics={"orders": ks.Topic(partitions=2)},
        producers={"web": ks.Producer(config)},
        hardware=ks.Hardware(cpu=ks.Cpu(request_ms=ks.Exponential(1))),
    )
    result = looped(ks.ClosedLoop(4), system, duration_s=1)

    sends = result.batches.groupby("partition").sent_ms.agg(set)
    records = result.records.merge(result.batches[["batch_id", "sent_ms"]])
    created_ms, partition = records.created_ms, records.partition
    at_a_send = np.array(
        [at in sends[where] for at, where in zip(created_ms, partition, strict=True)]
    )
    assert at_a_send.sum() > 1_000
    assert (records.sent_ms == created_ms)[at_a_send].all()
    assert not at_a_send.all()


def test_a_loop_in_which_no_time_passes_is_stopped() -> None:
    config = ks.ProducerConfig(acks="0", linger_ms=0, enable_idempotence=False)
    system = ks.Kafka(producers={"web": ks.Producer(config)})

    with pytest.raises(ValidationError, match="time passes"):
        looped(ks.ClosedLoop(1), system)


def test_what_is_too_large_is_done_at_once() -> None:
    """PR-5: the user thinks, and sends the next one."""
    config = ks.ProducerConfig(max_request_size=130)
    system = ks.Kafka(producers={"web": ks.Producer(config)})
    records = looped(ks.ClosedLoop(2, think_ms=10), system, duration_s=5).records

    failed = records[records.outcome == "failed"]
    assert set(failed.error) == {"MESSAGE_TOO_LARGE"}
    assert 0.3 < len(failed) / len(records) < 0.9
    assert len(records) > 2 * 5_000 / (10 + 6)  # linger 5 ms and half a one on the way
    assert set(records.outcome) == {"acked", "failed"}


def test_there_is_no_end_to_save_and_no_count_to_stream() -> None:
    scenario = looped(ks.ClosedLoop(1, 50), ks.Kafka(), duration_s=1).scenario

    with pytest.raises(ValidationError, match="open loop"):
        scenario.plan().save("loop.npz")
    with pytest.raises(ValidationError, match="result='full'"):
        ks.run(scenario, result="streamed")
    assert ks.Scenario.from_toml(scenario.to_toml()) == scenario
    assert "ClosedLoop(think_ms=50.0)" in scenario.describe()

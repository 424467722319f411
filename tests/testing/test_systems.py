"""Every system in small random worlds, and how a failure is told."""

import shlex
from typing import Any

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.scenario import own_systems
from kafkasim.scenario.systems import System
from kafkasim.testing import check_system
from tests.testing.pigeonholes import MISTAKES, Crashes, Pigeonholes, Sound

SEEDS = {"quick": 10, "thorough": 200}


def some_kafka(draws: np.random.Generator) -> ks.Kafka:
    """Return a cluster with settings that vary."""
    brokers = int(draws.integers(1, 4))
    topic = ks.Topic(
        partitions=int(draws.integers(1, 4)),
        replication_factor=int(draws.integers(1, brokers + 1)),
    )
    producer = ks.Producer(ks.ProducerConfig(linger_ms=int(draws.choice([0, 5, 60]))))
    return ks.Kafka(
        brokers=brokers,
        topics={"orders": topic},
        producers={"web": producer},
        groups={"billing": ks.Group(members=int(draws.integers(1, 3)))},
    )


def some_point_to_point(draws: np.random.Generator) -> ks.PointToPoint:
    """Return pipelines whose network varies."""
    delay_ms = float(draws.choice([0.0, 0.2, 30.0]))
    return ks.PointToPoint(hardware=ks.Hardware(link=ks.Link(delay_ms=delay_ms)))


def some_rabbitmq(draws: np.random.Generator) -> ks.RabbitMQ:
    """Return nodes and queues of either kind, with consumers that may fail."""
    consumers = ks.Consumers(
        count=int(draws.integers(1, 3)),
        prefetch=int(draws.choice([1, 5, 100])),
        failing_share=float(draws.choice([0.0, 0.2])),
        on_failure="nack" if draws.integers(2) else "reject",
    )
    queue = ks.Queue(
        type="quorum" if draws.integers(2) else "classic",
        single_active_consumer=bool(draws.integers(2)),
    )
    return ks.RabbitMQ(
        nodes=int(draws.choice([1, 3])),
        queues={"billing": queue},
        consumers={"billing": consumers},
    )


def some_queues(draws: np.random.Generator) -> ks.PointToPoint:
    """Return pipelines with queues that vary."""
    return ks.PointToPoint(
        mode="asynchronous",
        queue_events=int(draws.choice([3, 10_000])),
        on_full=draws.choice(["block", "drop"]).item(),
        timeout_ms=float(draws.choice([2_000, 30_000])),
        retry_backoff_ms=float(draws.choice([1, 100])),
    )


def some_relay(draws: np.random.Generator) -> ks.Relay:
    """Return a relay whose queues and threads vary."""
    return ks.Relay(
        buffer_events=int(draws.choice([1, 10_000])),
        queue_events=int(draws.choice([3, 10_000])),
        on_full=draws.choice(["block", "drop"]).item(),
        prefetch=int(draws.choice([1, 2, 100])),
        threads=int(draws.choice([1, 8])),
        hardware=ks.Hardware.ideal() if draws.integers(2) else ks.Hardware(),
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        seeds = range(SEEDS[metafunc.config.getoption("--tier")])
        metafunc.parametrize("seed", seeds)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_systems, "_BY_KIND", {})
    ks.register_system(Pigeonholes, Sound)


@pytest.mark.parametrize("system", [some_kafka, some_point_to_point, some_rabbitmq])
def test_a_system_is_sound_in_a_random_world(system: System, seed: int) -> None:
    check_system(system, seeds=[seed])


@pytest.mark.parametrize("system", [some_queues, some_relay])
def test_a_system_of_bounded_queues_is_sound_too(system: System, seed: int) -> None:
    check_system(system, seeds=[seed], may_lose=True)


def test_a_run_that_fails_keeps_its_error_and_says_how_to_see_it_again() -> None:
    ks.register_system(Pigeonholes, Crashes)

    with pytest.raises(ZeroDivisionError) as found:
        check_system(Pigeonholes(), seeds=[3])

    assert "check_system(Pigeonholes(), seeds=[3])" in found.value.__notes__[0]


def test_the_last_line_of_a_failure_is_a_command_that_shows_it_again() -> None:
    ks.register_system(Pigeonholes, MISTAKES[0])
    with pytest.raises(AssertionError) as found:
        check_system(Pigeonholes(look_ms=30), seeds=10)

    command = str(found.value).splitlines()[-1]
    head, _, code = command.partition(" python -c ")
    assert head == "again:"
    with pytest.raises(AssertionError) as again:
        exec(shlex.split(code)[0], {})
    assert str(again.value) == str(found.value)


def test_what_may_lose_is_not_blamed_for_losing() -> None:
    ks.register_system(Pigeonholes, MISTAKES[0])

    check_system(Pigeonholes(), seeds=4, may_lose=True)


def test_another_promise_than_the_usual_one_is_held_against_the_run() -> None:
    keyed = ks.Kafka(topics={"orders": ks.Topic(partitions=3)})

    check_system(keyed, seeds=3)
    with pytest.raises(AssertionError, match="came after a later one of its source"):
        check_system(keyed, seeds=10, order=("subscriber",))


@pytest.mark.parametrize(
    ("system", "options", "told"),
    [
        (ks.PointToPoint, {}, r"^system: .* such as PointToPoint\(\)"),
        (Pigeonholes(), {"seeds": 0}, "^seeds: 0 .* at least 1"),
        (Pigeonholes(), {"seeds": -3}, "^seeds: -3"),
        (Pigeonholes(), {"seeds": "ab"}, "^seeds: 'ab'"),
        (Pigeonholes(), {"order": ("subscriber", "shelf")}, "^order: .*shelf.* stream"),
        (Pigeonholes(), {"order": "subscriber"}, "^order: 'subscriber' .* a list of"),
    ],
)
def test_what_could_check_nothing_is_refused(
    system: Any,  # noqa: ANN401 - wrong ones, too
    options: dict[str, Any],
    told: str,
) -> None:
    with pytest.raises(ValidationError, match=told):
        check_system(system, **options)


def test_with_several_requests_in_flight_no_order_is_promised() -> None:
    several = ks.PointToPoint(mode="asynchronous", in_flight=4)

    check_system(several, seeds=[1])
    with pytest.raises(AssertionError, match="came after a later one of its source"):
        check_system(several, seeds=[1], order=("subscriber",))

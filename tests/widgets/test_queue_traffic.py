"""The queue explorer's two scenarios: one world, what happens in it, two systems."""

import pytest

from kafkasim.scenario.events import Crash
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.systems import Kafka
from kafkasim.widgets.queue_traffic import (
    CONTROLS,
    DIES_S,
    FIRST,
    PRESETS,
    RATE_PER_S,
    RECORDS,
    SECOND,
    WORK_MS,
    Values,
    log_at,
    queue_at,
)

ALL = Values(second_s=7, dies=True, replay=True, in_time=True)


@pytest.mark.parametrize("values", [Values(), ALL])
def test_both_systems_carry_the_same_world_and_events(values: Values) -> None:
    log, queue = log_at(values), queue_at(values)

    assert (log.traffic, log.seed) == (queue.traffic, queue.seed)
    assert log.events == queue.events
    assert isinstance(log.system, Kafka)
    assert isinstance(queue.system, RabbitMQ)
    assert log.traffic.subscribers[SECOND].from_s == values.second_s
    assert log.traffic.subscribers[SECOND].wants == "all"


def test_there_are_forty_records_and_the_death_falls_into_the_work_on_one() -> None:
    plan = log_at(Values()).plan()
    assert sum(map(len, plan.sources.values())) == RECORDS == 40
    since_sent = DIES_S % (1 / RATE_PER_S)
    assert 0 < since_sent < WORK_MS / 1_000


def test_a_switch_adds_one_event_or_declares_one_queue() -> None:
    assert log_at(Values()).events == ()
    (crash,) = log_at(Values(dies=True)).events
    (seek,) = log_at(Values(replay=True)).events
    assert isinstance(crash, Crash)
    assert isinstance(seek, Seek)
    assert crash.target == seek.target == f"subscriber:{FIRST}"
    assert seek.to == "earliest"

    early = queue_at(Values(in_time=True)).system
    assert isinstance(early, RabbitMQ)
    assert [(name, each.declared) for name, each in early.queues.items()] == [
        (SECOND, "start")
    ]


def test_questions_differ_and_controls_are_those_of_the_values() -> None:
    begin = {name: getattr(Values(), name) for name in CONTROLS}

    assert list(CONTROLS) == list(Values.__dataclass_fields__)
    asked = {tuple(sorted({**begin, **each.values}.items())) for each in PRESETS}
    assert len(asked) == len(PRESETS) == 6

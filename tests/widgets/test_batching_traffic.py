from dataclasses import fields, replace

import pytest

import kafkasim as ks
from kafkasim.widgets.batching_traffic import (
    CONTROLS,
    DURATION_S,
    PRESETS,
    Values,
    scenario_at,
)
from kafkasim.widgets.inputs import Slider, checked
from kafkasim.widgets.panel import Preset


def test_controls_are_those_of_the_values_and_reach_what_they_say() -> None:
    assert list(CONTROLS) == [field.name for field in fields(Values)]
    reach = {
        name: (each.low, each.high, getattr(Values(), name))
        for name, each in CONTROLS.items()
        if isinstance(each, Slider)
    }
    assert reach == {
        "linger_ms": (0, 50, 5),
        "batch_kib": (1, 64, 16),
        "rate_per_s": (500, 20_000, 5_000),
        "partitions": (1, 32, 6),
        "brokers": (1, 6, 6),
    }


@pytest.mark.parametrize("preset", PRESETS, ids=lambda each: each.question)
def test_a_question_puts_controls_where_a_hand_can(preset: Preset) -> None:
    for name, value in preset.values.items():
        assert checked(name, CONTROLS[name], value) == value


def test_controls_become_the_settings_of_producer_topic_and_cluster() -> None:
    values = Values(linger_ms=7, batch_kib=3, rate_per_s=900, partitions=5, brokers=2)
    scenario = scenario_at(values).resolve()
    assert isinstance(scenario.system, ks.Kafka)
    config = scenario.system.producers["web"].config.resolve()
    assert (config.linger_ms, config.batch_size) == (7, 3 * 1_024)
    assert scenario.system.topics["orders"].partitions == 5
    assert scenario.system.brokers == 2
    arrivals = scenario.traffic.sources["web"].arrivals
    assert arrivals == ks.Poisson(900)
    assert scenario.traffic.duration_s == DURATION_S


def test_where_the_controls_begin_linger_and_batch_size_are_kafkas_own() -> None:
    config = ks.ProducerConfig().resolve()
    begin = Values()
    assert (begin.linger_ms, 1_024 * begin.batch_kib) == (
        config.linger_ms,
        config.batch_size,
    )


def test_only_the_rate_makes_another_plan() -> None:
    usual = scenario_at(Values()).traffic
    for values in (
        Values(linger_ms=0),
        Values(batch_kib=1),
        Values(partitions=32),
        Values(brokers=1),
    ):
        assert scenario_at(values).traffic == usual
    assert scenario_at(replace(Values(), rate_per_s=500)).traffic != usual

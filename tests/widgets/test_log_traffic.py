from dataclasses import fields, replace

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets.inputs import Slider
from kafkasim.widgets.log_traffic import (
    COMPACT,
    CONTROLS,
    PRESETS,
    Values,
    scenario_at,
    shrunk,
)


def test_controls_are_those_of_the_values_and_reach_what_they_say() -> None:
    assert list(CONTROLS) == [field.name for field in fields(Values)]
    reach = {
        name: (each.low, each.high, getattr(Values(), name))
        for name, each in CONTROLS.items()
        if isinstance(each, Slider)
    }
    assert reach == {
        "retention_s": (5, 40, 10),
        "segment_s": (1, 10, 2),
        "keys": (1, 50, 8),
    }
    assert all(set(preset.values) <= set(CONTROLS) for preset in PRESETS)


def test_controls_become_the_topics_settings() -> None:
    values = Values(retention_s=7, segment_s=3, policy=COMPACT, keys=5)
    scenario = scenario_at(values).resolve()
    assert isinstance(scenario.system, ks.Kafka)
    config = scenario.system.topics["prices"].config.resolve()
    assert config.retention_ms == 7_000
    assert config.segment_ms == 3_000
    assert config.cleanup_policy == "compact"
    assert scenario.traffic.sources["shop"].keys.count == 5  # type: ignore[union-attr]


def test_the_slow_reader_works_longer_than_the_next_record_takes_to_come() -> None:
    traffic = scenario_at(Values()).traffic
    arrivals, work_ms = (
        traffic.sources["shop"].arrivals,
        traffic.subscribers["slow"].work_ms,
    )
    assert isinstance(arrivals, ks.Poisson)
    assert isinstance(work_ms, float)
    assert work_ms * arrivals.rate_per_s > 2_000
    off = scenario_at(replace(Values(), slow_reader=False)).traffic
    assert list(off.subscribers) == ["late"]


def test_only_a_control_of_traffic_makes_another_plan() -> None:
    usual = scenario_at(Values()).traffic
    for values in (Values(retention_s=5), Values(segment_s=5), Values(policy=COMPACT)):
        assert scenario_at(values).traffic == usual


def test_what_is_said_of_kafkas_defaults_is_so() -> None:
    said = shrunk(Values())
    topic, broker = ks.TopicConfig().resolve(), ks.BrokerConfig().resolve()
    day = 86_400_000
    assert (topic.segment_bytes, topic.segment_ms) == (2**30, 7 * day)
    assert (topic.retention_ms, broker.log_retention_check_interval_ms) == (
        7 * day,
        300_000,
    )
    assert said.startswith(
        "By default nothing would go in a minute: a segment is written up to 1 GiB (1 "
        "MiB at least) or for 7 days, is kept for 7 days, and a check is made every 5 "
        "minutes."
    )
    ks.TopicConfig(segment_bytes=2**20)
    with pytest.raises(ValidationError):
        ks.TopicConfig(segment_bytes=2**20 - 1)


def test_of_compaction_the_cleaners_default_is_said() -> None:
    said = shrunk(Values(policy=COMPACT, segment_s=4))
    assert "looks every 15 s" in said
    assert said.endswith(
        "written for 4 s, retention plays no part, and the cleaner looks every 1 s."
    )
    assert ks.BrokerConfig().resolve().log_cleaner_backoff_ms == 15_000


def test_with_kafkas_defaults_nothing_goes() -> None:
    plain = scenario_at(Values())
    assert isinstance(plain.system, ks.Kafka)
    system = replace(
        plain.system, topics={"prices": ks.Topic()}, broker_config=ks.BrokerConfig()
    )
    result = ks.run(replace(plain, system=system))
    assert len(result.segments) == 1
    assert len(result.removals) == 0

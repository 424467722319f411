from dataclasses import replace

import pandas as pd
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets.inputs import Slider, checked
from kafkasim.widgets.knobs import AS_SAID, NO_KEY, knobs_of

TRACE = ks.traces.from_dataframe(
    pd.DataFrame(
        {
            "at": [0, 1, 2],
            "tail": ["N1", "N2", "N1"],
            "origin": ["EWR", "EWR", "LGA"],
        }
    ),
    time="at",
    time_unit="ms",
)


def scenario(
    keys: ks.UniformKeys | ks.TraceColumn | ks.NoKeys,
    *,
    work_ms: ks.Exponential | ks.Uniform | float = 1.0,
) -> ks.Scenario:
    drawn = not isinstance(keys, ks.TraceColumn)
    return ks.Scenario(
        ks.Traffic(
            {"web.eu": ks.Source("orders", ks.Poisson(100) if drawn else TRACE, keys)},
            {"billing": ks.Subscriber(["orders"], work_ms=work_ms)},
            duration_s=1,
        ),
        ks.Kafka(topics={"orders": ks.Topic(partitions=3)}),
    )


def test_controls_begin_where_the_scenario_stands() -> None:
    knobs = knobs_of(scenario(ks.TraceColumn("tail"), work_ms=2.5), None, None)

    assert knobs.initial.partitions == 3
    assert knobs.initial.members == 1
    assert knobs.initial.keys == "tail"
    assert knobs.initial.linger_ms == 5.0
    assert knobs.initial.work_ms == 2.5
    assert list(knobs.choices) == ["tail", "origin", NO_KEY]
    assert knobs.scenario_at(knobs.initial) == knobs.scenario


def test_a_control_writes_one_path_and_leaves_the_rest_unsaid() -> None:
    knobs = knobs_of(scenario(ks.UniformKeys(9)), None, None)

    moved = knobs.scenario_at(replace(knobs.initial, partitions=8, linger_ms=20.0))

    assert moved == knobs.scenario.where(
        {
            "system.topics.orders.partitions": 8,
            'system.producers."web.eu".config.linger_ms': 20.0,
        }
    )


def test_another_key_leaves_the_entity_that_was_the_key() -> None:
    knobs = knobs_of(scenario(ks.TraceColumn("tail")), None, None)

    source = knobs.scenario_at(replace(knobs.initial, keys="origin")).traffic.sources[
        "web.eu"
    ]

    assert source.keys == ks.TraceColumn("origin")
    assert source.entity == ks.TraceColumn("tail")


def test_no_key_keeps_the_same_records_and_ignores_their_keys() -> None:
    knobs = knobs_of(scenario(ks.UniformKeys(9)), None, None)

    keyless = knobs.scenario_at(replace(knobs.initial, keys=NO_KEY))

    assert keyless.plan().digest == knobs.scenario.plan().digest
    path = 'system.producers."web.eu".config.partitioner_ignore_keys'
    assert keyless.value_at(path) is True


def test_drawn_keys_are_a_choice_of_their_own() -> None:
    knobs = knobs_of(scenario(ks.UniformKeys(9)), None, None)

    assert knobs.choices == {AS_SAID: ks.UniformKeys(9), NO_KEY: None}
    assert knobs.initial.keys == AS_SAID


def test_a_source_without_keys_stands_at_no_key() -> None:
    knobs = knobs_of(scenario(ks.NoKeys()), None, {"few": ks.UniformKeys(2)})

    assert knobs.initial.keys == NO_KEY
    keyed = knobs.scenario_at(replace(knobs.initial, keys="few"))
    assert keyed.traffic.sources["web.eu"].keys == ks.UniformKeys(2)


def test_the_work_slider_sets_the_mean_of_drawn_work() -> None:
    knobs = knobs_of(scenario(ks.NoKeys(), work_ms=ks.Exponential(2.0)), None, None)

    moved = knobs.scenario_at(replace(knobs.initial, work_ms=4.0))

    assert knobs.initial.work_ms == 2.0
    assert moved.traffic.subscribers["billing"].work_ms == ks.Exponential(4.0)


def test_every_value_that_the_work_slider_reaches_can_run() -> None:
    for work_ms, low in (
        (ks.Exponential(2.0), 0.1),
        (ks.Exponential(0.02), 0.02),
        (2.0, 0.0),
    ):
        knobs = knobs_of(scenario(ks.NoKeys(), work_ms=work_ms), None, None)
        slider = knobs.controls["work_ms"]
        assert isinstance(slider, Slider)
        assert slider.low == low
        for end in (slider.low, slider.high):
            knobs.scenario_at(replace(knobs.initial, work_ms=end))


def test_work_without_one_number_has_no_path() -> None:
    knobs = knobs_of(scenario(ks.NoKeys(), work_ms=ks.Uniform(1.0, 2.0)), None, None)

    assert knobs.work_path is None
    assert knobs.scenario_at(replace(knobs.initial, work_ms=4.0)) == knobs.scenario


def test_a_system_without_partitions_is_refused() -> None:
    other = scenario(ks.NoKeys()).where({"system": ks.PointToPoint()})

    with pytest.raises(ValidationError, match="only topics have partitions"):
        knobs_of(other, None, None)


def test_what_is_no_scenario_or_has_nobody_to_look_at_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"'Trace'.* expected a ks\.Scenario"):
        knobs_of(TRACE, None, None)  # type: ignore[arg-type]
    nobody = ks.Scenario(ks.Traffic({"web": ks.Source("orders", TRACE)}, {}))
    with pytest.raises(ValidationError, match="one to look at, at least"):
        knobs_of(nobody, None, None)


def test_an_unknown_subscriber_is_refused_and_the_known_are_named() -> None:
    with pytest.raises(ValidationError, match="billing"):
        knobs_of(scenario(ks.NoKeys()), "bling", None)


def test_ranges_hold_what_is_said_and_work_without_a_number_stands_still() -> None:
    many = scenario(ks.NoKeys(), work_ms=ks.Uniform(1.0, 2.0)).where(
        {"system.topics.orders.partitions": 100}
    )

    controls = knobs_of(many, None, None).controls

    checked("partitions", controls["partitions"], 100)
    assert getattr(controls["work_ms"], "moves", None) is False
    moving = knobs_of(scenario(ks.NoKeys()), None, None).controls["work_ms"]
    assert getattr(moving, "moves", None) is True

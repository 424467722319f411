"""What a user of the explorer sees within ten seconds, from the numbers it shows."""

from dataclasses import asdict, replace
from functools import cache

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.widgets.inputs import Slider, checked
from kafkasim.widgets.knobs import NO_KEY
from kafkasim.widgets.partition_shown import Shown, shown_of
from kafkasim.widgets.partition_traffic import BY_KEY, KEYS, TrafficKnobs, Values

KNOBS = TrafficKnobs()


@cache
def shown(values: Values) -> Shown:
    return shown_of(ks.run(KNOBS.scenario_at(values)), "orders", "billing")


def test_controls_begin_where_the_lesson_begins() -> None:
    assert KNOBS.initial == Values(1, 4, BY_KEY, 3_000, 0.0, 1.0)
    reach = {
        name: (control.low, control.high)
        for name, control in KNOBS.controls.items()
        if isinstance(control, Slider)
    }
    assert reach == {
        "partitions": (1, 16),
        "members": (1, 8),
        "rate_per_s": (500, 4_000),
        "skew": (0.0, 2.0),
        "work_ms": (0.2, 3.0),
    }


def test_every_question_can_be_asked() -> None:
    for preset in KNOBS.presets:
        for name, value in preset.values.items():
            checked(name, KNOBS.controls[name], value)
        assert preset.question.endswith("?")


def test_a_run_at_the_defaults_makes_at_most_10_000_calendar_entries() -> None:
    result = ks.run(KNOBS.scenario_at(KNOBS.initial))

    assert int(result.facts["calendar_entries"]) <= 10_000


def test_with_one_partition_lag_climbs_by_about_2_000_a_second() -> None:
    seen = shown(Values(partitions=1))

    sent_per_s = seen.sent / seen.sent_until_s
    assert seen.climbs_per_s == pytest.approx(sent_per_s - 1_000, rel=0.01)
    assert seen.climbs_per_s == pytest.approx(2_000, rel=0.05)
    # A straight line, but for the width of a bin and the chance in when records come.
    at_s, width_s = seen.at_s[seen.at_s < seen.sent_until_s], seen.at_s[1]
    off = np.abs(seen.total[: len(at_s)] - seen.climbs_per_s * at_s)
    assert (off < 2_000 * width_s + 4 * np.sqrt(sent_per_s * (at_s + width_s))).all()


def test_with_four_partitions_lag_is_flat() -> None:
    seen = shown(Values(partitions=4))

    assert not seen.built_up
    assert seen.climbs_per_s == 0.0
    thirds = np.array_split(seen.total[seen.at_s < seen.sent_until_s], 3)
    assert thirds[2].mean() < 1.5 * thirds[0].mean()
    assert seen.total.max() < 0.01 * seen.sent


def test_eight_partitions_add_nothing_since_four_members_do_the_work() -> None:
    four, eight = shown(Values(partitions=4)), shown(Values(partitions=8))

    assert eight.times_ms[0] == pytest.approx(four.times_ms[0], rel=0.1)
    assert not eight.built_up
    per_member = {
        members: shown(Values(partitions=8, members=members)).climbs_per_s
        for members in (1, 2)
    }
    assert per_member[1] == pytest.approx(2_000, rel=0.05)
    assert per_member[2] == pytest.approx(1_000, rel=0.1)


def test_at_4_000_a_second_it_is_members_that_more_partitions_wait_for() -> None:
    busy = Values(partitions=8, rate_per_s=4_000, work_ms=1.2)

    assert shown(busy).built_up
    assert shown(replace(busy, partitions=16)).built_up
    assert not shown(replace(busy, members=8)).built_up


def test_without_keys_the_braid_crosses_and_by_key_it_does_not() -> None:
    keyed = shown(Values(partitions=4)).braid
    keyless = shown(Values(partitions=4, keys=NO_KEY)).braid

    assert keyed.overtaken == 0
    assert not keyed.crossed.any()
    assert keyless.pairs > 0
    assert keyless.crossed.any()
    assert keyless.entity.startswith("key-")
    assert shown(Values(partitions=1, keys=NO_KEY)).braid.pairs == 0


@pytest.mark.parametrize("partitions", [2, 4, 8, 16])
def test_skew_2_stalls_one_partition_whatever_their_number(partitions: int) -> None:
    values = Values(partitions=partitions, skew=2.0)
    scenario = KNOBS.scenario_at(values)
    home = ks.partition_for_key("key-0", partitions)

    seen = shown(values)

    assert seen.stalled == home
    own = seen.lag_then[home]
    hot_per_s = np.count_nonzero(scenario.plan().sources["web"].key_id == 0) / 3
    assert own / 3 > 0.9 * (hot_per_s - 1_000)  # what one member cannot keep up with
    even = shown(Values(partitions=partitions))
    assert even.stalled is None


def test_more_members_do_not_help_a_hot_key_either() -> None:
    values = Values(partitions=16, members=8, skew=2.0)

    assert shown(values).stalled == ks.partition_for_key("key-0", 16)


def test_skew_0_draws_every_key_as_often_as_any_other() -> None:
    ids = KNOBS.scenario_at(Values(skew=0.0)).plan().sources["web"].key_id
    counts = np.bincount(ids, minlength=KEYS)
    expected = len(ids) / KEYS

    chi_square = float(((counts - expected) ** 2 / expected).sum())

    freedom = KEYS - 1  # mean of the statistic; its variance is twice that
    assert abs(chi_square - freedom) < 4 * np.sqrt(2 * freedom)
    assert len(counts) == KEYS


def test_without_keys_the_same_records_come_and_keep_their_entity() -> None:
    keyed = KNOBS.scenario_at(Values(partitions=4))
    keyless = KNOBS.scenario_at(Values(partitions=4, keys=NO_KEY))

    assert keyless.plan() == keyed.plan()
    result = ks.run(keyless)
    assert result.records["entity"].notna().all()


def test_what_is_clicked_together_can_be_written_down() -> None:
    values = Values(7, 3, NO_KEY, 500, 1.5, 0.2)

    text = KNOBS.scenario_at(values).to_toml()

    assert ks.Scenario.from_toml(text) == KNOBS.scenario_at(values)
    assert list(asdict(values)) == list(KNOBS.controls)

"""The offset explorer's scenario: the crash falls where it is said to fall."""

import pytest

import kafkasim as ks
from kafkasim.result.result import Result
from kafkasim.scenario.events import Crash
from kafkasim.scenario.systems import Kafka
from kafkasim.widgets.offset_traffic import (
    CONTROLS,
    CRASHES,
    MIDDLE,
    OTHER,
    POINTS,
    PRESETS,
    Commit,
    Values,
    moments,
    scenario_at,
)

MODES: tuple[Commit, ...] = (
    *("auto", "each_poll", "before_work", "after_work", "manual"),
)  # fmt: skip


def calm(commit: Commit, per_poll: int = 4) -> Result:
    return ks.run(scenario_at(Values(commit, "never", per_poll)))


def crash_of(values: Values) -> Crash:
    (event,) = scenario_at(values).events
    assert isinstance(event, Crash)
    return event


@pytest.mark.parametrize("commit", MODES)
def test_the_points_lie_around_the_work_on_one_polls_records(commit: Commit) -> None:
    at = moments(commit, 4)
    rows = calm(commit).deliveries.query("subscriber == @CRASHES").set_index("offset")
    begins, ends = rows["started_ms"] * 1e6, rows["ended_ms"] * 1e6

    assert begins[10] < at["in the work"] < ends[10]
    assert at["after the work"] == pytest.approx(ends[11], abs=1)
    assert ends[7] - 1 <= at["before the work"] < begins[8] + 1e6
    if commit == "before_work":
        assert at["before the work"] < at["after the commit"] < begins[8]
    else:
        assert at["after the work"] < at["after the commit"]


@pytest.mark.parametrize("commit", MODES)
def test_the_commit_is_stored_before_the_last_point_and_not_before_the_others(
    commit: Commit,
) -> None:
    commits = calm(commit).commits.query("group == @CRASHES")
    stored_ns = commits.loc[commits["offset"] >= 12, "at_ms"].min() * 1e6
    at = moments(commit, 4)

    assert stored_ns < at["after the commit"]
    after = "before the work" if commit == "before_work" else "after the work"
    assert at[after] < stored_ns  # type: ignore[index]


@pytest.mark.parametrize("per_poll", [1, 3, 10])
def test_the_poll_is_the_one_that_hands_out_the_middle(per_poll: int) -> None:
    at = moments("after_work", per_poll)
    rows = calm("after_work", per_poll).deliveries.query("subscriber == @CRASHES")
    ends = rows.set_index("offset")["ended_ms"] * 1e6

    assert at["before the work"] < ends[MIDDLE]
    assert at["after the work"] >= ends[MIDDLE] - 1


def test_the_crash_hits_one_group_and_the_process_is_back_in_a_second() -> None:
    event = crash_of(Values())

    assert (event.target, event.for_s) == (f"member:{CRASHES}/1", 1.0)
    assert event.at_s == moments("after_work", 4)["in the work"] / 1e9
    assert scenario_at(Values(crash="never")).events == ()


def test_controls_reach_kafkas_own_settings() -> None:
    system = scenario_at(Values(commit="manual", per_poll=7)).system

    assert isinstance(system, Kafka)
    group = system.groups[CRASHES]
    assert (group.commit, group.start) == ("manual(every=1)", "cold")
    assert group.config.resolve().max_poll_records == 7
    assert group.config.resolve().session_timeout_ms == 6_000
    assert system.groups[OTHER].commit == "auto"


def test_it_begins_with_a_crash_in_the_work_and_asks_different_questions() -> None:
    begin = Values()

    assert (begin.commit, begin.crash) == ("after_work", "in the work")
    assert list(CONTROLS) == list(Values.__dataclass_fields__)
    assert POINTS[0] == "never"
    changes = [
        tuple(sorted({**_plain(begin), **each.values}.items())) for each in PRESETS
    ]
    assert len(set(changes)) == len(PRESETS) >= 5


def _plain(values: Values) -> dict[str, object]:
    return {name: getattr(values, name) for name in CONTROLS}

"""Members that start joined and poll too late: the run gets coordinators (GR-8)."""

import numpy as np
import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.result.result import Result
from kafkasim.scenario.member_events import StuckRecord
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

INTERVAL_MS = 1_000
STUCK = StuckRecord("subscriber:billing", "web", ordinal=0, work_ms=1_500)


def scenario_of(
    *events: StuckRecord,
    work_ms: float = 1.0,
    commit: str = "auto",
    until_s: float | None = None,
) -> Scenario:
    """Ten records at 0.1 s, all returned by one poll; two members, two partitions."""
    times = np.full(10, 10**8, np.int64)
    traffic = Traffic(
        {"web": Source("orders", Trace(times, {}))},
        {"billing": Subscriber(["orders"], work_ms=work_ms)},
        duration_s=until_s or 1,
    )
    config = ConsumerConfig(max_poll_interval_ms=INTERVAL_MS, heartbeat_interval_ms=100)
    kafka = Kafka(
        topics={"orders": Topic(partitions=2)},
        groups={"billing": Group(2, commit=commit, config=config)},
    )
    end = "cut" if until_s else "drain"
    return Scenario(traffic, kafka, events=events, end=end)  # type: ignore[arg-type]


def has_coordinators(result: Result) -> bool:
    try:
        return len(result.table("group_states")) > 0
    except TableNotRecorded:
        return False


def test_a_member_that_polls_too_late_leaves_though_it_started_joined() -> None:
    result = run(scenario_of(STUCK), check=True)

    states = result.group_states
    assert states.cause.iloc[0] == "as the run begins"
    (left_ms,) = states.query("cause == 'member left'").at_ms[:1]
    handed = result.deliveries.query("record_id == 0").sort_values("started_ms")
    began_ms, again_ms = handed.started_ms[:2]
    assert left_ms == pytest.approx(began_ms + INTERVAL_MS, abs=3)
    assert again_ms > left_ms
    assert handed.member.nunique() == 2


@pytest.mark.parametrize(
    ("work_ms", "commit", "expected"),
    [
        (90.0, "auto", False),
        (150.0, "auto", True),
        (90.0, "manual(every=4)", False),
        (150.0, "manual(every=4)", True),  # each four take less
    ],
)
def test_what_counts_is_from_one_poll_to_the_next(
    work_ms: float, commit: str, *, expected: bool
) -> None:
    result = run(scenario_of(work_ms=work_ms, commit=commit))

    most = result.deliveries.groupby(["member", "fetched_ms"]).size().max()
    assert most == 10
    assert has_coordinators(result) == expected


def test_a_run_that_is_over_before_it_would_leave_has_no_coordinators() -> None:
    for until_s, expected in ((1.05, False), (1.2, True)):
        result = run(scenario_of(STUCK, until_s=until_s))
        assert has_coordinators(result) == expected


def test_a_streamed_run_says_what_it_cannot_show() -> None:
    with pytest.raises(ValidationError, match=r"max_poll_interval_ms.*at least 1500"):
        run(scenario_of(work_ms=150.0), result="streamed")

"""Consumer groups to which things happen at random: what must hold of each history.

The number in a failing test's name is its seed; `scenario_of` gives its scenario again.
"""

from types import SimpleNamespace
from typing import Any, cast

import pytest

import kafkasim as ks
from kafkasim.engine.sim.run import run
from tests.simulation.going_round import Place, is_passed_over
from tests.simulation.group_runs import scenario_of, wrongs

SEEDS = {"quick": [*range(15), *range(16, 26)], "thorough": range(500)}
"""In the 15th somebody is stuck for 300 s, with a heartbeat every 150 ms."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        tier = metafunc.config.getoption("--tier")
        metafunc.parametrize("seed", SEEDS[tier])


def test_a_partition_has_one_owner_in_an_epoch_whatever_happens(seed: int) -> None:
    """Also: commits within the log, positions that rise, an end, the same twice."""
    scenario = scenario_of(seed)

    result = run(scenario, check=True)

    assert list(wrongs(scenario, result)) == []
    if seed % 5 == 0:
        assert run(scenario).digest == result.digest


def test_what_is_pending_is_seen_but_behind_a_stuck_record() -> None:
    """Two members have a partition each; the work on one of all records never ends."""
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(20.0), keys=ks.UniformKeys(9))},
        {"billing": ks.Subscriber(["orders"], work_ms=400.0)},
        duration_s=2.0,
    )
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=2)}, groups={"billing": ks.Group(2)}
    )
    calm = ks.Scenario(traffic, cluster, end="cut")
    stuck = calm.where({"events": (ks.StuckRecord("subscriber:billing", "web", 0),)})
    places = [list(wrongs(each, run(each, check=True))) for each in (calm, stuck)]

    assert [len(each) for each in places] == [2, 1]
    assert places[1][0].split(" is read")[0] in "".join(places[0])


SHORT: dict[str, Any] = {"max_poll_interval_ms": 1_500}
GOES_ROUND = ks.Group(
    1, start="cold", commit="after_work", config=ks.ConsumerConfig(**SHORT)
)
TABLES = ("assignments", "deliveries", "appends", "requests")
UNREAD = Place("billing", "orders", 1)


@pytest.fixture(scope="module")
def goes_round() -> tuple[ks.Scenario, ks.Result]:
    """Return a group that is handed 13 records, 1.95 s of work, again and again.

    It has 1.5 s between two polls. The records of the other partition are 4 us too late
    for the one poll that it makes in each of its generations.
    """
    scenario = ks.Scenario(
        ks.Traffic(
            {"web": ks.Source("orders", ks.Periodic(20.0), keys=ks.UniformKeys(9))},
            {"billing": ks.Subscriber(["orders"], work_ms=150.0, wants="all")},
            duration_s=2.0,
        ),
        ks.Kafka(
            brokers=2,
            topics={"orders": ks.Topic(partitions=2)},
            groups={"billing": GOES_ROUND},
        ),
        drain_limit_s=6.0,
    )
    return scenario, run(scenario, check=True)


def test_work_longer_than_the_poll_interval_leaves_a_partition_unread(
    goes_round: tuple[ks.Scenario, ks.Result],
) -> None:
    scenario, result = goes_round
    work = result.deliveries
    rounds = result.assignments.query("partition == 1")

    assert not result.facts["drained"]
    assert set(work.partition) == {0}
    assert work.groupby("record_id").size().min() > 1
    assert (rounds.start_offset == 0).all()
    assert list(wrongs(scenario, result)) == []


@pytest.mark.parametrize(
    ("since_ms", "setting"),
    [
        (9_000.0, {}),  # once round is not round and round
        (0.0, {"max_poll_interval_ms": 2_000}),  # it stays in the group
        (0.0, {"max_poll_records": 12}),  # more than one poll
        (0.0, {"fetch_max_wait_ms": 0}),  # it could have fetched
    ],
)
def test_a_partition_is_passed_over_only_by_who_goes_round(
    goes_round: tuple[ks.Scenario, ks.Result],
    since_ms: float,
    setting: dict[str, Any],
) -> None:
    _, result = goes_round
    config = ks.ConsumerConfig(**SHORT | setting).resolve()

    assert is_passed_over(result, UNREAD, GOES_ROUND.config.resolve(), 0.0)
    assert not is_passed_over(result, UNREAD, config, since_ms)


def test_a_partition_that_could_be_fetched_is_not_passed_over(
    goes_round: tuple[ks.Scenario, ks.Result],
) -> None:
    """All is the same, but nobody owes the member an answer as its work begins."""
    _, result = goes_round
    tables = {name: result.table(name) for name in TABLES}
    tables["requests"] = tables["requests"].assign(answered_ms=0.0)
    doctored = SimpleNamespace(facts=result.facts, **tables)

    assert not is_passed_over(
        cast("ks.Result", doctored), UNREAD, GOES_ROUND.config.resolve(), 0.0
    )

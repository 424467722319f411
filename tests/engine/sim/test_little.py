"""Little's law holds in every stage, and no row is lost without its being noticed."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.little import RULE, Area
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.engine.sim.systems.kafka_tables import KafkaTables
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.result.table import Table
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

BUSY = Hardware(link=Link(Exponential(0.3)), cpu=Cpu(request_ms=Exponential(0.3)))
"""IO threads have a queue."""
CROWDED = Hardware(link=Link(0.1), cpu=Cpu(request_ms=4.0))
"""Requests arrive faster than they are served, and wait unread on connections, too."""
OFTEN = ConsumerConfig(
    max_poll_records=9, fetch_max_wait_ms=20, auto_commit_interval_ms=30
)


def scenario_of(
    *,
    acks: Literal["all", "1", "0"] = "all",
    keys: bool = True,
    events: tuple[Event, ...] = (),
    end: Literal["drain", "cut"] = "drain",
    late: Subscriber | None = None,
    config: ConsumerConfig = OFTEN,
    hardware: Hardware = BUSY,
) -> Scenario:
    """Two sources, two brokers with one IO thread, and two or three groups."""
    web = Source("orders", Poisson(2_000.0), value_bytes=Exponential(200.0))
    app = Source("orders", Poisson(800.0), value_bytes=100)
    if keys:
        web = Source("orders", Poisson(2_000.0), keys=UniformKeys(50))
    subscribers = {
        "audit": Subscriber(["orders"], work_ms=0.2),
        "billing": Subscriber(["orders"], work_ms=Exponential(0.8)),
    }
    if late is not None:
        subscribers["late"] = late
    settings = ProducerConfig(acks=acks, linger_ms=3, batch_size=2_000)
    return Scenario(
        Traffic({"app": app, "web": web}, subscribers, duration_s=0.2),
        Kafka(
            brokers=2,
            topics={"orders": Topic(partitions=5)},
            producers={n: Producer(config=settings) for n in ("app", "web")},
            groups={
                name: Group(members=2, config=config) for name in sorted(subscribers)
            },
            hardware=hardware,
            broker_config=BrokerConfig(num_io_threads=1),
        ),
        events=events,
        end=end,
        seed=11,
    )


CRASHES = (
    Crash("subscriber:billing", at_s=0.05, for_s=0.03),
    Slow("subscriber:billing", at_s=0.04, for_s=0.09, factor=2.5),
    Crash("subscriber:billing", at_s=0.13, for_s=0.02),
    Slow("subscriber:audit", at_s=0.10, for_s=0.05, factor=0.3),
    Pause("subscriber:audit", at_s=0.12, for_s=0.04),
)
SCENARIOS = {
    "acks all, with keys": scenario_of(),
    "acks 1, without keys": scenario_of(acks="1", keys=False),
    "acks 0": scenario_of(acks="0"),
    "acks 0, cut": scenario_of(acks="0", end="cut"),
    "crashes, slow spells": scenario_of(events=CRASHES),
    "crashes, cut": scenario_of(events=CRASHES, end="cut", keys=False),
    "a group that comes late": scenario_of(
        late=Subscriber(["orders"], work_ms=0.1, from_s=0.1)
    ),
    "a late group without commits crashes": scenario_of(
        late=Subscriber(["orders"], work_ms=0.4, from_s=0.1),
        events=(Crash("subscriber:late", at_s=0.15, for_s=0.02),),
        config=ConsumerConfig(enable_auto_commit=False, max_poll_records=9),
    ),
    "a late group that wants all": scenario_of(
        late=Subscriber(["orders"], work_ms=0.1, from_s=0.1, wants="all"), end="cut"
    ),
    "one group gone for good": scenario_of(
        events=(Crash("subscriber:audit", at_s=0.001),), end="cut"
    ),
    "crowded, cut": scenario_of(end="cut", hardware=CROWDED),
}


def stages(result: Result) -> list[str]:
    """Return the stages whose violation is recorded."""
    table = result.table("violations")
    assert set(table["rule"]) <= {RULE}
    return table["where"].tolist()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_law_holds_in_every_stage(name: str) -> None:
    assert stages(run(SCENARIOS[name], check=True)) == []


def test_an_area_is_an_integral() -> None:
    area = Area()
    area.to(3, 10)
    area.change(-2, 20)
    area.rise_at(np.array([15, 25]))
    # 3 from 10, 4 from 15, 2 from 20, 3 from 25.
    assert area.until(30) == 3 * 5 + 4 * 5 + 2 * 5 + 3 * 5
    assert area.count == 3


# --- errors of one ----------------------------------------------------------------


@pytest.fixture(scope="module", name="finished", params=["drain", "cut"])
def finished_run(request: pytest.FixtureRequest) -> tuple[KafkaRun, Result]:
    """A run of acks=all without crashes, and its result."""
    scenario = scenario_of(end=request.param)
    runs = KafkaRun(scenario, scenario.plan(), check=True)
    return runs, runs.run()


def with_table(result: Result, table: Table) -> Result:
    tables = {name: result.columns(name) for name in result.tables}
    return Result(
        scenario=result.scenario,
        plan=result.plan,
        facts=result.facts,
        digests=result.digests,
        tables=tables | {table.name: table},
        not_recorded=result.not_recorded,
    )


def found(runs: KafkaRun, result: Result) -> list[str]:
    assert runs.inspection is not None
    runs.inspection.violations.clear()
    runs.inspection.hold_against(result)
    return [violation.where for violation in runs.inspection.violations]


def some(rows: np.ndarray) -> Iterator[int]:
    """The first, the last and a middle one."""
    assert len(rows)
    yield from {int(rows[0]), int(rows[len(rows) // 2]), int(rows[-1])}


LATER = [
    ("records", "created_ns", "waiting at their producer"),
    ("records", "appended_ns", "between producer and log"),
    ("batches", "sent_ns", "waiting at their producer"),
    ("requests", "sent_ns", "in flight"),
    ("requests", "received_ns", "waiting for an IO thread"),
    ("requests", "dequeued_ns", "at IO threads"),
    ("requests", "done_ns", "at IO threads"),
    ("requests", "answered_ns", "in flight"),
    ("deliveries", "started_ns", "works on"),
    ("deliveries", "ended_ns", "works on"),
]


@pytest.mark.parametrize(("table", "column", "stage"), LATER)
def test_a_time_that_is_off_by_a_nanosecond_is_noticed(
    finished: tuple[KafkaRun, Result], table: str, column: str, stage: str
) -> None:
    runs, result = finished
    whole = result.columns(table)
    there = whole[column] != MISSING_NS
    if table == "requests" and stage == "in flight":  # a commit's way is no stage
        there &= whole["api"] != whole.labels["api"].index("OffsetCommit")
    for row in some(np.flatnonzero(there)):
        columns = dict(whole.columns)
        columns[column] = columns[column].copy()
        columns[column][row] += 1
        wrong = found(runs, with_table(result, Table(table, columns, whole.labels)))
        assert any(stage in where for where in wrong), (row, wrong)
        # Three when a record reaches the log too late: two groups wait for it there.
        assert len(wrong) <= 3


DROPPED = ["requests", "batches", "deliveries"]


@pytest.mark.parametrize("table", DROPPED)
def test_a_row_that_was_dropped_is_noticed(
    finished: tuple[KafkaRun, Result], table: str
) -> None:
    runs, result = finished
    whole = result.columns(table)
    if table == "requests":
        waited = whole["dequeued_ns"] != MISSING_NS
    elif table == "batches":
        waited = whole["sent_ns"] != MISSING_NS
    else:
        waited = whole["ended_ns"] != MISSING_NS
    for row in some(np.flatnonzero(waited)):
        columns = {name: np.delete(array, row) for name, array in whole.columns.items()}
        assert found(runs, with_table(result, Table(table, columns, whole.labels)))


# --- the same, planted in the engine ----------------------------------------------


def one_less(write: Callable[..., None]) -> Callable[..., None]:
    """Let the tenth call pass without a word."""
    calls = iter(range(1_000_000))

    def written(*values: object) -> None:
        if next(calls) != 10:
            write(*values)

    return written


def test_a_request_that_is_not_recorded_is_a_violation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writer = Recorder.writer

    def forgetful(self: Recorder, table: str) -> Callable[..., None]:
        write = writer(self, table)
        return one_less(write) if table == "requests" else write

    monkeypatch.setattr(Recorder, "writer", forgetful)
    result = run(scenario_of(), check=True)
    assert stages(result)
    assert result.columns("violations")["at_ns"].tolist()[0] == result.facts["end_ns"]


def test_a_poll_that_is_not_recorded_is_a_violation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(KafkaTables, "returned", one_less(KafkaTables.returned))
    result = run(scenario_of(), check=True)
    assert any("works on" in where for where in stages(result))
    assert any("before group" in where for where in stages(result))

"""What a broker does at which moment, by hand: service, purgatory, dropped fetches."""

from collections.abc import Callable

import numpy as np

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.request import FETCH, PRODUCE
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

MS = 1_000_000
PLAIN = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.5, mb_ms=0.0)
)
"""1 ms each way, 0.5 ms a request, bytes cost nothing."""

Builder = Callable[..., Scenario]


def times_ms(result: Result, api: int, column: str) -> list[float | None]:
    """A time of the requests of one kind, in the order of sending."""
    requests = result.columns("requests")
    mine = requests["api"] == api
    order = np.argsort(requests["request_id"][mine])
    times = requests[column][mine][order].tolist()
    return [None if time == MISSING_NS else time / MS for time in times]


def test_a_produce_request_takes_time_for_each_of_its_bytes(
    scenario_of: Builder,
) -> None:
    slow = Hardware(link=PLAIN.link, cpu=Cpu(request_ms=0.5, mb_ms=1_000.0))
    requests = run(scenario_of(hardware=slow), check=True).columns("requests")
    produce = requests["api"] == PRODUCE
    served_ns = (requests["done_ns"] - requests["dequeued_ns"])[produce]
    assert (
        served_ns.tolist()
        == (500_000 + 1_000 * requests["size_bytes"][produce]).tolist()
    )
    assert requests["size_bytes"][produce].min() > 100


def test_an_answered_fetch_leaves_no_deadline_behind(scenario_of: Builder) -> None:
    config = ConsumerConfig(fetch_max_wait_ms=100)
    group = Group(members=1, config=config)
    scenario = scenario_of(rate_per_s=12.5, count=2, work_ms=60.0, group=group)
    result = run(scenario, check=True)
    # The second fetch is parked at 4, until 104; it is answered at 81.5, when the
    # second record is appended. The third is parked at 84 and would wait until 184,
    # but the run is over at 142.5.
    assert times_ms(result, FETCH, "sent_ns") == [0.0, 2.5, 82.5]
    assert times_ms(result, FETCH, "done_ns") == [1.5, 81.5, None]
    assert result.facts["end_ns"] == 142.5 * MS


def test_the_deadline_of_an_answered_fetch_does_not_cut_the_next_one_short(
    scenario_of: Builder,
) -> None:
    group = Group(members=1, config=ConsumerConfig(fetch_max_wait_ms=150))
    scenario = scenario_of(rate_per_s=5.0, count=3, work_ms=0.0, group=group)
    result = run(scenario, check=True)
    # The third fetch is parked at 156.5 and answered at 201.5; the fourth, parked at
    # 204, waits on at 306.5 and for all of its 150 ms.
    assert times_ms(result, FETCH, "sent_ns") == [0.0, 2.5, 155.0, 202.5, 355.0, 402.5]
    done = [1.5, 154.0, 201.5, 354.0, 401.5, None]
    assert times_ms(result, FETCH, "done_ns") == done


def test_a_session_has_one_deadline_on_the_calendar(scenario_of: Builder) -> None:
    group = Group(members=1, config=ConsumerConfig(fetch_max_wait_ms=5_000))
    scenario = scenario_of(rate_per_s=100.0, count=20, work_ms=0.1, group=group)
    cluster = KafkaRun(scenario, scenario.plan(), check=False)
    cluster.run()
    pending = cluster.calendar.pending()
    assert sum(isinstance(each, FetchSession) for each in pending) == 1


def test_a_fetch_from_before_a_crash_reads_nothing() -> None:
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(rate_per_s=1.0, phase_s=0.01))},
            {"billing": Subscriber(["orders"])},
            duration_s=0.5,
        ),
        Kafka(
            producers={"web": Producer(config=ProducerConfig(linger_ms=0))},
            hardware=PLAIN,
        ),
        events=[Crash("subscriber:billing", at_s=0.0005, for_s=0.01)],
        drain_limit_s=2.0,
    )
    result = run(scenario, check=True)
    # The fetch of 0 ms is served at 1.5, after the crash, and must not wait there: the
    # record comes at 11.5, the fetch of 10.5 is served at 12 and takes it.
    assert times_ms(result, FETCH, "done_ns")[:2] == [None, 12.0]
    assert result.columns("deliveries")["fetched_ns"].tolist() == [13 * MS]
    assert result.facts["drained"] == 1

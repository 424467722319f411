"""Whole runs of a Kafka cluster small enough to work out by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from kafkasim.analysis.receiving import receipts
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.request import PRODUCE
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.distributions import Exponential, Uniform, draw_ns
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
AT_ONCE = Producer(config=ProducerConfig(linger_ms=0))
PLAIN = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.5, mb_ms=0.0)
)
"""1 ms each way, 0.5 ms a request, bytes cost nothing."""

Builder = Callable[..., Scenario]
Times = Callable[[Result, str, str], list[float | None]]


def test_one_record_goes_through_at_the_times_worked_out_by_hand(
    scenario_of: Builder, ms: Times
) -> None:
    result = run(scenario_of(count=1), check=True)
    # Sent at 0 with linger 0, 1 ms of link, 0.5 ms of service, 1 ms back.
    assert ms(result, "records", "created_ns") == [0]
    assert ms(result, "records", "appended_ns") == [1.5]
    assert ms(result, "records", "committed_ns") == [1.5]
    assert ms(result, "records", "acked_ns") == [2.5]
    # The member's fetch was sent at 0, served by 1.5 and parked; the append wakes it.
    assert ms(result, "deliveries", "fetched_ns") == [2.5]
    assert ms(result, "deliveries", "started_ns") == [2.5]
    assert ms(result, "deliveries", "ended_ns") == [12.5]
    assert result.facts["drained"] == 1
    assert result.facts["end_ns"] == 12.5 * MS


def test_records_that_come_while_a_member_works_wait_for_its_next_poll(
    scenario_of: Builder, ms: Times
) -> None:
    result = run(scenario_of(rate_per_s=500, count=4, work_ms=10.0), check=True)
    # Records at 0, 2, 4, 6 ms, each sent at once; appended 1.5 ms later. The second
    # fetch leaves at 2.5 and is answered at 4.0 with record 1 (appended at 3.5):
    # it is there at 5.0, and waits for the poll at 12.5. No fetch goes out while it
    # is in the buffer, so records 2 and 3 come with the third fetch, sent at 12.5.
    assert ms(result, "deliveries", "started_ns") == [2.5, 12.5, 22.5, 32.5]
    assert ms(result, "deliveries", "fetched_ns") == [2.5, 5.0, 15.0, 15.0]


def test_a_poll_hands_out_no_more_than_max_poll_records(scenario_of: Builder) -> None:
    config = ConsumerConfig(max_poll_records=2)
    busy = Producer(config=ProducerConfig(linger_ms=20))
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=5,
            work_ms=1.0,
            producer=busy,
            group=Group(members=1, config=config),
        ),
        check=True,
    )
    polls = result.columns("deliveries")["started_ns"]
    assert len(polls) == 5
    assert (np.diff(polls) == MS).all()
    assert result.columns("batches")["record_count"].tolist() == [5]


def test_a_batch_waits_for_linger_and_takes_what_comes_meanwhile(
    scenario_of: Builder, ms: Times
) -> None:
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=10,
            producer=Producer(config=ProducerConfig(linger_ms=5)),
        ),
        check=True,
    )
    batches = result.columns("batches")
    # Opened at 0, drained at 5 with the records of 0 … 5; the next is opened at 6.
    assert batches["record_count"].tolist() == [6, 4]
    assert ms(result, "batches", "opened_ns") == [0, 6]
    assert ms(result, "batches", "sent_ns") == [5, 11]
    assert [batches.labels["closed_by"][code] for code in batches["closed_by"]] == [
        "linger",
        "linger",
    ]


def test_a_broker_reads_one_request_at_a_time_from_a_connection(
    scenario_of: Builder,
) -> None:
    result = run(scenario_of(rate_per_s=10_000, count=3), check=True)
    requests = result.columns("requests")
    produce = requests["api"] == 0
    # Sent at 0, 0.1 and 0.2 ms; each is read when the answer before it has left.
    assert (requests["sent_ns"][produce] / MS).tolist() == [0, 0.1, 0.2]
    assert (requests["received_ns"][produce] / MS).tolist() == [1.0, 1.5, 2.0]
    assert (requests["done_ns"][produce] / MS).tolist() == [1.5, 2.0, 2.5]


def test_io_threads_serve_the_shared_queue_in_order_of_arrival() -> None:
    two_sources = Scenario(
        Traffic(
            sources={
                name: Source("orders", Periodic(rate_per_s=1), value_bytes=10)
                for name in ("a", "b", "c")
            },
            subscribers={},
            duration_s=1,
        ),
        system=Kafka(
            producers=dict.fromkeys(("a", "b", "c"), AT_ONCE),
            hardware=PLAIN,
            broker_config=BrokerConfig(num_io_threads=1),
        ),
    )
    result = run(two_sources, check=True)
    requests = result.columns("requests")
    assert (requests["received_ns"] / MS).tolist() == [1.0, 1.0, 1.0]
    assert (requests["dequeued_ns"] / MS).tolist() == [1.0, 1.5, 2.0]


def test_acks_0_awaits_no_answer_and_the_record_is_never_acknowledged(
    scenario_of: Builder, ms: Times
) -> None:
    silent = Producer(config=ProducerConfig(linger_ms=0, acks="0"))
    result = run(scenario_of(count=2, producer=silent), check=True)
    records = result.columns("records")
    outcomes = [records.labels["outcome"][code] for code in records["outcome"]]
    assert outcomes == ["unacked", "unacked"]
    assert ms(result, "records", "acked_ns") == [None, None]
    assert ms(result, "records", "appended_ns") == [1.5, 11.5]
    assert result.facts["drained"] == 1


def test_a_fetch_waits_for_min_bytes_or_for_the_longest_wait(
    scenario_of: Builder, ms: Times
) -> None:
    config = ConsumerConfig(fetch_min_bytes=10_000, fetch_max_wait_ms=50)
    result = run(
        scenario_of(rate_per_s=100, count=1, group=Group(members=1, config=config)),
        check=True,
    )
    # Parked at 1.5, answered at 51.5 with what there is, held by the client at 52.5.
    assert ms(result, "deliveries", "fetched_ns") == [52.5]


def test_partitions_are_shared_out_by_range_and_led_by_all_brokers(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(
            count=40,
            partitions=7,
            brokers=3,
            group=Group(members=3),
            keys=UniformKeys(50),
            work_ms=0.0,
        ),
        check=True,
    )
    owners = result.table("assignments")
    sizes = owners.groupby("member", observed=True).size().to_dict()
    assert sizes == {"billing/1": 3, "billing/2": 2, "billing/3": 2}
    appends = result.columns("appends")
    assert (appends["leader"] == appends["partition"] % 3 + 1).all()


def test_auto_commit_stores_at_a_poll_what_earlier_polls_returned(
    scenario_of: Builder,
) -> None:
    config = ConsumerConfig(auto_commit_interval_ms=20)
    result = run(
        scenario_of(
            rate_per_s=100,
            count=6,
            work_ms=3.0,
            group=Group(members=1, config=config),
        ),
        check=True,
    )
    # Polls end their work at 5.5, 15.5, 25.5 …; the timer is due at 20, when the
    # member waits in poll with position 2; the coordinator stores it 1.5 ms later.
    commits = result.columns("commits")
    assert commits["offset"].tolist()[:2] == [2, 4]
    assert (commits["at_ns"] / MS).tolist()[:2] == [21.5, 41.5]


def test_each_request_takes_the_next_drawn_time_of_its_broker(
    scenario_of: Builder,
) -> None:
    hardware = Hardware(link=PLAIN.link, cpu=Cpu(request_ms=Exponential(0.5), mb_ms=0))
    result = run(scenario_of(count=20, hardware=hardware, seed=5), check=True)
    requests = result.columns("requests")
    drawn = draw_ns(Exponential(0.5), stream(5, "service/broker:1"), len(requests))
    order = np.lexsort((requests["request_id"], requests["dequeued_ns"]))
    produced = requests["api"][order] == PRODUCE
    served = (requests["done_ns"] - requests["dequeued_ns"])[order]
    # A fetch may be parked after its service, a produce request is done with it.
    assert served[produced].tolist() == drawn[produced].tolist()
    assert produced.sum() == 20


@pytest.mark.parametrize("request_ms", [0.0, Uniform(0.0, 0.0)])
@pytest.mark.parametrize("delay_ms", [0.0, Uniform(0.0, 0.0)])
@pytest.mark.parametrize("setting", ["fetch_max_wait_ms", "fetch_min_bytes"])
def test_fetching_in_a_circle_that_takes_no_time_is_refused(
    scenario_of: Builder,
    setting: str,
    request_ms: float | Uniform,
    delay_ms: float | Uniform,
) -> None:
    nothing = Hardware(link=Link(delay_ms=delay_ms), cpu=Cpu(request_ms=request_ms))
    config = ConsumerConfig(**{setting: 0})  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match=rf"billing\.config\.{setting}: 0"):
        run(scenario_of(hardware=nothing, group=Group(members=1, config=config)))


def test_order_is_kept_within_each_partition() -> None:
    result = run(
        Scenario(
            Traffic(
                sources={
                    "web": Source(
                        "orders", Poisson(rate_per_s=3_000), keys=UniformKeys(40)
                    ),
                    "app": Source("orders", Poisson(rate_per_s=500)),
                },
                subscribers={"b": Subscriber(["orders"], work_ms=Exponential(1.0))},
                duration_s=1,
            ),
            system=Kafka(
                brokers=2,
                topics={"orders": Topic(partitions=5)},
                groups={"b": Group(members=4)},
            ),
            seed=3,
        ),
        check=True,
    )
    deliveries = result.columns("deliveries")
    order = np.lexsort((deliveries["offset"], deliveries["partition"]))
    same = np.diff(deliveries["partition"][order]) == 0
    assert (np.diff(deliveries["ended_ns"][order])[same] > 0).all()
    assert (np.diff(deliveries["offset"][order])[same] == 1).all()
    assert result.table("violations").empty
    assert len(deliveries) == len(result.columns("records"))


def test_a_fetch_is_used_up_only_when_a_poll_asks_for_one_record_more(
    scenario_of: Builder, ms: Times
) -> None:
    one = ConsumerConfig(max_poll_records=1)
    result = run(
        scenario_of(
            rate_per_s=50, count=3, work_ms=30.0, group=Group(members=1, config=one)
        ),
        check=True,
    )
    # Records at 0, 20, 40 ms. The poll at 2.5 returns the only record fetched, and its
    # range is still there, so no fetch is sent before the poll at 32.5.
    requests = result.columns("requests")
    sent = (requests["sent_ns"][requests["api"] == 1] / MS).tolist()
    assert sent == [0.0, 32.5, 65.0, 97.5]
    assert ms(result, "deliveries", "started_ns") == [2.5, 35.0, 67.5]


def test_a_partition_counts_for_min_bytes_up_to_its_own_limit(
    scenario_of: Builder, ms: Times
) -> None:
    config = ConsumerConfig(
        fetch_min_bytes=400, max_partition_fetch_bytes=200, fetch_max_wait_ms=50
    )
    result = run(
        scenario_of(rate_per_s=1000, count=20, group=Group(members=1, config=config)),
        check=True,
    )
    # More than 400 bytes are there soon, but one partition gives 200: the wait is over
    # only after 50 ms.
    assert ms(result, "deliveries", "fetched_ns")[0] == 52.5


def test_a_fetch_that_waits_when_its_member_stops_is_a_row_without_an_answer(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(
            rate_per_s=10,
            count=2,
            work_ms=1.0,
            events=(Crash("subscriber:billing", at_s=0.05, for_s=0.01),),
        ),
        check=True,
    )
    requests = result.table("requests")
    lost = requests[(requests["api"] == "Fetch") & requests["answered_ms"].isna()]
    assert lost["sent_ms"].tolist()[0] == 2.5
    assert requests["request_id"].is_unique


def test_a_member_whose_fetch_takes_too_long_connects_again_and_asks_who_leads(
    scenario_of: Builder,
) -> None:
    """A fetch may wait longer at the broker than `request.timeout.ms` at its member."""
    config = ConsumerConfig(fetch_max_wait_ms=1_500, request_timeout_ms=200)
    group = Group(members=1, config=config)

    result = run(scenario_of(rate_per_s=1, count=3, group=group), check=True)

    assert result.violations.empty
    requests = result.table("requests")
    fetches = requests.query("api == 'Fetch'")
    given_up = fetches[fetches["error"] == "REQUEST_TIMED_OUT"]
    assert len(given_up) > 3
    assert given_up["answered_ms"].isna().all()
    asked = requests.query("api == 'Metadata'")
    assert asked["answered_ms"].notna().any()
    assert set(receipts(result).outcome) == {"once"}

"""A client over its quota gets no more than that through, each broker by itself."""

from typing import Any, Literal

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.hardware import Cpu, Hardware
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def produced(quota: float | None, acks: Literal["all", "0"] = "all") -> Result:
    """Ten records of 10,000 bytes a second, for a minute."""
    traffic = Traffic(
        {"web": Source("orders", Periodic(10.0), value_bytes=10_000)}, {}, duration_s=60
    )
    config = ProducerConfig(acks=acks, linger_ms=0)
    producers = {"web": Producer(config, byte_rate_quota=quota)}
    return run(Scenario(traffic, system=Kafka(producers=producers), end="cut"))


@pytest.mark.parametrize("acks", ["all", "0"])
def test_what_goes_through_is_the_quota(acks: Literal["all", "0"]) -> None:
    """QU-1 to QU-3: 50 kB/s of the 100 kB/s that are sent."""
    appends = produced(50_000, acks).appends
    late = appends[appends.appended_ms > 20_000]

    assert late.record_count.sum() / 40 == pytest.approx(5.0, rel=0.1)


def test_who_is_below_the_quota_never_waits() -> None:
    free, bounded = produced(None), produced(200_000)

    assert (free.records.acked_ms == bounded.records.acked_ms).all()


ONE_MS = Hardware(cpu=Cpu(request_ms=1.0))
"""Of a thread's time, for every request."""


def read(
    group: Group,
    *,
    rate_per_s: float = 10.0,
    value_bytes: int = 10_000,
    **kafka: Any,  # noqa: ANN401 - what a cluster is made of
) -> Result:
    """The same records, or others, and a group that reads them."""
    source = Source("orders", Periodic(rate_per_s), value_bytes=value_bytes)
    traffic = Traffic(
        {"web": source}, {"billing": Subscriber(["orders"])}, duration_s=60
    )
    producers = {"web": kafka.pop("producer", Producer(ProducerConfig(linger_ms=0)))}
    system = Kafka(producers=producers, groups={"billing": group}, **kafka)
    return run(Scenario(traffic, system=system, end="cut"))


def in_small_fetches(quota: float | None, members: int = 1) -> Result:
    """Some 50 kB an answer: a second of that quota."""
    config = ConsumerConfig(max_partition_fetch_bytes=50_000)
    return read(Group(members=members, config=config, byte_rate_quota=quota))


def test_what_a_group_reads_is_its_quota() -> None:
    """QU-1 to QU-3: 50 kB/s of the 100 kB/s that come.

    A broker counts ten complete windows and the present one against ten to eleven
    seconds of quota, and an answer, here of 40,288 bytes, is sent whole or not at all.
    """
    fetches = in_small_fetches(50_000).requests.query("api == 'Fetch'")
    late = fetches[fetches.done_ms > 20_000]
    rate = late.size_bytes.sum() / 40

    assert late.size_bytes.max() == 40_288
    assert 50_000 * 10 / 11 - 40_288 / 10 < rate <= 50_000


def test_who_is_over_his_quota_gets_nothing_and_later_all_of_it() -> None:
    """QU-3: a throttled answer is empty, and the position stays where it was."""
    result = in_small_fetches(50_000)

    fetches = result.requests.query("api == 'Fetch' and answered_ms.notna()")
    empty = fetches[(fetches.size_bytes == 0) & (fetches.done_ms > 20_000)]
    assert len(empty) > 10
    assert ((empty.done_ms - empty.received_ms) < 1.0).all()  # answered at once
    handed = result.deliveries.offset.tolist()
    assert handed == list(range(len(handed)))


def test_a_single_answer_has_at_most_ten_seconds_of_a_readers_quota() -> None:
    """QU-2: also where its own limits are a hundred times as large."""
    result = read(Group(byte_rate_quota=20_000))

    fetches = result.requests.query("api == 'Fetch'")
    assert 150_000 < fetches.size_bytes.max() <= 200_000


def test_a_reader_below_the_quota_never_waits() -> None:
    free, bounded = in_small_fetches(None), in_small_fetches(200_000)

    assert (free.deliveries.fetched_ms == bounded.deliveries.fetched_ms).all()


@pytest.mark.parametrize("percent", [0.1, 0.3])
def test_the_time_of_threads_that_a_producer_takes_is_its_quota(percent: float) -> None:
    """QU-4: of 1 ms a request, 0.1 percent is one request a second."""
    producer = Producer(ProducerConfig(linger_ms=0), request_percentage_quota=percent)
    result = read(
        Group(), rate_per_s=100.0, value_bytes=100, producer=producer, hardware=ONE_MS
    )

    produced = result.requests.query("api == 'Produce'")
    late = produced[produced.done_ms > 20_000]
    assert len(late) / 40 == pytest.approx(10 * percent, rel=0.1)
    assert result.batches.record_count.max() > 20  # they wait together


def test_the_time_of_threads_that_a_group_takes_is_its_quota() -> None:
    result = read(
        Group(request_percentage_quota=0.5),
        rate_per_s=100.0,
        value_bytes=100,
        hardware=ONE_MS,
    )

    sent = result.requests.query("sender == 'member:billing/1' and done_ms > 20_000")
    assert len(sent) / 40 == pytest.approx(5.0, rel=0.1)


def test_a_request_with_acks_0_is_free_of_the_quota_for_the_time_of_threads() -> None:
    """QU-4."""
    producer = Producer(
        ProducerConfig(linger_ms=0, acks="0"), request_percentage_quota=0.1
    )
    result = read(
        Group(), rate_per_s=100.0, value_bytes=100, producer=producer, hardware=ONE_MS
    )

    assert len(result.requests.query("api == 'Produce'")) == 6_000


def test_a_client_that_is_told_to_wait_sends_nothing_meanwhile() -> None:
    """QU-3, KIP-219: no request stands in the socket of a connection that is muted.

    One of several in flight would: they were sent together.
    """
    config = ProducerConfig(linger_ms=0, max_in_flight_requests_per_connection=1)
    result = read(
        Group(byte_rate_quota=50_000, config=ConsumerConfig(fetch_max_wait_ms=100)),
        producer=Producer(config, byte_rate_quota=50_000),
    )

    requests = result.requests.query("done_ms.notna()")
    for api in ("Produce", "Fetch"):
        mine = requests[requests.api == api]
        apart_ms = mine.sent_ms.shift(-1) - mine.answered_ms
        assert apart_ms.max() > 150
        assert (mine.received_ms - mine.sent_ms).max() < 5.0


def test_the_members_of_a_group_share_its_quota() -> None:
    """They have one client id; so two of them read no more than one."""
    result = read(
        Group(
            members=2,
            byte_rate_quota=50_000,
            config=ConsumerConfig(max_partition_fetch_bytes=50_000),
        ),
        topics={"orders": Topic(partitions=2)},
    )

    fetches = result.requests.query("api == 'Fetch' and done_ms > 20_000")
    assert set(fetches.sender) == {"member:billing/1", "member:billing/2"}
    assert fetches.size_bytes.sum() / 40 == pytest.approx(50_000, rel=0.15)


def test_a_broker_looks_back_over_as_many_windows_as_it_says() -> None:
    """QU-1: who looks back over less lets less through at once."""

    def most_in_a_second(windows: int) -> int:
        producer = Producer(ProducerConfig(linger_ms=0), byte_rate_quota=50_000)
        result = read(
            Group(),
            rate_per_s=100.0,
            producer=producer,
            broker_config=BrokerConfig(quota_window_num=windows),
        )
        appended_s = (result.appends.appended_ms // 1_000).astype(int)
        return int(appended_s.value_counts().max())

    assert most_in_a_second(2) < most_in_a_second(11)

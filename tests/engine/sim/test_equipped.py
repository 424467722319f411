"""Brokers with a disk and network threads, in whole runs worked out by hand."""

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.page_cache import BLOCK_BYTES
from kafkasim.engine.sim.request import FETCH, FETCH_FOLLOWER, PRODUCE
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
SERVICE_NS = MS // 2
ACCESS_NS = 2 * MS
NS_PER_BYTE = 100
LINK = Link(delay_ms=1.0, bandwidth_mb_per_s=1e9)
DISK = Disk(bandwidth_mb_per_s=10.0, access_ms=2.0)
"""10 MB/s: a byte takes 100 ns."""


def scenario(
    *events: Event,
    disk: Disk | None = DISK,
    sources: int = 1,
    rate: float = 10.0,
    duration_s: float = 1.0,
    value_bytes: int = 1_000,
    subscribers: dict[str, Subscriber] | None = None,
    copies: int = 1,
    partitions: int = 1,
    end: Literal["drain", "cut"] = "drain",
    fetch: dict[str, Any] | None = None,
    topic: dict[str, Any] | None = None,
    broker: dict[str, Any] | None = None,
    service_ms: float = 0.5,
) -> Scenario:
    """1 ms each way, 0.5 ms a request, bytes cost nothing but on the disk."""
    groups = subscribers or {}
    names = [f"s{number}" for number in range(sources)]
    config = ProducerConfig(linger_ms=0, acks="1" if copies == 1 else "all")
    source = Source("orders", Periodic(rate, phase_s=0.01), value_bytes=value_bytes)
    return Scenario(
        Traffic(dict.fromkeys(names, source), groups, duration_s=duration_s),
        system=Kafka(
            brokers=copies,
            topics={
                "orders": Topic(
                    partitions=partitions,
                    replication_factor=copies,
                    config=TopicConfig(**(topic or {})),
                )
            },
            producers={name: Producer(config=config) for name in names},
            groups={
                name: Group(config=ConsumerConfig(**(fetch or {}))) for name in groups
            },
            hardware=Hardware(LINK, Cpu(request_ms=service_ms, mb_ms=0.0), disk),
            broker_config=BrokerConfig(**(broker or {})),
        ),
        events=events,
        end=end,
    )


def requests(result: Result, api: int) -> dict[str, list[int]]:
    """Return requests of one kind with records, in the order of sending."""
    columns = result.columns("requests")
    mine = (columns["api"] == api) & (columns["size_bytes"] > 0)
    order = np.argsort(columns["request_id"][mine], kind="stable")
    return {
        name: columns[name][mine][order].tolist()
        for name in (
            "sent_ns", "received_ns", "dequeued_ns", "done_ns", "answered_ns",
            "size_bytes", "sender",
        )
    }  # fmt: skip


def served_ns(result: Result) -> list[int]:
    rows = requests(result, PRODUCE)
    return [
        done - taken
        for done, taken in zip(rows["done_ns"], rows["dequeued_ns"], strict=True)
    ]


# --- fsync --------------------------------------------------------------------------


def test_with_flush_messages_1_every_answer_waits_for_the_disk() -> None:
    result = run(scenario(topic={"flush_messages": 1}), check=True)
    size = requests(result, PRODUCE)["size_bytes"][0]
    assert served_ns(result) == [SERVICE_NS + ACCESS_NS + NS_PER_BYTE * size] * 10
    assert not len(result.violations)


def test_every_third_record_waits_for_what_three_wrote() -> None:
    result = run(scenario(topic={"flush_messages": 3}), check=True)
    size = requests(result, PRODUCE)["size_bytes"][0]
    long_ns = SERVICE_NS + ACCESS_NS + 3 * NS_PER_BYTE * size
    assert served_ns(result) == [SERVICE_NS, SERVICE_NS, long_ns] * 3 + [SERVICE_NS]


def test_an_append_waits_while_its_log_is_flushed() -> None:
    # Two records at once, and only the first one's append reaches two records: the
    # second waits for the log all the same (`UnifiedLog.append` holds its lock).
    flushed = scenario(sources=2, rate=1.0, topic={"flush_messages": 2}, duration_s=2.0)
    plain = run(replace(flushed, seed=0), check=True)
    rows = requests(plain, PRODUCE)
    size = rows["size_bytes"][0]
    waits_ns = ACCESS_NS + 2 * NS_PER_BYTE * size
    # At 10 ms the first append leaves one record unflushed, the second flushes both.
    assert served_ns(plain)[:2] == [SERVICE_NS, SERVICE_NS + waits_ns]
    three = run(scenario(sources=3, rate=1.0, topic={"flush_messages": 2}), check=True)
    # The third comes while the second is flushed.
    assert served_ns(three) == [SERVICE_NS, *[SERVICE_NS + waits_ns] * 2]


def test_followers_flush_too_before_they_say_that_they_have_it() -> None:
    plain = run(scenario(copies=2), check=True)
    flushed = run(scenario(copies=2, topic={"flush_messages": 1}), check=True)
    size = requests(flushed, PRODUCE)["size_bytes"][0]
    flush_ns = ACCESS_NS + NS_PER_BYTE * size
    # Once at the leader, then at the follower, which asks for more when it has it.
    assert served_ns(flushed)[0] == served_ns(plain)[0] + 2 * flush_ns


def test_flush_ms_takes_the_disk_and_lets_nobody_wait() -> None:
    config = {"log_flush_scheduler_interval_ms": 100}
    result = run(
        scenario(topic={"flush_ms": 100}, broker=config), check=True, resources=True
    )
    assert served_ns(result) == [SERVICE_NS] * 10
    table = result.columns("resources")
    disks = table["kind"] == list(result.columns("resources").labels["kind"]).index(
        "disk"
    )
    sizes = requests(result, PRODUCE)["size_bytes"]
    assert 9 * sizes[0] <= table["moved_bytes"][disks].sum() <= 10 * sizes[0]


# --- a disk that is slower than its producers ----------------------------------------


def test_appends_are_as_fast_as_the_disk_in_the_end() -> None:
    disk = replace(DISK, page_cache_mb=4.0)
    offered = scenario(
        disk=disk, rate=2_000.0, value_bytes=10_000, duration_s=4.0, end="cut"
    )
    appends = run(offered).columns("appends")
    late = appends["appended_ns"] >= 2_000 * MS
    batches = requests(run(offered), PRODUCE)
    assert len(batches["sent_ns"]) > 100
    size_bytes = late.sum() * 10_077
    moved_mb_per_s = size_bytes / 2.0 / 1e6
    assert moved_mb_per_s == pytest.approx(10.0, rel=0.02)


# --- cold reads ---------------------------------------------------------------------


def cold(*events: Event, **changes: Any) -> Scenario:  # noqa: ANN401
    """Records of a block and a quarter; a reader that comes when they left memory."""
    disk = replace(
        DISK,
        page_cache_mb=BLOCK_BYTES * 3 / 1e6,
        dirty_background_ratio=0.0,
        dirty_ratio=1.0,
    )
    late = Subscriber(["orders"], from_s=0.95, wants="all")
    settings: dict[str, Any] = {
        "disk": disk,
        "value_bytes": BLOCK_BYTES * 5 // 4,
        "subscribers": {"late": late},
        "fetch": {"max_partition_fetch_bytes": 1},
    } | changes
    return scenario(*events, **settings)


def test_what_has_left_memory_comes_from_the_disk() -> None:
    result = run(cold(rate=10.0), check=True)
    rows = requests(result, FETCH)
    first_ns = rows["answered_ns"][0] - rows["done_ns"][0]
    # Blocks 0 and 1, one after the other, and the way back.
    assert first_ns == ACCESS_NS + 2 * BLOCK_BYTES * NS_PER_BYTE + MS
    # Then block 2, where the disk stands; block 1 is in memory.
    second_ns = rows["answered_ns"][1] - rows["done_ns"][1]
    assert second_ns == BLOCK_BYTES * NS_PER_BYTE + MS
    assert not len(result.violations)


def test_with_enough_memory_no_read_takes_time() -> None:
    result = run(cold(disk=DISK), check=True)
    rows = requests(result, FETCH)
    assert {
        answered - done
        for answered, done in zip(rows["answered_ns"], rows["done_ns"], strict=True)
    } == {MS}


def test_who_shares_the_network_thread_waits_for_a_cold_read() -> None:
    def longest_ns(threads: int) -> int:
        live = Subscriber(["orders"])
        late = Subscriber(["orders"], from_s=0.8, wants="all")
        result = run(
            cold(
                rate=20.0,
                subscribers={"late": late, "live": live},
                broker={"num_network_threads": threads},
                fetch={},
            ),
            check=True,
        )
        assert not len(result.violations)
        rows = requests(result, PRODUCE)
        return max(
            answered - sent
            for answered, sent in zip(rows["answered_ns"], rows["sent_ns"], strict=True)
        )

    # A produce request takes nothing from the disk; with one thread it waits all the
    # same, to be read or to be answered. With eight nobody shares with the late group.
    assert longest_ns(8) == MS + SERVICE_NS + MS
    assert longest_ns(1) > longest_ns(8) + 2 * BLOCK_BYTES * NS_PER_BYTE


def test_between_two_cold_pieces_a_thread_turns_to_its_other_connections() -> None:
    settings = {"broker": {"num_network_threads": 1}, "fetch": {}}
    late = Subscriber(["orders"], from_s=0.908, wants="all")
    result = run(cold(rate=10.0, subscribers={"late": late}, **settings), check=True)
    rows, reads = requests(result, PRODUCE), requests(result, FETCH)
    # The tenth record is sent at 910 ms and arrives at 911; the late group's answer is
    # on its way from then to the end of many blocks.
    piece_ns = ACCESS_NS + BLOCK_BYTES * NS_PER_BYTE
    assert reads["answered_ns"][0] - reads["done_ns"][0] > 8 * piece_ns
    assert 0 < rows["received_ns"][-1] - (rows["sent_ns"][-1] + MS) <= piece_ns


def test_a_copy_that_returns_is_read_from_the_disk() -> None:
    result = run(
        cold(
            Crash("broker:2", at_s=1.0, for_s=3.0),
            copies=2,
            subscribers={"live": Subscriber(["orders"])},
            rate=5.0,
            duration_s=6.0,
            fetch={},
            broker={
                "broker_session_timeout_ms": 500,
                "broker_heartbeat_interval_ms": 100,
            },
        ),
        check=True,
        resources=True,
    )  # fmt: skip
    assert not len(result.violations)
    rows = requests(result, FETCH_FOLLOWER)
    waited = [a - d for a, d in zip(rows["answered_ns"], rows["done_ns"], strict=True)]
    assert max(waited) > 5 * BLOCK_BYTES * NS_PER_BYTE


# --- queued.max.requests ------------------------------------------------------------


def test_with_a_full_queue_a_network_thread_stands_still() -> None:
    crowd = scenario(
        disk=None,
        sources=4,
        rate=1.0,
        service_ms=10.0,
        broker={
            "num_io_threads": 1, "num_network_threads": 1, "queued_max_requests": 1,
        },
    )  # fmt: skip
    result = run(crowd, check=True)
    rows = requests(result, PRODUCE)
    arrived_ns = rows["sent_ns"][0] + MS
    # One is served, one waits, the third is read and finds no room; the fourth is read
    # when the first has been served.
    assert rows["received_ns"] == [arrived_ns] * 3 + [arrived_ns + 10 * MS]
    # The thread stands still again with the fourth, so the first answer leaves later.
    assert rows["answered_ns"][0] == arrived_ns + 20 * MS + MS
    assert not len(result.violations)


def test_with_room_in_the_queue_threads_change_nothing() -> None:
    one = {"num_network_threads": 1, "queued_max_requests": 4, "num_io_threads": 1}
    roomy = {"num_network_threads": 3, "queued_max_requests": 500, "num_io_threads": 1}
    few, many = (
        run(scenario(disk=None, sources=4, rate=1.0, service_ms=10.0, broker=each))
        for each in (one, roomy)
    )
    assert few.digests == many.digests


# --- events -------------------------------------------------------------------------


def test_a_slow_broker_takes_longer_for_requests_it_takes_up_then() -> None:
    slow = Slow("broker:1", at_s=0.35, for_s=0.2, factor=6.0)
    served = served_ns(run(scenario(slow, disk=None), check=True))
    assert served == [SERVICE_NS] * 4 + [6 * SERVICE_NS] * 2 + [SERVICE_NS] * 4


def test_a_slow_disk_flushes_slowly() -> None:
    slow = Slow("disk:1", at_s=0.35, for_s=0.2, factor=6.0)
    result = run(scenario(slow, topic={"flush_messages": 1}), check=True)
    size = requests(result, PRODUCE)["size_bytes"][0]
    flush_ns = ACCESS_NS + NS_PER_BYTE * size
    assert [served - SERVICE_NS for served in served_ns(result)] == (
        [flush_ns] * 4 + [6 * flush_ns] * 2 + [flush_ns] * 4
    )


def test_a_disk_that_stands_still_lets_wait_who_is_under_way() -> None:
    pause = Pause("disk:1", at_s=0.0125, for_s=0.05)
    result = run(scenario(pause, topic={"flush_messages": 1}), check=True)
    size = requests(result, PRODUCE)["size_bytes"][0]
    flush_ns = ACCESS_NS + NS_PER_BYTE * size
    assert [served - SERVICE_NS for served in served_ns(result)] == (
        [flush_ns + 50 * MS] + [flush_ns] * 9
    )


def test_without_a_need_for_it_nobody_notices_that_a_disk_stands_still() -> None:
    still = run(scenario(Pause("disk:1", at_s=0.2, for_s=0.5)), check=True)
    assert served_ns(still) == [SERVICE_NS] * 10


# --- what is the same ---------------------------------------------------------------


@pytest.mark.parametrize("copies", [1, 3])
def test_a_disk_that_nobody_waits_for_changes_no_row(copies: int) -> None:
    traffic = {
        "live": Subscriber(["orders"]),
        "late": Subscriber(["orders"], from_s=0.5),
    }
    plain = scenario(
        disk=None, copies=copies, partitions=3, rate=500.0, subscribers=traffic
    )
    busy = replace(
        plain.traffic,
        sources={
            name: replace(source, arrivals=Poisson(500.0))
            for name, source in plain.traffic.sources.items()
        },
    )
    plain = replace(plain, traffic=busy)
    roomy = plain.where({"system.hardware.disk": Disk()})
    assert run(plain).digests == run(roomy, check=True).digests

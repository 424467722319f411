"""What is measured of the hardware, by hand and against what a run says elsewhere."""

import numpy as np
import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.meter import Meter, Track
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.events import Cut
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import NS_PER_S

MS = 1_000_000
TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(300.0), value_bytes=1_000)},
    {"billing": Subscriber(["orders"])},
    duration_s=2.0,
)
DISK = Disk(bandwidth_mb_per_s=10.0, access_ms=1.0)


def kafka(**changes: object) -> Kafka:
    hardware = Hardware(Link(bandwidth_mb_per_s=10.0), Cpu(request_ms=1.0), DISK)
    settings: dict[str, object] = {
        "hardware": hardware,
        "producers": {"web": Producer(config=ProducerConfig(linger_ms=0))},
    }
    return Kafka(**settings | changes)  # type: ignore[arg-type]


def part(result: Result, resource: str, kind: str, column: str) -> list[float]:
    """Return a column of one part, second by second."""
    table = result.columns("resources")
    hosts, kinds = table.labels["resource"], table.labels["kind"]
    mine = (table["resource"] == hosts.index(resource)) & (
        table["kind"] == kinds.index(kind)
    )
    return list(table[column][mine].tolist())


# --- a track ------------------------------------------------------------------------


def test_busy_time_and_bytes_are_split_where_a_second_ends() -> None:
    track = Track("broker:1", "disk")
    track.busy(750 * MS, 1_250 * MS, 1_000)
    track.busy(1_900 * MS, 2_000 * MS, 30)
    rows = list(track.rows(2 * NS_PER_S))
    assert rows == [(0, 0.25, 500, 0), (NS_PER_S, 0.35, 530, 0)]


def test_several_servers_share_the_seconds() -> None:
    track = Track("broker:1", "io_thread", servers=4)
    track.busy(0, 1_000 * MS)
    track.busy(0, 500 * MS)
    assert next(track.rows(NS_PER_S))[1] == 0.375


def test_the_last_second_is_as_long_as_the_run() -> None:
    track = Track("broker:1", "disk")
    track.busy(1_000 * MS, 1_100 * MS)
    assert [row[1] for row in track.rows(1_200 * MS)] == [0.0, 0.5]


def test_the_longest_queue_counts_those_who_wait_behind_others() -> None:
    track = Track("broker:1", "disk")
    track.comes(0, 10)
    track.comes(5, 20)
    track.comes(6, 30)
    track.comes(25, 40)
    assert next(track.rows(NS_PER_S))[3] == 2


def test_what_never_ends_is_not_counted_second_by_second() -> None:
    track = Track("broker:1", "disk")
    track.busy(0, 2**62)
    assert next(track.rows(NS_PER_S))[1] == 0.0


def test_a_page_cache_stays_as_full_as_it_was() -> None:
    track = Track("broker:1", "page_cache")
    track.level(100 * MS, 0.5, 10, 7)
    track.level(200 * MS, 0.25, 10, 9)
    rows = list(track.rows(3 * NS_PER_S))
    assert rows[0] == (0, 0.5, 20, 9)
    assert [row[1] for row in rows] == [0.5, 0.5, 0.5]


def test_a_part_is_one_of_those_that_the_table_knows() -> None:
    with pytest.raises(AssertionError):
        Meter().track("broker:1", "gpu")


# --- whole runs ---------------------------------------------------------------------


@pytest.mark.parametrize("disk", [DISK, None], ids=["disk", "no disk"])
@pytest.mark.parametrize("copies", [1, 2])
def test_measuring_changes_nothing(copies: int, disk: Disk | None) -> None:
    topics = {"orders": Topic(replication_factor=copies)}
    system = kafka(brokers=copies, topics=topics, hardware=Hardware(disk=disk))
    scenario = Scenario(TRAFFIC, system)
    plain = run(scenario)
    assert plain.digest == run(scenario, resources=True).digest
    if copies == 1:
        streamed = run(scenario, resources=True, result="streamed")
        assert plain.digest == streamed.digest
        assert "resources" in streamed.tables


def test_without_asking_there_is_no_table() -> None:
    with pytest.raises(TableNotRecorded, match="resources=True"):
        run(Scenario(TRAFFIC)).columns("resources")


def test_cards_move_what_links_moved() -> None:
    result = run(Scenario(TRAFFIC, kafka()), resources=True)
    links = result.columns("links")
    hosts = links.labels["sender"]
    web = links["sender"] == hosts.index("source:web")
    sent = links["moved_bytes"][web].sum()
    for resource, kind in (("source:web", "nic_out"), ("broker:1", "nic_in")):
        assert sum(part(result, resource, kind, "moved_bytes")) == pytest.approx(sent)
    busy_s = part(result, "source:web", "nic_out", "busy_share")[0]
    moved = part(result, "source:web", "nic_out", "moved_bytes")[0]
    assert busy_s == pytest.approx(moved / 10e6, rel=1e-4)


def test_io_threads_are_busy_as_long_as_requests_are_served() -> None:
    config = BrokerConfig(num_io_threads=2)
    result = run(Scenario(TRAFFIC, kafka(broker_config=config)), resources=True)
    requests = result.columns("requests")
    served = requests["dequeued_ns"] + MS
    done = served[(requests["dequeued_ns"] >= 0) & (served <= 2 * NS_PER_S)]
    shares = part(result, "broker:1", "cpu", "busy_share")
    # A request takes 1 ms and half a microsecond for each kilobyte that it carries.
    assert sum(shares[:2]) == pytest.approx(len(done) * 1e-3 / 2, rel=0.01)
    assert shares == part(result, "broker:1", "io_thread", "busy_share")


def test_waiting_for_the_disk_keeps_an_io_thread_and_no_processor() -> None:
    topics = {"orders": Topic(config=TopicConfig(flush_messages=1))}
    result = run(Scenario(TRAFFIC, kafka(topics=topics)), resources=True)
    threads = np.sum(part(result, "broker:1", "io_thread", "busy_share"))
    processors = np.sum(part(result, "broker:1", "cpu", "busy_share"))
    assert threads > 1.5 * processors
    written = sum(part(result, "broker:1", "disk", "moved_bytes"))
    assert written == sum(result.columns("batches")["size_bytes"])


def test_memory_serves_what_was_just_appended() -> None:
    result = run(Scenario(TRAFFIC, kafka()), resources=True)
    read = sum(part(result, "broker:1", "page_cache", "moved_bytes"))
    assert read == sum(result.columns("batches")["size_bytes"])


def test_point_to_point_has_cards_too() -> None:
    slow = Hardware(link=Link(bandwidth_mb_per_s=10.0))
    system = PointToPoint(hardware=slow)
    result = run(Scenario(TRAFFIC, system), resources=True)
    moved = sum(part(result, "subscriber:billing", "nic_in", "moved_bytes"))
    assert moved == 1_000 * len(result.records)


def test_a_link_that_an_event_befalls_is_measured_as_well() -> None:
    traffic = Traffic(
        {"web": Source("orders", Periodic(100.0), value_bytes=1_000)},
        {},
        duration_s=1.0,
    )
    events = [Cut("link:web<->broker:1", at_s=0.5, for_s=0.1)]
    result = run(Scenario(traffic, kafka(), events=events), resources=True)
    assert sum(part(result, "source:web", "nic_out", "moved_bytes")) > 100_000

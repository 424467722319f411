"""How busy parts were: the frame, and which one holds the rest up."""

import pandas as pd
import pytest

from kafkasim import analysis
from kafkasim.analysis.busy import busiest
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.hardware import Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

SCENARIO = Scenario(
    Traffic(
        {"web": Source("orders", Periodic(500.0), value_bytes=1_000)},
        {"billing": Subscriber(["orders"])},
        duration_s=1.5,
    ),
    Kafka(hardware=Hardware(link=Link(bandwidth_mb_per_s=1.0))),
)
"""A card of 1 MB/s carries half a megabyte in each second."""


def shares(**by_part: list[float]) -> pd.DataFrame:
    """Return a table of parts of broker:1, second by second."""
    rows = [
        ("broker:1", kind, 1_000.0 * second, share)
        for kind, each in by_part.items()
        for second, share in enumerate(each)
    ]
    return pd.DataFrame(rows, columns=["resource", "kind", "at_ms", "busy_share"])


def told(table: pd.DataFrame) -> tuple[str, str, float, int]:
    """Return which part was busiest, its share to two places."""
    found = busiest(table)
    assert found is not None
    host, kind, mean, whole = found
    return host, kind, round(mean, 2), whole


def test_a_part_is_as_busy_as_what_it_moved_takes() -> None:
    table = analysis.resources(run(SCENARIO, resources=True))
    mine = table[(table["resource"] == "source:web") & (table["kind"] == "nic_out")]
    assert mine["at_ms"].tolist() == [0.0, 1_000.0]
    assert mine["busy_share"].iloc[0] == pytest.approx(0.51, rel=0.05)
    # The card moves 1 MB/s while it is busy, also in a second that was cut short.
    assert mine["moved_mb_per_s"].tolist() == pytest.approx(
        mine["busy_share"].tolist(), rel=1e-3
    )


def test_a_run_that_did_not_measure_says_how_to() -> None:
    with pytest.raises(TableNotRecorded, match="resources=True"):
        analysis.resources(run(SCENARIO))


def test_the_busiest_part_is_the_one_that_is_busy_most_of_the_time() -> None:
    table = shares(disk=[0.2, 1.0, 0.96, 0.1], nic_out=[0.7, 0.7, 0.7, 0.7])
    assert told(table) == ("broker:1", "disk", 0.72, 2)


def test_a_full_page_cache_is_not_busy() -> None:
    table = shares(page_cache=[1.0, 1.0], disk=[0.1, 0.1])
    assert told(table)[1] == "disk"


def test_what_is_left_of_the_last_second_does_not_count() -> None:
    table = shares(disk=[0.2, 0.2, 1.0], nic_in=[0.3, 0.3, 0.0])
    assert told(table) == ("broker:1", "nic_in", 0.3, 0)
    assert told(shares(disk=[1.0])) == ("broker:1", "disk", 1.0, 1)


def test_nothing_measured_is_nothing_busy() -> None:
    assert busiest(shares()) is None

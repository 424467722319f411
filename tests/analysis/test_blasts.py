"""Blast radius and recovery on runs written by hand."""

import math
from typing import Any

import pytest

from kafkasim.analysis.blasts import blast_radius, interruptions
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

CRASH = {
    "event": "Crash",
    "target": "subscriber:b",
    "at_ms": 45.0,
    "until_ms": 80.0,
    "effect": "it stopped",
}


def run_of(ended_ms: dict[str, list[float | None]], *events: dict[str, Any]) -> Result:
    """Return a run of records wanted every 10 ms and when each subscriber ended."""
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=100.0))},
        {name: Subscriber(streams=["orders"]) for name in ended_ms},
        duration_s=0.1,
    )
    count = max(map(len, ended_ms.values()))
    acked = [
        max((ends[n] or 0.0) for ends in ended_ms.values()) or None
        for n in range(count)
    ]
    return small_result(
        records=[{"intended_ms": 10.0 * n, "acked_ms": acked[n]} for n in range(count)],
        deliveries=[
            {"record_id": n, "subscriber": name, "ended_ms": end}
            for name, ends in ended_ms.items()
            for n, end in enumerate(ends)
            if end is not None
        ],
        events=list(events),
        scenario=Scenario(traffic, PointToPoint()),
    )


CALM: list[float | None] = [10.0 * n + 1 for n in range(10)]
STOPPED: list[float | None] = [1, 11, 21, 31, 41, 81, 82, 83, 84, 91]


def test_an_event_hurts_the_pairs_that_it_silences() -> None:
    result = run_of({"a": CALM, "b": STOPPED}, CRASH)

    row = blast_radius(result).iloc[0]
    assert (row["pairs"], row["pairs_hurt"]) == (2, 1)
    # Silent from 50 ms, when the next record was wanted, until 81 ms.
    assert row["blast_pair_s"] == pytest.approx(0.031)
    assert row["longest_s"] == pytest.approx(0.031)
    # At 83 ms one record waits, as many as at most before the crash.
    assert row["recovery_s"] == pytest.approx(0.003)

    told = interruptions(result).iloc[0]
    assert (told["source"], told["subscriber"]) == ("web", "b")
    assert (told["event"], told["target"]) == ("Crash", "subscriber:b")
    assert (told["since_ms"], told["until_ms"]) == (50.0, 81.0)


def test_where_sources_wait_for_all_every_pair_is_hurt() -> None:
    result = run_of({"a": [*STOPPED], "b": STOPPED}, CRASH)

    row = blast_radius(result).iloc[0]
    assert row["pairs_hurt"] == 2
    assert row["blast_pair_s"] == pytest.approx(0.062)


def test_what_never_comes_back_counts_until_the_last_record_was_wanted() -> None:
    gone: list[float | None] = [*STOPPED[:5], *[None] * 5]
    result = run_of({"a": CALM, "b": gone}, CRASH | {"until_ms": None})

    row = blast_radius(result).iloc[0]
    assert row["blast_pair_s"] == pytest.approx(0.040)
    assert math.isnan(row["recovery_s"])
    assert math.isnan(interruptions(result)["until_ms"].iloc[0])


@pytest.mark.parametrize("why", ["not applicable: it has no hub", "not reached: …"])
def test_an_event_that_did_not_happen_has_no_numbers_and_hurts_nobody(why: str) -> None:
    hub = CRASH | {"target": "hub", "effect": why}
    table = blast_radius(run_of({"a": CALM, "b": STOPPED}, hub, CRASH))

    assert math.isnan(table["blast_pair_s"][0])
    assert math.isnan(table["pairs_hurt"][0])
    assert table["pairs_hurt"][1] == 1


def test_a_silence_that_is_usual_is_none_of_an_event() -> None:
    slow = [10.0 * n + 9 for n in range(10)]
    result = run_of({"a": [*slow], "b": [*slow]}, CRASH)

    assert blast_radius(result)["blast_pair_s"][0] == 0
    assert blast_radius(result)["recovery_s"][0] == 0
    assert len(interruptions(result)) == 0
    assert len(interruptions(result, times=0.5)) > 0


def test_an_interruption_may_have_to_last_a_while_at_least() -> None:
    """Silent for 31 ms, as in the test above; usually for 1 ms."""
    result = run_of({"a": CALM, "b": STOPPED}, CRASH)

    assert len(interruptions(result, least_ms=30.0)) == 1
    assert len(interruptions(result, least_ms=31.0)) == 0
    assert blast_radius(result, least_ms=30.0)["pairs_hurt"][0] == 1
    assert blast_radius(result, least_ms=31.0)["blast_pair_s"][0] == 0


def test_a_run_to_which_nothing_was_done_has_no_rows() -> None:
    result = run_of({"a": CALM})

    assert len(blast_radius(result)) == len(interruptions(result)) == 0

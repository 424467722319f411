"""What the engine is held against does the same work, or it would be no comparison."""

from dataclasses import replace
from itertools import groupby, pairwise
from statistics import fmean

import pytest

from benchmarks.bench import scenario
from benchmarks.bench_calendar import FORMS, MEAN_NS, entries_of
from benchmarks.bench_growth import units
from benchmarks.bench_memory import resident_bytes
from benchmarks.bench_naive import settings_of
from benchmarks.naive.model import Message, Pipeline
from benchmarks.plain_calendar import PlainCalendar, plain_calendars
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Poisson


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """Return what half a second of the naive model with batches of 10 makes."""
    settings = settings_of(scenario("naive-10"), 10)
    return Pipeline(replace(settings, duration_s=0.5), 1).run()


@pytest.mark.parametrize("pending", [1, 30, 1_000])
def test_all_forms_of_the_hold_model_run_as_many_entries(pending: int) -> None:
    until_ns = MEAN_NS * 2_000 // pending

    entries = [entries_of(form, pending, until_ns) for form in FORMS]

    assert entries[0] == pytest.approx(2_000, rel=0.2)
    assert set(entries) == {entries[0]}


def test_a_plain_heap_makes_the_same_run_and_only_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[PlainCalendar] = []

    class Noted(PlainCalendar):
        def __init__(self, *, check: bool = False) -> None:
            super().__init__(check=check)
            made.append(self)

    monkeypatch.setattr("benchmarks.plain_calendar.PlainCalendar", Noted)
    short = scenario("calendar").where({"traffic.duration_s": 1.0})
    own = run(short)

    with plain_calendars():
        plain = run(short)
    run(short)

    assert plain.digest == own.digest
    assert [calendar.entry_count for calendar in made] == [
        own.facts["calendar_entries"]
    ]


def test_a_naive_message_goes_through_its_stages_in_order(
    messages: list[Message],
) -> None:
    assert len(messages) == pytest.approx(10_000, rel=0.05)
    for message in messages:
        assert message.created < message.appended < message.acked
        assert message.appended < message.fetched <= message.started < message.ended


def test_naive_batches_hold_ten_but_for_the_last_which_lingers(
    messages: list[Message],
) -> None:
    batches = [list(batch) for _, batch in groupby(messages, lambda m: m.appended)]

    *full, last = batches
    assert {len(batch) for batch in full} == {10}
    # Nothing holds a full batch up: link, one request and the bytes of ten records.
    for batch in full:
        assert batch[-1].appended - batch[-1].created == pytest.approx(
            251.6e-6, rel=1e-2
        )
    if len(last) < 10:
        assert last[0].appended - last[0].created == pytest.approx(0.1002, rel=1e-2)


def test_a_naive_consumer_works_on_one_message_after_the_other(
    messages: list[Message],
) -> None:
    for before, after in pairwise(messages):
        assert after.started >= before.ended

    worked = fmean(message.ended - message.started for message in messages)
    assert worked == pytest.approx(25e-6, rel=0.05)


def test_both_clusters_are_asked_for_as_many_records_and_their_units_counted() -> None:
    small, large = scenario("growth-small"), scenario("growth-large")

    asked = []
    for chosen in (small, large):
        arrivals = chosen.traffic.sources["web"].arrivals
        assert isinstance(arrivals, Poisson)
        asked.append(arrivals.rate_per_s * float(chosen.resolve().traffic.duration_s))
    assert asked == [400_000, 400_000]
    result = run(small.where({"traffic.duration_s": 0.5}))
    counted = units(result)
    apis = list(result.columns("requests")["api"])
    assert counted["batches"] == len(result.columns("batches"))
    assert (counted["requests"], counted["fetches"]) == (apis.count(0), apis.count(1))


def test_the_peak_of_memory_is_not_below_what_is_resident() -> None:
    # The C library returns what is above 32 MiB at once, whatever ran before.
    block = bytearray(b"x" * 60_000_000)
    peak, held = resident_bytes(peak=True), resident_bytes(peak=False)
    del block

    # The kernel keeps both counts per processor and adds them up late.
    late = 1_000_000
    assert peak > held - late > 60_000_000
    assert resident_bytes(peak=True) > peak - late
    assert resident_bytes(peak=False) < held - 40_000_000

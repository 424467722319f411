"""What the engine is held against does the same work, or it would be no comparison."""

import mmap
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise, product
from statistics import fmean

import numpy as np
import pytest

from benchmarks.bench import scenario
from benchmarks.bench_calendar import FORMS, MEAN_NS, entries_of
from benchmarks.bench_growth import units
from benchmarks.bench_memory import resident_bytes
from benchmarks.bench_naive import settings_of
from benchmarks.bench_replication import replicated
from benchmarks.naive.model import Message, Pipeline, Settings, Steps
from benchmarks.naive.replicated import ReplicatedPipeline
from benchmarks.plain_calendar import PlainCalendar, plain_calendars
from kafkasim.engine.sim.request import FETCH, FETCH_FOLLOWER, PRODUCE
from kafkasim.engine.sim.run import run
from kafkasim.ids import Target
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import Crash, Pause

KINDS = ("subscriber", "broker")
SESSION_S = 9.0
"""Until a broker that has stopped is fenced, `broker.session.timeout.ms`."""


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


class OfPlan(ReplicatedPipeline):
    """The naive model with copies, whose messages come at the times of a plan."""

    def __init__(self, settings: Settings, times_ns: Sequence[int]) -> None:
        super().__init__(settings, 1)
        self.times_ns = times_ns

    def produce(self) -> Steps:
        for time_ns in self.times_ns:
            yield self.env.timeout(time_ns / 1e9 - self.env.now)
            self.env.process(self.message(Message(0, self.env.now)))


@pytest.fixture(scope="module", params=[100, 1_000])
def replicas(request: pytest.FixtureRequest) -> tuple[int, Result, OfPlan]:
    """Return records a batch, and engine and naive model after the same messages."""
    batch_records: int = request.param
    chosen = replicated(batch_records).where({"traffic.duration_s": 0.7})
    plan = chosen.plan()
    settings = settings_of(chosen, batch_records)
    naive = OfPlan(settings, plan.sources["web"].intended_ns.tolist())
    naive.run()
    return batch_records, run(chosen, plan=plan), naive


def test_naive_copies_make_the_batches_and_commits_of_the_engine(
    replicas: tuple[int, Result, OfPlan],
) -> None:
    batch_records, result, naive = replicas
    appends = result.columns("appends")

    sizes = Counter(message.appended for message in naive.log)
    assert list(sizes.values()) == list(appends["record_count"])
    assert list(sizes.values())[:-1] == [batch_records] * (len(sizes) - 1)
    commits = {message.committed for message in naive.log}
    assert len(commits) == len(sizes) == len(set(appends["committed_ns"]))
    assert len(commits) > 10
    assert naive.copies == [naive.log, naive.log]


@pytest.mark.parametrize("time", ["appended", "committed", "acked"])
def test_naive_messages_go_through_the_copies_when_the_engines_records_do(
    replicas: tuple[int, Result, OfPlan], time: str
) -> None:
    batch_records, result, naive = replicas
    # The last batch is not full, so its header counts for more than in the naive model.
    full = len(naive.log) // batch_records * batch_records

    found_ns = np.array([getattr(message, time) * 1e9 for message in naive.log])
    records = result.columns("records")
    # The engine rounds each transfer to whole nanoseconds.
    assert found_ns[:full] == pytest.approx(records[f"{time}_ns"][:full], abs=3)


def test_replication_takes_two_links_a_request_and_both_followers_bytes(
    replicas: tuple[int, Result, OfPlan],
) -> None:
    batch_records, result, naive = replicas
    appends = result.columns("appends")

    bytes_ns = 2 * naive.settings.record_bytes * batch_records / 1.25
    by_hand_ns = 200_000 + 200_000 + 50_000 + bytes_ns
    took_ns = (appends["committed_ns"] - appends["appended_ns"])[:-1]
    assert took_ns == pytest.approx(by_hand_ns, abs=2)


def test_no_two_produce_requests_are_open_where_the_naive_model_lets_them(
    replicas: tuple[int, Result, OfPlan],
) -> None:
    _, result, naive = replicas
    requests = result.columns("requests")

    of_producer = requests["api"] == PRODUCE
    sent_ns = requests["sent_ns"][of_producer]
    answered_ns = requests["answered_ns"][of_producer]
    assert (sent_ns[1:] >= answered_ns[:-1]).all()
    # A fetch of each follower brings each batch; two more still wait in the end.
    fetches = (requests["api"] == FETCH_FOLLOWER).sum()
    assert fetches == 2 * len(sent_ns) + 2
    assert naive.settings.followers == 2


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


def test_the_fetches_of_followers_are_units_too() -> None:
    copies = {"system.topics.orders.replication_factor": 3}
    result = run(scenario("growth-small").where({"traffic.duration_s": 0.2, **copies}))

    apis = list(result.columns("requests")["api"])
    of_followers = apis.count(FETCH_FOLLOWER)
    assert of_followers > 50
    assert units(result)["fetches"] == apis.count(FETCH) + of_followers


def test_twenty_events_befall_subscribers_and_brokers_and_all_recover() -> None:
    chosen = scenario("events")

    assert len(chosen.events) == 20
    befell = Counter(
        (type(e).__name__, Target.parse(e.target).kind) for e in chosen.events
    )
    assert befell == dict.fromkeys(product(("Pause", "Crash"), KINDS), 5)
    for event in chosen.events:
        assert isinstance(event, (Crash, Pause))
        assert event.for_s is not None
        assert event.at_s + event.for_s < chosen.traffic.duration_s - SESSION_S


def test_events_have_their_effect_and_every_record_is_worked_on() -> None:
    fewer = {"traffic.sources.web.arrivals.rate_per_s": 100.0}
    result = run(scenario("events").where({"traffic.duration_s": 70.0, **fewer}))

    causes = result.replicas.cause.value_counts()
    assert causes["crashed"] > 0
    assert causes["elected"] > 0
    assert causes["joined the ISR"] > 0
    records, deliveries = result.columns("records"), result.deliveries
    assert (records["acked_ns"] >= 0).all()
    worked_on = deliveries[deliveries.outcome == "processed"]
    assert (
        worked_on.groupby("subscriber").record_id.nunique().tolist()
        == [len(records["acked_ns"])] * 2
    )
    assert len(worked_on) > 2 * len(records["acked_ns"])


def test_the_peak_of_memory_is_not_below_what_is_resident() -> None:
    # Not of the C library, which may have so much to spare and keep it after.
    with mmap.mmap(-1, 60_000_000) as block:
        block.write(b"x" * 60_000_000)
        peak, held = resident_bytes(peak=True), resident_bytes(peak=False)

    # The kernel keeps both counts per processor and adds them up late.
    late = 1_000_000
    assert peak > held - late > 60_000_000
    assert resident_bytes(peak=True) > peak - late
    assert resident_bytes(peak=False) < held - 40_000_000

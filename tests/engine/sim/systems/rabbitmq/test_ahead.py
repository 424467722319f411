"""What is worked out ahead of its time is what would have been, step by step."""

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Bursts, Periodic, Poisson
from kafkasim.scenario.distributions import Exponential, Uniform
from kafkasim.scenario.events import Crash, Event, Slow
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.keys import TraceColumn
from kafkasim.scenario.rabbitmq import Consumers, Publisher, Queue, RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS
from tests.engine.sim.systems.rabbitmq.small_runs import (
    MS,
    PLAIN,
    scenario_of,
)
from tests.tiers import dear

NOTHING = Slow("hub", at_s=0.0, factor=1.0)
"""After an event nothing is worked out ahead of its time."""


def busy_world(
    kind: Literal["classic", "quorum"], hardware: Hardware, events: tuple[Event, ...]
) -> Scenario:
    """Two sources and two queues that hardly keep up, one with two consumers."""
    traffic = Traffic(
        sources={
            "web": Source("orders", Periodic(400.0), value_bytes=500),
            "app": Source("orders", Bursts(300.0, burst=6), value_bytes=2_000),
        },
        subscribers={
            "a": Subscriber(["orders"], work_ms=Exponential(1.0)),
            "b": Subscriber(["orders"], work_ms=Exponential(2.0)),
        },
        duration_s=0.06,
    )
    system = RabbitMQ(
        nodes=3 if kind == "quorum" else 1,
        queues={name: Queue(type=kind) for name in ("a", "b")},
        consumers={"b": Consumers(count=2, prefetch=3)},
        hardware=hardware,
    )
    return Scenario(traffic, system, events=events)


def is_as_step_by_step(ahead: Scenario, since_s: float = 0.0) -> Result:
    """Run it ahead and step by step, see that it is the same, and return it."""
    nothing = replace(NOTHING, at_s=since_s)
    step_by_step = replace(ahead, events=(nothing, *ahead.events))
    result = run(ahead)
    one, other = dict(result.digests), dict(run(step_by_step, check=True).digests)
    del one["events"], other["events"]
    assert one == other
    return result


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize(
    "hardware",
    [
        Hardware(Link(0.2, 1.0), Cpu(0.7)),  # everybody waits for everybody
        Hardware(Link(0.2, 1e9), Cpu(0.0)),  # much happens at one time
        Hardware(Link(Exponential(0.5)), Cpu(Exponential(0.5))),
        Hardware(disk=Disk(access_ms=0.6)),
    ],
)
@pytest.mark.parametrize(
    "later", [(), (Crash("node:1", at_s=0.04, for_s=0.02),)], ids=["calm", "crash"]
)
def test_so_it_is_while_all_are_busy_and_one_breaks(
    kind: Literal["classic", "quorum"], hardware: Hardware, later: tuple[Event, ...]
) -> None:
    ahead = busy_world(kind, hardware, later)
    is_as_step_by_step(ahead)


@pytest.mark.parametrize("most", [None, 5])
def test_each_message_of_a_burst_is_confirmed_by_itself(most: int | None) -> None:
    """Members say at one time that they have it; each says so of each message."""
    system = RabbitMQ(
        nodes=3,
        queues={"a": Queue(type="quorum")},
        publishers={"web": Publisher(max_unconfirmed=most)},
        hardware=PLAIN,
    )
    ahead = scenario_of(system, arrivals=Bursts(100.0, burst=6), count=12)
    result = is_as_step_by_step(ahead)
    links = result.table("links").set_index(["sender", "receiver"])["request_count"]
    sent, confirms = links["source:web", "node:1"], links["node:1", "source:web"]
    assert (sent, confirms) == (len(result.table("records")),) * 2
    assert sent > 6


def test_what_has_no_bytes_does_not_overtake_what_was_sent_before_it() -> None:
    source = Source("orders", Bursts(200.0, burst=8), value_bytes=1_000, tombstones=0.5)
    traffic = Traffic({"web": source}, {"a": Subscriber(["orders"])}, duration_s=0.1)
    slow = RabbitMQ(hardware=Hardware(Link(0.2, 1.0)))
    result = is_as_step_by_step(Scenario(traffic, slow))
    assert result.table("records")["appended_ms"].is_monotonic_increasing


# --- where publishers meet at a busy card -------------------------------------------


@st.composite
def busy_cards(draw: st.DrawFn) -> Scenario:
    """Up to four publishers send a node more than its card takes in at once."""
    count = draw(st.integers(2, 4))
    sources = {}
    for name in "abcd"[:count]:
        laws: list[Periodic | Poisson | Bursts] = [
            Periodic(draw(st.sampled_from([100.0, 250.0, 400.0]))),
            Poisson(300.0),
            Bursts(200.0, burst=4),
        ]
        sizes: list[int | Uniform] = [200, 1_000, 3_000, Uniform(1, 3_000)]
        sources[name] = Source(
            "orders",
            draw(st.sampled_from(laws)),
            value_bytes=draw(st.sampled_from(sizes)),
            tombstones=draw(st.sampled_from([0.0, 0.3])),
        )
    kind: Literal["classic", "quorum"] = draw(st.sampled_from(["classic", "quorum"]))
    delays: list[float | Exponential] = [0.0, 0.1, 1.0, Exponential(0.5)]
    confirms = draw(st.booleans())
    system = RabbitMQ(
        nodes=3 if kind == "quorum" else draw(st.integers(1, 2)),
        queues={"a": Queue(type=kind)},
        publishers={name: Publisher(confirms=confirms) for name in sources},
        hardware=Hardware(
            Link(draw(st.sampled_from(delays)), draw(st.sampled_from([0.5, 1.0, 2.0]))),
            Cpu(draw(st.sampled_from([0.0, 0.3])), mb_ms=0.0),
        ),
    )
    traffic = Traffic(sources, {"a": Subscriber(["orders"])}, duration_s=0.06)
    return Scenario(traffic, system, seed=draw(st.integers(0, 99)))


@dear()
@given(ahead=busy_cards(), since_s=st.sampled_from([0.0, 0.03, 0.1]))
def test_so_it_is_where_publishers_meet_at_a_busy_card(
    ahead: Scenario, since_s: float
) -> None:
    note(str(ahead.to_dict()))
    is_as_step_by_step(ahead, since_s)


def taken_in_ns(result: Result, link: Link) -> list[int]:
    """Work out, of each record, when a node's card had taken it in.

    A message leaves when its publisher's card is free and is there after the delay,
    not before an earlier one; the node's card takes what is there first, its bytes one
    after the other. What has no bytes is in when all that came before it from there is.
    """
    assert isinstance(link.delay_ms, float)
    records = result.columns("records")
    sources = records["source"].tolist()
    sizes = np.maximum(records["value_bytes"], 0).tolist()
    created_ns = records["created_ns"].tolist()
    takes_ns = [round(size * 1_000 / link.bandwidth_mb_per_s) for size in sizes]
    there_ns, left_ns = dict.fromkeys(sources, 0), dict.fromkeys(sources, 0)
    comes = []
    for row in sorted(range(len(sources)), key=created_ns.__getitem__):
        source, leaves_ns = sources[row], created_ns[row]
        if sizes[row]:
            leaves_ns = max(leaves_ns, left_ns[source]) + takes_ns[row]
            left_ns[source] = leaves_ns
        there_ns[source] = max(there_ns[source], leaves_ns + round(link.delay_ms * MS))
        comes.append((there_ns[source], source, row))
    card_ns, last_ns = 0, dict.fromkeys(sources, 0)
    in_ns = [MISSING_NS] * len(sources)
    for at_ns, source, row in sorted(comes):
        if sizes[row]:
            card_ns = max(at_ns, card_ns + takes_ns[row])
            last_ns[source] = card_ns
        in_ns[row] = max(at_ns, last_ns[source])
    return in_ns


@pytest.mark.parametrize("delay_ms", [0.1, 1.0])
@pytest.mark.parametrize("since_s", [0.0, 0.05, 1.0])
def test_a_card_takes_in_what_is_there_first(delay_ms: float, since_s: float) -> None:
    """Whoever has to wait for it loses no place with what it sends next."""
    often = Source("orders", Periodic(400.0), value_bytes=500, tombstones=0.2)
    seldom = Source("orders", Periodic(130.0, phase_s=0.001), value_bytes=6_000)
    bursts = Source("orders", Bursts(150.0, burst=4), value_bytes=700)
    traffic = Traffic(
        {"often": often, "seldom": seldom, "bursts": bursts},
        {"a": Subscriber(["orders"])},
        duration_s=0.1,
    )
    link = Link(delay_ms, 1.0)
    system = RabbitMQ(hardware=Hardware(link, Cpu(0.0, mb_ms=0.0)))

    result = is_as_step_by_step(Scenario(traffic, system), since_s)

    expected = taken_in_ns(result, link)
    assert result.columns("records")["appended_ns"].tolist() == expected
    created = result.columns("records")["created_ns"]
    waits_ns = np.array(expected) - created
    assert np.median(waits_ns) > 10 * MS  # the card is busy


def test_what_comes_when_the_last_one_is_in_goes_behind_it() -> None:
    """Of one publisher, that is; `app` has the card until 5 ms, `web` until 7 ms."""
    sent = {
        "app": Trace(np.array([0]), {"bytes": np.array([4_000])}),
        "web": Trace(np.array([2, 6]) * MS, {"bytes": np.array([2_000, 0])}),
    }
    traffic = Traffic(
        {
            name: Source("orders", trace, value_bytes=TraceColumn("bytes"))
            for name, trace in sent.items()
        },
        {"a": Subscriber(["orders"])},
    )
    system = RabbitMQ(hardware=Hardware(Link(1.0, 1.0), Cpu(0.0, mb_ms=0.0)))

    result = is_as_step_by_step(Scenario(traffic, system))

    rows = result.table("queues")
    enqueued = rows[rows["change"] == "enqueued"]
    assert enqueued["at_ms"].tolist() == [5.0, 7.0, 7.0]
    assert enqueued["record_id"].tolist() == [0, 1, 2]

"""RabbitMQ's traffic by hand: who has what when, over links of 1 ms."""

from dataclasses import replace
from typing import Literal

import pytest

from kafkasim.analysis import pipelines, summary
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import ClosedLoop, Periodic
from kafkasim.scenario.events import Event, Slow
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.rabbitmq import (
    Binding,
    Consumers,
    Exchange,
    Publisher,
    Queue,
    RabbitMQ,
)
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.small_worlds import small_world
from tests.engine.sim.systems.rabbitmq.small_runs import (
    PLAIN,
    became,
    changes,
    hardware,
    outcomes,
    scenario_of,
    sound,
    times,
)

NOTHING = Slow("hub", at_s=0.0, factor=1.0)
"""After an event nothing is worked out ahead of its time."""


def test_a_message_goes_to_the_node_and_on_to_the_consumer_and_the_ack_back() -> None:
    result = sound(scenario_of(count=1))
    assert changes(result) == [
        (1.0, "enqueued", 1, 0),
        (1.0, "delivered", 0, 1),
        (5.0, "acked", 0, 0),
    ]
    assert times(result, "fetched_ms") == [2.0]
    assert times(result, "ended_ms") == [4.0]
    records = result.table("records")
    assert records["acked_ms"].round(3).tolist() == [2.0]
    assert records["appended_ms"].round(3).tolist() == [1.0]
    assert result.facts["drained"] == 1


@pytest.mark.parametrize(
    ("events", "each"),
    [
        ((), 2),  # to the node, acknowledgement
        ((NOTHING,), 6),  # and timer, confirm, to the consumer, work
    ],
)
def test_a_message_has_an_entry_for_all_on_which_something_depends(
    events: tuple[Event, ...], each: int
) -> None:
    few, many = (sound(scenario_of(count=n, events=events)) for n in (1, 11))
    more = int(many.facts["calendar_entries"]) - int(few.facts["calendar_entries"])
    assert more == 10 * each


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["classic", "quorum"])
def test_what_is_worked_out_ahead_of_its_time_is_what_would_have_been(
    kind: str, seed: int
) -> None:
    queues = {name: Queue(type=kind) for name in ("billing", "audit", "late")}  # type: ignore[arg-type]
    system = RabbitMQ(nodes=3, queues=queues)
    ahead = replace(small_world(seed, system), events=())
    results = run(ahead), run(replace(ahead, events=(NOTHING,)))
    one, other = (dict(result.digests) for result in results)
    del one["events"], other["events"]
    assert one == other


@pytest.mark.parametrize(
    ("prefetch", "work_ms", "apart_ms"),
    [
        (1, 2.0, 4.0),  # 1 / (round trip + work)
        (1, 0.5, 2.5),
        (2, 2.0, 2.0),  # two in 4 ms: as fast as the work
        (4, 0.5, 2.5 / 4),  # 4 / (round trip + work)
        (0, 0.5, 0.5),
    ],
)
def test_throughput_is_prefetch_by_round_trip_and_work_until_work_is_all(
    prefetch: int, work_ms: float, apart_ms: float
) -> None:
    system = RabbitMQ(consumers={"a": Consumers(prefetch=prefetch)}, hardware=PLAIN)
    result = sound(
        scenario_of(
            system,
            every_ms=0.001,
            count=80,
            subscribers={"a": Subscriber(["orders"], work_ms=work_ms)},
        )
    )
    ended = times(result, "ended_ms")
    # From one round of deliveries to the next ones, far from both ends.
    assert (ended[72] - ended[8]) / 64 == pytest.approx(apart_ms, rel=1e-3)


def test_throughput_at_prefetch_1_falls_as_the_round_trip_grows() -> None:
    spans = []
    for delay_ms in (1.0, 2.0, 4.0):
        system = RabbitMQ(
            consumers={"a": Consumers(prefetch=1)},
            hardware=hardware(delay_ms=delay_ms),
        )
        ended = times(sound(scenario_of(system, every_ms=0.001, count=5)), "ended_ms")
        spans.append(round(ended[4] - ended[0], 3))
    assert spans == [4 * (2 + 2), 4 * (4 + 2), 4 * (8 + 2)]


def test_a_queue_process_takes_time_for_messages_and_acknowledgements() -> None:
    system = RabbitMQ(hardware=hardware(request_ms=0.5))
    result = sound(scenario_of(system, count=1))
    assert [each[0] for each in changes(result)] == [1.5, 1.5, 6.0]


def test_bytes_take_the_process_and_every_card_time() -> None:
    slow = Hardware(
        link=Link(delay_ms=1.0, bandwidth_mb_per_s=1.0),
        cpu=Cpu(request_ms=0.0, mb_ms=1_000.0),
    )
    traffic = Traffic(
        {"web": Source("orders", Periodic(1.0), value_bytes=1_000)},
        {"a": Subscriber(["orders"])},
        duration_s=1.0,
    )
    result = sound(Scenario(traffic, RabbitMQ(hardware=slow)))
    # 1 ms to leave, 1 on the way, 1 in the queue's process; the same again but for it.
    assert [each[0] for each in changes(result)][:2] == [3.0, 3.0]
    assert times(result, "fetched_ms") == [5.0]


# --- publishers -------------------------------------------------------------------


def test_who_may_have_one_unconfirmed_message_waits_for_its_confirm() -> None:
    system = RabbitMQ(publishers={"web": Publisher(max_unconfirmed=1)}, hardware=PLAIN)
    result = sound(scenario_of(system, every_ms=0.5, count=4))
    assert result.table("records")["created_ms"].round(3).tolist() == [0, 2, 4, 6]
    blocked = result.table("blocked")
    assert blocked[["since_ms", "until_ms"]].to_numpy().tolist() == [[0.5, 6.0]]
    assert blocked["cause"].tolist() == ["unconfirmed"]


def test_without_confirms_nobody_learns_what_became_of_a_message() -> None:
    system = RabbitMQ(publishers={"web": Publisher(confirms=False)}, hardware=PLAIN)
    result = sound(scenario_of(system))
    assert result.table("records")["outcome"].tolist() == ["unacked"] * 3
    assert result.table("records")["acked_ms"].isna().all()
    assert became(result) == ["once"] * 3


def test_a_closed_loop_goes_on_with_the_confirm() -> None:
    loop = ClosedLoop(outstanding=1, think_ms=3.0)
    result = sound(scenario_of(arrivals=loop, count=2))
    assert result.table("records")["created_ms"].round(3).tolist() == [0, 5, 10, 15]
    assert became(result) == ["once"] * 4


def test_a_mandatory_message_that_no_queue_wants_comes_back() -> None:
    system = RabbitMQ(
        exchanges={"orders": Exchange("direct")},
        queues={"a": Queue(bindings=[Binding("orders", "other")])},
        publishers={"web": Publisher(mandatory=True)},
        hardware=PLAIN,
    )
    records = sound(scenario_of(system)).table("records")
    assert records["outcome"].tolist() == ["failed"] * 3
    assert records["error"].tolist() == ["NO_ROUTE"] * 3


def test_a_message_that_no_queue_wants_is_confirmed_and_lost() -> None:
    system = RabbitMQ(
        exchanges={"orders": Exchange("direct")},
        queues={"a": Queue(bindings=[Binding("orders", "other")])},
        hardware=PLAIN,
    )
    result = sound(scenario_of(system))
    assert result.table("records")["outcome"].tolist() == ["acked"] * 3
    assert became(result) == ["lost"] * 3


def test_a_topic_exchange_routes_by_the_words_of_the_key() -> None:
    traffic = Traffic(
        {
            "web": Source("orders", Periodic(100.0), UniformKeys(1, prefix="us")),
            "app": Source("clicks", Periodic(100.0), UniformKeys(1, prefix="eu")),
        },
        {"a": Subscriber(["orders"]), "b": Subscriber(["orders", "clicks"])},
        duration_s=0.02,
    )
    everything = Publisher(exchange="all", routing_key="{stream}.{key}")
    system = RabbitMQ(
        exchanges={"all": Exchange("topic")},
        publishers={"web": everything, "app": everything},
        hardware=PLAIN,
    )
    scenario = Scenario(traffic, system)
    bound = scenario.resolve().system
    assert isinstance(bound, RabbitMQ)
    assert bound.queues["a"].bindings == (Binding("all", "orders.#"),)
    result = sound(scenario)
    assert result.table("deliveries")["subscriber"].value_counts().to_dict() == {
        "a": 2,
        "b": 4,
    }


# --- queues and consumers ---------------------------------------------------------


def test_consumers_of_one_queue_share_its_messages_in_turn() -> None:
    system = RabbitMQ(consumers={"a": Consumers(count=2, prefetch=1)}, hardware=PLAIN)
    result = sound(scenario_of(system, every_ms=0.001, count=4))
    members = result.table("deliveries").sort_values("record_id")["member"]
    assert members.tolist() == ["a/1", "a/2", "a/1", "a/2"]


def test_with_multiple_one_frame_acknowledges_several() -> None:
    system = RabbitMQ(consumers={"a": Consumers(ack_every=2)}, hardware=PLAIN)
    result = sound(scenario_of(system, every_ms=0.001, count=3))
    acked = [each for each in changes(result) if each[1] == "acked"]
    assert [each[0] for each in acked] == [7.0, 7.0, 9.0]


def test_what_is_done_is_acknowledged_before_the_next_message_is_there() -> None:
    """At 4 ms the second message is on its way, and there at 4.5 ms."""
    system = RabbitMQ(consumers={"a": Consumers(ack_every=2)}, hardware=PLAIN)
    result = sound(scenario_of(system, every_ms=2.5, count=3))
    acked = [each for each in changes(result) if each[1] == "acked"]
    assert [each[0] for each in acked] == [5.0, 7.5, 10.0]


def test_without_acknowledgements_a_message_is_gone_when_it_is_sent() -> None:
    system = RabbitMQ(consumers={"a": Consumers(ack="auto")}, hardware=PLAIN)
    result = sound(scenario_of(system, count=1))
    assert [each[:2] for each in changes(result)] == [
        (1.0, "enqueued"),
        (1.0, "delivered"),
        (1.0, "auto-acked"),
    ]
    assert outcomes(result) == ["processed"]
    assert result.facts["end_ns"] == pytest.approx(4e6, abs=10)


def test_the_channel_says_when_a_message_may_go_from_a_quorum_queue() -> None:
    consumers = {"a": Consumers(ack="auto")}
    queues = {"a": Queue("quorum")}
    system = RabbitMQ(nodes=3, queues=queues, consumers=consumers, hardware=PLAIN)
    result = sound(scenario_of(system, count=1))
    assert [each[:2] for each in changes(result)] == [
        (3.0, "enqueued"),
        (3.0, "delivered"),
        (5.0, "acked"),  # a majority has that, too
    ]


def test_a_queue_confirms_when_it_has_nothing_else_to_do() -> None:
    system = RabbitMQ(hardware=hardware(request_ms=3.0))
    result = sound(scenario_of(system, every_ms=2.0, count=2))
    # There at 1 and 3 ms, taken in at 4 and 7; the acknowledgement comes at 9.
    assert [each[:2] for each in changes(result)][:3] == [
        (4.0, "enqueued"),
        (4.0, "delivered"),
        (7.0, "enqueued"),
    ]
    assert result.table("records")["acked_ms"].round(3).tolist() == [8.0, 8.0]


def test_what_fails_goes_back_before_what_was_not_handed_out() -> None:
    system = RabbitMQ(
        consumers={"a": Consumers(prefetch=1, failing_share=0.5)}, hardware=PLAIN
    )
    result = sound(scenario_of(system, every_ms=0.001, count=4, seed=3))
    table = result.table("deliveries")
    assert table["record_id"].is_monotonic_increasing
    again = table[table["delivery_count"] > 1]
    assert len(again) == (table["outcome"] == "nacked").sum() > 0
    assert became(result) == ["once"] * 4


def test_a_quorum_queue_drops_what_was_rejected_too_often() -> None:
    system = RabbitMQ(
        queues={"a": Queue("quorum", delivery_limit=2)},
        consumers={"a": Consumers(failing_share=1.0, on_failure="reject")},
        hardware=PLAIN,
    )
    result = sound(scenario_of(system, count=1))
    assert outcomes(result) == ["rejected"] * 3
    assert changes(result)[-1][1] == "delivery_limit"
    assert became(result) == ["lost"]


def test_a_quorum_queue_confirms_when_a_majority_has_a_message() -> None:
    system = RabbitMQ(nodes=3, queues={"a": Queue("quorum")}, hardware=PLAIN)
    result = sound(scenario_of(system, count=1))
    # 1 ms to the leader, 2 there and back to a follower, 1 to the publisher.
    assert changes(result)[0][:2] == (3.0, "enqueued")
    assert result.table("records")["acked_ms"].round(3).tolist() == [4.0]
    # Its acknowledgement, at 7 ms, takes a majority as well.
    assert changes(result)[-1][:2] == (9.0, "acked")


# --- latecomers and what is left --------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "first", "rest"),
    [("with_consumers", "not_kept", "once"), ("start", "once", "once")],
)
def test_who_comes_late_has_what_its_queue_has(
    declared: str, first: str, rest: str
) -> None:
    late = Subscriber(["orders"], from_s=0.015, wants="all")
    system = RabbitMQ(
        queues={"late": Queue(declared=declared)},  # type: ignore[arg-type]
        hardware=PLAIN,
    )
    result = sound(scenario_of(system, count=4, subscribers={"late": late}))
    assert became(result, "late") == [first, first, rest, rest]
    assert summary(result)["lag_records_max"].tolist() == [
        1.0 if declared == "with_consumers" else 2.0
    ]


def test_what_nobody_reads_stays_in_the_queue_and_is_pending() -> None:
    system = RabbitMQ(
        consumers={"a": Consumers(prefetch=1)},
        hardware=PLAIN,
    )
    slow = {"a": Subscriber(["orders"], work_ms=60.0)}
    result = sound(scenario_of(system, subscribers=slow, end="cut"))
    assert became(result) == ["pending"] * 3
    assert result.table("records")["log_copies"].tolist() == [1, 1, 1]
    assert result.table("queues").iloc[-1][["ready", "unacked"]].tolist() == [2, 1]


def test_runs_are_the_same_with_checks_and_measures_and_without() -> None:
    scenario = scenario_of(RabbitMQ(nodes=3, queues={"a": Queue("quorum")}))
    assert run(scenario).digest == run(scenario, check=True, resources=True).digest


def test_a_streamed_run_is_refused() -> None:
    with pytest.raises(ValidationError, match="RabbitMQ"):
        run(scenario_of(), result="streamed")


def test_resources_say_how_busy_a_queue_is() -> None:
    system = RabbitMQ(hardware=hardware(request_ms=1.0))
    busy = run(scenario_of(system), resources=True).table("resources")
    mine = busy[(busy["resource"] == "queue:a") & (busy["kind"] == "cpu")]
    # Three messages and three acknowledgements, in what the run lasts.
    end_ms = 10 * 2 + 1 + 1 + 1 + 2 + 1 + 1
    assert mine["busy_share"].tolist() == pytest.approx([6 / end_ms], rel=1e-3)


@pytest.mark.parametrize(
    ("queue", "kept", "copies"),
    [("classic", "persistent", 2), ("classic", "transient", 0), ("quorum", "all", 6)],
)
def test_what_nodes_write_to_disks_is_counted(
    queue: Literal["classic", "quorum"],
    kept: str,
    copies: int,
) -> None:
    """Two subscribers' queues; a quorum queue has three members."""
    both = {name: Subscriber(["orders"], work_ms=2.0) for name in ("a", "b")}
    for hardware_ in (PLAIN, hardware(disk=Disk())):
        system = RabbitMQ(
            nodes=3,
            queues={name: Queue(type=queue) for name in both},
            publishers={"web": Publisher(persistent=kept == "persistent")},
            hardware=hardware_,
        )
        scenario = scenario_of(system, count=20, subscribers=both)
        written = pipelines(sound(scenario))["disk_bytes"]

        # A byte each; what came last may not have been written when the run ended.
        assert 17 * copies <= written <= 20 * copies

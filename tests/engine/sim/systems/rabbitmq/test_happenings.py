"""What events do to a cluster and its clients, by hand."""

import pytest

from kafkasim.scenario.events import Crash, Cut, Delay, Event, Lose, Pause, Slow
from kafkasim.scenario.hardware import Disk
from kafkasim.scenario.member_events import (
    AddMember,
    MoveCoordinator,
    RemoveMember,
    StuckRecord,
)
from kafkasim.scenario.rabbitmq import Consumers, Publisher, Queue, RabbitMQ
from kafkasim.scenario.traffic import Subscriber
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

# Three messages, sent at 0, 10 and 20 ms. Each is in its queue 1 ms later, with the
# consumer after another one, worked on for 2 ms, and acknowledged 1 ms after that.


# --- consumers --------------------------------------------------------------------


def test_what_a_consumer_held_when_it_crashed_goes_back_and_comes_again() -> None:
    crash = Crash("subscriber:a", at_s=0.003, for_s=0.010)
    result = sound(scenario_of(events=(crash,)))
    assert outcomes(result) == ["abandoned", "processed", "processed", "processed"]
    assert changes(result)[2] == (4.0, "requeued: channel closed", 1, 0)
    # It is back at 13 and subscribes at 14, when the second message is there too.
    table = result.table("deliveries")
    assert table["fetched_ms"].round(3).tolist() == [2.0, 15.0, 15.0, 22.0]
    assert table["delivery_count"].tolist() == [1, 2, 1, 1]
    assert became(result) == ["once"] * 3


def test_without_acknowledgements_a_crash_loses_what_the_consumer_held() -> None:
    system = RabbitMQ(consumers={"a": Consumers(ack="auto")}, hardware=PLAIN)
    crash = Crash("subscriber:a", at_s=0.003, for_s=0.010)
    assert became(sound(scenario_of(system, events=(crash,)))) == [
        "lost",
        "once",
        "once",
    ]


def test_an_acknowledgement_on_its_way_counts_and_what_was_done_is_not_done_again() -> (
    None
):
    crash = Crash("subscriber:a", at_s=0.0045, for_s=0.010)
    result = sound(scenario_of(count=1, events=(crash,)))
    assert outcomes(result) == ["processed"]


def test_what_a_consumer_had_done_without_saying_so_is_done_twice() -> None:
    system = RabbitMQ(consumers={"a": Consumers(ack_every=3)}, hardware=PLAIN)
    crash = Crash("member:a/1", at_s=0.005, for_s=0.010)
    result = sound(scenario_of(system, every_ms=0.001, events=(crash,)))
    assert became(result) == ["duplicated", "once", "once"]


def test_a_paused_consumer_ends_its_work_so_much_later() -> None:
    pause = Pause("subscriber:a", at_s=0.003, for_s=0.004)
    result = sound(scenario_of(events=(pause,)))
    assert times(result, "ended_ms") == [8.0, 14.0, 24.0]


def test_a_slow_consumer_works_longer() -> None:
    slow = Slow("subscriber:a", at_s=0.005, for_s=0.010, factor=3.0)
    assert times(sound(scenario_of(events=(slow,))), "ended_ms") == [4.0, 18.0, 24.0]


def test_one_stuck_message_holds_up_one_consumer_and_not_the_others() -> None:
    stuck = StuckRecord("subscriber:a", source="web", ordinal=0, work_ms=100.0)
    alone = sound(scenario_of(events=(stuck,)))
    assert times(alone, "ended_ms") == [102.0, 104.0, 106.0]
    two = RabbitMQ(consumers={"a": Consumers(count=2, prefetch=1)}, hardware=PLAIN)
    shared = sound(scenario_of(two, events=(stuck,)))
    assert sorted(times(shared, "ended_ms")) == [14.0, 24.0, 102.0]


def test_a_consumer_more_takes_its_turn() -> None:
    system = RabbitMQ(consumers={"a": Consumers(prefetch=1)}, hardware=PLAIN)
    more = AddMember("subscriber:a", at_s=0.004)
    result = sound(scenario_of(system, every_ms=0.001, count=5, events=(more,)))
    members = result.table("deliveries").sort_values("record_id")["member"]
    # It subscribes at 5 ms, just after the first one's credit is there again.
    assert members.tolist() == ["a/1", "a/1", "a/2", "a/1", "a/2"]


def test_a_consumer_that_leaves_finishes_and_gives_the_rest_back() -> None:
    system = RabbitMQ(consumers={"a": Consumers(count=2)}, hardware=PLAIN)
    leaves = RemoveMember("member:a/1", at_s=0.003)
    result = sound(scenario_of(system, every_ms=0.001, count=4, events=(leaves,)))
    table = result.table("deliveries").sort_values("started_ms")
    done = table[table["outcome"] == "processed"]
    assert done["member"].tolist() == ["a/1", "a/2", "a/2", "a/2"]
    assert became(result) == ["once"] * 4


# --- sources ----------------------------------------------------------------------


def test_a_source_that_crashes_forgets_what_was_not_confirmed() -> None:
    crash = Crash("source:web", at_s=0.0005, for_s=0.012)
    result = sound(scenario_of(events=(crash,)))
    records = result.table("records")
    assert records["outcome"].tolist() == ["failed", "acked", "acked"]
    assert records["caused_by"].tolist()[0] == "Crash"
    assert records["created_ms"].round(3).tolist() == [0.0, 12.5, 20.0]
    assert result.table("blocked")["cause"].tolist() == ["crashed"]
    assert became(result) == ["not_accepted", "once", "once"]


def test_a_source_that_stands_still_sees_its_confirms_late() -> None:
    pause = Pause("source:web", at_s=0.001, for_s=0.014)
    records = sound(scenario_of(events=(pause,))).table("records")
    assert records["acked_ms"].round(3).tolist() == [15.0, 17.0, 22.0]
    assert records["created_ms"].round(3).tolist() == [0.0, 15.0, 20.0]


# --- nodes ------------------------------------------------------------------------


def crash_of(target: str) -> Crash:
    """After the first message has been handed out, and before it is acknowledged."""
    return Crash(target, at_s=0.003, for_s=0.020)


@pytest.mark.parametrize("target", ["node:1", "hub"])
def test_a_durable_queue_comes_back_with_what_is_on_disk(target: str) -> None:
    result = sound(scenario_of(events=(crash_of(target),)))
    # Clients try again every 100 ms: at 103 they find the node, which is up since 23.
    assert result.table("blocked")[["since_ms", "until_ms"]].to_numpy().tolist() == [
        [10.0, 103.0]
    ]
    assert changes(result)[2] == (3.0, "requeued: node restarted", 1, 0)
    assert became(result) == ["duplicated", "once", "once"]


def test_transient_messages_and_queues_are_gone_with_their_node() -> None:
    system = RabbitMQ(publishers={"web": Publisher(persistent=False)}, hardware=PLAIN)
    slow = {"a": Subscriber(["orders"], work_ms=50.0)}
    lost = sound(scenario_of(system, subscribers=slow, events=(crash_of("hub"),)))
    assert changes(lost)[2][1] == "not persistent"
    system = RabbitMQ(queues={"a": Queue(durable=False)}, hardware=PLAIN)
    gone = sound(scenario_of(system, subscribers=slow, events=(crash_of("hub"),)))
    assert changes(gone)[2][1] == "queue not durable"
    # Publisher and consumer are back at the same time; the queue is declared anew.
    assert became(gone)[1:] == ["once", "once"]


def test_what_was_not_on_disk_is_published_again() -> None:
    disk = Disk(access_ms=10.0)
    nobody = {"a": Subscriber(["orders"], from_s=0.2)}
    system = RabbitMQ(
        queues={"a": Queue(declared="start")}, hardware=hardware(disk=disk)
    )
    result = sound(
        scenario_of(system, count=1, subscribers=nobody, events=(crash_of("hub"),))
    )
    assert [each[1] for each in changes(result)][:3] == [
        "enqueued",
        "not yet on disk",
        "enqueued",
    ]
    records = result.table("records")
    assert records["send_count"].tolist() == [2]
    assert records["acked_ms"].round(1).tolist() == [103 + 1 + 10 + 1]


def test_a_quorum_queue_goes_on_with_another_leader() -> None:
    system = RabbitMQ(nodes=3, queues={"a": Queue("quorum")}, hardware=PLAIN)
    result = sound(scenario_of(system, count=40, events=(Crash("node:1", at_s=0.1),)))
    assert result.facts["drained"] == 1
    # An election is over within 601 ms; what was handed out stays with who died until
    # its node is seen again, or for a minute.
    assert set(became(result)) <= {"once", "duplicated"}


def test_without_a_majority_a_quorum_queue_confirms_nothing() -> None:
    system = RabbitMQ(nodes=3, queues={"a": Queue("quorum")}, hardware=PLAIN)
    two = (Crash("node:2", at_s=0.005), Crash("node:3", at_s=0.005))
    result = sound(scenario_of(system, events=two, drain_limit_s=1.0))
    assert result.table("records")["outcome"].tolist() == [
        "acked",
        "in_flight",
        "in_flight",
    ]
    assert result.facts["drained"] == 0


def test_a_paused_node_lets_everything_wait() -> None:
    pause = Pause("node:1", at_s=0.0005, for_s=0.010)
    result = sound(scenario_of(events=(pause,)))
    assert [each[0] for each in changes(result)][:2] == [10.5, 10.5]


def test_a_slow_node_takes_longer_for_each_message() -> None:
    system = RabbitMQ(hardware=hardware(request_ms=0.1))
    slow = Slow("hub", at_s=0.0, for_s=1.0, factor=10.0)
    result = sound(scenario_of(system, count=1, events=(slow,)))
    assert changes(result)[0][0] == 2.0


# --- links ------------------------------------------------------------------------


def test_a_cut_link_brings_messages_late() -> None:
    cut = Cut("link:web->node:1", at_s=0.0, for_s=0.1)
    result = sound(scenario_of(count=1, events=(cut,)))
    assert changes(result)[0][0] == 201.0  # TCP sends it again after 200 ms


def test_a_link_that_takes_longer_delays_its_messages() -> None:
    delay = Delay("link:node:1->a", at_s=0.0, for_s=0.015, extra_ms=5.0)
    result = sound(scenario_of(events=(delay,)))
    assert times(result, "fetched_ms") == [7.0, 17.0, 22.0]


def test_a_lost_confirm_makes_a_publisher_send_twice() -> None:
    lose = Lose("link:web<->node:1", at_s=0.0005, for_s=0.002, only="responses")
    result = sound(scenario_of(count=1, events=(lose,)))
    assert result.table("records")["send_count"].tolist() == [2]
    assert became(result) == ["duplicated"]  # nobody removes it (RQ-15)


def test_a_lost_delivery_comes_again() -> None:
    lose = Lose("link:node:1->a", at_s=0.0, for_s=0.005)
    result = sound(scenario_of(count=1, events=(lose,)))
    assert changes(result)[2][:2] == (2.0, "requeued: channel closed")
    assert became(result) == ["once"]


# --- the rest ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        Slow("source:web", at_s=0.001, for_s=0.001),
        MoveCoordinator("subscriber:a", at_s=0.001),
    ],
)
def test_what_means_nothing_here_is_said_to_be_so(event: Event) -> None:
    result = sound(scenario_of(events=(event,)))
    [effect] = result.table("events")["effect"]
    assert effect.startswith("not applicable")
    assert became(result) == ["once"] * 3

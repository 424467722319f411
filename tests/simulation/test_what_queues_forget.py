"""What is said of RabbitMQ's queues, each held against runs that refute it.

Numbers are those of the misstatements that `docs/explanation/queue-or-log.md` tells.
"""

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError


def shop(
    *events: ks.Crash | ks.StuckRecord,
    consumers: ks.Consumers | None = None,
    queue: ks.Queue | None = None,
    nodes: int = 1,
    work_ms: float = 5.0,
    until_s: float = 2.0,
) -> ks.Result:
    """Return a run of one source, one queue and its consumers: a message each 10 ms."""
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(100), value_bytes=200)},
        {"billing": ks.Subscriber(["orders"], work_ms=work_ms)},
        duration_s=until_s,
    )
    rabbit = ks.RabbitMQ(
        nodes=nodes,
        queues={"billing": queue or ks.Queue()},
        consumers={"billing": consumers or ks.Consumers()},
    )
    return ks.run(ks.Scenario(traffic, rabbit, events=events, seed=4))


def order_kept(result: ks.Result) -> float:
    return float(ks.compare({"it": result}).order_kept_share.iloc[0])


def changes(result: ks.Result, record: int) -> list[str]:
    """Return what became of a message in its queue, in order."""
    queues = result.table("queues")
    return [str(each) for each in queues[queues.record_id == record].change]


# --- MS-33: "RabbitMQ deletes on read" ------------------------------------------------


def test_what_was_handed_out_stays_in_the_queue_until_it_is_acknowledged() -> None:
    result = shop()

    assert changes(result, 7) == ["enqueued", "delivered", "acked"]
    queues = result.table("queues").query("record_id == 7").set_index("change").at_ms
    work = result.deliveries.query("record_id == 7").ended_ms.iloc[0]
    assert queues["delivered"] < work < queues["acked"]


def test_a_consumer_that_dies_before_its_ack_deletes_nothing() -> None:
    crash = ks.Crash("subscriber:billing", at_s=1.0, for_s=0.3)
    result = shop(crash, work_ms=15.0)

    again = result.deliveries.query("delivery_count > 1")
    assert len(again) > 10
    assert "requeued" in " ".join(changes(result, int(again.record_id.iloc[0])))
    assert set(ks.receipts(result).outcome) <= {"once", "duplicated"}


def test_with_auto_ack_it_is_gone_as_soon_as_it_is_sent() -> None:
    crash = ks.Crash("subscriber:billing", at_s=1.0, for_s=0.3)
    result = shop(crash, work_ms=15.0, consumers=ks.Consumers(ack="auto"))

    outcomes = ks.receipts(result).outcome.value_counts()
    assert outcomes["lost"] > 10
    lost = ks.receipts(result).query("outcome == 'lost'").record_id
    for record in lost:
        assert changes(result, int(record))[-1] == "auto-acked"
    assert outcomes.sum() == outcomes["lost"] + outcomes["once"]


# --- MS-35: "RabbitMQ always preserves order" -----------------------------------------


def test_one_consumer_that_acknowledges_keeps_the_order() -> None:
    assert order_kept(shop()) == 1.0


def test_what_is_handed_back_comes_after_others() -> None:
    failing = ks.Consumers(failing_share=0.2)
    assert order_kept(shop(consumers=failing, work_ms=12.0)) < 1.0


def test_several_consumers_keep_no_order() -> None:
    """Each works in its own time: the same work here, but for its beginning."""
    one = shop(consumers=ks.Consumers(count=1))
    stuck = shop(
        ks.StuckRecord("subscriber:billing", "web", ordinal=20, work_ms=300.0),
        consumers=ks.Consumers(count=3, prefetch=1),
    )

    assert order_kept(one) == 1.0
    assert order_kept(stuck) < 1.0


# --- MS-36: "mirrored queues make it highly available" --------------------------------


def test_a_mirrored_classic_queue_is_no_more() -> None:
    with pytest.raises(ValidationError, match=r"mirrored classic queues were removed"):
        ks.Queue(members=3)


def test_a_classic_queue_waits_for_its_node_and_a_quorum_queue_does_not() -> None:
    crash = ks.Crash("node:1", at_s=1.0, for_s=3.0)
    classic = shop(crash, nodes=3, until_s=3.0)
    quorum = shop(crash, nodes=3, until_s=3.0, queue=ks.Queue(type="quorum"))

    def done_while_it_is_down(result: ks.Result) -> int:
        return int(result.deliveries.ended_ms.between(1_500, 3_900).sum())

    assert done_while_it_is_down(classic) == 0
    assert done_while_it_is_down(quorum) > 100
    for result in (classic, quorum):
        assert set(ks.receipts(result).outcome) <= {"once", "duplicated"}


def test_a_quorum_queue_needs_the_majority_of_its_members() -> None:
    events = [ks.Crash(f"node:{n}", at_s=1.0, for_s=3.0) for n in (2, 3)]
    result = shop(*events, nodes=3, until_s=3.0, queue=ks.Queue(type="quorum"))

    new = result.records.query("intended_ms > 1100")
    assert new.acked_ms.min() > 4_000
    assert set(ks.receipts(result).outcome) <= {"once", "duplicated"}

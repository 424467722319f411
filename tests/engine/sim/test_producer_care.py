"""What a producer does when requests fail, by literal times and real parts."""

import numpy as np

from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.errors import (
    INVALID_RECORD,
    NONE,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    OUT_OF_ORDER_SEQUENCE_NUMBER,
)
from kafkasim.units import MISSING_NS
from tests.engine.sim.failing_cluster import FIRST, MS, Cluster

ABC = "abc"


def backoffs(*attempts: int) -> list[int]:
    """Work out waits of retries, in ms, after so many failures each."""
    backoff = Backoff(100 * MS, 1_000 * MS, np.random.default_rng(3))
    return [backoff.draw_tested_ns(each - 1) // MS for each in attempts]


def test_without_failures_it_is_acknowledged_and_told_once() -> None:
    cluster = Cluster([(0, ABC), (5, ABC)])
    cluster.run()
    assert cluster.done == [(2, 0, 0, None), (7, 0, 1, None)]
    assert cluster.log == [[(0, 1, 0, 0), (1, 2, 0, 1)]]


def test_a_retriable_error_is_tried_again_after_its_backoff() -> None:
    cluster = Cluster([(0, ABC)])
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS, NOT_ENOUGH_REPLICAS]
    cluster.run()
    first, second = backoffs(1, 2)
    again = [2 + first, 4 + first + second]
    assert cluster.sent == [
        (0, 0, [(0, 0, 0)]),
        (again[0], 0, [(0, 0, 1)]),
        (again[1], 0, [(0, 0, 2)]),
    ]
    assert cluster.done == [(again[1] + 2, 0, 0, None)]
    assert cluster.log == [[(0, 1, 0, 0)]]
    assert 80 <= first <= 120
    assert 160 <= second <= 240


def test_all_goes_on_as_before_when_it_is_over() -> None:
    cluster = Cluster([(0, ABC), (1_000, ABC), (2_000, ABC)])
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS]
    cluster.run(500)
    assert not cluster.client._care.active  # type: ignore[union-attr]
    assert cluster.client.accumulator.retries is None
    cluster.run()
    assert cluster.log == [[(0, 1, 0, 0), (1, 2, 0, 1), (2, 3, 0, 2)]]


def test_only_the_batch_that_met_the_error_is_tried_again() -> None:
    cluster = Cluster([(0, "abc"), (0, "a")], leaders=(0, 0, 0))
    cluster.servers[0].errors[1] = [NOT_ENOUGH_REPLICAS]
    cluster.run()
    assert cluster.sent[:1] == [(0, 0, [(0, 0, 0), (1, 0, 0)])]
    assert cluster.sent[1][2] == [(1, 0, 1)]
    assert cluster.done[0] == (2, 0, 0, None)


def test_new_batches_of_a_partition_wait_behind_its_retry() -> None:
    cluster = Cluster([(0, ABC), (50, ABC), (50, "a")], leaders=(0, 0, 0))
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS]
    cluster.run()
    (wait,) = backoffs(1)
    assert cluster.sent == [
        (0, 0, [(0, 0, 0)]),
        (50, 0, [(1, 0, 0)]),
        (2 + wait, 0, [(0, 0, 1)]),
        (2 + wait, 0, [(0, 1, 0)]),
    ]


def test_with_idempotence_a_failure_does_not_change_the_order() -> None:
    # Three in flight; the first fails, the others are refused as out of order.
    cluster = Cluster([(0, ABC), (0.5, ABC), (1, ABC)])
    cluster.servers[0].errors[0] = [
        NOT_ENOUGH_REPLICAS,
        OUT_OF_ORDER_SEQUENCE_NUMBER,
        OUT_OF_ORDER_SEQUENCE_NUMBER,
    ]
    cluster.run()
    assert cluster.log == [[(0, 1, 0, 0), (1, 2, 0, 1), (2, 3, 0, 2)]]
    assert cluster.outcomes() == [(0, 0, None), (0, 1, None), (0, 2, None)]
    # While they are retried one is in flight: each waits for the answer before it.
    again = [at for at, _, batches in cluster.sent if batches[0][2] > 0]
    assert again[1] >= again[0] + 2
    assert again[2] >= again[1] + 2


def test_without_it_a_failure_with_several_in_flight_reorders() -> None:
    cluster = Cluster([(0, ABC), (0.5, ABC)], enable_idempotence=False)
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS]
    cluster.run()
    assert [lo for lo, *_ in cluster.log[0]] == [1, 0]
    assert [header for *_, header in cluster.log[0]] == [-1, -1]


def test_without_it_one_in_flight_keeps_the_order() -> None:
    cluster = Cluster(
        [(0, ABC), (0.5, ABC)],
        enable_idempotence=False,
        max_in_flight_requests_per_connection=1,
    )
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS]
    cluster.run()
    assert [lo for lo, *_ in cluster.log[0]] == [0, 1]


def test_a_partition_that_moved_is_muted_until_its_answer_from_the_old_leader() -> None:
    cluster = Cluster(
        [(0, ABC), (3, ABC)],
        nodes=2,
        enable_idempotence=False,
        max_in_flight_requests_per_connection=1,
    )
    cluster.servers[0].silent = True
    cluster.move(0, 1)
    cluster.at(2, lambda: cluster.metadata.request_update(2 * MS))
    cluster.run(900)
    # Node 0's one request is in flight, so node 1 was asked.
    assert cluster.metadata.leaders == [1]
    assert len(cluster.sent) == 1
    cluster.run()
    # The old request timed out; its batch goes first.
    assert [(node, batches) for _, node, batches in cluster.sent[1:]] == [
        (1, [(0, 0, 1)]),
        (1, [(0, 1, 0)]),
    ]


def test_a_lost_connection_is_a_network_exception_for_all_in_flight() -> None:
    cluster = Cluster([(0, ABC), (0.5, ABC)], leaders=(0,), nodes=2, retries=0)
    cluster.servers[0].silent = True
    cluster.at(3, cluster.servers[0].crash)
    cluster.run(10)
    assert cluster.done == [
        (4, 0, 0, "NETWORK_EXCEPTION"),
        (4, 0, 1, "NETWORK_EXCEPTION"),
    ]


def test_after_a_loss_the_new_leader_is_sent_to_without_a_backoff() -> None:
    cluster = Cluster([(0, ABC), (0.5, ABC)], nodes=2)
    cluster.servers[0].silent = True
    cluster.at(3, cluster.servers[0].crash)
    cluster.move(0, 1)
    cluster.run()
    # Lost at 4, metadata at 6 by node 1.
    assert cluster.sent[2:] == [(6, 1, [(0, 0, 1)]), (8, 1, [(0, 1, 1)])]
    assert cluster.outcomes() == [(0, 0, None), (0, 1, None)]


def test_a_hint_saves_the_backoff_and_the_question() -> None:
    cluster = Cluster([(0, ABC), (500, ABC)], nodes=2)
    server = cluster.servers[0]
    server.errors[0] = [NOT_LEADER_OR_FOLLOWER]
    server.hints = {FIRST: (1, 1)}
    cluster.move(0, 1)
    cluster.run()
    assert cluster.sent[:2] == [(0, 0, [(0, 0, 0)]), (2, 1, [(0, 0, 1)])]
    assert cluster.done[0] == (4, 0, 0, None)


def test_without_a_hint_metadata_is_asked_for_and_saves_the_rest_of_the_backoff() -> (
    None
):
    cluster = Cluster([(0, ABC)], nodes=2)
    cluster.servers[0].errors[0] = [NOT_LEADER_OR_FOLLOWER]
    cluster.move(0, 1)
    cluster.run()
    assert cluster.sent[1] == (4, 1, [(0, 0, 1)])


def test_the_same_epoch_does_not_skip_the_backoff() -> None:
    cluster = Cluster([(0, ABC)], nodes=2)
    cluster.servers[0].errors[0] = [NOT_LEADER_OR_FOLLOWER]
    cluster.run()
    (wait,) = backoffs(1)
    assert cluster.sent[1] == (2 + wait, 0, [(0, 0, 1)])


def test_a_partition_without_a_leader_waits_until_metadata_tells_of_one() -> None:
    cluster = Cluster([(0, ABC), (10, ABC)], nodes=2)
    cluster.servers[0].errors[0] = [NOT_LEADER_OR_FOLLOWER]
    cluster.move(0, -1)
    cluster.at(300, lambda: cluster.move(0, 1))
    cluster.run()
    assert cluster.sent[1][0] > 300
    assert [(node, batches) for _, node, batches in cluster.sent[1:]] == [
        (1, [(0, 0, 1)]),
        (1, [(0, 1, 0)]),
    ]


def test_a_request_timeout_is_an_error_of_its_own() -> None:
    cluster = Cluster([(0, ABC), (900, ABC)], retries=0)
    cluster.servers[0].silent = True
    cluster.run(1_500)
    assert cluster.done == [
        (1_001, 0, 0, "REQUEST_TIMED_OUT"),
        (1_001, 0, 1, "REQUEST_TIMED_OUT"),
    ]


def test_a_batch_that_was_appended_and_timed_out_is_appended_twice() -> None:
    """The plain broker here does not look at sequences; a real one would."""
    cluster = Cluster([(0, ABC)])
    server = cluster.servers[0]
    server.silent = True
    cluster.at(500, lambda: setattr(server, "silent", False))
    cluster.run()
    assert cluster.log == [[(0, 1, 0, 0), (0, 1, 0, 0)]]
    assert cluster.outcomes() == [(0, 0, None)]


def test_acks_0_is_done_when_it_is_sent_and_never_tried_again() -> None:
    cluster = Cluster([(0, ABC), (5, ABC)], acks="0")
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS]
    cluster.run()
    assert cluster.done == [(0, 0, 0, None), (5, 0, 1, None)]
    assert cluster.log == [[(1, 2, -1, -1)]]


def test_acks_0_waits_for_a_connection_as_well() -> None:
    cluster = Cluster([(0, ABC), (5, ABC)], acks="0")
    server = cluster.servers[0]
    cluster.at(1, server.crash)
    cluster.at(3, lambda: setattr(server, "up", True))
    cluster.run()
    assert cluster.outcomes() == [(0, 0, None), (0, 1, None)]
    # The backoff of 40 to 60 ms, and a round trip.
    times = [at_ms for at_ms, *_ in cluster.done]
    assert times[0] == 0
    assert 44 <= times[1] <= 64
    assert cluster.log == [[(1, 2, -1, -1)]]


def test_a_connection_is_made_again_only_when_there_is_something_to_send() -> None:
    cluster = Cluster([(0, ABC), (700, ABC)], nodes=2)
    server = cluster.servers[0]
    cluster.at(100, server.crash)
    cluster.at(150, lambda: setattr(server, "up", True))
    cluster.run(699)
    assert server.connections == []
    cluster.run()
    assert cluster.sent[1] == (702, 0, [(0, 1, 0)])


def test_out_of_order_of_the_first_in_flight_raises_the_epoch() -> None:
    cluster = Cluster([(0, ABC), (0.5, ABC)])
    cluster.servers[0].errors[0] = [
        OUT_OF_ORDER_SEQUENCE_NUMBER,
        OUT_OF_ORDER_SEQUENCE_NUMBER,
    ]
    cluster.run()
    assert cluster.log == [[(0, 1, 1, 0), (1, 2, 1, 1)]]


def test_a_batch_carries_the_id_that_its_producer_has_from_the_start() -> None:
    cluster = Cluster([(0, ABC)])
    cluster.servers[0].silent = True
    cluster.run(5)
    (request,) = cluster.network.connections[0].in_flight
    (batch,) = request.payload
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 0, 0)


def test_numbers_go_on_after_an_epoch_was_raised() -> None:
    cluster = Cluster([(0, ABC), (5, ABC), (500, ABC), (900, ABC)])
    cluster.servers[0].errors[0] = [NONE, INVALID_RECORD]
    cluster.run(100)
    assert cluster.client.accumulator.retries is None
    cluster.run()
    assert cluster.log == [[(0, 1, 0, 0), (2, 3, 1, 0), (3, 4, 1, 1)]]


def test_what_waits_at_the_end_is_returned_once() -> None:
    cluster = Cluster([(0, ABC), (50, ABC), (200, ABC)])
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS]
    cluster.run(60)
    again, fresh = cluster.client.finish(60 * MS)
    assert (again.lo, again.batch_id, again.sent_ns) == (0, 0, 0)
    assert (fresh.lo, fresh.batch_id, fresh.sent_ns) == (1, 1, MISSING_NS)

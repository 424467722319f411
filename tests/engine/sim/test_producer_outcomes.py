"""What becomes of batches: split, failed, or out of time, by literal times."""

import numpy as np
import pytest

from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.errors import (
    INVALID_RECORD,
    NETWORK_EXCEPTION,
    NOT_ENOUGH_REPLICAS,
)
from tests.engine.sim.failing_cluster import MS, Cluster

ABC = "abc"


def first_backoff() -> int:
    """Work out the wait before a first retry, in ms."""
    backoff = Backoff(100 * MS, 1_000 * MS, np.random.default_rng(3))
    return backoff.draw_tested_ns(0) // MS


def test_no_more_than_retries_are_tried() -> None:
    cluster = Cluster([(0, ABC)], retries=2)
    cluster.servers[0].errors[0] = [NOT_ENOUGH_REPLICAS] * 3
    cluster.run()
    assert len(cluster.sent) == 3
    assert cluster.outcomes() == [(0, 0, "NOT_ENOUGH_REPLICAS")]


def test_an_error_that_is_not_retriable_fails_at_once() -> None:
    cluster = Cluster([(0, ABC), (5, ABC)])
    cluster.servers[0].errors[0] = [INVALID_RECORD]
    cluster.run()
    assert cluster.done == [(2, 0, 0, "INVALID_RECORD"), (7, 0, 1, None)]
    # The refused one's numbers are free: a new epoch begins at 0.
    assert cluster.log == [[(1, 2, 1, 0)]]


def test_queued_batches_expire_by_their_heads() -> None:
    cluster = Cluster(
        [(0, ABC), (400, ABC)],
        delivery_timeout_ms=2_000,
        request_timeout_ms=500,
    )
    cluster.servers[0].crash()
    cluster.run(10_000)
    assert cluster.done == [
        (2_000, 0, 0, "REQUEST_TIMED_OUT"),
        (2_400, 0, 1, "REQUEST_TIMED_OUT"),
    ]


def test_a_batch_in_flight_expires_too_and_its_late_answer_changes_nothing() -> None:
    cluster = Cluster(
        [(0, ABC), (1_500, ABC)], delivery_timeout_ms=1_000, request_timeout_ms=1_000
    )
    server = cluster.servers[0]
    server.silent = True
    cluster.run(999)
    assert cluster.done == []
    server.silent = False
    (connection,) = cluster.network.connections
    (request,) = connection.in_flight
    connection.muted = False
    cluster.at(999.5, lambda: server.answer(request))
    cluster.run()
    assert cluster.done == [(1_000, 0, 0, "REQUEST_TIMED_OUT"), (1_502, 0, 1, None)]
    assert cluster.log[0] == [(0, 1, 0, 0), (1, 2, 0, 1)]


def test_an_expired_batch_is_watched_until_its_request_is_over() -> None:
    cluster = Cluster(
        [(0, ABC)],
        delivery_timeout_ms=1_000,
        request_timeout_ms=1_000,
        enable_idempotence=False,
    )
    server = cluster.servers[0]
    server.silent = True
    cluster.run(999)
    (connection,) = cluster.network.connections
    (request,) = connection.in_flight
    cluster.at(999.5, lambda: server.answer(request))
    cluster.run(1_000.2)
    assert cluster.client.accumulator.retries is not None
    cluster.run()
    assert cluster.outcomes() == [(0, 0, "REQUEST_TIMED_OUT")]
    assert cluster.client.accumulator.retries is None


def test_looks_for_old_batches_cost_one_entry_each_delivery_timeout() -> None:
    quiet = Cluster([(0, ABC)], delivery_timeout_ms=1_000, request_timeout_ms=1_000)
    quiet.run(500)
    before = quiet.calendar.entry_count
    quiet.run(10_500)
    # One of them is the network's look for timeouts.
    assert quiet.calendar.entry_count - before == 10 + 1


def test_an_expired_retry_leaves_a_gap_that_a_new_epoch_ends() -> None:
    cluster = Cluster(
        [(0, ABC), (1_990, ABC), (2_500, ABC)],
        delivery_timeout_ms=2_000,
        request_timeout_ms=500,
    )
    cluster.servers[0].errors[0] = [NETWORK_EXCEPTION] * 20
    cluster.at(2_100, cluster.servers[0].errors.clear)
    cluster.run()
    assert cluster.outcomes() == [
        (0, 0, "REQUEST_TIMED_OUT"),
        (0, 1, None),
        (0, 2, None),
    ]
    assert cluster.log == [[(1, 2, 1, 0), (2, 3, 1, 1)]]


def test_a_failure_after_the_delivery_timeout_is_final() -> None:
    # Without idempotence the second batch overtakes the first, which is then not the
    # first in flight that is tested for its age.
    wait = first_backoff()
    cluster = Cluster(
        [(0, ABC), (3 + wait, ABC)],
        enable_idempotence=False,
        request_timeout_ms=600,
        delivery_timeout_ms=750,
    )
    server = cluster.servers[0]
    server.errors[0] = [NOT_ENOUGH_REPLICAS] * 3
    cluster.at(150, lambda: setattr(server, "silent", True))
    cluster.run(2_000)
    overtaken, first = cluster.sent[4], cluster.sent[3]
    assert (first[2], overtaken[2]) == ([(0, 1, 1)], [(0, 0, 2)])
    # Its time is over at 750 ms; the requests fail when the other's has timed out.
    assert cluster.done[0] == (first[0] + 601, 0, 0, "REQUEST_TIMED_OUT")
    assert cluster.done[0][0] > 750


@pytest.mark.parametrize("key", ["abc", None])
def test_a_batch_too_large_is_split_and_its_parts_sent_in_order(
    key: str | None,
) -> None:
    # Eleven records of 57 bytes, or 60 with a key, and a header of 61.
    cluster = Cluster([(0, key)] * 11, linger_ms=5, strict=True)
    cluster.servers[0].most_bytes = 500
    cluster.run()
    # Parts of batch.size are the same again; they are split in two by size, which is
    # four records and a header.
    assert cluster.splits == [(0, 11), (0, 11)]
    ends = [(0, 4), (4, 8), (8, 11)]
    assert [(lo, hi) for lo, hi, *_ in cluster.log[0]] == ends
    assert [sequence for *_, sequence in cluster.log[0]] == [0, 4, 8]
    # No retry was counted, and none waited for a backoff; with idempotence each waits
    # for the answer to the one before it.
    assert cluster.sent == [
        (5, 0, [(0, 0, 0)]),
        (7, 0, [(0, 0, 0)]),
        (9, 0, [(0, 0, 0)]),
        (11, 0, [(0, 4, 0)]),
        (13, 0, [(0, 8, 0)]),
    ]
    assert cluster.outcomes() == [(0, lo, None) for lo, _ in ends]


def test_a_part_still_too_large_is_halved_until_a_record_is_alone() -> None:
    cluster = Cluster([(0, ABC)] * 8, linger_ms=5)
    cluster.servers[0].most_bytes = 130
    cluster.run()
    assert cluster.splits == [(0, 8), (0, 8), (0, 3), (3, 6), (6, 8)]
    assert [(lo, hi) for lo, hi, *_ in cluster.log[0]] == [
        (lo, lo + 1) for lo in range(8)
    ]
    assert cluster.outcomes() == [(0, lo, None) for lo in range(8)]


def test_a_single_record_too_large_fails() -> None:
    cluster = Cluster([(0, ABC), (5, ABC)])
    cluster.servers[0].most_bytes = 100
    cluster.run(6.9)
    assert cluster.outcomes() == [(0, 0, "MESSAGE_TOO_LARGE")]

"""One partition's copies: who led, what was safe, what an election cost."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kafkasim.analysis.copies import Copies, Span, Steps
from kafkasim.analysis.replica_rows import copies_of
from kafkasim.errors import ValidationError
from kafkasim.result.result import Fact, Result
from kafkasim.result.schema import ELECTED
from kafkasim.testing.builders import Row, small_result

S = 1_000_000_000
STEP_MS = 100
"""A batch of ten records comes so often."""
TEN = 10


def replica(broker: int, at_s: float, role: str, cause: str, **said: Any) -> Row:  # noqa: ANN401
    return {
        "topic": "orders",
        "partition": 0,
        "broker": broker,
        "role": role,
        "leader_epoch": said.pop("epoch", 0),
        "log_end_offset": said.pop("end", 0),
        "high_watermark": said.pop("high", 0),
        "in_isr": said.pop("isr", 1),
        "at_ms": 1_000 * at_s,
        "cause": cause,
        **said,
    }


def start() -> list[Row]:
    return [
        replica(broker, 0.0, "leader" if broker == 1 else "follower", "start")
        for broker in (1, 2, 3)
    ]


Told = tuple[int, float, float | None, float | None]
"""Base offset, and seconds at which a batch was appended, committed, acknowledged."""


def batches(*told: Told) -> dict[str, Any]:
    """Return rows of batches of ten and of their appends, all by broker 1."""
    return {
        "batches": [
            {
                "record_count": TEN,
                "sent_ms": 1_000 * at - 1,
                "acked_ms": None if acked is None else 1_000 * acked,
            }
            for _, at, _, acked in told
        ],
        "appends": [
            {
                "batch_id": number,
                "base_offset": base,
                "record_count": TEN,
                "appended_ms": 1_000 * at,
                "committed_ms": None if committed is None else 1_000 * committed,
            }
            for number, (base, at, committed, _) in enumerate(told)
        ],
    }


def by_hand(until_s: float, **tables: Any) -> Result:  # noqa: ANN401
    records = [
        {"intended_ms": 1_000 * at, "created_ms": 1_000 * at}
        for at in np.arange(0.0, until_s, 1.0).tolist()
    ]
    facts: dict[str, Fact] = {"engine": "by hand", "end_ns": int(until_s * S)}
    return small_result(records=records, facts=facts, **tables)


def leader_dies() -> Result:
    """Return a run with `acks=all` in which the leader dies at 4 s, for 10 s."""
    before: list[Told] = [
        (TEN * n, 1 + 0.1 * n, 1.05 + 0.1 * n, 1.06 + 0.1 * n) for n in range(30)
    ]
    # The last one is on all, and its producer never heard of it: the leader was dead.
    before[-1] = (before[-1][0], before[-1][1], 12.9, None)
    after = [
        (TEN * n, 10.0 + 0.1 * n, 10.05 + 0.1 * n, 10.06 + 0.1 * n)
        for n in range(30, 80)
    ]
    tables = batches(*before, *after)
    for row in tables["appends"][len(before) :]:
        row |= {"leader": 2, "leader_epoch": 1}
    changes = [
        *start(),
        replica(1, 4.0, "offline", "crashed", end=300, high=290),
        replica(1, 12.9, "offline", "left the ISR", end=300, high=290, isr=0),
        replica(2, 12.9, "leader", "elected", epoch=1, end=300, high=290),
        replica(3, 12.9, "follower", "follows", epoch=1, end=300, high=290),
        replica(1, 14.0, "follower", "follows", epoch=1, end=300, high=290, isr=0),
        replica(1, 14.5, "follower", "joined the ISR", epoch=1, end=450, high=450),
    ]
    done = [
        {
            "event": "Crash",
            "target": "broker:1",
            "at_ms": 4_000,
            "until_ms": 14_000,
            "effect": "down",
        }
    ]
    return by_hand(18.0, replicas=changes, events=done, **tables)


def leader_is_lost(cause: str = "elected") -> Result:
    """Return a run with `acks=1`: 20 of 50 records are with the leader only."""
    told: list[Told] = [(TEN * n, 1.0 + n, 1.1 + n, 1.01 + n) for n in range(3)]
    told += [(30, 4.0, None, 4.01), (40, 5.0, None, 5.01)]
    changes = [
        *start(),
        replica(2, 3.5, "offline", "crashed", end=30, high=30),
        replica(3, 3.5, "offline", "crashed", end=30, high=30),
        replica(1, 6.0, "offline", "crashed", end=50, high=30),
        replica(2, 8.0, "follower", "follows", end=30, high=30),
        replica(2, 8.0, "leader", cause, epoch=1, end=30, high=30),
        replica(1, 9.0, "follower", "truncated", epoch=1, end=30, high=30, isr=0),
    ]
    return by_hand(10.0, replicas=changes, **batches(*told))


def copies(result: Result) -> Copies:
    return copies_of(result, None, 0)


def test_a_broker_has_one_part_after_another_and_is_in_the_isr_until_it_is_told() -> (
    None
):
    first, *_ = found = copies(leader_dies()).spans

    assert first == Span(1, "leader", 0, 4 * S)
    assert [(s.broker, s.state, s.since_ns / S) for s in found] == [
        (1, "leader", 0.0),
        (1, "down, in sync", 4.0),
        (1, "down", 12.9),
        (1, "behind", 14.0),
        (1, "in sync", 14.5),
        (2, "in sync", 0.0),
        (2, "leader", 12.9),
        (3, "in sync", 0.0),
    ]
    assert {s.until_ns for s in found if s.broker == 3} == {18 * S}
    assert copies(leader_dies()).brokers == (1, 2, 3)


def test_the_lines_go_on_from_where_the_new_leader_begins() -> None:
    found = copies(leader_dies())

    def at(line: Steps, *seconds: float) -> list[int]:
        times = np.array([int(s * S) for s in seconds])
        return [int(each) for each in line.then(times)]

    assert at(found.log_end, 0.5, 1.0, 3.95, 12.0, 18.0) == [0, 10, 300, 300, 800]
    assert at(found.high_watermark, 1.04, 1.05, 12.8, 12.95) == [0, 10, 290, 300]
    assert at(found.acked, 1.05, 1.07, 12.0, 13.07) == [0, 10, 290, 310]
    assert not found.losses


def test_the_longest_time_without_an_acknowledgement() -> None:
    since, until = copies(leader_dies()).longest_without_ack()

    assert (since / S, until / S) == pytest.approx((3.86, 13.06))


def test_with_nothing_acknowledged_it_is_all_the_time_until_the_last_was_wanted() -> (
    None
):
    silent = by_hand(5.0, replicas=start(), **batches((0, 1.0, None, None)))

    assert copies(silent).longest_without_ack() == (0, 4 * S)


def test_a_silence_that_does_not_end_lasts_until_the_last_was_wanted() -> None:
    ended = by_hand(9.0, replicas=start(), **batches((0, 1.0, 1.1, 1.2)))

    assert copies(ended).longest_without_ack() == (int(1.2 * S), 8 * S)


@pytest.mark.parametrize("cause", ELECTED)
def test_what_the_new_leader_lacks_is_lost_and_the_lines_fall(cause: str) -> None:
    found = copies(leader_is_lost(cause))

    (loss,) = found.losses
    assert (loss.at_ns, loss.leader) == (8 * S, 2)
    assert (loss.from_offset, loss.to_offset, loss.acked_records) == (30, 50, 20)
    assert found.acked_lost == 20
    times = np.array([7 * S, 8 * S])
    assert found.log_end.then(times).tolist() == [50, 30]
    assert found.acked.then(times).tolist() == [50, 30]
    assert found.high_watermark.then(times).tolist() == [30, 30]


def test_what_was_not_acknowledged_is_given_up_and_nobody_was_misled() -> None:
    told: list[Told] = [(0, 1.0, 1.1, 1.2), (10, 2.0, None, None)]
    changes = [
        *start(),
        replica(1, 3.0, "offline", "crashed", end=20, high=10),
        replica(2, 4.0, "leader", "elected", epoch=1, end=10, high=10),
    ]
    found = copies(by_hand(5.0, replicas=changes, **batches(*told)))

    assert found.acked_lost == 0
    assert [(each.from_offset, each.to_offset) for each in found.losses] == [(10, 20)]


def test_a_failed_batch_counts_as_not_acknowledged() -> None:
    tables = batches((0, 1.0, 1.1, 1.2), (10, 2.0, 2.1, 2.2))
    tables["batches"][1]["error"] = "REQUEST_TIMED_OUT"

    assert copies(by_hand(4.0, replicas=start(), **tables)).acked.value.tolist() == [10]


def test_the_longest_time_in_which_something_acknowledged_could_not_be_read() -> None:
    since, until, records = copies(leader_is_lost()).longest_hidden()

    assert (since / S, until / S, records) == (4.01, 8.0, 20)


def test_a_run_without_replicas_has_a_leader_that_stays() -> None:
    found = copies(by_hand(4.0, **batches((0, 1.0, 1.1, 1.2))))

    assert found.spans == (Span(1, "leader", 0, 4 * S),)
    assert [span.broker for span in found.leaders] == [1]


def test_refusals_are_counted_by_their_names() -> None:
    refused = [
        {"error": "NOT_ENOUGH_REPLICAS", "answered_ms": 2_000 + 100 * number}
        for number in range(3)
    ]
    refused.append({"error": "NOT_LEADER_OR_FOLLOWER", "answered_ms": 1_000})
    refused.append(
        {"api": "Fetch", "error": "NOT_LEADER_OR_FOLLOWER", "answered_ms": 1_500}
    )
    found = copies(
        by_hand(
            4.0,
            replicas=start(),
            requests=[{"answered_ms": 500}, *refused],
            **batches((0, 1.0, 1.1, 1.2)),
        )
    )

    assert found.refused_with == ("NOT_ENOUGH_REPLICAS", "NOT_LEADER_OR_FOLLOWER")
    assert (found.refused_ns / S).tolist() == [1.0, 2.0, 2.1, 2.2]


def test_what_there_is_not_is_named() -> None:
    result = leader_dies()
    with pytest.raises(ValidationError, match="one of orders"):
        copies_of(result, "flights", 0)
    with pytest.raises(ValidationError, match="0 to 0"):
        copies_of(result, None, 3)


def test_what_one_election_gave_up_the_next_does_not_give_up_again() -> None:
    told: list[Told] = [(0, 1.0, 1.1, 1.2), (10, 2.0, None, 2.1)]
    changes = [
        *start(),
        replica(2, 4.0, "leader", "elected", epoch=1, end=10, high=10),
        replica(3, 5.0, "leader", "elected", epoch=2, end=10, high=10),
    ]

    found = copies(by_hand(6.0, replicas=changes, **batches(*told)))
    assert [loss.at_ns for loss in found.losses] == [4 * S]
    assert found.acked_lost == 10


def test_a_new_leader_with_a_longer_log_acknowledges_and_commits_nothing() -> None:
    told: list[Told] = [(0, 1.0, 1.1, 1.2), (10, 2.0, None, None)]
    changes = [
        *start(),
        replica(2, 4.0, "leader", "elected", epoch=1, end=20, high=10),
    ]

    found = copies(by_hand(6.0, replicas=changes, **batches(*told)))
    assert not found.losses
    for line in (found.acked, found.high_watermark):
        assert line.then(np.array([5 * S])).tolist() == [10]


def test_changes_at_one_moment_leave_no_part_of_no_length() -> None:
    changes = [
        replica(1, 0.0, "leader", "start"),
        replica(1, 2.0, "offline", "crashed"),
        replica(1, 2.0, "follower", "follows", isr=0),
    ]

    found = copies(by_hand(4.0, replicas=changes, **batches()))
    assert [(span.state, span.since_ns // S) for span in found.spans] == [
        ("leader", 0),
        ("behind", 2),
    ]


def test_of_two_times_of_hiding_the_longer_counts() -> None:
    told: list[Told] = [(0, 1.0, 4.0, 1.5), (10, 5.0, 6.0, 5.5)]

    since, until, records = copies(
        by_hand(8.0, replicas=start(), **batches(*told))
    ).longest_hidden()
    assert (since / S, until / S, records) == (1.5, 4.0, 10)
    assert copies(leader_dies()).longest_hidden() == (0, 0, 0)


def test_hiding_is_what_a_look_at_each_stretch_finds() -> None:
    dice = np.random.default_rng(1)
    run = copies(leader_dies())
    for _ in range(200):
        moves, told = (
            np.sort(dice.integers(0, 1_000, dice.integers(12))) for _ in "ab"
        )
        high = Steps(moves, np.sort(dice.integers(0, 50, len(moves))))
        acked = Steps(told, dice.integers(0, 60, len(told)))
        found = replace(
            run, until_ns=1_000, high_watermark=high, acked=acked
        ).longest_hidden()

        stretches = [(0, 0), *zip(moves.tolist(), high.value.tolist(), strict=True)]
        ends = [*moves.tolist(), 1_000]
        seen = [(0, 0)]
        for (since, height), until in zip(stretches, ends, strict=True):
            above = (told >= since) & (told < until) & (acked.value > height)
            if above.any():
                first = int(told[above].min())
                seen.append((first - until, first))
        longest, first = min(seen)
        assert found[:2] == (first, first - longest)

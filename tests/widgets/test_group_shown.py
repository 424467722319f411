"""What the group explorer shows of a run, in numbers."""

from typing import Any

import numpy as np

from kafkasim.result.result import Result
from kafkasim.testing.builders import Row, small_result
from kafkasim.widgets.group_shown import Bar, Shown, shown_of
from kafkasim.widgets.group_traffic import Values


def owned(number: int, member: int, since_s: float, until_s: float | None) -> Row:
    return {
        "group": "billing",
        "epoch": 1,
        "member": f"billing/{member}",
        "topic": "orders",
        "partition": number,
        "since_ms": 1_000 * since_s,
        "until_ms": None if until_s is None else 1_000 * until_s,
        "start_offset": 0,
    }


def state(at_s: float, name: str, members: int) -> Row:
    return {
        "group": "billing",
        "state": name,
        "epoch": 1,
        "members": members,
        "at_ms": 1_000 * at_s,
        "cause": "by hand",
    }


def by_hand(assignments: list[Row], states: list[Row], **more: Any) -> Result:  # noqa: ANN401
    return small_result(
        records=[{"intended_ms": 0.0}] * 3,
        facts={"engine": "by hand", "end_ns": 80_000_000_000},
        assignments=assignments,
        group_states=states,
        **more,
    )


def one_of_three_leaves() -> Shown:
    """Return a run by hand: two partitions, three members, member 2 leaves at 15 s."""
    result = by_hand(
        [
            owned(1, 2, 6, 16),
            owned(0, 1, 6, 18),
            owned(0, 1, 20, None),
            owned(1, 3, 20, None),
        ],
        [
            state(0, "PreparingRebalance", 1),
            state(6, "CompletingRebalance", 3),
            state(6.5, "Stable", 3),
            state(16, "PreparingRebalance", 2),
            state(19, "CompletingRebalance", 2),
            state(19.5, "Stable", 2),
        ],
        deliveries=[
            {"record_id": 0, "ended_ms": 9_000},
            {"record_id": 0, "ended_ms": 21_000},
            {"record_id": 1, "ended_ms": 11_000},
            {"record_id": 2, "outcome": "in_flight"},
        ],
    )
    return shown_of(result, Values(members=3, partitions=2, event="leave"))


def test_who_read_what_is_in_the_order_of_partitions_and_of_time() -> None:
    assert one_of_three_leaves().owned == (
        Bar(0, 6.0, 18.0, 1),
        Bar(0, 20.0, 80.0, 1),
        Bar(1, 6.0, 16.0, 2),
        Bar(1, 20.0, 80.0, 3),
    )


def test_nobody_reads_between_two_that_do() -> None:
    shown = one_of_three_leaves()

    assert shown.gaps == shown.after == (Bar(0, 18.0, 20.0), Bar(1, 16.0, 20.0))
    assert shown.moved == 1


def test_one_that_nobody_takes_over_is_unread_to_the_end() -> None:
    result = by_hand([owned(0, 1, 6, 15)], [state(6, "Stable", 1)])
    shown = shown_of(result, Values(members=1, partitions=1, event="crash"))

    assert shown.gaps == (Bar(0, 15.0, 80.0),)
    assert shown.moved == 0


def test_what_goes_and_comes_back_has_moved_twice() -> None:
    rows = [owned(0, 1, 6, 15), owned(0, 2, 16, 20), owned(0, 1, 21, None)]
    rows += [owned(1, 2, 6, 7), owned(1, 1, 8, None)]
    values = Values(members=2, partitions=2, event="restart")
    shown = shown_of(by_hand(rows, [state(6, "Stable", 2)]), values)

    assert shown.moved == 2


def test_gaps_before_the_event_are_not_due_to_it() -> None:
    rows = [owned(0, 1, 1, 5), owned(0, 2, 10, 16), owned(0, 2, 17, None)]
    shown = shown_of(by_hand(rows, [state(1, "Stable", 2)]), Values(members=2))

    assert len(shown.gaps) == 2
    assert shown.after == (Bar(0, 16.0, 17.0),)


def test_states_of_one_rebalance_are_one_time() -> None:
    shown = one_of_three_leaves()

    assert shown.unrest == ((0.0, 6.5), (16.0, 19.5))
    assert shown.rebalances == 1


def test_who_has_nothing_while_the_group_is_at_rest_is_idle() -> None:
    shown = one_of_three_leaves()

    assert shown.idle == ((6.5, 16.0, (3,)),)
    assert shown.idle_at_last == ()


def test_one_that_is_away_for_a_restart_is_not_idle() -> None:
    rows = [owned(0, 1, 6, 15), owned(1, 2, 6, None), owned(0, 2, 20, None)]
    states = [state(6, "Stable", 2), state(15, "PreparingRebalance", 1)]
    values = Values(members=2, partitions=2, event="restart")

    away = shown_of(by_hand(rows, [*states, state(20, "Stable", 1)]), values)
    back = shown_of(by_hand(rows, [*states, state(20, "Stable", 2)]), values)

    assert away.idle == ()
    assert back.idle == ((20.0, 80.0, (1,)),)
    assert back.idle_at_last == (1,)


def test_before_anybody_has_something_nobody_is_idle() -> None:
    rows = [owned(0, 1, 6, None)]
    states = [state(1, "Stable", 2), state(5, "Assigning", 2), state(7, "Stable", 2)]
    shown = shown_of(by_hand(rows, states), Values(members=2, event="restart"))

    assert shown.idle == ((7.0, 80.0, (2,)),)


def test_partitions_that_are_read_are_counted_over_time() -> None:
    at_s, count = one_of_three_leaves().read_line

    last = {at: number for at, number in zip(at_s, count, strict=True)}  # noqa: C416
    assert last == {0.0: 0, 6.0: 2, 16.0: 1, 18.0: 0, 20.0: 2}
    assert np.all(np.diff(at_s) >= 0)


def test_records_are_counted_once_and_the_other_times_beside() -> None:
    shown = one_of_three_leaves()

    assert (shown.processed, shown.twice) == (2, 1)

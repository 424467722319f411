"""The log of a quorum queue: majorities, terms and elections (RQ-4)."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.engine.sim.systems.rabbitmq.queue_messages import Loss
from kafkasim.engine.sim.systems.rabbitmq.quorum_log import (
    NOBODY,
    TRANSITIONS,
    Cause,
    IllegalTransitionError,
    QuorumLog,
    State,
)


class Draws:
    """Numbers as a test wants them, then the highest ones."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)
        self.asked: list[int] = []

    def __call__(self, most: int) -> int:
        self.asked.append(most)
        return self.numbers.pop(0) if self.numbers else most


def log_of(members: int = 3, draws: Draws | None = None) -> QuorumLog[str]:
    return QuorumLog[str](range(members), 0, draws or Draws())


def appended(log: QuorumLog[str], commands: str) -> None:
    for command in commands:
        log.append(command)
    log.unsent()


def test_entries_are_committed_when_a_majority_has_them_on_disk() -> None:
    log = log_of()
    appended(log, "abc")

    assert log.written(1, 2, term=1) == []
    assert log.written(0, 1, term=1) == ["a"]
    assert log.written(2, 3, term=1) == ["b"]
    assert log.committed == 2


def test_two_followers_are_a_majority_without_their_leader() -> None:
    log = log_of()
    appended(log, "a")

    assert log.written(1, 1, term=1) == []
    assert log.written(2, 1, term=1) == ["a"]


@pytest.mark.parametrize(
    ("members", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)]
)
def test_a_majority_is_more_than_half(members: int, needed: int) -> None:
    log = log_of(members)
    appended(log, "a")

    done = [bool(log.written(node, 1, term=1)) for node in range(members)]

    assert done.index(True) == needed - 1


def test_members_are_sent_what_they_do_not_have() -> None:
    log = log_of()
    log.append("a")
    log.append("b")
    assert log.unsent() == [(0, 1, 2), (1, 1, 2), (2, 1, 2)]
    assert log.unsent() == []

    log.node_down(2, Loss.CRASHED, 0)
    log.append("c")
    assert log.unsent() == [(0, 3, 3), (1, 3, 3)]

    log.node_up(2, 0)
    assert log.unsent() == [(2, 1, 3)], "nothing of it was heard to be on its disk"


def test_without_a_majority_nothing_is_committed_until_one_is_back() -> None:
    log = log_of()
    log.node_down(1, Loss.CRASHED, 0)
    states = [log.state]
    log.node_down(2, Loss.CRASHED, 0)
    appended(log, "a")
    assert log.written(0, 1, term=1) == []

    states.append(log.state)
    log.node_up(1, 0)
    states.append(log.state)
    assert states == [State.LED, State.STALLED, State.LED]
    assert log.written(1, 1, term=1) == ["a"]


def test_the_first_member_to_stand_leads() -> None:
    draws = Draws(300, 20)
    log = log_of(draws=draws)
    log.node_down(0, Loss.CRASHED, 1_000)

    assert log.leader == NOBODY
    assert draws.asked == [500, 500]
    assert log.next_deadline_ms == 1_120
    assert log.elect(1_119) is None
    assert log.elect(1_120) == []
    assert (log.leader, log.term, log.state) == (2, 2, State.LED)
    assert log.next_deadline_ms is None


def test_a_leader_that_stops_is_replaced_sooner() -> None:
    draws = Draws(70, 20)
    log = log_of(draws=draws)

    log.node_down(0, Loss.STOPPED, 1_000)

    assert draws.asked == [100, 100]
    assert log.next_deadline_ms == 1_020


def test_who_lacks_what_others_have_cannot_lead() -> None:
    log = log_of(draws=Draws(10, 50))
    appended(log, "a")
    log.written(2, 1, term=1)
    log.written(0, 1, term=1)
    log.node_down(0, Loss.CRASHED, 0)

    assert log.next_deadline_ms == 110
    assert log.elect(110) is None, "member 1 has no entry, member 2 has one"
    assert log.elect(150) == []
    assert log.leader == 2


def test_entries_of_before_are_committed_with_the_first_of_the_new_term() -> None:
    log = log_of(draws=Draws(10, 50))
    appended(log, "a")
    log.written(1, 1, term=1)
    log.node_down(0, Loss.CRASHED, 0)
    assert log.elect(110) == []

    assert log.unsent() == [(1, 2, 2), (2, 1, 2)]
    assert log.written(2, 1, term=2) == [], "a majority has it, but no entry of term 2"
    assert log.written(1, 2, term=2) == []
    assert log.written(2, 2, term=2) == ["a", None]


def test_what_the_new_leader_does_not_have_is_handed_back() -> None:
    log = log_of(draws=Draws(10, 50))
    appended(log, "abc")
    log.written(1, 1, term=1)
    log.written(2, 1, term=1)
    log.written(0, 3, term=1)
    log.node_down(0, Loss.CRASHED, 0)

    assert log.elect(110) == ["b", "c"]
    assert log.last == 2, "a, and the first entry of the term"


def test_answers_to_an_older_leader_are_void() -> None:
    log = log_of(draws=Draws(10, 50))
    appended(log, "abc")
    log.node_down(0, Loss.CRASHED, 0)
    log.elect(110)
    log.append("d")

    assert log.written(1, 3, term=1) == []
    assert log.written(2, 3, term=1) == []
    assert log.committed == 0


def test_an_old_leader_comes_back_as_a_follower_without_its_own_entries() -> None:
    log = log_of(draws=Draws(10, 50))
    appended(log, "abc")
    log.written(0, 3, term=1)
    log.node_down(0, Loss.CRASHED, 0)
    log.elect(110)

    log.node_up(0, 200)

    assert log.leader == 1
    assert log.unsent() == [(0, 1, 1), (1, 1, 1), (2, 1, 1)]


def test_an_election_waits_for_a_majority() -> None:
    log = log_of(draws=Draws(10, 50, 7, 90))
    log.node_down(0, Loss.CRASHED, 0)
    log.node_down(1, Loss.CRASHED, 50)
    states = [log.state]
    assert log.next_deadline_ms is None

    log.node_up(0, 5_000)
    states.append(log.state)
    assert states == [State.LEADERLESS, State.ELECTING]
    assert log.next_deadline_ms == 5_107


def test_a_member_that_comes_back_during_an_election_stands_too() -> None:
    log = log_of(5, Draws(400, 400, 400, 400, 1))
    log.node_down(0, Loss.CRASHED, 0)

    log.node_up(0, 100)
    log.elect(201)

    assert log.leader == 0


def test_nodes_that_are_no_members_do_not_matter() -> None:
    log = log_of()

    log.node_down(9, Loss.CRASHED, 0)
    log.node_up(9, 0)

    assert log.state == State.LED
    assert log.written(9, 5, term=1) == []


def test_every_other_way_between_states_is_refused() -> None:
    for start, end, cause in product(State, State, Cause):
        log = log_of()
        log.state = start
        if cause in TRANSITIONS.get((start, end), ()):
            log.go(end, cause)
            assert log.state == end
        else:
            with pytest.raises(IllegalTransitionError, match=f"from {start} to {end}"):
                log.go(end, cause)
            assert log.state == start


STEPS = st.lists(
    st.tuples(st.sampled_from(["say", "write", "down", "up"]), st.integers(0, 4)),
    max_size=60,
)


@given(st.sampled_from([1, 3, 5]), STEPS)
def test_nothing_that_was_committed_is_ever_lost_or_told_twice(
    members: int, steps: Sequence[tuple[str, int]]
) -> None:
    """Commands are said again by who said them, as channels do."""
    log = QuorumLog[int](range(members), 0, lambda most: 1 + most // 2)
    now_ms, said = 0, 0
    waiting: list[int] = []
    done: list[int] = []
    on_way: list[tuple[int, int, int]] = []
    for step, node in steps:
        now_ms += 1_000
        if step == "say":
            waiting.append(said)
            said += 1
        elif step == "down":
            log.node_down(node, Loss.CRASHED, now_ms)
        elif step == "up":
            log.node_up(node, now_ms)
        elif on_way:
            to, index, term = on_way.pop(node % len(on_way))
            done += [each for each in log.written(to, index, term) if each is not None]
        now_ms += 1_000
        waiting = [*(log.elect(now_ms) or []), *waiting]
        if log.leader != NOBODY:
            for command in waiting:
                log.append(command)
            waiting = []
        on_way += [(to, last, log.term) for to, _, last in log.unsent()]
    assert done == sorted(set(done)), "in the order they were said, each once"
    assert done == list(range(len(done)))


def test_who_is_only_heard_commits_nothing_until_another_one_has_written() -> None:
    log = log_of()
    appended(log, "ab")

    log.heard(1, 2)
    log.heard(1, 1)
    assert log.committed == 0
    assert log.written(0, 1, term=1) == ["a"]
    assert log.written(2, 2, term=1) == ["b"]

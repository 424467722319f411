"""What a channel owes its publisher, and how it says it (RQ-14)."""

from kafkasim.engine.sim.systems.rabbitmq.confirms import Confirms


def confirms_of(*queue_counts: int) -> Confirms:
    """Return those of messages 1, 2, ... that went to so many queues."""
    confirms = Confirms()
    for seq, count in enumerate(queue_counts, 1):
        confirms.expect(seq, count)
    return confirms


def test_all_queues_have_to_confirm() -> None:
    confirms = confirms_of(2)

    confirms.confirm([1])
    assert confirms.due() == ([], [])

    confirms.confirm([1])
    assert confirms.due() == ([(1, False)], [])
    assert confirms.due() == ([], [])


def test_what_goes_nowhere_is_confirmed_at_once() -> None:
    assert confirms_of(1, 0).due() == ([(2, False)], [])


def test_numbers_below_the_first_that_waits_are_confirmed_together() -> None:
    confirms = confirms_of(1, 1, 1, 1, 1)

    confirms.confirm([5, 2, 1, 3])

    assert confirms.due() == ([(3, True), (5, False)], [])


def test_all_are_confirmed_together_when_none_waits() -> None:
    confirms = confirms_of(1, 1, 1)

    confirms.confirm([3, 2, 1])

    assert confirms.due() == ([(3, True)], [])


def test_confirms_may_come_out_of_order() -> None:
    confirms = confirms_of(1, 1)

    confirms.confirm([2])
    assert confirms.due() == ([(2, False)], [])

    confirms.confirm([1])
    assert confirms.due() == ([(1, False)], [])


def test_a_refused_message_is_answered_once() -> None:
    confirms = confirms_of(2, 1, 1)

    confirms.refuse([1])
    confirms.confirm([1, 2, 3])

    assert confirms.due() == ([(2, False), (3, False)], [(1, False)])
    assert len(confirms) == 0


def test_a_number_of_the_other_sign_ends_what_is_said_together() -> None:
    confirms = confirms_of(1, 1, 1, 1)

    confirms.refuse([3])
    confirms.confirm([1, 2, 4])

    assert confirms.due() == ([(2, True), (4, False)], [(3, False)])


def test_what_one_confirm_makes_due_is_what_is_due_after_it() -> None:
    for before in ([], [3]):
        for seqs in ([1], [2], [1, 2], [9]):
            one, other = confirms_of(1, 2, 1), confirms_of(1, 2, 1)
            for each in (one, other):
                each.refuse(before)
            other.confirm(seqs)
            assert one.answers(seqs) == other.due()
            assert one.due() == ([], [])

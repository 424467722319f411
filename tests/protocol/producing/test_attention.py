"""When the sender looks at the queues of a producer."""

from kafkasim.protocol.producing.attention import Attention
from kafkasim.protocol.producing.batch import NEVER


def test_it_looks_when_a_linger_ends_or_an_append_wakes_it() -> None:
    attention = Attention(always=False)
    attention.missed(10)

    # A node that was ready before it missed something is no reason to look again.
    assert attention.next_ns([3, 40, NEVER]) == 40
    attention.wake_ns = 9
    assert attention.next_ns([3, 40, NEVER]) == 40
    attention.wake_ns = 20
    assert attention.next_ns([3, 40, NEVER]) == 20
    assert attention.next_ns([10, 40, NEVER]) == 10


def test_it_is_needed_until_it_has_seen_all() -> None:
    attention = Attention(always=False)
    needed = [attention.needed]
    attention.closed.append(2)
    attention.missed(10)
    needed.append(attention.needed)
    attention.look(10)
    needed.append(attention.needed)

    assert needed == [False, True, False]
    assert not attention.late
    assert Attention(always=True).needed


def test_what_it_saw_later_than_it_happened_is_known_until_it_settles() -> None:
    attention = Attention(always=False)
    attention.waits = True
    attention.missed(10)
    attention.settle()

    attention.look(30)
    assert attention.late
    attention.go_back()

    assert attention.waits
    assert not attention.late


def test_what_it_missed_first_is_what_makes_it_late() -> None:
    attention = Attention(always=False)
    attention.closed.append(2)
    attention.missed(10)
    attention.closed.append(1)
    attention.missed(30)

    attention.see(30)

    assert attention.late

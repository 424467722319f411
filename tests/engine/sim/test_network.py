"""Cards and pipes: bytes take time, delays come on top, order is kept."""

import numpy as np

from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.hardware import Link

MS = 1_000_000


def pipe_of(link: Link, nic: Nic | None = None, name: str = "a->b") -> Pipe:
    return Pipe(nic or Nic(link.bandwidth_mb_per_s), link, seed=1, name=name)


def test_a_transfer_takes_its_bytes_over_the_bandwidth_and_then_the_delay() -> None:
    pipe = pipe_of(Link(delay_ms=2.0, bandwidth_mb_per_s=10.0))
    assert pipe.transfer(0, 50_000) == 7 * MS
    assert pipe.left_ns == 5 * MS


def test_pipes_of_one_host_share_its_card() -> None:
    link = Link(delay_ms=0.0, bandwidth_mb_per_s=10.0)
    nic = Nic(link.bandwidth_mb_per_s)
    one, other = pipe_of(link, nic), pipe_of(link, nic, "a->c")
    assert one.transfer(0, 10_000) == MS + 1
    assert other.transfer(0, 10_000) == 2 * MS + 1


def test_what_carries_no_record_batch_takes_only_the_delay() -> None:
    link = Link(delay_ms=1.0, bandwidth_mb_per_s=10.0)
    nic = Nic(link.bandwidth_mb_per_s)
    pipe_of(link, nic).transfer(0, 10_000_000)
    assert pipe_of(link, nic, "a->c").transfer(0, 0) == MS


def test_a_link_takes_at_least_a_nanosecond() -> None:
    assert pipe_of(Link(delay_ms=0.0)).transfer(5, 0) == 6


def test_random_delays_never_reorder_a_connection() -> None:
    pipe = pipe_of(Link(delay_ms=Exponential(5.0)))
    arrivals = [pipe.transfer(at, 0) for at in range(0, 1_000_000, 1_000)]
    assert arrivals == sorted(arrivals)
    assert len(set(arrivals)) > 1


def test_delays_depend_on_seed_and_name_and_on_nothing_else() -> None:
    link = Link(delay_ms=Exponential(5.0))

    def delays(name: str, seed: int) -> list[int]:
        nic = Nic(link.bandwidth_mb_per_s)
        pipe = Pipe(nic, link, seed=seed, name=name)
        return [pipe.transfer(at, 0) - at for at in range(0, 10**12, 10**11)]

    assert delays("a->b", 1) == delays("a->b", 1)
    assert delays("a->b", 1) != delays("a->c", 1)
    assert delays("a->b", 1) != delays("a->b", 2)


def test_connections_of_one_client_leave_through_one_card() -> None:
    hosts = Hosts(Link(delay_ms=0.0, bandwidth_mb_per_s=10.0), seed=1)
    first = hosts.connect("source:web", 0, 0)
    second = hosts.connect("source:web", 0, 1)
    assert first.up.transfer(0, 10_000) == MS + 1
    assert second.up.transfer(0, 10_000) == 2 * MS + 1
    assert first.down.transfer(0, 10_000) == MS + 1
    assert hosts.connections == [first, second]
    third = first.renewed()
    fourth = third.renewed()
    assert hosts.connections == [first, second, third, fourth]


def test_a_transfer_on_its_way_alone_waits_for_no_card() -> None:
    link = Link(delay_ms=1.0, bandwidth_mb_per_s=10.0)
    pipe = pipe_of(link)
    arrived_ns = pipe.transfer(0, 10_000)
    assert arrived_ns == 2 * MS
    assert pipe.receive(arrived_ns, 10_000) == arrived_ns


def test_transfers_that_meet_at_a_receiver_share_its_card() -> None:
    link = Link(delay_ms=1.0, bandwidth_mb_per_s=10.0)
    card = Nic(10.0)
    one, other = (
        Pipe(Nic(10.0), link, seed=1, name=f"{name}->c", to=card) for name in "ab"
    )
    # The last byte of each comes at 2 ms; the card needs 1 ms for each.
    assert one.receive(one.transfer(0, 10_000), 10_000) == 2 * MS
    assert other.receive(other.transfer(0, 10_000), 10_000) == 3 * MS
    # One that begins to come at 2.5 ms meets the tail of the second.
    assert one.receive(one.transfer(1_500_000, 10_000), 10_000) == 4 * MS
    # What is sent without bytes behind it is there at 3.6 ms, and in with it.
    there_ns = one.transfer(2_600_000, 0)
    assert (there_ns, one.receive(there_ns, 0)) == (3_600_000, 4 * MS)
    assert other.receive(there_ns, 0) == there_ns


def test_whose_last_byte_is_there_first_is_first_whatever_its_sender_waits_for() -> (
    None
):
    link = Link(delay_ms=0.1, bandwidth_mb_per_s=10.0)
    card = Nic(10.0)
    one, other = (
        Pipe(Nic(10.0), link, seed=1, name=f"{name}->c", to=card) for name in "ab"
    )
    first_ns, second_ns = one.transfer(0, 30_000), other.transfer(0, 30_000)
    assert (one.receive(first_ns, 30_000), other.receive(second_ns, 30_000)) == (
        3_100_000,
        6_100_000,
    )
    # `other` has to wait until 6.1 ms, but what it sends next is there before that of
    # `one`, and so it would be if it had been sent before anybody knew of the wait.
    there_ns = other.transfer(4_000_000, 1_000)
    assert there_ns == 4_200_000
    assert one.transfer(4_500_000, 1_000) == 4_700_000
    assert other.receive(there_ns, 1_000) == 6_200_000
    assert one.receive(4_700_000, 1_000) == 6_300_000


def test_a_card_receives_while_it_sends() -> None:
    link = Link(delay_ms=0.0, bandwidth_mb_per_s=10.0)
    card = Nic(10.0)
    out = Pipe(card, link, seed=1, name="a->b")
    into = Pipe(Nic(10.0), link, seed=1, name="b->a", to=card)
    out.transfer(0, 100_000)
    assert into.receive(into.transfer(0, 10_000), 10_000) == MS + 1


def test_what_is_sent_together_arrives_as_one_after_the_other_would() -> None:
    draws = np.random.default_rng(3)
    link = Link(delay_ms=0.01, bandwidth_mb_per_s=0.7)
    one, other = pipe_of(link), pipe_of(link)
    for begin_ns in (0, 300_000, 2_000_000):
        times_ns = begin_ns + np.sort(draws.integers(0, 300_000, 40))
        sizes = draws.integers(0, 40, 40) * draws.integers(0, 2, 40)
        expected = [
            one.transfer(*each)
            for each in zip(times_ns.tolist(), sizes.tolist(), strict=True)
        ]
        arrive_ns = other.transfers(times_ns, sizes)
        assert arrive_ns is not None
        assert arrive_ns.tolist() == expected
        assert (one.left_ns, one.arrived_ns) == (other.left_ns, other.arrived_ns)


def test_what_draws_its_delays_is_not_sent_together() -> None:
    pipe = pipe_of(Link(delay_ms=Exponential(1.0)))
    assert pipe.transfers(np.array([1]), np.array([1])) is None
    assert pipe.transfer(1, 1) > 1

"""Worlds of one number each."""

import kafkasim as ks
from kafkasim.testing.small_worlds import small_world


def test_worlds_differ_and_each_is_the_same_every_time() -> None:
    worlds = [small_world(seed, ks.Kafka(brokers=2)) for seed in range(60)]
    laws = [s.arrivals for world in worlds for s in world.traffic.sources.values()]
    assert 5 < sum(isinstance(law, ks.ClosedLoop) for law in laws) < 25

    assert worlds[7] == small_world(7, ks.Kafka(brokers=2))
    assert len({world.digest for world in worlds}) == 60
    kinds = {type(event).__name__ for world in worlds for event in world.events}
    usual = {"Crash", "Cut", "Delay", "Lose", "Pause", "Slow", "StuckRecord"}
    assert kinds == usual | {"AddMember", "AddPartitions"}
    quiet = sum(not world.events for world in worlds)
    assert 4 < quiet < 20
    assert {world.end for world in worlds} == {"cut", "drain"}

"""Pausing partitions and seeking in them: 1 ms each way, 10 ms of work a record."""

from tests.engine.sim.member_world import MS, World


def begun(world: World) -> list[tuple[int, int, float]]:
    """Partition and first offset of each row, and when work on it began."""
    return [(r.partition, r.from_offset, r.started_ns / MS) for r in world.rows]


def paused(max_poll_records: int = 1) -> World:
    """A member that works on a record of partition 0 and has one of 1 in its buffer.

    Partition 1 is paused at 5 ms.
    """
    world = World([0, 0], max_poll_records=max_poll_records)
    world.append(1, 0)
    world.append(1, 1)
    world.start()
    world.run(5)
    world.member._fetcher.pause(world.partitions[1])
    return world


def test_what_was_fetched_of_a_paused_partition_is_kept_and_not_returned() -> None:
    """`FetchCollector.collectFetch` puts it back."""
    world = paused()
    world.run(100)
    assert begun(world) == [(0, 0, 2.0)]

    world.member._fetcher.resume(world.partitions[1])
    world.append(1, 0)
    world.run(200)
    # It was not fetched again: the fetch that brings the other record is the third.
    assert begun(world)[1:] == [(1, 0, 101.0), (0, 1, 111.0)]
    assert len(world.sent("Fetch")) == 3
    assert world.processed == 3


def test_a_broker_is_fetched_from_while_only_paused_records_are_buffered() -> None:
    """CO-3: only fetchable partitions hold up their broker."""
    world = paused()
    world.run(13)
    assert world.sent("Fetch") == [(0, 0.0), (0, 12.0)]


def test_a_paused_partition_is_not_fetched() -> None:
    world = paused()
    world.run(20)
    world.append(5, 1)
    world.run(100)
    assert world.member.sessions[0].positions == {0: 1}
    assert begun(world) == [(0, 0, 2.0)]


def test_what_is_under_way_when_a_partition_is_paused_is_kept() -> None:
    world = World()
    world.append(1)
    world.start()
    world.run(1.5)
    world.member._fetcher.pause(world.partitions[0])
    world.run(50)
    assert begun(world) == []
    world.member._fetcher.resume(world.partitions[0])
    world.member._retry()
    world.run(100)
    assert begun(world) == [(0, 0, 50.0)]


def test_a_paused_partition_that_moves_is_fetched_from_its_new_leader() -> None:
    world = World()
    world.start()
    world.run(10)
    world.member._fetcher.pause(world.partitions[0])
    world.move(1, epoch=1)
    world.run(30)
    assert world.sent("Fetch") == [(0, 0.0)]
    world.member._fetcher.resume(world.partitions[0])
    world.member._retry()
    world.append(2)
    world.run(100)
    assert world.sent("Fetch")[1:2] == [(1, 30.0)]
    assert world.processed == 2


def test_seeking_drops_what_was_fetched_and_goes_on_there() -> None:
    world = World(max_poll_records=1)
    world.append(4)
    world.start()
    world.run(5)
    world.member._fetcher.seek(world.partitions[0], 3)
    world.run(100)
    assert begun(world) == [(0, 0, 2.0), (0, 3, 14.0)]
    assert world.sent("Fetch")[1] == (0, 12.0)


def test_an_answer_for_an_offset_from_before_a_seek_is_dropped() -> None:
    """`FetchCollector.handleInitializeSuccess`: stale, by its offset."""
    world = World()
    world.append(4)
    world.start()
    world.run(1.5)
    world.member._fetcher.seek(world.partitions[0], 2)
    world.run(100)
    assert begun(world) == [(0, 2, 4.0)]


def test_a_paused_partition_may_be_sought_in() -> None:
    world = paused()
    world.member._fetcher.seek(world.partitions[1], 0)
    world.run(50)
    assert begun(world) == [(0, 0, 2.0)]
    world.member._fetcher.resume(world.partitions[1])
    world.member._retry()
    world.append(1, 0)
    world.run(100)
    assert (1, 0) in [each[:2] for each in begun(world)]

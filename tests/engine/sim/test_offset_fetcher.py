"""What is asked of a leader before a fetch, and what when it fails: 1 ms each way."""

import pytest

from kafkasim.engine.sim.fetch_session import offset_in
from kafkasim.engine.sim.request import LIST_OFFSETS, OFFSET_FOR_LEADER_EPOCH
from kafkasim.log.leader_epochs import EpochStart
from kafkasim.log.reading import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from kafkasim.protocol.producing.batch import Batch
from tests.engine.sim.member_world import World
from tests.engine.sim.partitions import partition


@pytest.mark.parametrize(("resets_to_end", "offset"), [(True, 3), (False, 0)])
def test_a_position_out_of_range_is_reset(
    resets_to_end: bool,  # noqa: FBT001
    offset: int,
) -> None:
    """CO-6: OFFSET_OUT_OF_RANGE, then ListOffsets by `auto.offset.reset`."""
    world = World(resets_to_end=resets_to_end)
    world.append(3)
    world.start({0: 8})
    world.run(5)
    assert world.resets == [(4.0, 0, offset)]
    assert [row[:3] + row[4:] for row in world.all()][:3] == [
        ("Fetch", 0, 0.0, "OFFSET_OUT_OF_RANGE"),
        ("ListOffsets", 0, 2.0, ""),
        ("Fetch", 0, 4.0, ""),
    ]


def test_a_position_in_range_is_not_reset() -> None:
    """CO-7: whatever the policy, a valid offset is gone on from."""
    world = World(resets_to_end=True)
    world.append(3)
    world.start({0: 1})
    world.run(50)
    assert world.resets == []
    assert world.processed == 2


def test_without_a_reset_policy_the_application_ends() -> None:
    """OffsetOutOfRangeException, thrown by the poll that has nothing else to return."""
    world = World(resets=False)
    world.append(3)
    world.start({0: 8})
    world.run(50)
    assert world.stopped == [2.0]
    assert world.sent("ListOffsets") == []
    assert not world.member.up


def test_records_of_other_partitions_are_returned_before_the_exception() -> None:
    world = World([0, 0], resets=False)
    world.append(3, 0)
    world.append(2, 1)
    world.start({0: 8})
    world.run(50)
    # `FetchCollector.collectFetch` throws when it has no records: at the next poll.
    assert [(row.partition, row.to_offset) for row in world.rows] == [(1, 2)]
    assert world.stopped == [22.0]
    assert world.processed == 2


def test_what_fails_is_asked_again_after_the_backoff() -> None:
    """`OffsetFetcherUtils`: `retry.backoff.ms`, and the metadata is asked for."""
    world = World()
    world.append(3)
    world.start({0: 8})
    world.run(2.5)
    world.partitions[0].leader = 1
    world.run(3.5)
    world.partitions[0].leader = 0
    world.run(200)
    assert world.sent("ListOffsets") == [(0, 2.0), (0, 104.0)]
    assert world.sent("Metadata")[0][1] == 4.0
    assert world.resets == [(106.0, 0, 3)]


def test_a_leader_is_asked_at_once_about_all_of_its_partitions() -> None:
    """`OffsetFetcherUtils.regroupPartitionMapByNode`."""
    world = World([0, 0, 1])
    for index in range(3):
        world.append(3, index)
    world.start({0: 8, 1: 8, 2: 8})
    world.run(50)
    assert world.sent("ListOffsets") == [(0, 2.0), (1, 2.0)]
    assert world.resets == [(4.0, 0, 3), (4.0, 1, 3), (4.0, 2, 3)]


def test_what_one_partition_of_a_request_meets_holds_up_no_other() -> None:
    world = World([0, 0])
    for index in range(2):
        world.append(3, index)
    world.start({0: 8, 1: 8})
    world.run(2.5)
    world.partitions[1].leader = 1
    world.run(3.5)
    world.partitions[1].leader = 0
    world.run(1_000)
    assert world.sent("ListOffsets") == [(0, 2.0), (0, 104.0)]
    # The second one waits at the broker until a fetch before it is answered (BR-2).
    assert world.resets == [(4.0, 0, 3), (506.0, 1, 3)]


def test_a_new_leader_is_asked_at_once_for_all_epochs() -> None:
    """`OffsetFetcherUtils.regroupFetchPositionsByLeader`."""
    world = World([0, 0])
    for index in range(2):
        world.append(2, index)
    world.start()
    world.run(60)
    for index in range(2):
        world.move(1, epoch=1, index=index)
    world.member._metadata.take_hints({0: (1, 1), 1: (1, 1)})
    world.run(200)
    assert [node for node, _ in world.sent("OffsetForLeaderEpoch")] == [1]
    assert world.epochs_asked == [0, 0]


def test_records_of_others_are_worked_on_before_a_position_is_reset() -> None:
    """`FetchCollector` asks for a reset; the next poll sends it."""
    world = World([0, 0])
    world.append(3, 0)
    world.append(2, 1)
    world.start({0: 8})
    world.run(50)
    assert [(row.partition, row.to_offset) for row in world.rows][:1] == [(1, 2)]
    assert world.sent("ListOffsets") == [(0, 22.0)]


def test_a_question_goes_to_the_leader_that_is_known_by_then() -> None:
    world = World()
    world.append(3)
    world.start({0: 8})
    world.run(2.5)
    world.move(1, epoch=1)
    world.run(200)
    assert [row[4] for row in world.all() if row[0] == "ListOffsets"] == [
        "NOT_LEADER_OR_FOLLOWER",
        "",
    ]
    assert [node for node, _ in world.sent("ListOffsets")] == [0, 1]
    assert world.resets == [(106.0, 0, 3)]


def test_a_question_that_is_lost_with_its_connection_is_asked_again() -> None:
    world = World()
    world.append(3)
    world.start({0: 8})
    world.run(2.5)
    world.brokers[0].crash()
    world.move(1, epoch=1)
    world.run(200)
    assert [row[4] for row in world.all() if row[0] == "ListOffsets"] == [
        "NETWORK_EXCEPTION",
        "",
    ]
    assert [offset for _, _, offset in world.resets] == [3]


def test_an_answer_that_another_leader_has_overtaken_counts_for_nothing() -> None:
    world = World()
    world.append(2)
    world.start()
    world.run(30)
    world.move(1, epoch=1)
    world.run(32.5)
    # The question to broker 1 is on its way back when broker 0 leads again.
    world.move(0, epoch=2)
    world.member._metadata.take_hints({0: (0, 2)})
    world.run(34)
    assert world.sent("Fetch", since=30.0) == []
    world.run(40)
    assert world.sent("OffsetForLeaderEpoch") == [(1, 31.0), (0, 32.5)]
    assert world.sent("Fetch", since=30.0) == [(0, 34.5)]


def test_a_leader_tells_its_ends_and_those_of_its_epochs() -> None:
    """BR-34: the end is the high watermark."""
    made = partition()
    for number in range(3):
        made.append(Batch(0, 0, 10 * number, 10 * number + 10, 99, 0), 0)
    log = made.log
    log.high_watermark = 20
    log.leader_epochs.assign(4, 25)
    asked = [
        offset_in(log, LIST_OFFSETS, wish)
        for wish in (LATEST_TIMESTAMP, EARLIEST_TIMESTAMP)
    ]
    assert asked == [20, 0]
    ends = [offset_in(log, OFFSET_FOR_LEADER_EPOCH, epoch) for epoch in (0, 4, 5)]
    assert ends == [EpochStart(0, 25), EpochStart(4, 30), None]

"""What a group may still be given."""

from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.partition import Partition
from kafkasim.protocol.batch import NEVER, Batch


def test_what_a_first_commit_on_its_way_sets_back_to_is_still_needed() -> None:
    partition = Partition(index=0, topic=0, number=0, leader=0)
    group = Group(0, [partition], late=True, resets_to_end=True, may_crash=True)
    partition.append(Batch(0, 0, 0, 10, 99, 0))
    partition.log.advance_high_watermark(10)
    assert group.low_offset(0) == NEVER

    group.joined = True
    group.reset()
    group.processed[0] = 18
    # A commit of 14, say, is on its way: once it is stored a crash sets back to it.
    assert group.low_offset(0) == 10
    group.committed[0] = 14
    assert group.low_offset(0) == 14


def test_only_what_a_crash_may_set_back_is_needed_behind_what_was_processed() -> None:
    partition = Partition(index=0, topic=0, number=0, leader=0)
    low = {}
    for may_crash in (False, True):
        group = Group(
            0, [partition], late=False, resets_to_end=True, may_crash=may_crash
        )
        group.joined = True
        group.processed[0], group.committed[0] = 18, 14
        low[may_crash] = group.low_offset(0)

    assert low == {False: 18, True: 14}

"""What a group may still be given."""

from kafkasim.engine.sim.group import Group
from kafkasim.protocol.batch import NEVER, Batch
from tests.engine.sim.partitions import partition


def test_what_a_first_commit_on_its_way_sets_back_to_is_still_needed() -> None:
    read = partition()
    group = Group(0, [read], late=True, resets_to_end=True, may_crash=True)
    read.append(Batch(0, 0, 0, 10, 99, 0), 0)
    assert group.low_offset(read) == NEVER

    group.joined = True
    group.reset()
    group.processed[0] = 18
    # A commit of 14, say, is on its way: once it is stored a crash sets back to it.
    assert group.low_offset(read) == 10
    group.committed[0] = 14
    assert group.low_offset(read) == 14


def test_only_what_a_crash_may_set_back_is_needed_behind_what_was_processed() -> None:
    read = partition()
    low = {}
    for may_crash in (False, True):
        group = Group(0, [read], late=False, resets_to_end=True, may_crash=may_crash)
        group.joined = True
        group.processed[0], group.committed[0] = 18, 14
        low[may_crash] = group.low_offset(read)

    assert low == {False: 18, True: 14}

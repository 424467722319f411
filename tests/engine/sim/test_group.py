"""What a group may still be given."""

from kafkasim.engine.sim.group import Group
from kafkasim.protocol.producing.batch import NEVER, Batch
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


def test_a_cut_log_sets_back_what_was_processed_and_takes_what_was_not() -> None:
    read = partition()
    group = Group(0, [read], late=False, resets_to_end=True, may_crash=False)
    read.append(Batch(0, 0, 0, 50, 99, 0), 0)
    read.cut_from = 50
    group.processed[0] = 20
    # Below what was processed, none; of the rest, what lies beyond the cut.
    assert group.truncated(read, 50, 7) == 0
    assert group.cuts == {}
    assert group.truncated(read, 30, 8) == 20
    assert group.processed[0] == 20
    assert group.truncated(read, 10, 9) == 30
    assert group.processed[0] == 10
    assert group.cuts == {0: (9, 10)}


def test_who_has_no_offset_begins_only_if_it_may_reset() -> None:
    read = partition()
    begins = {}
    for late in (False, True):
        for resets in (False, True):
            group = Group(
                0,
                [read],
                late=late,
                resets_to_end=True,
                may_crash=False,
                resets=resets,
            )
            begins[late, resets] = group.may_begin
    assert begins == {
        (False, False): True,
        (False, True): True,
        (True, False): False,
        (True, True): True,
    }

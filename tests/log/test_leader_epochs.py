import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.leader_epochs import LeaderEpochs


def test_an_epoch_is_noted_once() -> None:
    """Source: LeaderEpochFileCache.assign."""
    epochs = LeaderEpochs()

    assert epochs.assign(2, 6) and epochs.latest == 2
    assert not epochs.assign(2, 7)
    assert not epochs.assign(2, 6)
    assert epochs.entries == ((2, 6),)


def test_the_newest_epoch_at_a_lower_offset_begins_there() -> None:
    """Source: LeaderEpochFileCache.isUpdateNeeded."""
    epochs = LeaderEpochs([(1, 3), (2, 9)])

    assert epochs.assign(2, 5)
    assert epochs.entries == ((1, 3), (2, 5))


def test_entries_that_contradict_a_new_one_go() -> None:
    """Source: LeaderEpochFileCache.maybeTruncateNonMonotonicEntries."""
    by_offset = LeaderEpochs([(1, 3), (2, 9), (3, 12)])
    by_epoch = LeaderEpochs([(1, 3), (2, 9), (3, 12)])

    by_offset.assign(4, 9)
    by_epoch.assign(2, 20)

    assert by_offset.entries == ((1, 3), (4, 9))
    assert by_epoch.entries == ((1, 3), (2, 20)) and by_epoch.latest == 2


@pytest.mark.parametrize("entry", [(-1, 0), (0, -1)])
def test_negative_entries_are_refused(entry: tuple[int, int]) -> None:
    """Source: LeaderEpochFileCache.assign."""
    with pytest.raises(ValueError, match="at least 0"):
        LeaderEpochs([entry])


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (-1, None),
        (0, (0, 5)),  # below all: itself, with the first start
        (1, (1, 5)),
        (2, (2, 10)),
        (3, (2, 10)),  # never led here: the largest below
        (4, (4, 12)),
        (6, (6, 20)),  # the newest: the log's end
        (7, None),
    ],
)
def test_end_offsets_of_epochs(asked: int, answer: tuple[int, int] | None) -> None:
    """BR-24. Source: LeaderEpochFileCache.endOffsetFor."""
    epochs = LeaderEpochs([(2, 5), (4, 10), (6, 12)])

    assert epochs.end_offset(asked, 20) == answer


def test_a_log_without_epochs_knows_none() -> None:
    assert LeaderEpochs().end_offset(0, 20) is None
    assert LeaderEpochs().epoch_of(0) is None


def test_epochs_of_offsets() -> None:
    """Source: LeaderEpochFileCache.epochForOffset."""
    epochs = LeaderEpochs([(2, 5), (4, 10)])

    assert [epochs.epoch_of(at) for at in (4, 5, 9, 10, 99)] == [None, 2, 2, 4, 4]


@pytest.mark.parametrize(
    ("end", "left"), [(11, 2), (10, 1), (6, 1), (5, 0), (0, 0), (12, 2)]
)
def test_epochs_that_begin_at_the_new_end_or_above_go(end: int, left: int) -> None:
    """Source: LeaderEpochFileCache.truncateFromEnd."""
    epochs = LeaderEpochs([(2, 5), (4, 10)])

    assert epochs.truncate_from_end(end) == (left < 2)
    assert len(epochs) == left
    assert epochs.latest == (-1, 2, 4)[left]


@pytest.mark.parametrize(
    ("start", "entries"),
    [
        (4, ((2, 5), (4, 10), (6, 12))),
        (5, ((2, 5), (4, 10), (6, 12))),
        (7, ((2, 7), (4, 10), (6, 12))),
        (10, ((4, 10), (6, 12))),
        (11, ((4, 11), (6, 12))),
        (30, ((6, 30),)),
    ],
)
def test_the_epoch_at_the_new_start_begins_there(
    start: int, entries: tuple[tuple[int, int], ...]
) -> None:
    """Source: LeaderEpochFileCache.truncateFromStart."""
    epochs = LeaderEpochs([(2, 5), (4, 10), (6, 12)])

    assert epochs.truncate_from_start(start) == (start >= 5)
    assert epochs.entries == entries and epochs.latest == 6


def test_a_cleared_log_starts_again() -> None:
    epochs = LeaderEpochs([(3, 4)])
    epochs.clear()

    assert epochs.entries == () and epochs.latest == -1
    assert epochs.assign(0, 0)


small = st.integers(0, 8)


@given(st.lists(st.tuples(small, small)), small)
def test_both_columns_always_grow(entries: list[tuple[int, int]], cut: int) -> None:
    epochs = LeaderEpochs(entries)
    epochs.truncate_from_start(cut)

    for before, after in zip(epochs.entries, epochs.entries[1:], strict=False):
        assert before.epoch < after.epoch
        assert before.start_offset < after.start_offset
    newest = epochs.entries[-1].epoch if entries else -1
    assert epochs.latest == newest

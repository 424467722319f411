"""How often a record was processed before, against counting."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.engine.sim.hand_outs import POLL_DTYPE
from kafkasim.engine.sim.passes import Passes


@st.composite
def readings(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    """Draw polls (partition, from, to, processed) of a group that crashes at times."""
    polls = []
    for partition in (0, 1):
        committed = 0
        for _ in range(draw(st.integers(1, 6))):
            at = committed
            for _ in range(draw(st.integers(1, 4))):
                count = draw(st.integers(1, 5))
                done = draw(st.sampled_from([count, count, count, count // 2, 0]))
                polls.append((partition, at, at + count, done))
                at += done
                if done < count:
                    # What a change of speed had split off is not begun any more.
                    split = draw(st.integers(0, 2))
                    if split:
                        end = at - done + count
                        polls.append((partition, end, end + split, 0))
                    break
            committed = draw(st.integers(committed, at))
    return polls


@given(readings(), st.data())
def test_passes_count_what_was_processed_before(
    polls: list[tuple[int, int, int, int]], data: st.DataObject
) -> None:
    passes = Passes()
    times: Counter[tuple[int, int]] = Counter()
    cut = data.draw(st.integers(0, len(polls)))
    for part in (polls[:cut], polls[cut:]):
        rows = np.zeros(len(part), POLL_DTYPE)
        expected: list[int] = []
        processed: list[bool] = []
        for row, (partition, first, end, done) in zip(rows, part, strict=True):
            row["partition"], row["from_offset"] = partition, first
            for offset in range(first, end):
                expected.append(min(2, times[partition, offset]))
                processed.append(offset < first + done)
                times[partition, offset] += processed[-1]
        counts = np.array([end - first for _, first, end, _ in part], np.int64)
        found = passes.earlier(rows, counts, np.array(processed, bool), {0})
        assert found.tolist() == expected


def test_a_group_that_reads_once_has_nothing_before() -> None:
    rows = np.zeros(2, POLL_DTYPE)
    rows["from_offset"] = [0, 0]

    found = Passes().earlier(rows, np.array([2, 2]), np.ones(4, bool), set())

    assert found.tolist() == [0, 0, 0, 0]

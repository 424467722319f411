"""What a poll takes out of the fetches, with literal counts; 10 ns a record."""

import numpy as np

from kafkasim.engine.sim.fetch_buffer import FetchBuffer
from kafkasim.engine.sim.fetch_session import OUT_OF_RANGE, FetchSession
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.protocol.errors import OFFSET_OUT_OF_RANGE
from tests.engine.sim.test_fetch_session import session_of

SIZES = [100] * 3
"""Three batches of ten records."""


def buffer_of(
    *ends: tuple[int, Survivors | None],
) -> tuple[FetchBuffer, dict[int, int]]:
    session = session_of(SIZES)
    partition = session.partitions[0]
    partition.add_group(0, [], 10)
    buffer = FetchBuffer(0, 5)
    positions = {0: 0}
    for end, survivors in ends:
        buffer.add(session, [(partition, end, survivors)], positions, 90)
    return buffer, positions


def test_a_poll_takes_so_many_records_and_leaves_the_rest() -> None:
    buffer, positions = buffer_of((10, None), (30, None))
    used_up: list[FetchSession] = []
    rows, end_ns = buffer.take(15, positions, 100, 1.0, used_up)
    assert [(r.from_offset, r.to_offset, r.started_ns) for r in rows] == [
        (0, 10, 100),
        (10, 15, 200),
    ]
    assert end_ns == 250 and positions == {0: 15}
    assert used_up == [] and buffer.fetches

    rows, end_ns = buffer.take(500, positions, 250, 2.0, used_up)
    assert [(r.from_offset, r.to_offset) for r in rows] == [(15, 30)]
    assert end_ns == 250 + 2 * 150
    assert len(used_up) == 1 and not buffer.fetches


def test_a_fetch_is_used_up_when_one_more_was_asked_for() -> None:
    buffer, positions = buffer_of((10, None))
    used_up: list[FetchSession] = []
    buffer.take(10, positions, 0, 1.0, used_up)
    assert used_up == []
    rows, _ = buffer.take(10, positions, 0, 1.0, used_up)
    assert rows == [] and len(used_up) == 1


def test_what_compaction_removed_is_no_record_of_a_poll() -> None:
    left = Survivors(1, np.array([2, 3, 7, 12]), 20)
    buffer, positions = buffer_of((30, left))
    rows, end_ns = buffer.take(2, positions, 100, 1.0, [])
    assert [(r.from_offset, r.to_offset) for r in rows] == [(0, 4)]
    assert end_ns == 120

    rows, end_ns = buffer.take(500, positions, 120, 1.0, [])
    assert [(r.from_offset, r.to_offset) for r in rows] == [(4, 30)]
    assert end_ns == 120 + 10 * (2 + 10)


def test_only_records_that_are_left_count_for_the_next_fetch() -> None:
    left = Survivors(1, np.array([2, 3, 7]), 10)
    buffer, positions = buffer_of((10, left), (20, left))
    rows, _ = buffer.take(5, positions, 100, 1.0, [])
    assert [(r.from_offset, r.to_offset) for r in rows] == [(0, 10), (10, 12)]


def test_a_lost_position_is_told_in_its_turn() -> None:
    buffer, positions = buffer_of((10, None), (OUT_OF_RANGE, None))
    buffer.take(10, positions, 0, 1.0, [])
    assert buffer.errors == []
    rows, _ = buffer.take(10, positions, 100, 1.0, [])
    assert [(p.index, code) for p, code in buffer.errors] == [(0, OFFSET_OUT_OF_RANGE)]
    assert rows == [] and positions == {0: 10}
    buffer.take(10, positions, 100, 1.0, [])
    assert buffer.errors == []

"""Sources of several processes: who is dealt which record."""

import numpy as np
import pytest

from kafkasim.engine.sim.lanes import dealt_blocks, lanes_of, planned_rows
from kafkasim.scenario.blocks import PlannedBlocks
from kafkasim.scenario.plan import SourcePlan
from kafkasim.scenario.systems import Producer


def plan(count: int) -> SourcePlan:
    numbers = np.arange(count, dtype=np.int32)
    return SourcePlan(
        source="web",
        stream="orders",
        intended_ns=numbers.astype(np.int64),
        key_id=numbers,
        key_labels=tuple(map(str, range(count))),
        entity_id=numbers,
        entity_labels=tuple(map(str, range(count))),
        value_bytes=numbers,
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 100])
def test_blocks_of_any_size_are_dealt_like_the_whole(size: int) -> None:
    lanes = lanes_of(["web"], {"web": Producer(instances=3)})
    work_ns = {"billing": np.arange(20, dtype=np.int64)}
    blocks = dealt_blocks([PlannedBlocks(plan(20), work_ns, size)], lanes)

    for lane, mine in zip(lanes, blocks, strict=True):
        assert mine.source == lane.name
        read = list(mine)
        assert all(len(block) for block in read)
        numbers = np.concatenate([block.key_id for block in read]).tolist()
        assert numbers == list(range(lane.first, 20, 3))
        worked = np.concatenate([block.work_ns["billing"] for block in read])
        assert worked.tolist() == numbers


def test_rows_follow_the_sources_and_each_in_its_own_order() -> None:
    producers = {"app": Producer(), "web": Producer(instances=2)}
    rows = planned_rows(lanes_of(["app", "web"], producers), [2, 2, 1])

    assert [each.tolist() for each in rows] == [[0, 1], [2, 4], [3]]

"""Where records go, as far as that is known before they are appended."""

import numpy as np
import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.source_columns import Placing, SourceColumns
from kafkasim.protocol.producing.columns import REFUSED, ROUND_ROBIN, STICKY
from kafkasim.scenario.blocks import PlannedBlocks
from kafkasim.scenario.plan import SourcePlan

KEYS = ("a", "foobar")
"""Of three partitions they go to 1 and 0."""


def partitions(
    placing: Placing, value_bytes: int = 10, **settings: int | bool
) -> tuple[list[int], bool]:
    """Place seven records, four to a block, and say whether any is placed late."""
    plan = SourcePlan(
        source="web",
        stream="orders",
        intended_ns=np.arange(7, dtype=np.int64),
        key_id=np.array([0, 1, -1, 0, 1, -1, 0], np.int32),
        key_labels=KEYS,
        entity_id=np.full(7, -1, np.int32),
        entity_labels=(),
        value_bytes=np.array([10, 10, 10, value_bytes, 10, 10, 10], np.int32),
    )
    source = PlannedBlocks(plan, {}, 4)
    config = ProducerConfig(**settings).resolve()  # type: ignore[arg-type]
    columns_of = SourceColumns(source, config, 3, None, placing)
    placed = [columns_of(block).partitions for block in source]
    assert [len(each) for each in placed] == [4, 3]
    return np.concatenate(placed).tolist(), columns_of.decides_late


def test_a_key_decides_and_without_one_the_sticky_partition() -> None:
    assert partitions(Placing()) == ([1, 0, STICKY, 1, 0, STICKY, 1], True)


def test_keys_may_be_ignored() -> None:
    placed = partitions(Placing(), partitioner_ignore_keys=True)

    assert placed == ([STICKY] * 7, True)


def test_round_robin_counts_on_from_block_to_block() -> None:
    assert partitions(Placing(round_robin=True)) == ([0, 1, 2, 0, 1, 2, 0], False)


def test_round_robin_waits_to_see_which_partitions_have_a_leader() -> None:
    placed = partitions(Placing(round_robin=True, leaders_move=True))

    assert placed == ([ROUND_ROBIN] * 7, True)


def test_a_named_partition_goes_before_all() -> None:
    placing = Placing(round_robin=True, leaders_move=True, partition=2)

    assert partitions(placing) == ([2] * 7, False)


@pytest.mark.parametrize("limit", ["max_request_size", "buffer_memory"])
def test_a_record_larger_than_a_request_or_all_memory_is_refused(limit: str) -> None:
    # The bound of a record is 61 + 21 bytes, key and value with their lengths, and 1.
    settings = {"batch_size": 100, limit: 82 + 2 + 2 + 100 + 1}

    assert REFUSED not in partitions(Placing(), value_bytes=100, **settings)[0]
    assert partitions(Placing(), value_bytes=101, **settings)[0][3] == REFUSED

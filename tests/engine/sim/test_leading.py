"""Where a follower's log parts from its leader's (BR-23, BR-24; KIP-101, KIP-279)."""

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.leading import leader_state, parts_at
from kafkasim.engine.sim.replica import Replica
from kafkasim.log.partition_log import PartitionLog
from kafkasim.protocol.cluster.controller_messages import PartitionState
from tests.engine.sim.partitions import partition

CONFIG = TopicConfig(min_insync_replicas=3).resolve()


def replica(*epochs: tuple[int, int], end: int, high_watermark: int = 0) -> Replica:
    """A copy whose epochs begin at these offsets, and that ends at an offset."""
    log: PartitionLog[object] = PartitionLog(config=CONFIG)
    for epoch, start in epochs:
        log.leader_epochs.assign(epoch, start)
    log.log_end_offset = end
    log.high_watermark = high_watermark
    made = partition(config=CONFIG).home
    made.ends = log  # type: ignore[assignment]
    return made


LEADER = replica((0, 0), (2, 100), (5, 150), end=200)


@pytest.mark.parametrize(
    ("follower", "cut"),
    [
        (replica((0, 0), (2, 100), (5, 150), end=200), -1),
        (replica((0, 0), (2, 100), (5, 150), end=170), -1),
        (replica((0, 0), (2, 100), end=150), -1),
        (replica((0, 0), (2, 100), end=120), -1),
        (replica((0, 0), (2, 100), end=160), 150),  # a tail that nobody took over
        (replica((0, 0), end=130), 100),
        (replica((0, 0), (3, 110), end=130), 110),  # an epoch that the leader never saw
        (replica((0, 0), (1, 90), end=95), 90),
        (replica((0, 0), (2, 100), (5, 150), end=230), 200),  # the leader lost its disk
        (replica(end=30, high_watermark=10), 10),  # without epochs
        (replica(end=10, high_watermark=10), -1),
    ],
)
def test_a_follower_cuts_what_its_leader_does_not_have(
    follower: Replica, cut: int
) -> None:
    assert parts_at(follower, LEADER) == cut


def test_a_leader_begins_with_its_own_log_and_what_the_controller_said() -> None:
    told = PartitionState((0, 1), (1, 0), 0, leader_epoch=4, partition_epoch=9)
    state = leader_state(
        0, told, replica(end=50, high_watermark=40), lag_max_ns=10, now_ns=3
    )

    assert (state.log_end, state.high_watermark, state.epoch_start) == (50, 40, 50)
    assert (state.leader_epoch, state.partition_epoch) == (4, 9)
    assert state.min_isr == 2  # of two copies (BR-7)

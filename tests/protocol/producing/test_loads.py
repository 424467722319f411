"""How queues that differ in length decide where records without a key go."""

import numpy as np
import pytest

from kafkasim.protocol.producing.loads import Loads, available
from kafkasim.protocol.producing.partitioner import Draws, load_table, place_in_table


class GivenDraws(Draws):
    """Random integers in the order in which they are to be read."""

    def __init__(self, *values: int) -> None:
        super().__init__(np.random.default_rng(0))
        self._values = list(values)


def loads(
    *lengths: int,
    draws: tuple[int, ...],
    leaders: list[int] | None = None,
    adaptive: bool = True,
    availability_ns: int = 0,
) -> tuple[Loads, list[list[str]]]:
    """Make one whose partitions all had a batch once, and these queues."""
    queues: list[list[str]] = [[] for _ in lengths]
    made = Loads(
        queues,
        leaders or [0] * len(queues),
        GivenDraws(*draws),
        adaptive=adaptive,
        availability_ns=availability_ns,
    )
    for partition, length in enumerate(lengths):
        made.queue(partition, 0)
        made.opened(partition, 0)
        queues[partition] += ["batch"] * length
    made.settle()
    return made, queues


def test_the_example_of_the_source_is_drawn_as_it_says() -> None:
    # The comment in BuiltInPartitioner.updatePartitionLoadStats: queues 0, 3, 1.
    table = load_table([0, 3, 1], 3)

    assert table == [4, 5, 8]
    assert [place_in_table(draw, table) for draw in range(9)] == [
        0, 0, 0, 0, 1, 2, 2, 2, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lengths", "partitions"), [([1, 1, 1], 3), ([0, 0], 2), ([7], 1), ([], 3)]
)
def test_there_is_no_table_for_queues_alike_or_one_partition(
    lengths: list[int], partitions: int
) -> None:
    assert load_table(lengths, partitions) is None


def test_queues_alike_have_a_table_when_a_partition_is_left_out() -> None:
    assert load_table([2, 2], 3) == [1, 2]
    assert load_table([4], 3) == [1]


def test_a_longer_queue_is_drawn_less_often() -> None:
    made, _ = loads(2, 0, 5, draws=(0, 3, 4, 9, 10, 11))

    assert [made.draw(1, {}) for _ in range(6)] == [0, 0, 1, 1, 2, 0]


def test_queues_alike_are_drawn_alike() -> None:
    made, _ = loads(2, 2, 2, draws=(3, 4, 5))

    assert [made.draw(1, {}) for _ in range(3)] == [0, 1, 2]


def test_partitions_are_drawn_alike_without_adaptive_partitioning() -> None:
    made, _ = loads(2, 0, 5, draws=(9, 10, 11), adaptive=False)

    assert [made.draw(1, {}) for _ in range(3)] == [0, 1, 2]


def test_partitions_are_drawn_alike_until_each_has_had_a_batch() -> None:
    queues: list[list[str]] = [["batch"], [], ["batch"]]
    made = Loads(queues, [0, 0, 0], GivenDraws(4, 4, 4), adaptive=True)
    made.queue(0, 0)
    made.opened(0, 0)
    made.queue(2, 0)
    made.opened(2, 0)
    assert made.draw(1, {}) == 1

    made.queue(1, 2)
    made.opened(1, 2)
    queues[1] += ["batch", "batch"]

    # The sender has seen it only after this time: then 2, 1 and 2 are the weights.
    assert made.draw(2, {}) == 1
    assert made.draw(3, {}) == 2


def test_a_batch_opened_at_this_very_time_was_not_seen_by_the_sender() -> None:
    made, queues = loads(0, 0, 1, draws=(3, 3, 3))
    made.opened(0, 5)
    queues[0] += ["batch"]

    assert made.draw(5, {}) == 1  # 0, 0, 1 as it last looked: weights 2, 2, 1
    assert made.draw(6, {}) == 2  # 1, 0, 1 now: weights 1, 2, 1


def test_going_back_restores_draws_and_what_the_sender_has_seen() -> None:
    made, queues = loads(0, 0, 1, draws=(3, 4))
    made.opened(1, 5)
    queues[1] += ["batch"]
    assert made.draw(6, {}) == 2
    queues[1].pop()

    made.go_back()

    assert made.draw(4, {}) == 1
    made.opened(1, 4)
    queues[1] += ["batch"]
    assert made.draw(4, {}) == 2


def test_among_partitions_without_a_leader_only_the_others_are_drawn() -> None:
    made, _ = loads(0, 0, 0, draws=(3, 4, 5), leaders=[0, -1, 0], adaptive=False)

    assert [made.draw(1, {}) for _ in range(3)] == [2, 0, 2]


def test_the_table_leaves_out_a_partition_without_a_leader() -> None:
    made, _ = loads(1, 9, 0, draws=(0, 1, 2, 3), leaders=[0, -1, 0])

    assert [made.draw(1, {}) for _ in range(4)] == [0, 2, 2, 0]


def test_batches_put_back_count_with_their_queue() -> None:
    made, _ = loads(0, 0, 0, draws=(0, 2, 4))

    # 2, 0, 0: weights 1, 3, 3.
    assert [made.draw(1, {0: ["batch", "batch"]}) for _ in range(3)] == [0, 1, 2]


def test_a_node_that_could_not_be_sent_to_for_long_is_left_out() -> None:
    made, _ = loads(1, 1, 1, draws=(0, 1, 2) * 3, leaders=[0, 1, 2], availability_ns=10)
    three = [True, True, True]

    made.look(100, [0, 1, 2], three)
    made.look(110, [1], [True, False, True])
    made.look(111, [1], [True, False, True])
    assert [made.draw(111, {}) for _ in range(3)] == [0, 1, 2]  # 10, not more
    made.look(112, [1], [True, False, True])
    assert [made.draw(112, {}) for _ in range(3)] == [0, 2, 0]
    made.look(113, [1], three)
    made.look(114, [], three)
    assert [made.draw(114, {}) for _ in range(3)] == [0, 1, 2]


def test_an_idle_partition_of_a_node_that_is_gone_is_not_left_out() -> None:
    # Partition 1 is left out, and partition 2 takes its place in Kafka's array. It has
    # no batch, so it keeps the length 2 that stands there: weights 3 and 1.
    made, _ = loads(0, 2, 0, draws=(0, 2, 3), leaders=[1, 1, 1], availability_ns=10)
    made.look(100, [1], [True, True])
    for now_ns in (120, 121):
        made.look(now_ns, [1], [True, False])

    assert [made.draw(121, {}) for _ in range(3)] == [0, 0, 2]


def test_going_back_restores_which_nodes_are_left_out() -> None:
    made, _ = loads(1, 1, draws=(0, 1, 2), leaders=[0, 1], availability_ns=10)
    made.look(100, [0, 1], [True, True])
    made.settle()
    for now_ns in (120, 121):
        made.look(now_ns, [1], [True, False])
    assert made.draw(121, {}) == 0

    made.go_back()

    assert made.draw(119, {}) == 0
    made.look(121, [1], [True, False])
    assert made.draw(121, {}) == 1


def test_a_number_means_a_partition_with_a_leader_or_any_if_none_has_one() -> None:
    """PR-11, PR-17. Source: RoundRobinPartitioner, BuiltInPartitioner."""
    assert [available([0, -1, 1], number) for number in range(4)] == [0, 2, 0, 2]
    assert [available([-1, -1, -1], number) for number in range(4)] == [0, 1, 2, 0]

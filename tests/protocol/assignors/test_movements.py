"""What has moved, and how loaded readers and owners of topics are."""

from kafkasim.protocol.assignors.general import balance_score
from kafkasim.protocol.assignors.loads import Loads, Sizes
from kafkasim.protocol.assignors.movements import PartitionMovements


def test_one_that_came_from_there_goes_back_instead() -> None:
    moved = PartitionMovements()
    moved.move(("t", 1), "a", "b")
    assert moved.really_moved(("t", 5), "b", "a") == ("t", 1)
    assert moved.really_moved(("t", 5), "a", "b") == ("t", 5)
    assert moved.really_moved(("u", 5), "b", "a") == ("u", 5)


def test_what_has_come_home_has_not_moved() -> None:
    moved = PartitionMovements()
    moved.move(("t", 1), "a", "b")
    moved.move(("t", 1), "b", "a")
    assert moved.really_moved(("t", 5), "b", "a") == ("t", 5)


def test_a_second_move_counts_from_where_the_first_began() -> None:
    moved = PartitionMovements()
    moved.move(("t", 1), "a", "b")
    moved.move(("t", 1), "b", "c")
    assert moved.really_moved(("t", 5), "c", "a") == ("t", 1)
    assert moved.really_moved(("t", 5), "b", "a") == ("t", 5)


def test_sizes_know_the_least_and_the_most() -> None:
    sizes = Sizes([3, 1, 4, 1])
    assert (sizes.least, sizes.most) == (1, 4)
    for size in (1, 4, 1):
        sizes.remove(size)
    assert (sizes.least, sizes.most) == (3, 3)
    sizes.remove(3)
    assert not sizes
    sizes.add(7)
    assert (sizes.least, sizes.most) == (7, 7)


def loads(full: int) -> Loads:
    """Return those of two readers of a topic of three partitions, all at the first."""
    return Loads(
        {"t": ["a", "b"]},
        {"a": {"t": 3}, "b": {}},
        {"a": 3, "b": 0},
        {"a": 9, "b": full},
    )


def test_a_group_is_balanced_when_no_move_makes_it_more_so() -> None:
    three = loads(9)
    balanced = [three.balanced]
    three.move("t", "a", "b")
    assert [*balanced, three.balanced] == [False, True]
    assert three.sizes == {"a": 2, "b": 1}
    assert three.least("t") == 1


def test_a_member_with_as_many_as_its_topics_have_is_not_looked_at() -> None:
    assert loads(0).balanced


def test_the_score_of_a_balance_is_the_sum_of_all_differences() -> None:
    assert balance_score([]) == balance_score([4, 4]) == 0
    assert balance_score([3, 1, 6]) == 2 + 5 + 3
    assert balance_score([0, 2**31]) == -(2**31)

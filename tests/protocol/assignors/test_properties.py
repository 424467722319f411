"""What holds for the assignments of any group: total, balanced, sticky.

The slow test takes 10,000 random groups, as many again with a rebalance behind them.
"""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.assignors import CLIENT_ASSIGNORS, assign, assign_at_broker
from kafkasim.protocol.groups.group_messages import Assigned, Subscription

GROUPS = 10_000
Group = dict[str, Subscription]
STICKY = ("sticky", "cooperative-sticky", "uniform")
NAMES = (*CLIENT_ASSIGNORS, "uniform")


def ask(name: str, members: Group, topics: dict[str, int]) -> dict[str, Assigned]:
    if name == "uniform":
        return assign_at_broker(name, members, topics)
    return assign(name, members, topics)


def again(members: Group, had: dict[str, Assigned]) -> Group:
    """Return what members say that have had something."""
    return {
        member: Subscription(one.topics, had[member], 1, None, (had[member], 1))
        if member in had
        else one
        for member, one in members.items()
    }


def settled(
    name: str, members: Group, topics: dict[str, int], had: dict[str, Assigned]
) -> dict[str, Assigned]:
    """Return an assignment once a cooperative group has handed over."""
    got = ask(name, again(members, had), topics)
    if name == "cooperative-sticky":
        got = ask(name, again(members, got), topics)
    return got


def check(name: str, members: Group, topics: dict[str, int]) -> dict[str, Assigned]:
    """Check a fresh assignment: each partition that somebody reads has one reader."""
    got = ask(name, members, topics)
    total(members, topics, got)
    balanced(name, members, got)
    return got


def total(members: Group, topics: dict[str, int], got: dict[str, Assigned]) -> None:
    read = {topic for one in members.values() for topic in one.topics}
    wanted = {(topic, n) for topic in read for n in range(topics.get(topic, 0))}
    owned = [pair for pairs in got.values() for pair in pairs]
    assert len(owned) == len(set(owned))
    assert set(owned) == wanted
    assert set(got) == set(members)
    for member, pairs in got.items():
        assert {topic for topic, _ in pairs} <= set(members[member].topics)


def balanced(name: str, members: Group, got: dict[str, Assigned]) -> None:
    alike = len({one.topics for one in members.values()}) == 1
    sizes = [len(pairs) for pairs in got.values()]
    if name == "range":
        for topic in {topic for one in members.values() for topic in one.topics}:
            each = [
                sum(topic == one for one, _ in got[member])
                for member, said in members.items()
                if topic in said.topics
            ]
            assert max(each) - min(each) <= 1
    elif alike:
        assert max(sizes) - min(sizes) <= 1
    elif name in {"sticky", "cooperative-sticky"}:
        for pairs in got.values():
            for topic, _ in pairs:
                readers = [m for m, one in members.items() if topic in one.topics]
                assert len(pairs) <= min(len(got[one]) for one in readers) + 1


def moves(had: dict[str, Assigned], got: dict[str, Assigned]) -> int:
    """Return how many partitions left a member that is still there."""
    return sum(
        len(set(had[member]) - set(got[member])) for member in had if member in got
    )


def groups(count: int, seed: int) -> Iterator[tuple[Group, dict[str, int], bool]]:
    """Return random groups, every second of equal subscriptions."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        topics = {f"t{at}": int(rng.integers(1, 9)) for at in range(rng.integers(1, 5))}
        alike = number % 2 == 0
        members = {}
        for at in rng.permutation(int(rng.integers(1, 9))).tolist():
            some = list(topics)
            if not alike:
                some = [one for one in topics if rng.random() < 0.6] or [some[0]]
            members[f"member-{at}-{rng.integers(1 << 30):x}"] = Subscription(
                tuple(some)
            )
        yield members, topics, alike


def changed(name: str, members: Group, topics: dict[str, int], *, alike: bool) -> None:
    """Check what stickiness promises when nothing changes, and when somebody leaves."""
    had = check(name, members, topics)
    if name not in STICKY:
        return
    same = settled(name, members, topics, had)
    assert moves(had, same) == 0
    if len(members) == 1 or not alike:
        return
    rest = dict(list(members.items())[1:])
    kept = {member: had[member] for member in rest}
    left = settled(name, rest, topics, kept)
    total(rest, topics, left)
    balanced(name, rest, left)
    assert moves(kept, left) == 0
    more = settled(name, members, topics, left)
    total(members, topics, more)
    balanced(name, members, more)
    newcomer = next(iter(members))
    assert moves(left, more) == len(more[newcomer])


@pytest.mark.parametrize("name", NAMES)
def test_a_few_random_groups_are_total_balanced_and_sticky(name: str) -> None:
    for members, topics, alike in groups(60, seed=1):
        changed(name, members, topics, alike=alike)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_ten_thousand_groups_are_total_balanced_and_sticky(name: str) -> None:
    for members, topics, alike in groups(GROUPS, seed=2):
        changed(name, members, topics, alike=alike)


@given(
    st.lists(st.sets(st.sampled_from("abcd"), min_size=1), min_size=1, max_size=8),
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 12)),
    st.sampled_from(NAMES),
)
def test_any_group_gets_all_partitions_that_it_reads_once(
    reads: list[set[str]], topics: dict[str, int], name: str
) -> None:
    members = {
        f"m{at}": Subscription(tuple(sorted(one))) for at, one in enumerate(reads)
    }
    total(members, topics, ask(name, members, topics))

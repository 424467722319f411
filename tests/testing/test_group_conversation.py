"""What groups say is what the documents show."""

import pytest

from tests.testing.conversations import FOLDER, STORIES


@pytest.mark.parametrize("name", STORIES)
def test_the_transcript_is_what_the_machines_say(name: str) -> None:
    assert STORIES[name]() == (FOLDER / f"{name}.txt").read_text("utf-8")


def test_every_transcript_is_told_and_shown() -> None:
    assert {each.stem for each in FOLDER.glob("*.txt")} == set(STORIES)
    page = (FOLDER.parent / "transcripts.md").read_text("utf-8")
    for name in STORIES:
        assert page.count(f"transcripts/{name}.txt") == 1


def lines(name: str, *words: str) -> list[str]:
    """Return the lines of a story in which all of these occur."""
    told = STORIES[name]().splitlines()
    return [each for each in told if all(word in each for word in words)]


def test_a_group_that_starts_with_three_members_waits_6_s() -> None:
    (began,) = lines("a-join", "CompletingRebalance")
    assert began.split()[:2] == ["6005", "ms"]
    assert len(lines("a-join", "onPartitionsAssigned")) == 3


def test_an_eager_member_gives_up_all_and_a_cooperative_one_what_moves() -> None:
    assert len(lines("an-eager-rebalance", "onPartitionsRevoked(orders-")) == 2
    (revoked,) = lines("a-cooperative-rebalance", "onPartitionsRevoked(orders-")
    assert revoked.count("orders-") == 1
    assert len(lines("a-cooperative-rebalance", "CompletingRebalance")) == 2


def test_a_zombie_s_commit_is_refused_and_what_it_had_is_lost() -> None:
    assert (
        len(lines("a-fenced-zombie", "m1", "OffsetsCommitted(UNKNOWN_MEMBER_ID")) == 1
    )
    assert len(lines("a-fenced-zombie", "m1 onPartitionsLost(orders-")) == 1


def test_nobody_else_hears_of_a_static_restart() -> None:
    heard = lines("a-static-restart", " m1 ")
    after = [each for each in heard if int(each.split()[0]) > 7_000]
    assert after == []
    assert len(lines("a-static-restart", "m2 onPartitionsAssigned(orders-")) == 2


def test_of_two_with_one_name_the_older_one_ends() -> None:
    assert len(lines("two-of-one-name", "old poll() throws FENCED_INSTANCE_ID")) == 1


def test_who_does_not_poll_in_time_leaves_and_comes_back() -> None:
    (left,) = lines("a-poll-that-took-too-long", "m1 -> coordinator", "LeaveGroup")
    assert 300_000 < int(left.split()[0]) <= 313_000
    assert len(lines("a-poll-that-took-too-long", "m1 onPartitionsLost(orders-")) == 1


def test_who_gets_a_partition_goes_on_where_its_last_owner_committed() -> None:
    assert len(lines("an-eager-rebalance", "m3 reads orders-3 from 10")) == 1
    assert len(lines("a-fenced-zombie", "m2 reads orders-0 from 0")) == 1
    assert len(lines("a-fenced-zombie", "m1 reads orders-0 from 10")) == 1


def test_in_a_reconciliation_two_give_up_first_and_nobody_joins_anew() -> None:
    story = "a-reconciliation"
    given_up = lines(story, "onPartitionsRevoked(orders-")
    assert [each.count("orders-") for each in given_up] == [1, 1]
    (got,) = lines(story, "m3 onPartitionsAssigned(orders-2, orders-5)")
    assert all(int(each.split()[0]) < int(got.split()[0]) for each in given_up)
    assert len(lines(story, "member_epoch=0")) == 1


def test_a_coordinator_that_moves_knows_the_generation() -> None:
    story = "a-coordinator-that-moves"
    assert len(lines(story, "Beaten(NOT_COORDINATOR)")) == 2
    assert len(lines(story, "OffsetsCommitted(COORDINATOR_LOAD_IN_PROGRESS)")) == 2
    stored = lines(story, "broker 2 ->", "OffsetsCommitted()")
    assert len(stored) == 4
    assert not lines(story, "onPartitions") + lines(story, "JoinGroup")


def test_no_line_is_wider_than_the_page() -> None:
    for name in STORIES:
        assert max(map(len, STORIES[name]().splitlines())) <= 89

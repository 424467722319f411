"""Rules N8-1 to N8-12 at the coordinator, with literal times.

That it does what Kafka's classes do is shown in `test_consumer_group_scripts.py`; here
each rule is told apart.
"""

from typing import Any

import pytest

from kafkasim.protocol.errors import (
    FENCED_INSTANCE_ID,
    FENCED_MEMBER_EPOCH,
    GROUP_ID_NOT_FOUND,
    GROUP_MAX_SIZE_REACHED,
    INCONSISTENT_GROUP_PROTOCOL,
    INVALID_REQUEST,
    NONE,
    STALE_MEMBER_EPOCH,
    UNKNOWN_MEMBER_ID,
    UNRELEASED_INSTANCE_ID,
    UNSUPPORTED_ASSIGNOR,
)
from kafkasim.protocol.groups.coordinator.consumer_group import GroupState
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CommittedOffset,
    Heartbeat,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    OffsetFetch,
    SyncGroup,
)
from tests.protocol.groups.coordinator.consumer_coordinator import (
    GROUP,
    Coordinator,
    two_members,
)


def test_n8_1_defaults() -> None:
    settings = ConsumerGroupSettings()
    assert settings.session_timeout_ms == 45_000
    assert settings.heartbeat_interval_ms == 5_000
    assert settings.assignment_interval_ms == 1_000


def test_n8_3_a_group_begins_with_epoch_1_and_each_change_adds_one() -> None:
    known = Coordinator()
    assert known.join("a").member_epoch == 2
    known.join("b", 2_000)
    known.beat("b", -1, 4_000)
    group = known.groups.group(GROUP)
    assert group.epoch == 4
    assert known.causes == ["member joined", "member joined", "member left"]


def test_n8_3_added_partitions_are_seen_with_the_next_heartbeat() -> None:
    known = Coordinator()
    known.join("a")
    assert known.beat("a", 2, 1_000, owned=()).assigned is None
    known.topics["t"] = 5
    assert known.beat("a", 2, 2_000).assigned is None
    known.groups.metadata_changed(["other"])
    assert known.beat("a", 2, 3_000).assigned is None
    known.groups.metadata_changed(["t"])
    told = known.beat("a", 2, 4_000)
    assert (told.member_epoch, told.assigned) == (
        3,
        tuple(("t", at) for at in range(5)),
    )
    assert known.causes[-1] == "topics changed"


def test_n8_4_a_target_is_computed_an_interval_after_the_one_before() -> None:
    known = Coordinator()
    known.join("a", 500)
    assert known.join("b", 1_499).member_epoch == 2
    assert known.causes[-1] == "member joined"
    assert known.beat("b", 2, 1_500).member_epoch == 3
    assert known.causes[-1] == "target computed"


def test_n8_4_an_interval_of_0_computes_it_at_once() -> None:
    known = Coordinator(assignment_interval_ms=0)
    known.join("a", 500)
    assert known.join("b", 501).member_epoch == 3


def test_n8_5_partitions_go_from_one_member_to_the_other() -> None:
    known = Coordinator()
    known.join("a")
    joined = known.join("b", 5_000)
    assert (joined.member_epoch, joined.assigned) == (3, ())
    told = known.beat("a", 2, 5_100)
    kept = told.assigned
    assert told.member_epoch == 2 and kept is not None and len(kept) == 2
    assert known.beat("b", 3, 5_200).assigned is None
    acknowledged = known.beat("a", 2, 5_300, owned=kept)
    assert (acknowledged.member_epoch, acknowledged.assigned) == (3, None)
    given = known.beat("b", 3, 5_400).assigned
    assert given is not None and set(given) | set(kept) == {
        ("t", at) for at in range(4)
    }
    assert known.state == GroupState.STABLE


def test_n8_6_who_does_not_give_up_within_its_rebalance_timeout_is_removed() -> None:
    known = Coordinator()
    known.join("a")
    known.join("b", 5_000)
    known.beat("a", 2, 5_100)
    for now_ms in (9_000, 13_000):
        known.beat("a", 2, now_ms)
        known.beat("b", 3, now_ms)
    known.time_out(13_100)
    assert known.causes[-1] == "revocation took too long"
    assert known.beat("a", 2, 13_200).error == UNKNOWN_MEMBER_ID
    assert len(known.beat("b", 3, 13_300).assigned or ()) == 4


def test_n8_6_who_gave_up_in_time_is_not() -> None:
    known = two_members()
    known.beat("a", 3, 13_050)
    known.beat("b", 3, 13_050)
    assert known.groups.next_deadline_ms == 13_050 + 45_000


def test_a_session_lasts_45_s_from_the_last_heartbeat() -> None:
    known = Coordinator()
    known.join("a")
    known.beat("a", 2, 3_000)
    known.time_out(48_000)
    assert known.causes[-1] == "session expired"
    assert known.state == GroupState.EMPTY


def test_n8_7_a_member_that_joins_is_stable_at_once_if_it_is_alone() -> None:
    known = Coordinator()
    known.join("a")
    assert known.state == GroupState.STABLE


def test_n8_8_another_epoch_is_fenced() -> None:
    known = two_members()
    assert known.beat("a", 4, 11_000).error == FENCED_MEMBER_EPOCH
    assert known.beat("a", 1, 11_000, owned=()).error == FENCED_MEMBER_EPOCH
    assert known.beat("x", 3, 11_000).error == UNKNOWN_MEMBER_ID


def test_n8_8_the_epoch_before_will_do_if_the_response_got_lost() -> None:
    known = two_members()
    kept = tuple(known.groups.group(GROUP).members["a"].assigned)
    again = known.beat(
        "a", 2, 11_000, owned=kept, topics=("t",), rebalance_timeout_ms=8_000
    )
    assert (again.error, again.member_epoch) == (NONE, 3)
    assert again.assigned == tuple(sorted(kept))
    everything = tuple(("t", at) for at in range(4))
    assert known.beat("a", 2, 11_000, owned=everything).error == FENCED_MEMBER_EPOCH
    assert known.beat("a", 2, 11_000).error == FENCED_MEMBER_EPOCH


def test_n8_8_one_that_joins_again_with_its_id_keeps_its_place() -> None:
    known = two_members()
    epoch = known.groups.group(GROUP).epoch
    again = known.join("a", 11_000)
    assert again.member_epoch == 3 and len(again.assigned or ()) == 2
    assert known.groups.group(GROUP).epoch == epoch


def test_n8_8_a_static_member_that_is_away_comes_back_to_what_it_had() -> None:
    known = Coordinator()
    had = known.join("a", instance_id="i").assigned
    assert known.beat("a", -2, 1_000, instance_id="i").member_epoch == -2
    assert known.groups.group(GROUP).members["a"].epoch == -2
    back = known.join("b", 9_000, instance_id="i")
    assert (back.member_epoch, back.assigned) == (2, had)
    assert known.groups.group(GROUP).epoch == 2
    assert list(known.groups.group(GROUP).members) == ["b"]


def test_n8_8_an_instance_id_has_one_member() -> None:
    known = Coordinator()
    known.join("a", instance_id="i")
    assert known.join("b", 1, instance_id="i").error == UNRELEASED_INSTANCE_ID
    assert known.beat("b", 2, 1, instance_id="i").error == FENCED_INSTANCE_ID
    assert known.beat("b", -1, 1, instance_id="i").error == FENCED_INSTANCE_ID
    assert known.beat("a", 2, 1, instance_id="j").error == UNKNOWN_MEMBER_ID


def test_one_that_is_away_is_removed_when_its_session_ends() -> None:
    known = Coordinator()
    known.join("a", instance_id="i")
    known.beat("a", -2, 40_000, instance_id="i")
    known.time_out(45_000)
    assert known.state == GroupState.EMPTY


def commit(known: Coordinator, epoch: int, *partitions: int) -> tuple[int, ...]:
    offsets = tuple(
        CommittedOffset(topic="t", partition=at, offset=1) for at in partitions
    )
    request = OffsetCommit(
        group=GROUP, member_id="b", generation=epoch, offsets=offsets
    )
    return known.groups.commit_errors(request, 11_000)


def test_n8_9_an_old_epoch_commits_what_was_assigned_in_it_or_before() -> None:
    known = two_members()
    (first, second) = known.groups.group(GROUP).members["b"].assigned
    known.join("c", 11_000)
    known.beat("b", 3, 12_000)
    kept = tuple(known.groups.group(GROUP).members["b"].assigned)
    known.beat("b", 3, 12_100, owned=kept)
    member = known.groups.group(GROUP).members["b"]
    assert member.epoch == 4
    given_up = ({first, second} - set(kept)).pop()[1] if len(kept) == 1 else 9
    held = kept[0][1]
    assert commit(known, 4, held, given_up) == (NONE, NONE)
    assert commit(known, 3, held, given_up) == (NONE, STALE_MEMBER_EPOCH)
    assert commit(known, 2, held) == (STALE_MEMBER_EPOCH,)
    assert commit(known, 5, held) == (STALE_MEMBER_EPOCH,)


def test_n8_9_who_is_in_no_group_commits_while_it_has_no_members() -> None:
    known = Coordinator()
    known.join("b")
    assert commit(known, -1, 0) == (STALE_MEMBER_EPOCH,)
    known.beat("b", -1, 1_000)
    assert commit(known, -1, 0) == (NONE,)
    assert commit(known, 2, 0) == (UNKNOWN_MEMBER_ID,)


def test_asking_for_offsets_takes_the_epoch() -> None:
    known = two_members()

    def asked(member_id: str | None, epoch: int) -> int:
        request = OffsetFetch(
            group=GROUP, member_id=member_id, member_epoch=epoch, partitions=()
        )
        return known.groups.may_fetch(request)

    assert (asked("b", 3), asked("b", 2)) == (NONE, STALE_MEMBER_EPOCH)
    assert (asked(None, -1), asked("x", 3)) == (NONE, UNKNOWN_MEMBER_ID)


def test_n8_10_what_it_owns_is_told_when_it_is_new_or_asked_for() -> None:
    known = Coordinator()
    had = known.join("a").assigned
    assert known.beat("a", 2, 1_000, owned=had).assigned is None
    full = {"owned": had, "topics": ("t",), "rebalance_timeout_ms": 8_000}
    assert known.beat("a", 2, 2_000, **full).assigned == had


def test_n8_12_most_members_choose_the_assignor() -> None:
    known = Coordinator(partitions=3)
    known.topics["u"] = 3
    known.join("a", topics=("t", "u"), server_assignor="range")
    known.join("b", 2_000, topics=("t", "u"))
    known.beat("a", 2, 3_000)
    targets = known.groups.group(GROUP).targets
    assert set(targets["a"]) == {("t", 0), ("t", 1), ("u", 0), ("u", 1)}
    assert set(targets["b"]) == {("t", 2), ("u", 2)}
    assert known.join("c", 4_000, server_assignor="mine").error == UNSUPPORTED_ASSIGNOR


def test_a_full_group_takes_nobody_but_its_members() -> None:
    known = Coordinator(max_size=1)
    known.join("a")
    assert known.join("b", 1).error == GROUP_MAX_SIZE_REACHED
    assert known.join("a", 2).error == NONE


@pytest.mark.parametrize(
    ("epoch", "said"),
    [
        (0, {"topics": None}),
        (0, {"owned": None}),
        (0, {"owned": (("t", 0),)}),
        (0, {"rebalance_timeout_ms": None}),
        (0, {"instance_id": ""}),
        (0, {"member_id": ""}),
        (-2, {}),
        (-3, {}),
    ],
)
def test_what_no_group_accepts(epoch: int, said: dict[str, Any]) -> None:
    known = Coordinator()
    all_said: dict[str, Any] = {
        "rebalance_timeout_ms": 8_000,
        "topics": ("t",),
        "owned": (),
    }
    all_said |= said
    member_id = all_said.pop("member_id", "a")
    assert known.beat(member_id, epoch, **all_said).error == INVALID_REQUEST


def test_a_group_that_is_not_there_is_made_by_one_that_joins_only() -> None:
    known = Coordinator()
    assert known.beat("a", 2).error == GROUP_ID_NOT_FOUND
    assert known.beat("a", -1).error == GROUP_ID_NOT_FOUND
    assert not known.groups.has(GROUP)


def test_n8_13_members_of_the_classic_protocol_are_refused() -> None:
    known = Coordinator()
    known.join("a")
    requests = (
        JoinGroup(group=GROUP, protocols=()),
        SyncGroup(group=GROUP, generation=1, member_id="x"),
        Heartbeat(group=GROUP, generation=1, member_id="x"),
        LeaveGroup(group=GROUP, member_id="x"),
    )
    errors = []
    for request in requests:
        (effect,) = known.groups.handle(request, 1)
        assert isinstance(effect, Answer)
        errors.append(getattr(effect.response, "error", None))
    unknown = UNKNOWN_MEMBER_ID
    assert errors == [INCONSISTENT_GROUP_PROTOCOL, unknown, unknown, unknown]

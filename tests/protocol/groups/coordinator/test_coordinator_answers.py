"""What clients hear of what a coordinator cannot do."""

import pytest

from kafkasim.protocol.errors import (
    COORDINATOR_LOAD_IN_PROGRESS,
    COORDINATOR_NOT_AVAILABLE,
    ERRORS,
    ILLEGAL_GENERATION,
    KAFKA_STORAGE_ERROR,
    MESSAGE_TOO_LARGE,
    NETWORK_EXCEPTION,
    NONE,
    NOT_COORDINATOR,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    RECORD_LIST_TOO_LARGE,
    REQUEST_TIMED_OUT,
    UNKNOWN_SERVER_ERROR,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from kafkasim.protocol.groups.coordinator.coordinator_answers import (
    refusal,
    refused,
    wrong,
)
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Beaten,
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Synced,
    SyncGroup,
)


def _requests(group: str) -> list[Request]:
    return [
        JoinGroup(group=group, member_id="m", protocols=()),
        SyncGroup(group=group, generation=1, member_id="m"),
        Heartbeat(group=group, generation=1, member_id="m"),
        LeaveGroup(group=group, member_id="m"),
        OffsetCommit(
            group=group,
            offsets=(
                CommittedOffset(topic="t", partition=0, offset=1),
                CommittedOffset(topic="u", partition=1, offset=2),
            ),
        ),
        OffsetFetch(group=group, partitions=()),
        ConsumerGroupHeartbeat(group=group, member_id="m", member_epoch=0),
        FindCoordinator(group=group),
    ]


REFUSALS: list[Response] = [
    Joined(error=NOT_COORDINATOR, member_id="m"),
    Synced(error=NOT_COORDINATOR),
    Beaten(error=NOT_COORDINATOR),
    Left(error=NOT_COORDINATOR),
    OffsetsCommitted(errors=((("t", 0), NOT_COORDINATOR), (("u", 1), NOT_COORDINATOR))),
    OffsetsFetched(error=NOT_COORDINATOR),
    ConsumerGroupBeaten(error=NOT_COORDINATOR, heartbeat_interval_ms=0),
    CoordinatorFound(error=NOT_COORDINATOR),
]


@pytest.mark.parametrize(
    ("request_", "response"), list(zip(_requests("g"), REFUSALS, strict=True))
)
def test_each_request_has_its_own_refusal(
    request_: Request, response: Response
) -> None:
    assert refused(request_, NOT_LEADER_OR_FOLLOWER) == Answer(request_, response)


TOLD = {
    NETWORK_EXCEPTION: COORDINATOR_LOAD_IN_PROGRESS,
    UNKNOWN_TOPIC_OR_PARTITION: COORDINATOR_NOT_AVAILABLE,
    NOT_ENOUGH_REPLICAS: COORDINATOR_NOT_AVAILABLE,
    REQUEST_TIMED_OUT: COORDINATOR_NOT_AVAILABLE,
    NOT_LEADER_OR_FOLLOWER: NOT_COORDINATOR,
    KAFKA_STORAGE_ERROR: NOT_COORDINATOR,
    MESSAGE_TOO_LARGE: UNKNOWN_SERVER_ERROR,
    RECORD_LIST_TOO_LARGE: UNKNOWN_SERVER_ERROR,
    ILLEGAL_GENERATION: ILLEGAL_GENERATION,
}


@pytest.mark.parametrize("error", TOLD, ids=lambda error: ERRORS[error])
def test_errors_of_the_log_become_errors_of_a_coordinator(error: int) -> None:
    leave = LeaveGroup(group="g", member_id="m")
    assert refusal(leave, error) == Left(error=TOLD[error])


@pytest.mark.parametrize(
    "error", [UNKNOWN_TOPIC_OR_PARTITION, NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT]
)
def test_one_that_asks_for_offsets_is_sent_to_look_again(error: int) -> None:
    fetch = OffsetFetch(group="g", partitions=())
    assert refusal(fetch, error) == OffsetsFetched(error=NOT_COORDINATOR)
    still = OffsetsFetched(error=COORDINATOR_LOAD_IN_PROGRESS)
    assert refusal(fetch, COORDINATOR_LOAD_IN_PROGRESS) == still


def test_a_heartbeat_during_the_load_hears_that_all_is_well() -> None:
    classic = Heartbeat(group="g", generation=1, member_id="m")
    assert refusal(classic, COORDINATOR_LOAD_IN_PROGRESS) == Beaten(error=NONE)
    modern = ConsumerGroupHeartbeat(group="g", member_id="m", member_epoch=3)
    answer = refusal(modern, COORDINATOR_LOAD_IN_PROGRESS)
    assert isinstance(answer, ConsumerGroupBeaten)
    assert answer.error == COORDINATOR_LOAD_IN_PROGRESS


def test_a_group_has_a_name_unless_it_only_keeps_offsets() -> None:
    assert [wrong(request) for request in _requests("g")] == [NONE] * 8
    names = [
        "" if error == NONE else ERRORS[error] for error in map(wrong, _requests(""))
    ]
    invalid = "INVALID_GROUP_ID"
    assert names[:7] == [invalid] * 4 + ["", "", "INVALID_REQUEST"]

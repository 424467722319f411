"""What members and coordinators say, in words that fit a line."""

from collections.abc import Iterable

from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.group_messages import (
    Joined,
    JoinGroup,
    OffsetCommit,
    OffsetsCommitted,
    Request,
    Response,
    Synced,
    SyncGroup,
    TopicPartition,
)


def error_name(error: int) -> str:
    """Return Kafka's name of an error, `NONE` for none."""
    return "NONE" if error == NONE else ERRORS[error]


def partition_names(partitions: Iterable[TopicPartition]) -> str:
    """Return partitions as Kafka prints them, such as `orders-0, orders-1`."""
    return ", ".join(f"{topic}-{number}" for topic, number in partitions)


def request_words(request: Request) -> str:
    """Return a request with what tells it from others."""
    said = []
    for field in ("member_id", "instance_id", "generation"):
        value = getattr(request, field, None)
        if value is not None:
            said.append(f"{field}={value!r}")
    match request:
        case JoinGroup(protocols=protocols):
            topics = sorted({each for _, said in protocols for each in said.topics})
            said.append("reads " + ", ".join(topics))
        case SyncGroup(assignments=assignments) if assignments:
            said += [f"{who}: {partition_names(had)}" for who, had in assignments]
        case OffsetCommit(offsets=offsets):
            said += [
                f"{each.topic}-{each.partition}: {each.offset}" for each in offsets
            ]
        case _:
            pass
    return f"{type(request).__name__}({'; '.join(said)})"


def response_words(response: Response) -> str:
    """Return a response: its error, or what came instead."""
    error = getattr(response, "error", NONE)
    if isinstance(response, OffsetsCommitted):
        error = next((each for _, each in response.errors if each != NONE), NONE)
    said = [error_name(error)] if error != NONE else []
    match response:
        case Joined() if error == NONE:
            said += [f"generation={response.generation}", f"leader={response.leader!r}"]
            said.append(f"member_id={response.member_id!r}")
            said += [f"protocol={response.protocol!r}"] if response.members else []
            if response.members:
                names = ", ".join(sorted(who for who, _, _ in response.members))
                said.append(f"members {names}")
            said += ["skip_assignment"] if response.skip_assignment else []
        case Joined():
            said += [f"member_id={response.member_id!r}"] if response.member_id else []
        case Synced() if error == NONE:
            said.append(partition_names(response.assigned) or "nothing")
        case _:
            pass
    return f"{type(response).__name__}({'; '.join(said)})"

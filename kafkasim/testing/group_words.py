"""What members and coordinators say, in words that fit a line."""

from collections.abc import Iterable
from textwrap import wrap
from typing import Final

from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.group_messages import (
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    Joined,
    JoinGroup,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Synced,
    SyncGroup,
    TopicPartition,
)

_WIDTH: Final = 89
"""Characters of a line."""
_KEPT: Final = "\N{NO-BREAK SPACE}"


def error_name(error: int) -> str:
    """Return Kafka's name of an error, `NONE` for none."""
    return "NONE" if error == NONE else ERRORS[error]


def partition_names(partitions: Iterable[TopicPartition]) -> str:
    """Return partitions as Kafka prints them, such as `orders-0, orders-1`."""
    return ", ".join(f"{topic}-{number}" for topic, number in partitions)


def says_something(request: Request, response: Response) -> bool:
    """Tell whether a heartbeat, or its answer, says more than that all is well."""
    if getattr(response, "error", NONE) != NONE:
        return True
    if not isinstance(request, ConsumerGroupHeartbeat):
        return False
    assert isinstance(response, ConsumerGroupBeaten)
    return (
        (request.topics, request.owned, response.assigned) != (None, None, None)
        or response.member_epoch != request.member_epoch
    )  # fmt: skip


def request_words(request: Request) -> str:
    """Return a request with what tells it from others."""
    said = []
    for field in ("member_id", "instance_id", "generation", "member_epoch"):
        value = getattr(request, field, None)
        if value is not None:
            said.append(f"{field}={value!r}")
    match request:
        case JoinGroup(protocols=protocols):
            topics = sorted({each for _, said in protocols for each in said.topics})
            said.append("reads " + ", ".join(topics))
        case SyncGroup(assignments=assignments) if assignments:
            said += [f"{who}: {_or_nothing(had)}" for who, had in assignments]
        case OffsetCommit(offsets=offsets):
            said += [
                f"{each.topic}-{each.partition}: {each.offset}" for each in offsets
            ]
        case OffsetFetch(partitions=partitions):
            said = [partition_names(partitions)]
        case ConsumerGroupHeartbeat(topics=topics, owned=owned):
            said += [] if topics is None else ["reads " + ", ".join(topics)]
            said += [] if owned is None else [f"owns {_or_nothing(owned)}"]
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
            said.append(_or_nothing(response.assigned))
        case CoordinatorFound(node=node) if error == NONE:
            said.append(f"broker {node + 1}")
        case OffsetsFetched(offsets=offsets) if error == NONE:
            said += [
                f"{each.topic}-{each.partition}: {each.offset}" for each in offsets
            ]
        case ConsumerGroupBeaten(assigned=assigned) if error == NONE:
            said.append(f"member_epoch={response.member_epoch}")
            said += [] if assigned is None else [f"is to own {_or_nothing(assigned)}"]
        case _:
            pass
    return f"{type(response).__name__}({'; '.join(said)})"


def _or_nothing(partitions: Iterable[TopicPartition]) -> str:
    return partition_names(partitions) or "nothing"


def lines_of(ms: int, words: str) -> list[str]:
    """Return what was said in lines that are not too wide."""
    before = f"{ms:>7} ms  "
    for kept in (": ", " from "):  # stays in one line with what follows
        words = words.replace(kept, kept.replace(" ", _KEPT))
    lines = wrap(
        words,
        _WIDTH,
        initial_indent=before,
        subsequent_indent=" " * (len(before) + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_KEPT, " ") for line in lines]

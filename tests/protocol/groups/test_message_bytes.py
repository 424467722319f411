"""Requests of groups and responses are as large as Kafka's own classes make them.

`tests/protocol/kafka/MessageSizes.java` has written the sizes.
"""

import json
from pathlib import Path

import pytest

from kafkasim.protocol.groups.group_messages import (
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
    Subscription,
    Synced,
    SyncGroup,
)
from kafkasim.protocol.groups.message_bytes import request_bytes, response_bytes

SIZES = json.loads(
    (Path(__file__).parents[1] / "data" / "message_sizes.json").read_text("utf-8")
)
AT = (("orders", 0), ("orders", 1), ("paid", 0))
SAYS = Subscription(("orders", "paid"), AT, 3, rack="r1")
OFFSETS = tuple(
    CommittedOffset(
        topic=topic, partition=number, offset=5 + place, metadata="x" * (place == 1)
    )
    for place, (topic, number) in enumerate(AT)
)

MESSAGES: list[tuple[Request, Response]] = [
    (FindCoordinator(group="billing"), CoordinatorFound(node=1)),
    (
        JoinGroup(
            group="billing",
            member_id="m-1",
            instance_id="i",
            protocols=(("range", SAYS),),
        ),
        Joined(
            generation=3,
            protocol="range",
            leader="m-1",
            member_id="m-1",
            members=(("m-1", "i", SAYS), ("m-22", None, SAYS)),
        ),
    ),
    (
        SyncGroup(
            group="billing",
            member_id="m-1",
            generation=3,
            instance_id="i",
            protocol="range",
            assignments=(("m-1", AT),),
        ),
        Synced(protocol="range", assigned=AT),
    ),
    (Heartbeat(group="billing", member_id="m-1", generation=3), Beaten()),
    (LeaveGroup(group="billing", member_id="m-1"), Left()),
    (
        OffsetCommit(group="billing", member_id="m-1", generation=3, offsets=OFFSETS),
        OffsetsCommitted(errors=tuple((at, 0) for at in AT)),
    ),
    (OffsetFetch(group="billing", partitions=AT), OffsetsFetched(offsets=OFFSETS)),
    (
        ConsumerGroupHeartbeat(
            group="billing",
            member_id="m-1",
            member_epoch=3,
            rebalance_timeout_ms=300_000,
            topics=("orders", "paid"),
            server_assignor="uniform",
            owned=AT,
        ),
        ConsumerGroupBeaten(member_id="m-1", member_epoch=3, assigned=AT),
    ),
    (
        ConsumerGroupHeartbeat(group="billing", member_id="m-1", member_epoch=3),
        ConsumerGroupBeaten(member_id="m-1", member_epoch=3),
    ),
]


@pytest.mark.parametrize(
    ("message", "sizes"),
    list(zip(MESSAGES, SIZES, strict=True)),
    ids=range(len(MESSAGES)),
)
def test_messages_are_as_large_as_kafkas(
    message: tuple[Request, Response], sizes: tuple[str, int, int]
) -> None:
    request, response = message
    _, asked, answered = sizes
    assert request_bytes(request) == asked
    assert response_bytes(request, response) == answered

"""Every state of a classic group, every request: a legal state, or Kafka's error."""

from collections.abc import Callable
from itertools import product

import pytest

from kafkasim.protocol.groups.coordinator.classic_group import TRANSITIONS, State
from kafkasim.protocol.groups.group_messages import Joined, Subscription, Synced
from tests.protocol.groups.coordinator.classic_coordinator import (
    GROUP,
    RANGE,
    Coordinated,
    name,
)

OTHER = (("range", Subscription(("payments",))),)
STRANGE = (("strange", Subscription(("orders",))),)

# Ways to have a group in each state: with a dynamic leader m1-1, a dynamic follower
# m2-2 and a static follower one-3, as far as there are members.


def none() -> Coordinated:
    return Coordinated()


def empty() -> Coordinated:
    coordinated = stable()
    for each in tuple(coordinated.members):
        coordinated.leave(each)
    return coordinated


def initial() -> Coordinated:
    coordinated = Coordinated()
    coordinated.enter("m1")
    coordinated.enter("m2")
    coordinated.join("s", instance_id="one")
    return coordinated


def preparing() -> Coordinated:
    coordinated = stable()
    coordinated.join("m1", "m1-1")
    return coordinated


def completing() -> Coordinated:
    coordinated = initial()
    coordinated.at(6_000)
    return coordinated


def storing() -> Coordinated:
    coordinated = completing()
    coordinated.holds = True
    coordinated.sync("m1-1", 1)
    return coordinated


def stable() -> Coordinated:
    coordinated = completing()
    coordinated.settle()
    return coordinated


def dead() -> Coordinated:
    coordinated = stable()
    coordinated.take(coordinated.groups.unloaded(coordinated.now_ms))
    return coordinated


STATES: dict[str, tuple[Callable[[], Coordinated], str | None]] = {
    "none": (none, None),
    "empty": (empty, "Empty"),
    "initial": (initial, "PreparingRebalance"),
    "preparing": (preparing, "PreparingRebalance"),
    "completing": (completing, "CompletingRebalance"),
    "storing": (storing, "CompletingRebalance"),
    "stable": (stable, "Stable"),
    "dead": (dead, "Dead"),
}

WHO = ["", "m1-1", "m2-2", "one-3", "m9-9"]
NAMED = [None, "one", "two"]
GENERATIONS = [-1, 0, 1, 2]
KINDS = ("join", "sync", "heartbeat", "leave", "commit")

UNKNOWN, FENCED, OLD = "UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID", "ILLEGAL_GENERATION"
NEEDED, STRANGER = "MEMBER_ID_REQUIRED", "INCONSISTENT_GROUP_PROTOCOL"
BUSY, GONE = "REBALANCE_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE"
NOBODY = {UNKNOWN, FENCED}
NEW = {*NOBODY, NEEDED, STRANGER}
TOLD: dict[str, tuple[set[str], ...]] = {
    "none": (
        *({NEEDED, UNKNOWN}, {UNKNOWN}, {UNKNOWN}, {UNKNOWN}),
        {"GROUP_ID_NOT_FOUND", "NONE"},
    ),
    "empty": ({NEEDED, UNKNOWN}, {UNKNOWN}, {UNKNOWN}, {UNKNOWN}, {UNKNOWN, "NONE"}),
    "initial": (
        *(NEW, {*NOBODY, OLD, BUSY}, {*NOBODY, OLD, BUSY}),
        *({*NOBODY, "NONE"}, {*NOBODY, OLD, "NONE"}),
    ),
    "preparing": (
        *(NEW, {*NOBODY, OLD, BUSY}, {*NOBODY, OLD, BUSY}),
        *({*NOBODY, "NONE"}, {*NOBODY, OLD, "NONE"}),
    ),
    "completing": (
        *({*NEW, "NONE"}, {*NOBODY, OLD, "NONE"}, {*NOBODY, OLD, "NONE"}),
        *({*NOBODY, "NONE"}, {*NOBODY, OLD, BUSY}),
    ),
    "storing": (
        *({*NEW, "NONE"}, {*NOBODY, OLD}, {*NOBODY, OLD, "NONE"}),
        *({*NOBODY, "NONE"}, {*NOBODY, OLD, BUSY}),
    ),
    "stable": (
        *({*NEW, "NONE"}, {*NOBODY, OLD, "NONE"}, {*NOBODY, OLD, "NONE"}),
        *({*NOBODY, "NONE"}, {*NOBODY, OLD, "NONE"}),
    ),
    "dead": ({GONE}, {GONE}, {GONE}, {GONE}, {GONE}),
}
"""What requests are told at once, by the state of their group, and nothing else."""


def joined(
    c: Coordinated, who: str, named: str | None, protocols: object
) -> str | None:
    response = c.join("m", who, instance_id=named, protocols=protocols)  # type: ignore[arg-type]
    assert response is None or isinstance(response, Joined)
    return None if response is None else name(response.error)


def synced(c: Coordinated, who: str, named: str | None, generation: int) -> str | None:
    if not c.groups.has(GROUP):
        c.groups.create(GROUP, 0)
    response = c.sync(who, generation, instance_id=named)
    assert response is None or isinstance(response, Synced)
    return None if response is None else name(response.error)


REQUESTS: list[tuple[str, str, Callable[[Coordinated], str | None]]] = [
    *(
        (
            "join",
            f"{who} {named} {protocols[0][0]} {protocols[0][1].topics}",
            lambda c, w=who, n=named, p=protocols: joined(c, w, n, p),
        )
        for who, named, protocols in product(WHO, NAMED, [RANGE, OTHER, STRANGE])
    ),
    *(
        (
            "sync",
            f"{who} {named} {generation}",
            lambda c, w=who, n=named, g=generation: synced(c, w, n, g),
        )
        for who, named, generation in product(WHO, NAMED, GENERATIONS)
    ),
    *(
        (
            "heartbeat",
            f"{who} {named} {generation}",
            lambda c, w=who, n=named, g=generation: c.heartbeat(w, g, instance_id=n),
        )
        for who, named, generation in product(WHO, NAMED, GENERATIONS)
    ),
    *(
        (
            "leave",
            f"{who} {named}",
            lambda c, w=who, n=named: c.leave(w, n),
        )
        for who, named in product(WHO, NAMED)
    ),
    *(
        (
            "commit",
            f"{who} {named} {generation}",
            lambda c, w=who, n=named, g=generation: c.commit(w, g, instance_id=n),
        )
        for who, named, generation in product(WHO, NAMED, GENERATIONS)
    ),
]


def reachable(before: str) -> set[str]:
    """The state itself, and those that are one or two legal ways away."""
    found = {before}
    for _ in range(2):
        found |= {str(to) for at, to in TRANSITIONS if at in found and to != State.DEAD}
    return found


@pytest.mark.parametrize("state", STATES)
def test_every_request_leads_to_a_legal_state_or_gets_an_error_of_its_kind(
    state: str,
) -> None:
    make, before = STATES[state]
    told: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for kind, words, ask in REQUESTS:
        coordinated = make()
        assert coordinated.groups.has(GROUP) is (before is not None)
        assert before is None or coordinated.state == before
        error = ask(coordinated)
        after = coordinated.state if coordinated.groups.has(GROUP) else "Empty"
        place = f"{state}: {kind} {words}: {error}"
        if error is not None:
            told[kind].add(error)
        if error in (None, "NONE"):
            assert after in reachable(before or "Empty"), place
        else:
            assert after == (before or "Empty"), place
    assert told == dict(zip(KINDS, TOLD[state], strict=True))


def test_time_alone_brings_every_group_to_rest() -> None:
    """Nobody heartbeats: after the longest timeouts each group is empty."""
    for state, (make, _) in STATES.items():
        for _, words, ask in REQUESTS[::7]:
            coordinated = make()
            ask(coordinated)
            coordinated.holds = False
            while coordinated.waiting:
                coordinated.end()
            coordinated.at(coordinated.now_ms + 2_000_000)
            assert coordinated.groups.next_deadline_ms is None, (state, words)
            if coordinated.groups.has(GROUP) and state != "dead":
                assert (coordinated.state, coordinated.members) == ("Empty", [])

"""Consumer groups of a scenario: who is in them, and which of them really join.

A group that is joined at the start, and to which nothing happens, needs no coordinator
and no heartbeats to read as it does, as long as its members poll in time; whether they
do shows in the run alone. Where one group of a run needs coordinators, all have them.
"""

from collections.abc import Iterable

from kafkasim.ids import Target
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.member_events import AddMember, MemberEvent, StuckRecord
from kafkasim.scenario.members import Member, named
from kafkasim.scenario.systems import Group, Kafka


def members_of(
    subscriber: str, group: Group, events: Iterable[Event]
) -> dict[str, Member]:
    """Return all members that a group has in a run, by name: `billing/1`.

    Those that are there from the start come first, in the order of their names as they
    were said; then those that come, in the order of the events.

    Parameters
    ----------
    subscriber : str
        Whose group it is.
    group : Group
        Its description.
    events : iterable of Event
        Of the scenario, in the order in which they were said.
    """
    members = named(group.members)
    for event in additions_to(subscriber, events):
        members[added_name(event, members)] = Member(event.instance_id)
    return {f"{subscriber}/{name}": each for name, each in members.items()}


def additions_to(subscriber: str, events: Iterable[Event]) -> list[AddMember]:
    """Return the events that add members to a group, in the order of their times."""
    target = f"subscriber:{subscriber}"
    added = [e for e in events if isinstance(e, AddMember) and e.target == target]
    return sorted(added, key=lambda event: event.at_s)


def added_name(event: AddMember, there: Iterable[str]) -> str:
    """Return the name in its group of a member that comes: the next number if none."""
    if event.name is not None:
        return event.name
    taken = set(there)
    number = len(taken) + 1
    while str(number) in taken:
        number += 1
    return str(number)


def is_coordinated(system: Kafka, events: Iterable[Event]) -> bool:
    """Return whether groups need coordinators.

    One begins cold; or something befalls its members, its coordinator or its offsets;
    or all its members stand still until their sessions end. Then a group that is joined
    is one that its coordinator has on record as stable.

    Parameters
    ----------
    system : Kafka
        Resolved.
    events : iterable of Event
        Of the scenario.
    """
    is_cold = any(group.start == "cold" for group in system.groups.values())
    return is_cold or any(
        _befalls_members(event) or _outlasts_session(event, system) for event in events
    )


def _outlasts_session(event: Event, system: Kafka) -> bool:
    """Return whether a whole group may have no session any more when it goes on."""
    if not isinstance(event, Pause) or event.for_s is None:
        return False
    target = Target.parse(event.target)
    if target.kind != "subscriber":
        return False
    config = system.groups[target.name].config
    session_ms, beats_ms = config.session_timeout_ms, config.heartbeat_interval_ms
    if config.group_protocol == "consumer":
        broker = system.broker_config
        session_ms = broker.group_consumer_session_timeout_ms
        beats_ms = broker.group_consumer_heartbeat_interval_ms
    return event.for_s * 1_000 > session_ms - beats_ms


def _befalls_members(event: Event) -> bool:
    if isinstance(event, StuckRecord):
        return False
    if isinstance(event, MemberEvent):
        return True
    is_blow = isinstance(event, Crash | Pause | Slow)
    return is_blow and Target.parse(event.target).kind == "member"

"""What events at consumer groups must keep together with the rest of a scenario."""

from collections.abc import Mapping, Sequence

from kafkasim.catalogue import say
from kafkasim.config.document import effective
from kafkasim.config.frozen import UNSET
from kafkasim.config.paths import join_path, one_of, suggestion
from kafkasim.errors import ValidationError
from kafkasim.ids import Target
from kafkasim.scenario.events import Event
from kafkasim.scenario.groups import added_name, members_of
from kafkasim.scenario.member_events import (
    AddMember,
    MemberEvent,
    MoveCoordinator,
    RemoveMember,
    ResetOffsets,
    RollingRestart,
    StuckRecord,
)
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_parts import consumer_names
from kafkasim.scenario.reader_events import ReaderEvent
from kafkasim.scenario.systems import Group, Kafka, System
from kafkasim.scenario.traffic import Traffic


def check_reader_event(
    event: ReaderEvent,
    subscriber: str,
    traffic: Traffic,
    system: System,
    partitions: Mapping[str, int],
) -> None:
    """Check that a subscriber reads what it is to seek in, or to let be.

    Streams have so many `partitions` at most.

    Raises
    ------
    ValidationError
        With a path that begins at the event.
    """
    assert isinstance(system, Kafka)
    _check_read(event, subscriber, traffic, partitions)


def _check_read(
    event: ReaderEvent | ResetOffsets,
    subscriber: str,
    traffic: Traffic,
    partitions: Mapping[str, int],
) -> None:
    streams = traffic.subscribers[subscriber].streams
    if event.stream is not None and event.stream not in streams:
        why = say("what {subscriber} reads", subscriber=subscriber)
        raise ValidationError("stream", event.stream, one_of(streams), why)
    read = streams if event.stream is None else (event.stream,)
    most = max(partitions[each] for each in read)
    if event.partition is not None and event.partition >= most:
        allowed = say("less than {most}, the number of partitions", most=most)
        raise ValidationError("partition", event.partition, allowed)


def check_sessions(system: Kafka) -> None:
    """Check that brokers take the session timeouts that groups ask for.

    A coordinator refuses others with INVALID_SESSION_TIMEOUT, and the member's poll
    throws (`GroupCoordinatorService.joinGroup`).

    Raises
    ------
    ValidationError
        With a path that begins at the system.
    """
    broker = system.broker_config
    low_ms = effective(broker, "group_min_session_timeout_ms")
    high_ms = effective(broker, "group_max_session_timeout_ms")
    for name, group in system.groups.items():
        session_ms = group.config.session_timeout_ms
        if session_ms is not UNSET and not low_ms <= session_ms <= high_ms:
            raise ValidationError(
                join_path(("groups", name, "config", "session_timeout_ms")),
                session_ms,
                say(
                    "{low_ms} to {high_ms}, which broker_config."
                    "group_min_session_timeout_ms and "
                    "group_max_session_timeout_ms say",
                    low_ms=low_ms,
                    high_ms=high_ms,
                ),
                say("INVALID_SESSION_TIMEOUT: every poll would throw"),
            )


def check_member_event(
    event: MemberEvent,
    earlier: Sequence[Event],
    traffic: Traffic,
    system: System,
    partitions: Mapping[str, int],
) -> None:
    """Check that what happens to a group can happen there.

    Parameters
    ----------
    event : MemberEvent
        Its target is known to be there.
    earlier : sequence of Event
        What happened before.
    traffic, system
        Of the scenario; the system may be as it was said.
    partitions : mapping of str to int
        How many streams have at most.

    Raises
    ------
    ValidationError
        With a path that begins at the event.
    """
    name = Target.parse(event.target).name
    if isinstance(system, RabbitMQ):
        _check_consumers(event, earlier, name, traffic, system)
        return
    if not isinstance(system, Kafka):
        assert isinstance(event, StuckRecord)  # nothing else applies there
        _check_stuck(event, name, traffic)
        return
    match event:
        case AddMember():
            group = system.groups.get(name, Group())
            _check_addition(event, name, members_of(name, group, earlier))
        case RemoveMember():
            _check_removal(event, earlier)
        case MoveCoordinator():
            if event.to is not None and event.to > system.brokers:
                allowed = say(
                    "at most {brokers}, the number of brokers", brokers=system.brokers
                )
                raise ValidationError("to", event.to, allowed)
        case ResetOffsets():
            _check_read(event, name, traffic, partitions)
        case StuckRecord():
            _check_stuck(event, name, traffic)
        case RollingRestart():
            pass


def _check_consumers(
    event: MemberEvent,
    earlier: Sequence[Event],
    name: str,
    traffic: Traffic,
    system: RabbitMQ,
) -> None:
    """Check what happens to the consumers of a queue; the rest is not applicable."""
    match event:
        case AddMember():
            if event.instance_id is not None:
                allowed = say("none: only Kafka has static members")
                raise ValidationError("instance_id", event.instance_id, allowed)
            there = consumer_names(name, system, earlier)
            _check_addition(event, name, dict.fromkeys(there))
        case RemoveMember():
            _check_removal(event, earlier)
        case StuckRecord():
            _check_stuck(event, name, traffic)
        case _:
            pass


def _check_addition(
    event: AddMember, subscriber: str, there: Mapping[str, object]
) -> None:
    names = [each.rpartition("/")[2] for each in there]
    name = added_name(event, names)
    if name in names:
        allowed = say(
            "a name that no member of {subscriber} has", subscriber=subscriber
        )
        raise ValidationError(
            "name", name, allowed, say("there are {names}", names=", ".join(names))
        )


def _check_removal(event: RemoveMember, earlier: Sequence[Event]) -> None:
    for other in earlier:
        if isinstance(other, RemoveMember) and other.target == event.target:
            why = say("it has gone for good at {at_s:g} s", at_s=other.at_s)
            raise ValidationError(
                "target", event.target, say("a member that is there"), why
            )


def _check_stuck(event: StuckRecord, subscriber: str, traffic: Traffic) -> None:
    streams = traffic.subscribers[subscriber].streams
    sources = [
        name for name, source in traffic.sources.items() if source.stream in streams
    ]
    if event.source not in sources:
        why = suggestion(event.source, sources) or say(
            "what {subscriber} reads", subscriber=subscriber
        )
        raise ValidationError("source", event.source, one_of(sources), why)

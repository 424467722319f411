"""What means nothing in a system, and is no error.

The same events may befall all systems that are compared. A source, a subscriber, a hub
and a link between them mean something in every system, or the table `events` says that
they do not apply, and why. Any other target that a system lacks is an error.
"""

from kafkasim.ids import Target
from kafkasim.scenario.events import Event, LinkEvent, Slow
from kafkasim.scenario.links import UNTOLD, is_link, talk, told_ends
from kafkasim.scenario.member_events import MemberEvent, RemoveMember, StuckRecord
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.reader_events import ReaderEvent
from kafkasim.scenario.systems import Kafka, System
from kafkasim.scenario.traffic import Traffic

NOT_APPLICABLE = "not applicable"
"""How the effect of such an event begins."""
NOT_REACHED = "not reached"
"""How the effect of an event begins that was to come when the run was over."""


def befell(effect: str) -> bool:
    """Return whether an event befell the system that ran, by its effect in words."""
    return not effect.startswith((NOT_APPLICABLE, NOT_REACHED))


def not_applicable(event: Event, traffic: Traffic, system: System) -> str:
    """Say why an event means nothing in a system; an empty text: it may do.

    Parameters
    ----------
    event : Event
        Of a scenario.
    traffic, system
        The scenario's; the system may be as it was said.
    """
    if isinstance(event, LinkEvent):
        return _of_link(event, traffic, system)
    target = Target.parse(event.target)
    match target.kind:
        case "hub" if isinstance(system, PointToPoint):
            return "there is no hub"
        case "source" if target.name in traffic.sources:
            if isinstance(event, Slow):
                return "what a source does takes it no time; Delay is for its links"
        case "subscriber" if target.name in traffic.subscribers:
            if not isinstance(system, Kafka | RabbitMQ):
                return _of_subscriber(event)
        case _:
            pass
    return ""


def _of_subscriber(event: Event) -> str:
    if isinstance(event, ReaderEvent):
        return "nothing keeps a position in what it reads"
    if isinstance(event, MemberEvent) and not isinstance(
        event, RemoveMember | StuckRecord
    ):
        return "it is no group of members"
    return ""


def _of_link(event: LinkEvent, traffic: Traffic, system: System) -> str:
    if not is_link(event.target):
        return ""
    ends = told_ends(event.target, traffic)
    if UNTOLD in ends or len(ends) != 2 or talk(event.target, traffic, system):
        return ""
    return f"in this system {ends[0]} and {ends[1]} never talk"

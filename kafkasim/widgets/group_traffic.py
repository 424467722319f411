"""The group explorer's own traffic, its controls and its questions.

A shop's orders pile up faster than a group can work them off, so each member always has
work: five records a poll, 800 ms each in the mean, some 4 s from one poll to the next.
The group starts cold; at 15 s a member comes, leaves, dies or restarts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kafkasim.catalogue import mark
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.member_events import AddMember, RemoveMember, RollingRestart
from kafkasim.scenario.members import Member
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.inputs import Choice, Control, Slider
from kafkasim.widgets.panel import Preset

TOPIC: Final = "orders"
READER: Final = "billing"

RATE_PER_S: Final = 15
"""Records sent in a second: more than eight members can work off."""
WORK_MS: Final = 800.0
"""Work on each, in the mean; exponential."""
POLL_RECORDS: Final = 5
"""`max.poll.records`."""
LINGER_MS: Final = 1_000
"""The shop's; batches are few, and cheap to simulate."""
DURATION_S: Final = 80.0
"""How long, in simulated seconds."""
EVENT_S: Final = 15.0
"""When something happens."""
DOWN_S: Final = 5.0
"""For how long a member that restarts is away."""
ONLY_ONE_S: Final = 1_000.0
"""Until the next one restarts: longer than the run."""

MOST_MEMBERS: Final = 8
MOST_PARTITIONS: Final = 12

EAGER: Final = "eager"
COOPERATIVE: Final = "cooperative"
STATIC: Final = "static"
KIP_848: Final = "KIP-848"

ADD: Final = "add"
LEAVE: Final = "leave"
CRASH: Final = "crash"
RESTART: Final = "restart"
_PROTOCOLS: Final = (EAGER, COOPERATIVE, STATIC, KIP_848)
_EVENTS: Final = (mark("add"), mark("leave"), mark("crash"), mark("restart"))

Protocol = Literal["eager", "cooperative", "static", "KIP-848"]
Happens = Literal["add", "leave", "crash", "restart"]


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    members: int = 3
    """Members at the start."""
    partitions: int = 6
    """Partitions of the topic."""
    protocol: Protocol = "eager"
    """How the group agrees on who reads what: Kafka's default (range, eager),
    `cooperative-sticky`, the default with static members, or KIP-848."""
    event: Happens = "leave"
    """What happens: to member 2 if there is one, but to member 1 if one restarts; `add`
    brings one more."""


CONTROLS: Final[Mapping[str, Control]] = {
    "members": Slider(mark("members"), 1, MOST_MEMBERS),
    "partitions": Slider(mark("partitions"), 1, MOST_PARTITIONS),
    "protocol": Choice(mark("protocol"), _PROTOCOLS, frozenset(_PROTOCOLS)),
    "event": Choice(mark("event"), _EVENTS),
}

PRESETS: Final = (
    Preset(mark("What does it cost if a member leaves?"), {}),
    Preset(mark("And if it crashes?"), {"event": CRASH}),
    Preset(mark("What does a seventh member do?"), {"members": 7}),
    Preset(mark("Do all stop for a new one?"), {"event": ADD}),
    Preset(mark("Or only what moves?"), {"event": ADD, "protocol": COOPERATIVE}),
    Preset(mark("And if the broker assigns?"), {"event": ADD, "protocol": KIP_848}),
    Preset(mark("What does a restart cost?"), {"event": RESTART}),
    Preset(
        mark("And that of a static member?"), {"event": RESTART, "protocol": STATIC}
    ),
)


def victim(values: Values) -> int:
    """Return the number of the member that goes; a rolling restart begins with 1."""
    return 1 if values.event == RESTART else min(2, values.members)


def alive_s(values: Values) -> dict[int, tuple[float, float]]:
    """Return from when to when each member is there, by number; inf: to the end.

    A restart is no absence.
    """
    alive = dict.fromkeys(range(1, values.members + 1), (0.0, float("inf")))
    if values.event == ADD:
        alive[values.members + 1] = (EVENT_S, float("inf"))
    elif values.event != RESTART:
        alive[victim(values)] = (0.0, EVENT_S)
    return alive


def scenario_at(values: Values) -> Scenario:
    """Return the scenario that the controls' values mean."""
    group = Group(members=_members(values), start="cold", config=_config(values))
    system = Kafka(
        topics={TOPIC: Topic(partitions=values.partitions)},
        producers={"shop": Producer(config=ProducerConfig(linger_ms=LINGER_MS))},
        groups={READER: group},
    )
    traffic = Traffic(
        {"shop": Source(TOPIC, Periodic(RATE_PER_S), keys=UniformKeys(200))},
        {READER: Subscriber([TOPIC], work_ms=Exponential(WORK_MS), wants="all")},
        DURATION_S,
    )
    return Scenario(
        traffic,
        system,
        seed=1,
        events=[_event(values)],
        end="cut",
        name="a group that works off what piles up",
    )


def _config(values: Values) -> ConsumerConfig:
    if values.protocol == KIP_848:
        return ConsumerConfig(max_poll_records=POLL_RECORDS, group_protocol="consumer")
    if values.protocol == COOPERATIVE:
        return ConsumerConfig(
            max_poll_records=POLL_RECORDS,
            partition_assignment_strategy=("cooperative-sticky",),
        )
    return ConsumerConfig(max_poll_records=POLL_RECORDS)


def _members(values: Values) -> int | dict[str, Member]:
    if values.protocol != STATIC:
        return values.members
    numbers = range(1, values.members + 1)
    return {str(number): Member(_instance(number)) for number in numbers}


def _instance(number: int) -> str:
    return f"billing-{number}"


def _event(values: Values) -> AddMember | RemoveMember | Crash | RollingRestart:
    subscriber = f"subscriber:{READER}"
    member = f"member:{READER}/{victim(values)}"
    match values.event:
        case "add":
            number = values.members + 1
            instance = _instance(number) if values.protocol == STATIC else None
            return AddMember(subscriber, EVENT_S, str(number), instance_id=instance)
        case "leave":
            return RemoveMember(member, EVENT_S)
        case "crash":
            return Crash(member, at_s=EVENT_S)
        case "restart":
            return RollingRestart(subscriber, EVENT_S, DOWN_S, ONLY_ONE_S)

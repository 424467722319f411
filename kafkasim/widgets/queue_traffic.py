"""The queue explorer's own traffic, its controls and its questions.

Forty orders in twenty seconds, the same for both systems. Billing is there from the
start; audit comes later and wants everything. What may happen: billing dies while it is
at work on an order, and it reads again from the beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafkasim.catalogue import mark
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event
from kafkasim.scenario.rabbitmq import Queue, RabbitMQ
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, System
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.inputs import Control, Slider, Switch
from kafkasim.widgets.panel import Preset

STREAM: Final = "orders"
FIRST: Final = "billing"
SECOND: Final = "audit"
"""The two subscribers."""

RECORDS: Final = 40
RATE_PER_S: Final = 2
"""All are sent within twenty seconds."""
WORK_MS: Final = 200.0
"""Of `billing` on a record; it keeps up."""
SECOND_WORK_MS: Final = 100.0
"""Of `audit`."""
DIES_S: Final = 8.1
"""In the middle of the work on the record that was sent at 8 s."""
BACK_S: Final = 2.0
"""From the death to the start of the same program."""
REPLAY_S: Final = 19.1
"""In the work on the last record but one, so that all but one are read again."""
LAST_S: Final = 30
"""The latest moment at which `audit` can come."""


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    second_s: int = 20
    """When `audit` comes, in seconds; it wants everything."""
    dies: bool = False
    """Whether `billing` dies before it has acknowledged what it works on."""
    replay: bool = False
    """Whether `billing` reads again from the beginning."""
    in_time: bool = False
    """Whether `audit`'s queue is declared at the start, long before it comes."""


CONTROLS: Final[Mapping[str, Control]] = {
    "second_s": Slider(mark("second reader comes at"), 0, LAST_S, 1, "s"),
    "dies": Switch(mark("consumer dies before its ack")),
    "replay": Switch(mark("replay from the beginning")),
    "in_time": Switch(mark("its queue is there from the start")),
}

PRESETS: Final = (
    Preset(mark("What does a late reader get?"), {}),
    Preset(mark("And if it was there all the time?"), {"second_s": 0}),
    Preset(mark("And if it comes half-way?"), {"second_s": 10}),
    Preset(mark("If its queue was declared in time?"), {"in_time": True}),
    Preset(mark("Is what was handed out gone?"), {"dies": True}),
    Preset(mark("Can it be read again?"), {"replay": True}),
)


def log_at(values: Values) -> Scenario:
    """Return the scenario in which a log carries the records."""
    group = Group(commit="after_work")
    return _scenario(values, Kafka(groups={FIRST: group, SECOND: group}), "a log")


def queue_at(values: Values) -> Scenario:
    """Return the scenario in which queues carry the same records."""
    early = {SECOND: Queue(declared="start")} if values.in_time else {}
    return _scenario(values, RabbitMQ(queues=early), "queues")


def _scenario(values: Values, system: System, name: str) -> Scenario:
    events: list[Event] = []
    if values.dies:
        events.append(Crash(f"subscriber:{FIRST}", at_s=DIES_S, for_s=BACK_S))
    if values.replay:
        events.append(Seek(f"subscriber:{FIRST}", at_s=REPLAY_S, to="earliest"))
    second = Subscriber(
        [STREAM], work_ms=SECOND_WORK_MS, from_s=values.second_s, wants="all"
    )
    traffic = Traffic(
        {"shop": Source(STREAM, Periodic(RATE_PER_S))},
        {FIRST: Subscriber([STREAM], work_ms=WORK_MS), SECOND: second},
        RECORDS / RATE_PER_S,
    )
    return Scenario(traffic, system, events=events, seed=1, name=name)

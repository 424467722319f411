"""The channel explorer: two topics, three subscribers, and where each of them stands.

Twenty flights, evenly spaced: ten departures and ten arrivals, a record a second in
each topic, on hardware that takes no time, so what is seen is the rules alone. A
subscriber's position is its own: pausing one moves nobody else's, one that comes late
and wants all begins at offset 0, since reading deletes nothing, and no producer ever
learns who reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kafkasim.analysis.positions import positions
from kafkasim.catalogue import mark
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Pause
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.channel_canvas import (
    SUBSCRIBERS,
    TOPICS,
    ChannelCanvas,
    Shown,
    shown_of,
)
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.inputs import Choice, Control, Slider
from kafkasim.widgets.panel import Preset

if TYPE_CHECKING:
    import pandas as pd

BOTH: Final = mark("both")
NOTHING: Final = mark("nothing")
NOBODY: Final = mark("nobody")

RECORDS_PER_S: Final = 1.0
"""Of each topic."""
DURATION_S: Final = 10.0
"""How long they are sent: ten records in each topic."""
PAUSE_FROM_S: Final = 6.0
PAUSE_UNTIL_S: Final = 10.0
"""Between these the one that is paused stands still."""
BOARD_WORK_S: Final = 0.1
ARCHIVE_WORK_S: Final = 0.4
"""Work of board and of archive on a record."""

_READS: Final = (BOTH, *TOPICS, NOTHING)


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    board: str = BOTH
    """What board reads."""
    billing: str = "departures"
    """What billing reads."""
    archive: str = BOTH
    """What archive, the one that comes late, reads."""
    archive_from_s: float = 5.0
    """When archive comes, in seconds of simulated time."""
    billing_work_s: float = 0.5
    """Work of billing on a record, in seconds."""
    paused: str = NOBODY
    """Who stands still for a while."""
    at_s: float = 8.0
    """The moment looked at, in seconds of simulated time."""


_CONTROLS: Final[Mapping[str, Control]] = {
    "board": Choice(mark("board reads"), _READS, frozenset(TOPICS)),
    "billing": Choice(mark("billing reads"), _READS, frozenset(TOPICS)),
    "archive": Choice(mark("archive reads"), _READS, frozenset(TOPICS)),
    "archive_from_s": Slider(mark("archive starts"), 0.0, 10.0, 0.5, "s"),
    "billing_work_s": Slider(mark("billing's work"), 0.1, 3.0, 0.1, "s"),
    "paused": Choice(
        mark("paused 6–10 s"), (NOBODY, *SUBSCRIBERS), frozenset(SUBSCRIBERS)
    ),
    "at_s": Slider(mark("time looked at"), 0.0, 20.0, 0.5, "s"),
}

PRESETS: Final = (
    Preset(mark("Who notices when board pauses?"), {"paused": "board"}),
    Preset(
        mark("Where does a late one begin?"), {"archive_from_s": 10.0, "at_s": 15.0}
    ),
    Preset(mark("Does a slow one slow the producers?"), {"billing_work_s": 3.0}),
    Preset(
        mark("What if nobody reads?"),
        {"board": NOTHING, "billing": NOTHING, "archive": NOTHING},
    ),
)


class ChannelExplorer(Explorer[Values, Shown]):
    """Two topics and three subscribers at a moment that can be moved.

    The controls say who reads what, when the third subscriber comes, how long billing
    works on a record, who is paused, and which moment is looked at. Outlines show where
    the markers were before the last change.

    Examples
    --------
    >>> explorer = ChannelExplorer()
    >>> explorer.set(paused="board")
    >>> explorer.canvas.title(explorer.shown, explorer.before)
    "Only board's markers moved"
    """

    canvas: ChannelCanvas

    def __init__(self) -> None:
        super().__init__(Values(), _CONTROLS, ChannelCanvas(), presets=PRESETS)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario that the controls mean; who reads nothing is left out."""
        reads = {name: getattr(values, name) for name in SUBSCRIBERS}
        work_ms = {
            "board": BOARD_WORK_S * 1_000,
            "billing": values.billing_work_s * 1_000,
            "archive": ARCHIVE_WORK_S * 1_000,
        }
        subscribers = {
            name: Subscriber(
                TOPICS if read == BOTH else (read,),
                work_ms=work_ms[name],
                from_s=values.archive_from_s if name == "archive" else 0.0,
                wants="all",
            )
            for name, read in reads.items()
            if read != NOTHING
        }
        aircraft = UniformKeys(5, prefix="N10")
        departures, arrivals = TOPICS
        sources = {
            "gates": Source(departures, Periodic(RECORDS_PER_S), keys=aircraft),
            "tower": Source(arrivals, Periodic(RECORDS_PER_S, 0.5), keys=aircraft),
        }
        return Scenario(
            Traffic(sources, subscribers, duration_s=DURATION_S),
            Kafka(hardware=Hardware.ideal()),
            events=_pauses(subscribers, values.paused),
            name="two channels",
        )

    def look(self, result: Result, values: Values) -> Shown:
        """Return everyone's place at the moment, and the producers' times."""
        return shown_of(result, values.at_s)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return the positions at the moment shown, and the records."""
        return {
            "positions": positions(result, at_s=self.settings.at_s),
            "records": result.records,
        }


def _pauses(subscribers: Mapping[str, Subscriber], paused: str) -> list[Pause]:
    """Return the pause of the one named; one that comes later is paused from then on.

    A pause does nothing to a subscriber that has not come yet.
    """
    if paused not in subscribers:
        return []
    at_s = max(PAUSE_FROM_S, subscribers[paused].from_s)
    if at_s >= PAUSE_UNTIL_S:
        return []
    return [Pause(f"subscriber:{paused}", at_s=at_s, for_s=PAUSE_UNTIL_S - at_s)]

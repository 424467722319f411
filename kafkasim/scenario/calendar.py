"""When a run happens on the world's calendar.

A run counts seconds from 0. They have a date in two cases: the traffic's `start_time`
says when the run starts, or the traffic is the bundled flights, which left New York in
2013. A trace's speed-up says how much of the calendar passes in one simulated second.

A `start_time` other than the default wins, so a trace of a user's own gets its calendar
by `Traffic(start_time=...)`, the moment of its first row. Traces of several speed-ups
have no common calendar.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, Self

from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Traffic

_NEW_YORK: Final = "New York"
_YEAR: Final = 2013
_SUMMER: Final = timedelta(hours=1)
_CHANGES: Final = (
    (datetime(_YEAR, 3, 10, 2), _SUMMER),  # noqa: DTZ001 - standard time of New York
    (datetime(_YEAR, 11, 3, 1), timedelta()),  # noqa: DTZ001 - the same
)
"""When New York's clocks changed in 2013, in standard time, and by how much they were
ahead of it from then on (Energy Policy Act of 2005, section 110)."""


_UNSAID: Final = {each.name: each.default for each in fields(Traffic)}["start_time"]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The date of each simulated second."""

    start: datetime
    """What the clock on the wall showed at simulated time 0; without a zone."""
    zone: str
    """Where that clock hangs: `New York`, `UTC`."""
    speedup: float = 1.0
    """Seconds of the calendar in one simulated second."""
    changes: tuple[tuple[float, float], ...] = ()
    """Calendar seconds after the start at which the clock changes, and by how many
    seconds it is ahead of the clock at the start from then on."""

    def plain(self) -> dict[str, object]:
        """Return it as JSON knows values, to be remembered with a table."""
        return {
            "start": self.start.isoformat(),
            "zone": self.zone,
            "speedup": self.speedup,
            "changes": [list(change) for change in self.changes],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return what `plain` was made of."""
        start = datetime.fromisoformat(plain["start"])
        changes = tuple((at, ahead) for at, ahead in plain["changes"])
        return cls(start, plain["zone"], plain["speedup"], changes)

    def at(self, simulated_s: float) -> datetime:
        """Return what the clock shows at a simulated second."""
        elapsed = simulated_s * self.speedup
        ahead = [ahead for at, ahead in self.changes if at <= elapsed]
        return self.start + timedelta(seconds=elapsed + (ahead[-1] if ahead else 0.0))

    def when(self, clock: datetime) -> float | None:
        """Return the simulated second at which the clock shows a time.

        The first if it shows it twice; None if the clock skips it.
        """
        shown = (clock - self.start).total_seconds()
        begins = (float("-inf"), *(at for at, _ in self.changes))
        ends = (*begins[1:], float("inf"))
        aheads = (0.0, *(ahead for _, ahead in self.changes))
        for begin, end, ahead in zip(begins, ends, aheads, strict=True):
            if begin <= shown - ahead < end:
                return (shown - ahead) / self.speedup
        return None


def calendar_of(scenario: Scenario) -> Calendar | None:
    """Return the calendar of a scenario's runs, None when they have none."""
    traces = scenario.traces.values()
    speedups = {trace.speedup for trace in traces} or {1.0}
    if len(speedups) > 1:
        return None
    (speedup,) = speedups
    if scenario.traffic.start_time != _UNSAID:
        start = datetime.fromisoformat(scenario.traffic.start_time)
        return Calendar(start.replace(tzinfo=None), "UTC", speedup)
    sources = {trace.source for trace in traces}
    if len(sources) != 1:
        return None
    source = sources.pop()
    return None if source is None else _of_flights(dict(source), speedup)


def _of_flights(source: Mapping[str, object], speedup: float) -> Calendar | None:
    if source.get("kind") != "flights":
        return None
    month = source.get("month", 1)
    assert isinstance(month, int)
    start = datetime(_YEAR, month, 1)  # noqa: DTZ001 - the clock in New York
    # No month begins within the hour of a change, so either clock tells them apart.
    ahead = [ahead for at, ahead in _CHANGES if at <= start]
    now = ahead[-1] if ahead else timedelta()
    changes = tuple(
        ((at - (start - now)).total_seconds(), (ahead - now).total_seconds())
        for at, ahead in _CHANGES
        if at > start
    )
    return Calendar(start, _NEW_YORK, speedup, changes)

"""The log explorer: what retention and compaction take from a log, and from a reader.

A minute of fifty records a second, in a log whose segments are short and whose
retention is shorter. A log is deleted in whole segments, whoever still reads; a reader
that stood in one is refused with OFFSET_OUT_OF_RANGE and begins again where the log
now begins. A compacted log keeps its newest value for each key instead.
"""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from kafkasim import analysis
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.compared import compared
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.log_picture import LogCanvas
from kafkasim.widgets.log_shown import Shown, shown_of
from kafkasim.widgets.log_traffic import (
    CONTROLS,
    LATE,
    PRESETS,
    SLOW,
    Values,
    scenario_at,
    shrunk,
)
from kafkasim.widgets.log_words import numbers

if TYPE_CHECKING:
    import pandas as pd


class LogExplorer(Explorer[Values, Shown]):
    """A log of a minute: its segments, a slow reader, and one that comes late.

    The controls say how long a closed segment is kept, how long one is written, whether
    old segments are deleted or closed ones compacted, how many keys there are, and
    whether there is a slow reader. Below the figure stands what Kafka's defaults are,
    of which nothing would be seen in a minute.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Examples
    --------
    >>> explorer = LogExplorer()
    >>> explorer.canvas.log_title.get_text()
    'Deletion overtakes the slow reader: 1,826 gone unread'
    >>> explorer.set(policy="compact")
    >>> explorer.canvas.log_title.get_text()
    'Compaction keeps 8 of 3,012 records, the newest of each key'
    """

    canvas: LogCanvas

    def __init__(self, *, live: bool | None = None) -> None:
        super().__init__(Values(), CONTROLS, LogCanvas(), presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario that the controls' values mean."""
        return scenario_at(values)

    def look(self, result: Result, values: Values) -> Shown:
        """Return the log's segments, the slow reader's way, what the late one finds."""
        slow = SLOW if values.slow_reader else None
        return shown_of(result, values.policy, slow, LATE)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return the segments, what was removed, every request, and a summary."""
        return {
            "summary": analysis.summary(result),
            "segments": result.segments,
            "removals": result.removals,
            "requests": result.requests,
        }

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return what was shrunk, and the numbers beside those of the run before."""
        table = compared(numbers(shown), None if before is None else numbers(before))
        said = escape(shrunk(self.settings))
        return f'<p style="line-height:1.4;margin:0 0 0.6em">{said}</p>{table}'

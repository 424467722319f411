"""The offset explorer: what a crash costs, by when an application commits.

Twenty records and two groups. A group goes on after a crash where it has committed:
what was done above that is done twice, what was not done below it is never done. The
other group has its own offset, and nothing happens to it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kafkasim import analysis
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.compared import compared
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.offset_picture import OffsetCanvas
from kafkasim.widgets.offset_shown import Shown, shown_of
from kafkasim.widgets.offset_traffic import (
    CONTROLS,
    CRASHES,
    OTHER,
    PRESETS,
    Values,
    scenario_at,
)
from kafkasim.widgets.offset_words import numbers

if TYPE_CHECKING:
    import pandas as pd


class OffsetExplorer(Explorer[Values, Shown]):
    """Twenty records, read by two groups; a process of one of them crashes.

    The controls say when that group commits, at which point of its poll loop the
    process dies, and how many records a poll returns.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Examples
    --------
    >>> explorer = OffsetExplorer()
    >>> explorer.canvas.title.get_text()
    'Records 8 and 9 are done twice, none is missing'
    >>> explorer.set(commit="before_work")
    >>> explorer.shown.twice, explorer.shown.never
    (0, 2)
    """

    canvas: OffsetCanvas

    def __init__(self, *, live: bool | None = None) -> None:
        canvas = OffsetCanvas()
        super().__init__(Values(), CONTROLS, canvas, presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario that the controls' values mean."""
        return scenario_at(values)

    def look(self, result: Result, values: Values) -> Shown:
        """Return what became of each record, and what was committed."""
        del values
        return shown_of(result, CRASHES, OTHER)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return summaries, what was handed out, commits, and the offsets topic."""
        return {
            "summary": analysis.summary(result),
            "deliveries": result.deliveries,
            "commits": result.commits,
            "offsets_topic": analysis.offsets_topic(result),
        }

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the numbers as a table, those of the run before beside them."""
        return compared(numbers(shown), None if before is None else numbers(before))

"""The group explorer: who reads what when a member comes, leaves, dies or restarts.

Eighty seconds of a group that works off what piles up. How long partitions stand still
depends on how the group finds out, and on how it agrees anew.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kafkasim import analysis
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.compared import compared
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.group_picture import GroupCanvas
from kafkasim.widgets.group_shown import Shown, shown_of
from kafkasim.widgets.group_traffic import CONTROLS, PRESETS, Values, scenario_at
from kafkasim.widgets.group_words import numbers

if TYPE_CHECKING:
    import pandas as pd


class GroupExplorer(Explorer[Values, Shown]):
    """Who reads which partition, and for how long nobody does.

    The controls say how many members and partitions there are, how the group agrees on
    who reads what, and what happens to a member.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Examples
    --------
    >>> explorer = GroupExplorer()
    >>> explorer.set(members=7)
    >>> explorer.shown.idle[0][2]
    (7,)
    """

    canvas: GroupCanvas

    def __init__(self, *, live: bool | None = None) -> None:
        canvas = GroupCanvas()
        super().__init__(Values(), CONTROLS, canvas, presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario that the controls' values mean."""
        return scenario_at(values)

    def look(self, result: Result, values: Values) -> Shown:
        """Return who read what, when nobody did, and who had nothing to do."""
        return shown_of(result, values)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return summaries, rebalances, each ownership, each state, each commit."""
        return {
            "summary": analysis.summary(result),
            "rebalances": analysis.rebalances(result),
            "ownership": analysis.ownership(result),
            "group-states": result.group_states,
            "commits": result.commits,
        }

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the numbers as a table, those of the run before beside them."""
        return compared(numbers(shown), None if before is None else numbers(before))

"""The topology explorer: links of a tangle and of a star, and who is hurt by a death.

The same traffic without a hub and with one. Whether a hub has fewer links depends on
how many systems there are and on who wants what; who is hurt, on who dies.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kafkasim import analysis
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.compared import compared
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.topology_picture import TopologyCanvas
from kafkasim.widgets.topology_shown import Shown, shown_of
from kafkasim.widgets.topology_traffic import (
    CONTROLS,
    PRESETS,
    Values,
    star_at,
    tangle_at,
)
from kafkasim.widgets.topology_words import numbers

if TYPE_CHECKING:
    import pandas as pd


class TopologyExplorer(Explorer[Values, Shown]):
    """Links without a hub and with one, and who is hurt when one dies.

    The controls say how many sources and subscribers there are, which share of the
    pairs is wanted, whether one more subscriber comes, and who dies.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Attributes
    ----------
    result : Result
        The run without a hub; `results` are both, by what to call them.

    Examples
    --------
    >>> explorer = TopologyExplorer()
    >>> [side.links for side in explorer.shown.sides]
    [16, 8]
    >>> explorer.set(crash="the hub")
    >>> [side.pairs_hurt for side in explorer.shown.sides]
    [0, 16]
    """

    canvas: TopologyCanvas

    def __init__(self, *, live: bool | None = None) -> None:
        canvas = TopologyCanvas()
        super().__init__(Values(), CONTROLS, canvas, presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario without a hub that the controls' values mean."""
        return tangle_at(values)

    def scenarios_beside(self, values: Values) -> dict[str, Scenario]:
        """Return the scenario with a hub."""
        return {"hub": star_at(values)}

    @property
    def results(self) -> dict[str, Result]:
        """Both runs by name, for `plot.tangle` or `analysis.scorecard`."""
        return {"point to point": self.result, "Kafka": self.beside["hub"]}

    def look(self, result: Result, values: Values) -> Shown:
        """Return links, who is hurt and what moved, of both systems."""
        return shown_of(result, self.beside["hub"], values)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return a scorecard, and of both systems summaries and what was hurt."""
        of_both = {"point to point": result, "Kafka": self.beside["hub"]}
        found = {"scorecard": analysis.scorecard(of_both)}
        for name, each in zip(("point-to-point", "hub"), of_both.values(), strict=True):
            found[f"{name}-summary"] = analysis.summary(each)
            found[f"{name}-links"] = each.links
            found[f"{name}-interruptions"] = analysis.interruptions(each)
        return found

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the numbers as a table, those of the runs before beside them."""
        return compared(numbers(shown), None if before is None else numbers(before))

"""The replication explorer: what acks and copies are worth when brokers die.

One partition on three brokers. What a producer is told, what a consumer may read and
what is still there afterwards are three things; which of them fail depends on how many
copies there are, how many must be in sync, and what the producer waits for.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kafkasim import analysis
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.compared import compared
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.replication_picture import ReplicationCanvas
from kafkasim.widgets.replication_shown import Shown, shown_of
from kafkasim.widgets.replication_traffic import (
    CONTROLS,
    PRESETS,
    TOPIC,
    Values,
    scenario_at,
)
from kafkasim.widgets.replication_words import numbers

if TYPE_CHECKING:
    import pandas as pd


class ReplicationExplorer(Explorer[Values, Shown]):
    """Forty seconds of one partition while brokers go and come back.

    The controls say how many copies there are, how many must be in sync, what the
    producer waits for, and which brokers go, how many, and whether they die or are
    stopped in good order.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Examples
    --------
    >>> explorer = ReplicationExplorer()
    >>> explorer.canvas.note.get_text()
    'Broker 1 led and broker 2 from 11.3 s on'
    >>> explorer.set(acks="1", first="followers", down=2)
    >>> explorer.shown.acked, explorer.shown.copies.acked_lost
    (8000, 0)
    """

    canvas: ReplicationCanvas

    def __init__(self, *, live: bool | None = None) -> None:
        canvas = ReplicationCanvas()
        super().__init__(Values(), CONTROLS, canvas, presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario that the controls' values mean."""
        return scenario_at(values)

    def look(self, result: Result, values: Values) -> Shown:
        """Return what became of the partition's copies and of its records."""
        del values
        return shown_of(result, TOPIC)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return summaries, each change of a replica, each append, each request."""
        return {
            "summary": analysis.summary(result),
            "replication": analysis.replication(result),
            "replicas": result.replicas,
            "appends": result.appends,
            "requests": result.requests,
        }

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the numbers as a table, those of the run before beside them."""
        return compared(numbers(shown), None if before is None else numbers(before))

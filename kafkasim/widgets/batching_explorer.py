"""The batching explorer: what linger, batch.size, rate and partitions do to batches.

Half a second of records. A producer gathers them by partition; a batch leaves when it
is full, when its linger is over, or along with another one of the same broker. What it
saves in requests, it costs in waiting, and both are shown.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kafkasim import analysis
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.batching_picture import BatchingCanvas
from kafkasim.widgets.batching_shown import Shown, shown_of
from kafkasim.widgets.batching_traffic import (
    CONTROLS,
    DURATION_S,
    PRESETS,
    SUBSCRIBER,
    TOPIC,
    Values,
    scenario_at,
)
from kafkasim.widgets.batching_words import numbers
from kafkasim.widgets.compared import compared
from kafkasim.widgets.explorer import Explorer

if TYPE_CHECKING:
    import pandas as pd


class BatchingExplorer(Explorer[Values, Shown]):
    """Batches of half a second: how full they are, what ended them, what it costs.

    The controls say how long a batch may wait, how large it may be, how many records
    come, and to how many partitions on how many brokers. The last two decide how many
    batches share a request.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Examples
    --------
    >>> explorer = BatchingExplorer()
    >>> explorer.canvas.queue_title.get_text()
    '5.3 records a batch; all ended by linger'
    >>> explorer.set(partitions=32)
    >>> explorer.canvas.queue_title.get_text()
    '1.6 records a batch; 70 % drained along'
    """

    canvas: BatchingCanvas

    def __init__(self, *, live: bool | None = None) -> None:
        canvas = BatchingCanvas()
        super().__init__(Values(), CONTROLS, canvas, presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario that the controls' values mean."""
        return scenario_at(values)

    def look(self, result: Result, values: Values) -> Shown:
        """Return batches, requests and latency, and a piece of the queues."""
        return shown_of(result, TOPIC, SUBSCRIBER, values.linger_ms, DURATION_S)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return a summary, why batches were closed, each batch, and each request."""
        return {
            "summary": analysis.summary(result),
            "batching": analysis.batching(result),
            "batches": result.batches,
            "requests": result.requests,
        }

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the numbers as a table, those of the run before beside them."""
        return compared(numbers(shown), None if before is None else numbers(before))

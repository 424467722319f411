"""The queue explorer: the same records in queues that forget and in a log that keeps.

Forty records, a reader that is there and one that comes later. A queue lets a record go
when it was acknowledged, a log when it is too old; so what is left, what a latecomer
gets and what can be read again differ, and what a death costs need not.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kafkasim.experiments.comparison import compare
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.compared import side_by_side
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.queue_picture import QueueCanvas
from kafkasim.widgets.queue_shown import Shown, shown_of
from kafkasim.widgets.queue_traffic import (
    CONTROLS,
    FIRST,
    PRESETS,
    SECOND,
    Values,
    log_at,
    queue_at,
)
from kafkasim.widgets.queue_words import numbers

if TYPE_CHECKING:
    import pandas as pd


class QueueOrLogExplorer(Explorer[Values, Shown]):
    """Forty records through RabbitMQ's queues and through Kafka's log.

    The controls say when the second reader comes, whether the first one dies before it
    has acknowledged, whether it reads again, and whether the second one's queue is
    declared before it comes.

    Parameters
    ----------
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Attributes
    ----------
    queue : Result
        The run through queues that is shown; `result` is the one through the log.

    Examples
    --------
    >>> explorer = QueueOrLogExplorer()
    >>> explorer.shown.queue.left, explorer.shown.log.left
    (0, 40)
    >>> explorer.shown.queue.got, explorer.shown.log.got
    (0, 40)
    >>> explorer.set(second_s=0)
    >>> explorer.shown.queue.got, explorer.shown.log.got
    (40, 40)
    """

    canvas: QueueCanvas
    queue: Result

    def __init__(self, *, live: bool | None = None) -> None:
        canvas = QueueCanvas()
        super().__init__(Values(), CONTROLS, canvas, presets=PRESETS, live=live)

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario of the log that the controls' values mean."""
        return log_at(values)

    def look(self, result: Result, values: Values) -> Shown:
        """Run the same records through queues; return what each holds and gave."""
        self.queue = run(queue_at(values), progress=False)
        return shown_of(self.queue, result, FIRST, SECOND)

    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return both systems in one table, what was handed out, the queues' steps."""
        return {
            "comparison": compare({"queue": self.queue, "log": result}, progress=False),
            "queue-deliveries": self.queue.deliveries,
            "log-deliveries": result.deliveries,
            "queues": self.queue.table("queues"),
        }

    def export(self, folder: str | Path) -> Path:
        """Write what is shown; beside the log's scenario stands `queue.toml`."""
        place = super().export(folder)
        self.queue.scenario.save(place / "queue.toml")
        return place

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the numbers of both as a table."""
        del before
        return side_by_side(numbers(shown))

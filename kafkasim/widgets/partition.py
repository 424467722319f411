"""The partition explorer: what partitions, members and keys do to lag and to order.

`PartitionExplorer()` brings its own traffic; `partitions(scenario)` explores a scenario
of one's own. Both show the same figure: lag by partition, latency and drain, and the
braid of one entity.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kafkasim import analysis
from kafkasim.catalogue import say
from kafkasim.result.result import Result
from kafkasim.scenario.keys import Keys
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.inputs import Control
from kafkasim.widgets.knobs import knobs_of
from kafkasim.widgets.panel import Preset
from kafkasim.widgets.partition_picture import PartitionCanvas
from kafkasim.widgets.partition_shown import Shown, shown_of
from kafkasim.widgets.partition_traffic import TrafficKnobs
from kafkasim.widgets.partition_words import table

if TYPE_CHECKING:
    import pandas as pd


class Knobs(Protocol):
    """What an explorer of partitions turns."""

    @property
    def topic(self) -> str:
        """Its partitions are changed and looked at."""
        ...

    @property
    def subscriber(self) -> str:
        """Its group, work, lag and order."""
        ...

    @property
    def initial(self) -> Any:  # noqa: ANN401 - each has its own values
        """Where the controls begin: a frozen dataclass."""
        ...

    @property
    def controls(self) -> Mapping[str, Control]:
        """One for each value."""
        ...

    @property
    def presets(self) -> Sequence[Preset]:
        """Questions, as buttons."""
        ...

    def scenario_at(self, values: Any) -> Scenario:  # noqa: ANN401 - as above
        """Return the scenario with the controls' values."""
        ...


class PartitionExplorer(Explorer[Any, Shown]):
    """An explorer of partitions in a notebook; the last expression of a cell shows it.

    Without arguments it has traffic of its own: records of 1,000 bytes for 3 s, with
    1,000 keys, and one group whose members work on each record. The record's key is the
    entity whose order is looked at, also where keys choose no partition.

    Parameters
    ----------
    knobs : Knobs, optional
        What the controls change; `partitions` makes them of a scenario.
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Examples
    --------
    >>> explorer = PartitionExplorer()
    >>> explorer.set(partitions=4, keys="none")
    >>> explorer.scenario.system.topics["orders"].partitions
    4
    """

    def __init__(self, knobs: Knobs | None = None, *, live: bool | None = None) -> None:
        given: object = knobs
        if isinstance(given, Scenario):
            raise TypeError(
                say("a scenario is explored by widgets.partitions(scenario)")
            )
        self._knobs = TrafficKnobs() if knobs is None else knobs
        super().__init__(
            self._knobs.initial,
            self._knobs.controls,
            PartitionCanvas(),
            presets=self._knobs.presets,
            live=live,
        )

    def scenario_at(self, values: Any) -> Scenario:  # noqa: ANN401 - the knobs' values
        """Return the scenario that the controls' values mean."""
        return self._knobs.scenario_at(values)

    def look(self, result: Result, values: Any) -> Shown:  # noqa: ANN401 - as above
        """Return the numbers that the figure shows of a run."""
        del values
        return shown_of(result, self._knobs.topic, self._knobs.subscriber)

    def tables(self, result: Result) -> "dict[str, pd.DataFrame]":
        """Return a summary, lag by partition, and order by entity."""
        name = self._knobs.subscriber
        return {
            "summary": analysis.summary(result),
            "lag": analysis.lag(result, subscriber=name, by="partition"),
            "ordering": analysis.ordering(result),
        }

    def below(self, shown: Shown, before: Shown | None) -> str:
        """Return the metrics as a table, those of the run before beside them."""
        return table(shown.numbers, None if before is None else before.numbers)


def partitions(
    scenario: Scenario,
    *,
    subscriber: str | None = None,
    keys: Mapping[str, Keys] | None = None,
    live: bool | None = None,
) -> PartitionExplorer:
    """Explore what partitions do to one subscriber's lag, latency and order.

    Parameters
    ----------
    scenario : Scenario
        Where to begin; its system is Kafka.
    subscriber : str, optional
        Whose group, work and lag; the scenario's first without it. Its first topic is
        the one whose partitions are changed.
    keys : mapping of str to keys, optional
        What a record may carry as its key, by name: ``{"customer":
        ks.TraceColumn("customer")}``. Without it every column of a trace, or the keys
        the source has. Another choice is always there, none: keys are ignored.
    live : bool, optional
        Run at each change of a control, or only when Run is pressed. Without it at each
        change as long as a run takes at most a second.

    Returns
    -------
    PartitionExplorer
        The last expression of a cell shows it.

    Raises
    ------
    ValidationError
        The system is not Kafka, or there is no such subscriber.
    KafkasimError
        The scenario itself cannot run.

    Examples
    --------
    >>> from kafkasim.scenario.arrivals import Poisson
    >>> from kafkasim.scenario.keys import UniformKeys
    >>> from kafkasim.scenario.traffic import Source, Subscriber, Traffic
    >>> web = Source("orders", Poisson(500), keys=UniformKeys(20))
    >>> billing = Subscriber(["orders"], work_ms=1.0)
    >>> traffic = Traffic({"web": web}, {"billing": billing}, duration_s=1)
    >>> explorer = partitions(Scenario(traffic))
    >>> explorer.set(partitions=4, members=2)
    >>> explorer.scenario.system.topics["orders"].partitions
    4
    """
    return PartitionExplorer(knobs_of(scenario, subscriber, keys), live=live)

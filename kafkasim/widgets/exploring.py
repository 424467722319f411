"""The partition explorer: what partitions, members, keys, linger and work do.

Controls are ipywidgets. A slider tells its value when it is let go (or a key is
pressed), and then the scenario runs again; a model that takes long runs when Run is
pressed. The picture is a PNG in an `<img>` that says in words what it shows; where no
kernel is, on a web page, the last one stands in for the explorer.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from kafkasim.errors import KafkasimError
from kafkasim.experiments.running import run
from kafkasim.plot.words import METRIC_LABELS, amount, percent
from kafkasim.result.result import Result
from kafkasim.scenario.keys import Keys
from kafkasim.scenario.scenario import Scenario
from kafkasim.widgets.controls import Controls
from kafkasim.widgets.knobs import Knobs, Values, knobs_of
from kafkasim.widgets.picture import Picture, Shown, alt_text, shown_of

_ROWS: Final = (
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "lag_records_max",
    "drain_s",
    "partition_imbalance",
    "overtaken_share",
)
"""Metrics of the table, from top to bottom."""

_LEFT: Final = ' style="text-align:left;font-weight:normal"'
_RIGHT: Final = ' style="text-align:right;padding-left:1.5em"'


def partitions(
    scenario: Scenario,
    *,
    subscriber: str | None = None,
    keys: Mapping[str, Keys] | None = None,
    live: bool = True,
) -> "PartitionExplorer":
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
    live : bool
        Run at each change of a control; otherwise when Run is pressed.

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


class PartitionExplorer:
    """An explorer in a notebook; `partitions` makes one.

    Parameters
    ----------
    knobs : Knobs
        What the controls change.
    live : bool
        Run at each change.

    Attributes
    ----------
    controls : Controls
        The widgets.
    picture : Picture
        The figure.
    message : str
        What is said below the controls, an error among them.
    """

    def __init__(self, knobs: Knobs, *, live: bool) -> None:
        self._knobs = knobs
        self._scenario = knobs.scenario
        self._result = run(knobs.scenario)
        self._shown = shown_of(self._result, knobs.topic, knobs.subscriber)
        self._before: Shown | None = None
        self.message = ""
        self.picture = Picture()
        self._png = b""
        self.controls = Controls(knobs, live=live, run=self._run, reset=self._reset)
        self._draw()

    @property
    def scenario(self) -> Scenario:
        """The scenario that is shown: to print as TOML, to save, to run again."""
        return self._scenario

    @property
    def result(self) -> Result:
        """The run that is shown, for any analysis or figure."""
        return self._result

    def set(self, **values: float | str) -> None:
        """Put controls where a hand would, and run once.

        Parameters
        ----------
        **values
            `partitions`, `members`, `keys` (name of a choice), `linger_ms`, `work_ms`.

        Raises
        ------
        ValidationError
            There is no such control, or it does not reach that value.
        """
        self.controls.put(values)
        self._run()

    def _reset(self) -> None:
        self.controls.put_all(self._knobs.initial)
        self._run()

    def _run(self) -> None:
        """Run where the controls stand; an error becomes a message."""
        values = self.controls.values
        self._say(f"Running with {_told(values)} …")
        try:
            scenario = self._knobs.scenario_at(values)
            result = run(scenario)
        except KafkasimError as error:
            self._say(f"This cannot run: {error}", alert=True)
            return
        except Exception as error:
            self._say(f"Stopped by a fault: {error!r}; the log has more.", alert=True)
            raise
        self._scenario, self._result = scenario, result
        self._before = self._shown
        self._shown = shown_of(result, self._knobs.topic, self._knobs.subscriber)
        self._draw()

    def _draw(self) -> None:
        self.picture.update(self._shown, self._before)
        self._png = self.picture.png()
        self.controls.show(self._page())
        self._say(f"Shown: {_told(self.controls.values)}.")

    def _say(self, text: str, *, alert: bool = False) -> None:
        self.message = text
        self.controls.say(text, alert=alert)

    def _page(self) -> str:
        """Return figure, numbers and scenario as HTML."""
        source = b64encode(self._png).decode()
        before = {} if self._before is None else self._before.metrics
        return (
            f'<figure style="margin:0"><img alt="{escape(alt_text(self._shown))}" '
            f'style="max-width:100%" src="data:image/png;base64,{source}"></figure>'
            f"{_table(self._shown.metrics, before)}"
            "<details><summary>This scenario as TOML</summary><pre>"
            f"{escape(self._scenario.to_toml())}</pre></details>"
        )

    def _repr_mimebundle_(
        self,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Return the live view, and a picture for where no kernel is."""
        del include, exclude  # what is not wanted is left out by who asked
        return {
            **self.controls.view._repr_mimebundle_(),
            "image/png": b64encode(self._png).decode(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return f"PartitionExplorer({_told(self.controls.values)})"


def _told(values: Values) -> str:
    parts = f"{values.partitions} partition{'s' * (values.partitions != 1)}"
    members = f"{values.members} member{'s' * (values.members != 1)}"
    return (
        f"{parts}, {members}, keys {values.keys}, linger {values.linger_ms:g} ms, "
        f"work {values.work_ms:g} ms"
    )


def _table(now: Mapping[str, float], before: Mapping[str, float]) -> str:
    """Return the metrics as an HTML table, those of the run before beside them."""
    heads = ["this run", "run before"] if before else ["this run"]
    rows = ["<td>" + "".join(f"<th scope=col{_RIGHT}>{head}" for head in heads)]
    rows += [
        f"<th scope=row{_LEFT}>{escape(METRIC_LABELS[name])}"
        + "".join(
            f"<td{_RIGHT}>{_cell(name, numbers)}"
            for numbers in (now, before)
            if numbers
        )
        for name in _ROWS
    ]
    return f"<table><tr>{'<tr>'.join(rows)}</table>"


def _cell(name: str, numbers: Mapping[str, float]) -> str:
    value = numbers[name]
    return percent(value) if name.endswith("_share") else amount(value)

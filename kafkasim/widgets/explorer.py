"""The base of every explorer: controls beside a figure, a run behind them.

To write an explorer takes three things:

1. A frozen dataclass of **values**: one field per control, its default where the
   control begins.
2. A **canvas** (`kafkasim.widgets.canvas.Canvas`): `draw` makes axes and artists once,
   `update(shown, before)` moves them, `alt_text(shown)` says what is seen.
3. A subclass of `Explorer` that says which scenario some values mean (`scenario_at`),
   what the figure shows of a run (`look`: numpy columns from ``result.columns(…)``,
   never DataFrames, and only what is drawn), and which tables an export holds
   (`tables`). Its constructor stores what these need and then calls the base's, which
   runs the model once.

The base does the rest, for all in the same way: controls with units, `set`, reset,
questions as buttons, "run at each change" (off by itself when a run is slow), the
scenario as TOML to be copied, export, errors as messages that a screen reader reads
out, the figure as an `<img>` with alternative text, and a picture in the notebook's
file for where no kernel is.

>>> from dataclasses import dataclass
>>> from kafkasim.scenario.arrivals import Periodic
>>> from kafkasim.scenario.traffic import Source, Subscriber, Traffic
>>> from kafkasim.widgets.inputs import Slider
>>> @dataclass(frozen=True)
... class Values:
...     rate: int = 100
>>> class Counted(Canvas[int]):
...     def draw(self):
...         self.title = self.figure.suptitle("")
...
...     def update(self, shown, before):
...         self.title.set_text(self.alt_text(shown))
...
...     def alt_text(self, shown):
...         return f"{shown} records"
>>> class CountExplorer(Explorer[Values, int]):
...     def __init__(self):
...         controls = {"rate": Slider("rate", 1, 500, 1, "records/s")}
...         super().__init__(Values(), controls, Counted((4.0, 1.0)))
...
...     def scenario_at(self, values):
...         web = Source("orders", Periodic(values.rate))
...         traffic = Traffic({"web": web}, {"shop": Subscriber(["orders"])}, 1)
...         return Scenario(traffic)
...
...     def look(self, result, values):
...         return len(result.columns("records"))
...
...     def tables(self, result):
...         return {"records": result.records}
>>> explorer = CountExplorer()
>>> explorer.set(rate=250)
>>> explorer.shown, explorer
(250, CountExplorer(rate 250 records/s))
"""

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from time import perf_counter  # noqa: TID251 - a person waits, in the world's time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from kafkasim import export
from kafkasim.catalogue import say
from kafkasim.errors import KafkasimError, OutputError
from kafkasim.experiments.running import run
from kafkasim.plot.sizes import sized
from kafkasim.plot.style import style
from kafkasim.result.folder import new_folder
from kafkasim.result.result import Result
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Traffic
from kafkasim.widgets.canvas import Canvas, ShownT, image
from kafkasim.widgets.inputs import Control, Value, told
from kafkasim.widgets.panel import Actions, Panel, Preset

if TYPE_CHECKING:
    import pandas as pd
    from _typeshed import DataclassInstance

ValuesT = TypeVar("ValuesT", bound="DataclassInstance")
"""A frozen dataclass: where the controls stand."""

SLOW_S: Final = 1.0
"""Seconds of waiting from which a change waits for the Run button."""


class Explorer(ABC, Generic[ValuesT, ShownT]):
    """Controls beside a figure of what they do.

    It speaks the language (`kafkasim.language`) that holds when it is made. Where that
    changes later, what is made anew at each run (titles, messages, the table) follows;
    what is made once (controls, axes, legends) stays, until another one is made.

    Parameters
    ----------
    values : frozen dataclass
        Where the controls begin; reset goes back to it.
    controls : mapping of str to Control
        One for each field of `values`, in the order in which they are shown.
    canvas : Canvas
        The figure.
    presets : sequence of Preset
        Questions, as buttons.
    live : bool, optional
        Run at each change. Without it as long as a run takes at most a second.

    Attributes
    ----------
    canvas : Canvas
    panel : Panel
        The widgets.
    shown : numbers
        What the figure shows; `before` is the same of the run before, or None.
    beside : dict of str to Result
        The runs of `scenarios_beside`, by the same names.
    message : str
        What is said below the controls, an error among them.
    """

    def __init__(
        self,
        values: ValuesT,
        controls: Mapping[str, Control],
        canvas: Canvas[ShownT],
        *,
        presets: Sequence[Preset] = (),
        live: bool | None = None,
    ) -> None:
        begin = asdict(values)
        assert list(begin) == list(controls), "one control for each value, in order"
        self._initial, self._controls = values, dict(controls)
        self._settled = live is not None
        self._values = values
        self._scenario = self.scenario_at(values)
        self._drawn: tuple[tuple[Traffic, int], Plan] | None = None
        self.beside: dict[str, Result] = {}
        self._result, took_s = self._carried_out(self._scenario, values)
        self.canvas = canvas
        self.shown = self.look(self._result, values)
        self.before: ShownT | None = None
        self.message = ""
        self._png = b""
        actions = Actions(self._run, self._reset, self._export, self._toml)
        self.panel = Panel(
            controls,
            begin,
            presets,
            actions,
            folder=_file_name(type(self).__name__),
            live=live is not False,
        )
        self.redraw()
        self._pause_if_slow(took_s)

    @abstractmethod
    def scenario_at(self, values: ValuesT) -> Scenario:
        """Return the scenario that the controls' values mean."""

    def scenarios_beside(self, values: ValuesT) -> dict[str, Scenario]:
        """Return scenarios of the same traffic that run beside it, by name.

        Where systems are compared: `look` finds their runs in `beside`, and an export
        holds each as ``<name>.toml``.
        """
        del values
        return {}

    @abstractmethod
    def look(self, result: Result, values: ValuesT) -> ShownT:
        """Return the numbers that the figure shows of a run."""

    @abstractmethod
    def tables(self, result: Result) -> "Mapping[str, pd.DataFrame]":
        """Return what an export holds beside the figure: file name → table."""

    def below(self, shown: ShownT, before: ShownT | None) -> str:
        """Return HTML that stands below the figure, such as a table of its numbers."""
        del shown, before
        return ""

    @property
    def scenario(self) -> Scenario:
        """The scenario that is shown: to print as TOML, to save, to run again."""
        return self._scenario

    @property
    def result(self) -> Result:
        """The run that is shown, for any analysis or figure."""
        return self._result

    @property
    def settings(self) -> ValuesT:
        """Where the controls stood when what is shown ran."""
        return self._values

    @property
    def alt_text(self) -> str:
        """What the figure shows, in words."""
        return self.canvas.alt_text(self.shown)

    def set(self, **values: Value) -> None:
        """Put controls where a hand would, and run once.

        Parameters
        ----------
        **values
            Control → value; those left out stay.

        Raises
        ------
        ValidationError
            There is no such control, or it does not reach that value; none has moved.
        """
        self.panel.put(values)
        self._run()

    def redraw(self) -> None:
        """Draw what is shown again, from the numbers at hand; nothing runs."""
        self.canvas.update(self.shown, self.before)
        self._png = self.canvas.png()
        below = self.below(self.shown, self.before)
        self.panel.show(image(self._png, self.alt_text), below)
        self._say(say("Shown: {values}.", values=self._told(self._values)))

    def export(self, folder: str | Path) -> Path:
        """Write what is shown into a new folder: figure, tables, scenario, words.

        Parameters
        ----------
        folder : str or Path
            ``figure.png``, ``.svg`` and ``.pdf``, one ``.csv`` per table,
            ``scenario.toml``, one more for each scenario beside it, and
            ``alt-text.txt`` go into it.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OutputError
            The folder holds something already, or cannot be written; what was there is
            untouched.
        """
        if _taken(folder):
            raise OutputError(
                say(
                    "{folder} is there already; name another folder", folder=str(folder)
                )
            )
        with new_folder(folder) as partial, sized("notebook"), style():
            for suffix in ("png", "svg", "pdf"):
                export.figure(self.canvas.figure, partial / f"figure.{suffix}")
            for name, table in self.tables(self._result).items():
                export.table(table, partial / f"{name}.csv")
            self._scenario.save(partial / "scenario.toml")
            for name, each in self.beside.items():
                each.scenario.save(partial / f"{name}.toml")
            text = f"{self.alt_text}\n"
            (partial / "alt-text.txt").write_text(text, encoding="utf-8", newline="\n")
        return Path(folder).expanduser()

    def _export(self) -> None:
        """Export where the box says; then propose the next free name."""
        box = self.panel.folder_box
        name = box.value.strip()
        if not name:
            self._say(say("Nothing written: name a folder."), alert=True)
        else:
            try:
                folder = self.export(name)
            except KafkasimError as error:
                self._say(say("Nothing written: {error}", error=str(error)), alert=True)
                return
            box.value = _next_name(name)
            place = str(folder.resolve())
            self._say(say("Figure, tables and scenario are in {folder}.", folder=place))

    def _toml(self) -> str:
        return self._scenario.to_toml()

    def _reset(self) -> None:
        self.panel.put(asdict(self._initial))
        self._run()

    def _run(self) -> None:
        """Run where the controls stand; an error becomes a message."""
        values = type(self._initial)(**self.panel.settings)
        self._say(say("Running with {values} …", values=self._told(values)))
        try:
            scenario = self.scenario_at(values)
            result, took_s = self._carried_out(scenario, values)
            shown = self.look(result, values)
        except KafkasimError as error:
            self._say(say("This cannot run: {error}", error=str(error)), alert=True)
            return
        except Exception as error:
            fault = say(
                "Stopped by a fault: {error}; the log has more.", error=repr(error)
            )
            self._say(fault, alert=True)
            raise
        self._values, self._scenario, self._result = values, scenario, result
        self.before, self.shown = self.shown, shown
        self.redraw()
        self._pause_if_slow(took_s)

    def _carried_out(self, scenario: Scenario, values: ValuesT) -> tuple[Result, float]:
        """Run, with the plan at hand when the traffic is the same; and say how long."""
        began = perf_counter()
        world = (scenario.traffic, scenario.seed)
        if self._drawn is None or self._drawn[0] != world:
            self._drawn = (world, scenario.plan())
        result = run(scenario, plan=self._drawn[1], progress=False)
        self.beside = {
            name: run(each, plan=self._drawn[1], progress=False)
            for name, each in self.scenarios_beside(values).items()
        }
        return result, perf_counter() - began

    def _pause_if_slow(self, took_s: float) -> None:
        """Let changes wait for Run after a slow run, unless somebody has chosen."""
        if self._settled or took_s <= SLOW_S or not self.panel.live_box.value:
            return
        self.panel.live_box.value = False
        self._settled = True
        slow = say("A run takes a while: press Run after a change.")
        self._say(f"{self.message} {slow}")

    def _say(self, text: str, *, alert: bool = False) -> None:
        self.message = text
        self.panel.say(text, alert=alert)

    def _told(self, values: ValuesT) -> str:
        stand: dict[str, Value] = asdict(values)
        return ", ".join(
            told(self._controls[name], value) for name, value in stand.items()
        )

    def _repr_mimebundle_(
        self,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Return the live view, and a picture for where no kernel is."""
        del include, exclude  # what is not wanted is left out by who asked
        return {
            **self.panel.view._repr_mimebundle_(),
            "text/html": f"<figure>{image(self._png, self.alt_text)}</figure>",
            "image/png": b64encode(self._png).decode(),
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._told(self._values)})"


def _file_name(name: str) -> str:
    """Return a class's name as that of a folder.

    >>> _file_name("PartitionExplorer")
    'partition-explorer'
    """
    parts = "".join(
        f"-{letter.lower()}" if letter.isupper() else letter for letter in name
    )
    return parts.removeprefix("-")


def _taken(folder: str | Path) -> bool:
    """Return whether something stands there; a name that cannot be is not taken."""
    try:
        place = Path(folder).expanduser()
        return place.is_file() or (place.is_dir() and any(place.iterdir()))
    except (OSError, RuntimeError, ValueError):
        return False


def _next_name(name: str) -> str:
    """Return the first free name among `name-2`, `name-3` and so on."""
    stem, _, number = name.rpartition("-")
    if not (stem and number.isdecimal()):
        stem, number = name, "1"
    names = (f"{stem}-{each}" for each in count(int(number) + 1))
    return next(name for name in names if not _taken(name))

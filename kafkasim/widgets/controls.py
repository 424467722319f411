"""Sliders, buttons and places for a picture and a message, in ipywidgets.

This module alone knows ipywidgets. A slider's `continuous_update` is off: a drag runs
the model once, where it ends. Every input is a slider, also the choice of a key: arrow
keys move a slider, while in a drop-down list JupyterLab takes them for itself and moves
to another cell.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from html import escape
from types import MappingProxyType
from typing import Any, Final

from kafkasim.config.paths import one_of
from kafkasim.errors import ValidationError
from kafkasim.widgets.knobs import Knobs, Values

_MOST_PARTITIONS: Final = 32
_MOST_MEMBERS: Final = 16
_MOST_LINGER_MS: Final = 100.0
_MOST_WORK_MS: Final = 5.0

_DESCRIPTIONS: Final = MappingProxyType(
    {
        "partitions": "partitions",
        "members": "members",
        "keys": "key",
        "linger_ms": "linger.ms",
        "work_ms": "work (ms)",
    }
)
"""Control → its label."""


class Controls:
    """The widgets of a partition explorer.

    Parameters
    ----------
    knobs : Knobs
        What they begin with.
    live : bool
        Call `run` at each change.
    run, reset : callable
        What the two buttons do.

    Attributes
    ----------
    widgets : dict of str to widget
        By the names of `Values`.
    view : widget
        All of it, to be shown.
    """

    def __init__(
        self,
        knobs: Knobs,
        *,
        live: bool,
        run: Callable[[], None],
        reset: Callable[[], None],
    ) -> None:
        import ipywidgets

        self._run = run
        self._quiet = False
        self.widgets = _inputs(knobs)
        self.run_button = ipywidgets.Button(description="Run", button_style="primary")
        self.reset_button = ipywidgets.Button(description="Reset")
        self.live_box = ipywidgets.Checkbox(
            value=live, description="run at each change", indent=False
        )
        self.message = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        for widget in self.widgets.values():
            widget.observe(self._changed, names="value")
        self.run_button.on_click(lambda _: run())
        self.reset_button.on_click(lambda _: reset())
        inputs = ipywidgets.Box(
            list(self.widgets.values()),
            layout=ipywidgets.Layout(flex_flow="row wrap", display="flex"),
        )
        buttons = ipywidgets.HBox([self.run_button, self.reset_button, self.live_box])
        self.view = ipywidgets.VBox([inputs, buttons, self.message, self.picture])

    @property
    def values(self) -> Values:
        """Where the controls stand."""
        return Values(**{name: each.value for name, each in self.widgets.items()})

    def put(self, values: Mapping[str, float | str]) -> None:
        """Set controls by name without running.

        Raises
        ------
        ValidationError
            There is no such control, or it does not reach that value.
        """
        for name, value in values.items():
            if name not in self.widgets:
                raise ValidationError("control", name, one_of(self.widgets))
            widget = self.widgets[name]
            options = getattr(widget, "options", None)
            if options is not None and value not in options:
                raise ValidationError(name, value, one_of(options))
            if options is None and not widget.min <= value <= widget.max:
                allowed = f"{widget.min:g} to {widget.max:g}"
                raise ValidationError(name, value, allowed)
        self._quiet = True
        try:
            for name, value in values.items():
                self.widgets[name].value = value
        finally:
            self._quiet = False

    def put_all(self, values: Values) -> None:
        """Set every control without running."""
        self.put(asdict(values))

    def say(self, text: str, *, alert: bool) -> None:
        """Show a message; a screen reader reads it out."""
        role = "alert" if alert else "status"
        colour = ";color:#B00020" if alert else ""
        self.message.value = (
            f'<div role="{role}" style="line-height:1.4{colour}">{escape(text)}</div>'
        )

    def show(self, page: str) -> None:
        """Show a picture and what belongs to it."""
        self.picture.value = page

    def _changed(self, _: object) -> None:
        if self._quiet:
            return
        if self.live_box.value:
            self._run()
        else:
            self.say("Changed; press Run.", alert=False)


def _inputs(knobs: Knobs) -> dict[str, Any]:
    import ipywidgets

    begin = knobs.initial
    most_work_ms = max(_MOST_WORK_MS, 2 * begin.work_ms)
    look = {
        "continuous_update": False,
        "layout": ipywidgets.Layout(width="24em"),
        "style": {"description_width": "7em"},
    }
    made = {
        "partitions": ipywidgets.IntSlider(
            min=1, max=max(_MOST_PARTITIONS, begin.partitions), **look
        ),
        "members": ipywidgets.IntSlider(
            min=1, max=max(_MOST_MEMBERS, begin.members), **look
        ),
        "keys": ipywidgets.SelectionSlider(options=list(knobs.choices), **look),
        "linger_ms": ipywidgets.FloatSlider(
            max=max(_MOST_LINGER_MS, begin.linger_ms), step=1.0, **look
        ),
        "work_ms": ipywidgets.FloatSlider(max=most_work_ms, step=0.1, **look),
    }
    for name, value in asdict(begin).items():
        made[name].value = value
        made[name].description = _DESCRIPTIONS[name]
    made["linger_ms"].readout_format = made["work_ms"].readout_format = ".1f"
    made["work_ms"].disabled = knobs.work_path is None
    return made

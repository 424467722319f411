"""What a learner can turn: sliders, switches and choices, as values and as widgets.

A control is declared as a frozen value with its label, range and unit; `widget_of`
makes the ipywidgets for it, in the language that holds then. A slider's
`continuous_update` is off: a drag runs the model once, where it ends. A choice is a
slider too: arrow keys move a slider, while in a drop-down list JupyterLab takes them
for itself and moves to another cell.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from kafkasim.catalogue import say
from kafkasim.config.paths import one_of
from kafkasim.errors import ValidationError

Value = float | str | bool
"""Where a control stands."""

_SYMBOLS: Final = frozenset({"", "ms", "s", "KiB"})
_WIDTH: Final = "25em"
_WIDER: Final = "32em"
"""Of a slider with a long label: as much of the slider is left as of others."""
_LABEL_WIDTH: Final = "9.5em"
_LABEL_LETTERS: Final = 18
"""So many letters have room in that width."""


@dataclass(frozen=True, slots=True)
class Slider:
    """A number in a range; a whole one when `low`, `high` and `step` are whole."""

    label: str
    """Stands before it, with the unit in brackets."""
    low: float
    """The smallest value."""
    high: float
    """The largest value."""
    step: float = 1
    """What an arrow key adds."""
    unit: str = ""
    """Such as ``"ms"``."""
    moves: bool = True
    """Whether it can be moved at all."""

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return all(isinstance(end, int) for end in (self.low, self.high, self.step))


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is on or off."""

    label: str
    """Stands beside it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few names."""

    label: str
    """Stands before it."""
    options: tuple[str, ...]
    """What can be chosen, in order."""
    names: frozenset[str] = frozenset()
    """Options that are names, of Kafka's or in the data: the same in each language."""


Control = Slider | Switch | Choice


def checked(name: str, control: Control, value: object) -> Value:
    """Return a value to which a hand could move the control, as Python's own.

    NumPy's numbers are welcome: they come from a loop over an array or a table.

    Raises
    ------
    ValidationError
        Naming the control and what it reaches.
    """
    if isinstance(value, np.generic):
        value = value.item()
    match control:
        case Choice():
            if not isinstance(value, str) or value not in control.options:
                raise ValidationError(name, value, one_of(control.options))
        case Switch():
            if not isinstance(value, bool):
                raise ValidationError(name, value, say("True or False"))
        case Slider():
            kinds = (int,) if control.whole else (int, float)
            if isinstance(value, bool) or not isinstance(value, kinds):
                kind = say("a whole number") if control.whole else say("a number")
                raise ValidationError(name, value, f"{kind}, {_reach(control)}")
            if not control.low <= value <= control.high:
                raise ValidationError(name, value, _reach(control))
    return value


def _reach(slider: Slider) -> str:
    return say("{low} to {high}", low=f"{slider.low:g}", high=f"{slider.high:g}")


def told(control: Control, value: Value) -> str:
    """Return in a few words where a control stands.

    Examples
    --------
    >>> told(Slider("rate", 500, 4_000, 100, "records/s"), 3_000)
    'rate 3,000 records/s'
    >>> told(Choice("keys", ("none", "by key")), "by key"), told(Switch("paused"), True)
    ('keys by key', 'paused on')
    """
    match control:
        case Slider():
            number = f"{value:,}" if isinstance(value, int) else f"{value:g}"
            parts = (say(control.label), number, _unit(control))
            return " ".join(part for part in parts if part)
        case Switch():
            label = say(control.label)
            if value:
                return say("{label} on", label=label)
            return say("{label} off", label=label)
        case Choice():
            return f"{say(control.label)} {said(control, str(value))}"


def _unit(slider: Slider) -> str:
    """Return a slider's unit; a symbol is the same in each language."""
    return slider.unit if slider.unit in _SYMBOLS else say(slider.unit)


def said(choice: Choice, option: str) -> str:
    """Return what a learner reads of an option: a name in the data stays as it is."""
    return option if option in choice.names else say(option)


def widget_of(control: Control, value: Value) -> Any:  # noqa: ANN401 - ipywidgets has no types
    """Return the ipywidgets for a control, standing at `value`."""
    import ipywidgets

    label = say(control.label)
    if isinstance(control, Slider) and control.unit:
        label = f"{label} ({_unit(control)})"
    # JupyterLab cuts a label off at its width; a long one needs its own.
    is_long = len(label) > _LABEL_LETTERS
    width = _WIDER if is_long and not isinstance(control, Switch) else _WIDTH
    look = {
        "layout": ipywidgets.Layout(width=width, max_width="100%"),
        "style": {"description_width": "initial" if is_long else _LABEL_WIDTH},
    }
    match control:
        case Slider():
            kind = ipywidgets.IntSlider if control.whole else ipywidgets.FloatSlider
            more = {} if control.whole else {"readout_format": _digits(control.step)}
            return kind(
                value=value,
                min=control.low,
                max=control.high,
                step=control.step,
                description=label,
                continuous_update=False,
                disabled=not control.moves,
                **more,
                **look,
            )
        case Switch():
            return ipywidgets.Checkbox(
                value=value, description=label, indent=False, **look
            )
        case Choice():
            return ipywidgets.SelectionSlider(
                options=[(said(control, each), each) for each in control.options],
                value=value,
                description=label,
                continuous_update=False,
                **look,
            )


def _digits(step: float) -> str:
    """Return the format that shows as many digits as a step has."""
    return f".{len(f'{step:g}'.partition('.')[2])}f"

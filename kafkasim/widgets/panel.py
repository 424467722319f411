"""What surrounds an explorer's figure: controls, questions, buttons, messages, folds.

With `inputs` the only module that knows ipywidgets. All of it is ipywidgets' own, so a
page needs no code from elsewhere, and all of it can be used by keyboard.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from kafkasim.catalogue import say
from kafkasim.config.paths import one_of
from kafkasim.errors import ValidationError
from kafkasim.widgets.inputs import Control, Value, checked, widget_of

_CLASS: Final = "kafkasim-panel"
_WIDE: Final = (
    f"<style>.{_CLASS} .widget-readout "
    "{width:auto;min-width:72px;max-width:none;flex:0 0 auto}</style>"
)
"""Where a slider stands may be words, which JupyterLab cuts after ten letters."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A question, and where the controls stand to answer it."""

    question: str
    """On the button, such as ``"Why does one partition stall?"``."""
    values: Mapping[str, Value]
    """Control → value; the others go to where they began."""


@dataclass(frozen=True, slots=True)
class Actions:
    """What the panel's buttons do; none of them takes anything."""

    run: Callable[[], None]
    reset: Callable[[], None]
    export: Callable[[], None]
    toml: Callable[[], str]
    """The text that the fold shows when it is opened."""


class Panel:
    """The widgets of an explorer.

    Parameters
    ----------
    controls : mapping of str to Control
        By the names of the values.
    values : mapping of str to value
        Where they begin.
    presets : sequence of Preset
    actions : Actions
    folder : str
        The name that stands in the export box.
    live : bool
        Whether a change runs the model at once.

    Attributes
    ----------
    widgets : dict of str to widget
        The controls, by name.
    live_box, run_button, reset_button, export_button, folder_box, fold, toml_box :
        Their widgets; `preset_buttons` in the order of the presets.
    message, picture, below : HTML widgets
    view : widget
        All of it, to be shown.
    """

    def __init__(
        self,
        controls: Mapping[str, Control],
        values: Mapping[str, Value],
        presets: Sequence[Preset],
        actions: Actions,
        *,
        folder: str,
        live: bool,
    ) -> None:
        import ipywidgets

        self._controls, self._actions = dict(controls), actions
        self._begin = dict(values)
        self._quiet = False
        self.widgets = {
            name: widget_of(control, values[name]) for name, control in controls.items()
        }
        self.preset_buttons = [self._question(preset) for preset in presets]
        self.run_button = _button(say("Run"), button_style="primary")
        self.reset_button = _button(say("Reset"))
        self.live_box = ipywidgets.Checkbox(
            value=live, description=say("run at each change"), indent=False
        )
        self.live_box.layout.width = "auto"
        self.fold = ipywidgets.ToggleButton(
            description=say("Scenario as TOML"),
            layout=ipywidgets.Layout(width="auto"),
        )
        self.folder_box = ipywidgets.Text(
            value=folder,
            description=say("folder"),
            style={"description_width": "4em"},
            layout=ipywidgets.Layout(width="16em"),
        )
        self.export_button = _button(say("Export"))
        self.toml_box = ipywidgets.Textarea(
            rows=16,
            layout=ipywidgets.Layout(display="none", width="100%", height="22em"),
        )
        self.message = ipywidgets.HTML()
        self.picture = ipywidgets.HTML()
        self.below = ipywidgets.HTML()
        self._listen()
        self.view = self._laid_out()

    def _question(self, preset: Preset) -> Any:  # noqa: ANN401 - ipywidgets has no types
        button = _button(say(preset.question))
        button.on_click(lambda _: self._ask(preset))
        return button

    def _listen(self) -> None:
        for widget in self.widgets.values():
            widget.observe(self._changed, names="value")
        self.run_button.on_click(lambda _: self._actions.run())
        self.reset_button.on_click(lambda _: self._actions.reset())
        self.export_button.on_click(lambda _: self._actions.export())
        self.fold.observe(lambda _: self.show_toml(), names="value")

    def _laid_out(self) -> Any:  # noqa: ANN401 - ipywidgets has no types
        import ipywidgets

        wrap = ipywidgets.Layout(display="flex", flex_flow="row wrap", width="100%")
        rows = [
            ipywidgets.Box(self.preset_buttons, layout=wrap),
            ipywidgets.Box(list(self.widgets.values()), layout=wrap),
            ipywidgets.Box(
                [
                    self.run_button,
                    self.reset_button,
                    self.live_box,
                    self.fold,
                    self.folder_box,
                    self.export_button,
                ],
                layout=wrap,
            ),
            self.message,
            ipywidgets.HTML(_WIDE, layout=ipywidgets.Layout(display="none")),
            self.toml_box,
            self.picture,
            self.below,
        ]
        view = ipywidgets.VBox(rows[0 if self.preset_buttons else 1 :])
        view.add_class(_CLASS)
        return view

    @property
    def settings(self) -> dict[str, Any]:
        """Where the controls stand."""
        return {name: widget.value for name, widget in self.widgets.items()}

    def put(self, values: Mapping[str, Value]) -> None:
        """Set controls by name without running; all of them or none.

        Raises
        ------
        ValidationError
            There is no such control, or it does not reach that value.
        """
        stand = {}
        for name, value in values.items():
            if name not in self._controls:
                raise ValidationError(say("control"), name, one_of(self._controls))
            stand[name] = checked(name, self._controls[name], value)
        self._quiet = True
        try:
            for name, value in stand.items():
                self.widgets[name].value = value
        finally:
            self._quiet = False

    def say(self, text: str, *, alert: bool = False) -> None:
        """Show a message; a screen reader reads it out."""
        role = "alert" if alert else "status"
        colour = ";color:#B00020" if alert else ""
        self.message.value = (
            f'<div role="{role}" style="line-height:1.4{colour}">{escape(text)}</div>'
        )

    def show(self, picture: str, below: str) -> None:
        """Show a picture, and what stands below it."""
        self.picture.value = picture
        self.below.value = below
        self.show_toml()

    def show_toml(self) -> None:
        """Open or close the fold as its button says; the text is made when it opens."""
        self.toml_box.layout.display = "" if self.fold.value else "none"
        if self.fold.value:
            self.toml_box.value = self._actions.toml()

    def _ask(self, preset: Preset) -> None:
        self.put({**self._begin, **preset.values})
        self._actions.run()

    def _changed(self, _: object) -> None:
        if self._quiet:
            return
        if self.live_box.value:
            self._actions.run()
        else:
            self.say(say("Changed; press Run."))


def _button(text: str, **look: str) -> Any:  # noqa: ANN401 - ipywidgets has no types
    """Return a button as wide as its text."""
    import ipywidgets

    return ipywidgets.Button(
        description=text, layout=ipywidgets.Layout(width="auto"), **look
    )

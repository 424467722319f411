from dataclasses import dataclass, field

import pytest

from kafkasim.errors import ValidationError
from kafkasim.widgets.inputs import Choice, Slider, Switch, Value
from kafkasim.widgets.panel import Actions, Panel, Preset

CONTROLS: dict[str, Slider | Choice | Switch] = {
    "partitions": Slider("partitions", 1, 16),
    "work_ms": Slider("work", 0.2, 3.0, 0.1, "ms"),
    "keys": Choice("keys", ("none", "by key")),
    "paused": Switch("paused"),
}
BEGIN: dict[str, Value] = {
    "partitions": 1,
    "work_ms": 1.0,
    "keys": "by key",
    "paused": False,
}
QUESTION = Preset("Why cross?", {"partitions": 4, "keys": "none"})


@dataclass
class Called:
    names: list[str] = field(default_factory=list)

    def panel(self, *, live: bool = True) -> Panel:
        actions = Actions(
            run=lambda: self.names.append("run"),
            reset=lambda: self.names.append("reset"),
            export=lambda: self.names.append("export"),
            toml=self._toml,
        )
        return Panel(CONTROLS, BEGIN, [QUESTION], actions, folder="out", live=live)

    def _toml(self) -> str:
        self.names.append("toml")
        return "kafkasim = 1"


def test_a_change_runs_once() -> None:
    called = Called()
    panel = called.panel()

    panel.widgets["partitions"].value = 4

    assert called.names == ["run"]
    assert panel.settings == {**BEGIN, "partitions": 4}


def test_without_live_a_change_waits_for_run() -> None:
    called = Called()
    panel = called.panel(live=False)

    panel.widgets["paused"].value = True
    assert called.names == []
    assert "press Run" in panel.message.value

    panel.run_button.click()
    panel.reset_button.click()
    panel.export_button.click()
    assert called.names == ["run", "reset", "export"]


def test_putting_several_values_runs_nothing() -> None:
    called = Called()
    panel = called.panel()

    panel.put({"partitions": 8, "keys": "none"})

    assert called.names == []
    assert panel.settings == {**BEGIN, "partitions": 8, "keys": "none"}


def test_one_value_that_is_refused_moves_nothing() -> None:
    called = Called()
    panel = called.panel()

    with pytest.raises(ValidationError, match="1 to 16"):
        panel.put({"work_ms": 2.0, "partitions": 17})

    assert panel.settings == BEGIN


def test_a_control_that_is_not_there_is_refused_and_the_others_are_named() -> None:
    with pytest.raises(ValidationError, match="one of partitions, work_ms"):
        Called().panel().put({"partition": 8})


def test_a_question_puts_its_values_and_all_others_where_they_began_and_runs() -> None:
    called = Called()
    panel = called.panel(live=False)
    panel.put({"work_ms": 3.0})

    (button,) = panel.preset_buttons
    button.click()

    assert button.description == "Why cross?"
    assert called.names == ["run"]
    assert panel.settings == {**BEGIN, "partitions": 4, "keys": "none"}


def test_a_message_is_announced_and_what_is_in_it_is_escaped() -> None:
    panel = Called().panel()

    panel.say("a < b", alert=True)
    assert 'role="alert"' in panel.message.value
    assert "a &lt; b" in panel.message.value

    panel.say("done")
    assert 'role="status"' in panel.message.value


def test_the_fold_opens_to_a_text_and_costs_nothing_while_it_is_closed() -> None:
    called = Called()
    panel = called.panel()
    panel.show("<img>", "<table>")
    assert panel.toml_box.layout.display == "none"
    assert called.names == []

    panel.fold.value = True

    assert panel.toml_box.layout.display == ""
    assert panel.toml_box.value == "kafkasim = 1"
    panel.show("<img>", "")
    assert called.names == ["toml", "toml"]

    panel.fold.value = False
    assert panel.toml_box.layout.display == "none"


def test_a_picture_and_what_stands_below_it_are_shown() -> None:
    panel = Called().panel()

    panel.show("<img>", "<table>")

    assert (panel.picture.value, panel.below.value) == ("<img>", "<table>")
    assert {panel.picture, panel.below, panel.message} <= set(panel.view.children)


def test_where_a_slider_stands_may_be_words() -> None:
    """JupyterLab gives it 72 px; a rule for the panel's own class takes that away."""
    view = Called().panel().view

    said = [str(getattr(each, "value", "")) for each in view.children]
    (rule,) = [each for each in said if "<style>" in each]
    (name,) = view._dom_classes
    assert f".{name} .widget-readout" in rule
    assert "max-width:none" in rule

import numpy as np
import pytest

from kafkasim.errors import ValidationError
from kafkasim.widgets.inputs import Choice, Slider, Switch, checked, widget_of

WHOLE = Slider("partitions", 1, 16)
PART = Slider("work", 0.2, 3.0, 0.1, "ms")


def test_a_slider_of_whole_numbers_gives_whole_numbers() -> None:
    widget = widget_of(WHOLE, 4)

    assert type(widget.value) is int
    assert (widget.min, widget.max, widget.step) == (1, 16, 1)
    assert widget.description == "partitions"


def test_a_label_has_its_unit_and_a_readout_the_digits_of_a_step() -> None:
    widget = widget_of(PART, 1.0)

    assert widget.description == "work (ms)"
    assert widget.readout_format == ".1f"
    assert widget_of(Slider("skew", 0.0, 2.0, 0.25), 0.5).readout_format == ".2f"
    assert widget_of(Slider("rate", 0.5, 9.5, 1), 0.5).readout_format == ".0f"


@pytest.mark.parametrize(
    ("control", "value"), [(WHOLE, 4), (PART, 1.0), (Choice("keys", ("a", "b")), "b")]
)
def test_a_drag_runs_only_where_it_ends(
    control: Slider | Choice, value: float | str
) -> None:
    assert widget_of(control, value).continuous_update is False


def test_a_control_that_cannot_be_moved_is_disabled() -> None:
    assert widget_of(Slider("work", 0.0, 5.0, 0.1, moves=False), 1.0).disabled is True
    assert widget_of(PART, 1.0).disabled is False


@pytest.mark.parametrize(
    ("control", "value", "text"),
    [
        (WHOLE, 0, "1 to 16"),
        (WHOLE, 17, "1 to 16"),
        (WHOLE, 2.5, "a whole number, 1 to 16"),
        (WHOLE, True, "a whole number"),
        (PART, "fast", "a number, 0.2 to 3"),
        (PART, float("nan"), "0.2 to 3"),
        (PART, 1j, "a number, 0.2 to 3"),
        (Choice("keys", ("none", "by key")), "colour", 'none, "by key"'),
        (
            Choice("keys", ("none", "by key")),
            np.array(["none", "x"]),
            "expected one of none",
        ),
        (Switch("paused"), 1, "True or False"),
    ],
)
def test_a_value_to_which_no_hand_could_move_it_is_refused(
    control: Slider | Choice | Switch, value: float | str, text: str
) -> None:
    with pytest.raises(ValidationError, match=text):
        checked("it", control, value)


@pytest.mark.parametrize(
    ("control", "value"),
    [(WHOLE, 1), (WHOLE, 16), (PART, 3), (Switch("paused"), False)],
)
def test_the_ends_of_a_range_are_allowed(
    control: Slider | Switch, value: float
) -> None:
    checked("it", control, value)


@pytest.mark.parametrize(
    ("control", "value"),
    [
        (WHOLE, np.int64(4)),
        (PART, np.float32(0.5)),
        (PART, np.int8(1)),
        (Switch("paused"), np.array([True])[0]),
        (Choice("keys", ("none", "by key")), np.str_("none")),
    ],
)
def test_numpys_scalars_become_pythons_own(
    control: Slider | Choice | Switch, value: np.generic
) -> None:
    found = checked("it", control, value)

    assert found == value
    assert not isinstance(found, np.generic)


def test_a_label_is_in_line_with_others_unless_it_would_be_cut() -> None:
    short = widget_of(Slider("linger", 0, 5, 1, "ms"), 1)
    long = widget_of(Slider("second reader comes at", 0, 5, 1, "s"), 1)
    assert short.style.description_width == "9.5em"
    assert (long.description, long.style.description_width) == (
        "second reader comes at (s)",
        "initial",
    )


def test_a_long_label_takes_nothing_of_its_slider() -> None:
    short, long = (
        widget_of(Slider(label, 0, 30), 0)
        for label in ("work", "second reader comes at (s)")
    )
    box = widget_of(Switch("its queue is there from the start"), value=False)

    assert (short.layout.width, long.layout.width) == ("25em", "32em")
    assert (box.layout.width, long.layout.max_width) == ("25em", "100%")

"""Upright lines of events: what is told, which are named, and where names stand."""

from kafkasim.plot.event_lines import Told, draw_events, free_lines, lines_for, told
from kafkasim.plot.style import canvas
from kafkasim.result.result import Result
from kafkasim.testing.builders import small_result
from kafkasim.units import MISSING_NS


def done() -> Result:
    return small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        events=[
            {"event": "AddMember", "target": "subscriber:billing", "at_ms": 5,
             "until_ms": None, "effect": "billing/4 starts"},
            {"event": "Crash", "target": "broker:1", "at_ms": 1, "until_ms": 2,
             "effect": "stopped"},
            {"event": "Crash", "target": "subscriber:billing", "at_ms": 9,
             "until_ms": None, "effect": "not reached: the run was over"},
        ],
    )  # fmt: skip


def test_what_happened_is_told_by_the_kind_of_its_target() -> None:
    assert list(told(done(), ("member", "subscriber"))) == [
        Told(5_000_000, MISSING_NS, "AddMember", "subscriber", "billing",
             "billing/4 starts"),
    ]  # fmt: skip
    assert [each.name for each in told(done(), ("broker",))] == ["1"]
    assert list(told(small_result(), ("broker",))) == []


def test_names_of_events_stand_beside_each_other_or_below() -> None:
    """The last has its name to the left of it, where two others begin at 0.7."""
    assert free_lines([0.1, 0.1, 0.5, 0.7, 0.7, 0.85]) == [0, 1, 0, 1, 2, 3]
    assert free_lines([0.1, 0.4, 0.7]) == [0, 0, 0]


def test_every_event_has_a_line_and_the_first_ones_a_name() -> None:
    ax = canvas(None)
    ax.set_xlim(0, 10)
    said = [(1.0, "crash"), (2.0, "back"), (5.0, "crash"), (11.0, "too late")]

    draw_events([ax], said, most=2)

    assert [line.get_xdata()[0] for line in ax.lines] == [1, 2, 5]  # type: ignore[index]
    assert [each.get_text() for each in ax.texts] == ["crash", "back"]
    assert lines_for(said, 10, most=2) == [0, 1]

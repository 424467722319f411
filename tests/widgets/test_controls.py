import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets.controls import Controls
from kafkasim.widgets.knobs import knobs_of


def controls(runs: list[str], *, live: bool = True) -> Controls:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Poisson(100), keys=ks.UniformKeys(5))},
        {"billing": ks.Subscriber(["orders"], work_ms=ks.Uniform(1.0, 2.0))},
        duration_s=1,
    )
    knobs = knobs_of(ks.Scenario(traffic), None, None)
    return Controls(
        knobs,
        live=live,
        run=lambda: runs.append("run"),
        reset=lambda: runs.append("reset"),
    )


def test_a_change_runs_once_and_a_drag_only_where_it_ends() -> None:
    runs: list[str] = []
    made = controls(runs)

    made.widgets["partitions"].value = 4

    assert runs == ["run"]
    assert made.values.partitions == 4
    for widget in made.widgets.values():
        assert widget.continuous_update is False


def test_without_live_a_change_waits_for_run() -> None:
    runs: list[str] = []
    made = controls(runs, live=False)

    made.widgets["members"].value = 3
    assert runs == []
    assert "press Run" in made.message.value

    made.run_button.click()
    made.reset_button.click()
    assert runs == ["run", "reset"]


def test_putting_several_values_runs_nothing() -> None:
    runs: list[str] = []
    made = controls(runs)

    made.put({"partitions": 8, "members": 2})

    assert runs == []
    assert (made.values.partitions, made.values.members) == (8, 2)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"partition": 8}, "one of partitions, members"),
        ({"partitions": 0}, "1 to 32"),
        ({"keys": "colour"}, "as said"),
    ],
)
def test_what_a_control_cannot_show_is_refused(
    values: dict[str, float | str], text: str
) -> None:
    with pytest.raises(ValidationError, match=text):
        controls([]).put(values)


def test_work_without_one_number_cannot_be_moved() -> None:
    assert controls([]).widgets["work_ms"].disabled is True


def test_a_message_is_announced_and_what_is_in_it_is_escaped() -> None:
    made = controls([])

    made.say("a < b", alert=True)

    assert 'role="alert"' in made.message.value
    assert "a &lt; b" in made.message.value

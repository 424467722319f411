"""The leader's state against Kafka's own `Partition`, in random scripts.

`data/leader_scripts.json` is what `kafka/LeaderScripts.java` wrote: the state of the
real leader of a partition after each append, fetch and answer of the controller.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.units import NS_PER_MS

SCRIPTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "leader_scripts.json").read_text("utf-8")
)


def leader_of(script: dict[str, Any]) -> LeaderState:
    return LeaderState(
        node=0,
        replicas=range(script["replicas"]),
        isr=script["isr"],
        leader_epoch=1,
        partition_epoch=1,
        epoch_start=script["log_end"],
        log_end=script["log_end"],
        high_watermark=script["high_watermark"],
        min_isr=script["min_isr"],
        lag_max_ns=script["lag_ms"] * NS_PER_MS,
        now_ns=script["now_ms"] * NS_PER_MS,
    )


def take(state: LeaderState, now_ns: int, kind: str, *values: Any) -> bool | None:  # noqa: ANN401
    """Tell the leader what happened; return whether the high watermark moved."""
    moved = None
    match kind:
        case "append":
            moved = state.appended(values[0], now_ns)
        case "fetch":
            node, offset, eligible = values
            moved = state.fetched(node, offset, now_ns, eligible=eligible)
        case "check":
            state.shrinkable(now_ns)
        case "answer" | "metadata":
            moved = state.altered(values[0], values[1], now_ns)
        case "refuse":
            error = errors.ERRORS.index(values[0])
            state.refused(error, retry=error == errors.NOT_CONTROLLER)
        case _:
            assert kind == "eligibility"
            state.eligibility(values[0], eligible=values[1])
    if state.wants is not None:
        state.ask()
    return moved


def name_of(verdict: int | None) -> str | None:
    if verdict is None:
        return None
    return "NONE" if verdict == errors.NONE else errors.ERRORS[verdict]


def shown(state: LeaderState) -> list[Any]:
    return [
        state.high_watermark,
        sorted(state.isr),
        sorted(state.maximal_isr),
        None if state.altering is None else sorted(state.altering),
        state.under_min_isr,
        name_of(state.verdict(state.log_end)),
        name_of(state.verdict(state.high_watermark)),
    ]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_leader_does_as_kafkas_own(script: dict[str, Any]) -> None:
    state = leader_of(script)
    state.altered(script["isr"], 1, script["now_ms"] * NS_PER_MS)
    assert shown(state) == script["state"]

    for at, (now_ms, what, expected) in enumerate(script["steps"]):
        before = state.high_watermark
        moved = take(state, now_ms * NS_PER_MS, *what)
        assert shown(state) == expected, f"step {at} at {now_ms} ms: {what}"
        assert moved in {None, state.high_watermark > before}

"""The controller against Kafka's own classes, in random scripts.

`data/controller_scripts.json` is what `kafka/ControllerScripts.java` wrote: the answers
of the real controller, with times that Kafka's clock was set to, and which elections
its metrics count (`UncleanLeaderElectionsPerSec`,
`ElectionFromEligibleLeaderReplicasPerSec`). In the first half of them anything is asked
at random; in the other all brokers die or stop within a while, and come back whole.
"""

import json
from collections import ChainMap
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_election import Choice, choice_of
from kafkasim.protocol.cluster.controller_messages import (
    NO_LEADER,
    AlterPartition,
    AlterTopic,
    BrokerState,
    Changed,
    ControllerSettings,
    ElectPreferred,
    Failover,
    Heartbeat,
    MayStop,
    PartitionState,
    Register,
    Request,
)
from kafkasim.protocol.errors import ERRORS, NONE
from tests.protocol.cluster.controlled_cluster import errors, run_until

SCRIPTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "controller_scripts.json").read_text("utf-8")
)


def request_of(kind: str, *values: Any) -> Request:  # noqa: ANN401
    made: Request
    match kind:
        case "heartbeat":
            made = Heartbeat(*values)
        case "register":
            made = Register(*values)
        case "alter":
            node, epoch, at, leader_epoch, partition_epoch, isr, epochs, recovers = (
                values
            )
            made = AlterPartition(
                *(node, epoch, at, leader_epoch, partition_epoch),
                *(tuple(isr), tuple(epochs), recovers),
            )
        case "prefer":
            made = ElectPreferred()
        case "min_isr":
            made = AlterTopic((values[0],), min_isr=values[1])
        case "unclean":
            made = AlterTopic((values[0],), unclean=values[1])
        case _:
            made = Failover()
    return made


def state_of(values: list[Any]) -> PartitionState:
    replicas, isr, leader, leader_epoch, partition_epoch, elr, last, recovers = values
    return PartitionState(
        tuple(replicas),
        tuple(isr),
        *(leader, leader_epoch, partition_epoch),
        *(tuple(elr), tuple(last), recovers),
    )


def batch_of(
    partitions: list[Any], brokers: list[Any], offset: int, *_counted: list[int]
) -> Changed:
    return Changed(
        tuple((at, state_of(values)) for at, values in partitions),
        tuple(BrokerState(*values) for values in brokers),
        offset,
    )


def controller_of(script: dict[str, Any]) -> Controller:
    return Controller(
        ControllerSettings(
            elr=script["elr"], preferred_interval_ms=40_000, unclean_interval_ms=30_000
        ),
        [PartitionState(r, r, r[0]) for r in map(tuple, script["assignments"])],
        script["brokers"],
        min_isr=script["min_isr"],
        unclean=script["unclean"],
    )


Chosen = dict[int, tuple[Choice, bool]]
"""Partition → how its leader was chosen, and whether it was recovering before."""


def play(states: list[PartitionState], batch: Changed) -> Chosen:
    """Play a batch on; return the elections in it."""
    nodes = [broker.node for broker in batch.brokers]
    chosen = {}
    for at, after in batch.partitions:
        before, states[at] = states[at], after
        if after.leader not in (before.leader, NO_LEADER):
            chosen[at] = choice_of(before, after, nodes), before.recovering
    return chosen


def counted(chosen: Chosen) -> list[list[int]]:
    """Return what Kafka counts: unclean ones, and from the eligible leader replicas.

    It counts changes of the state to RECOVERING, so it misses the second unclean
    election in a row.
    """
    unclean = {Choice.LAST_LEADER, Choice.UNCLEAN}
    return [
        [at for at, (choice, was) in chosen.items() if choice in unclean and not was],
        [at for at, (choice, _) in chosen.items() if choice is Choice.ELIGIBLE],
    ]


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_the_real_controller_decided_the_same(script: dict[str, Any]) -> None:
    controller = controller_of(script)
    states = list(controller.partitions)
    allowed = list(script["unclean"])
    for place, (now_ms, asked, error, stops, batches) in enumerate(script["steps"]):
        assert run_until(controller, now_ms - 1) == [], place
        if asked[0] == "timeout":
            assert controller.next_deadline_ms == now_ms, place
            effects = controller.handle_timeout(now_ms)
        else:
            effects = controller.handle(request_of(*asked), now_ms)
        expected = [batch_of(*batch) for batch in batches]
        expected_errors = [] if asked[0] in ("timeout", "failover") else [error]

        assert [e for e in effects if isinstance(e, Changed)] == expected, place
        assert list(map(name_of, errors(effects))) == expected_errors, place
        assert any(isinstance(e, MayStop) for e in effects) is stops, place
        chosen = [play(states, e) for e in effects if isinstance(e, Changed)]
        assert list(map(counted, chosen)) == [batch[3:] for batch in batches], place
        if asked[0] == "unclean":
            allowed[asked[1]] = asked[2]
        for at, (choice, _) in ChainMap(*chosen).items():
            assert allowed[at] or choice is not Choice.UNCLEAN, place


def name_of(error: int) -> str:
    return "NONE" if error == NONE else ERRORS[error]

"""The controller: what it decides, at which millisecond."""

import pytest

from kafkasim.protocol.controller import Controller
from kafkasim.protocol.controller_messages import (
    AddPartitions,
    AlterPartition,
    AlterTopic,
    Answer,
    BrokerState,
    Changed,
    ControllerSettings,
    Effect,
    ElectPreferred,
    Failover,
    Heartbeat,
    MayStop,
    PartitionState,
    Register,
    Resign,
)
from kafkasim.protocol.errors import (
    DUPLICATE_BROKER_REGISTRATION,
    FENCED_LEADER_EPOCH,
    INELIGIBLE_REPLICA,
    INVALID_PARTITIONS,
    INVALID_REPLICA_ASSIGNMENT,
    INVALID_REPLICATION_FACTOR,
    INVALID_REQUEST,
    INVALID_UPDATE_VERSION,
    NONE,
    NOT_CONTROLLER,
    POLICY_VIOLATION,
    STALE_BROKER_EPOCH,
    UNKNOWN_TOPIC_OR_PARTITION,
)

ABC = (0, 1, 2)


def whole(*replicas: int) -> PartitionState:
    """A partition whose replicas are all in sync, led by the first."""
    return PartitionState(replicas, replicas, replicas[0])


def cluster(
    *partitions: PartitionState,
    brokers: int = 3,
    min_isr: int = 2,
    unclean: bool = False,
    elr: bool = True,
) -> Controller:
    return Controller(
        ControllerSettings(elr=elr),
        partitions or (whole(*ABC),),
        brokers,
        min_isr=[min_isr] * max(1, len(partitions)),
        unclean=[unclean] * max(1, len(partitions)),
    )


def run_until(controller: Controller, end_ms: int) -> list[tuple[int, Effect]]:
    """Call every timeout up to `end_ms`; return the effects and when they came."""
    found: list[tuple[int, Effect]] = []
    while (due_ms := controller.next_deadline_ms) is not None and due_ms <= end_ms:
        found += [(due_ms, effect) for effect in controller.handle_timeout(due_ms)]
    return found


def beat(controller: Controller, now_ms: int, *nodes: int) -> list[Effect]:
    """Let brokers send a heartbeat with their present epochs."""
    effects: list[Effect] = []
    for node in nodes:
        epoch = controller.brokers[node].epoch
        effects += controller.handle(Heartbeat(node, epoch), now_ms)
    return effects


def fence(controller: Controller, *nodes: int, now_ms: int = 0) -> int:
    """Let the sessions of brokers end, and nobody else's; return the time."""
    others = [state.node for state in controller.brokers if state.node not in nodes]
    for _ in nodes:
        last_ms = now_ms
        while not all(controller.brokers[node].fenced for node in nodes):
            due_ms = controller.next_deadline_ms
            assert due_ms is not None
            beat(controller, due_ms, *[n for n in others if not controller.brokers[n].fenced])
            controller.handle_timeout(due_ms)
            last_ms = due_ms
        now_ms = last_ms
    return now_ms


def changed(effects: list[Effect]) -> Changed:
    (batch,) = [effect for effect in effects if isinstance(effect, Changed)]
    return batch


def test_a_broker_is_fenced_at_the_first_check_after_its_session_timed_out() -> None:
    controller = cluster()
    beat(controller, 2_000, 0, 1, 2)
    beat(controller, 4_000, 1, 2)
    beat(controller, 10_000, 1, 2)

    assert run_until(controller, 10_125) == []  # nine checks, 1,125 ms apart
    beat(controller, 11_000, 1, 2)  # 2,000 + 9,000 is not over yet at 11,000
    fenced = run_until(controller, 11_250)

    ((at_ms, batch),) = fenced
    assert at_ms == 11_250
    assert batch == Changed(
        ((0, PartitionState(ABC, (1, 2), 1, leader_epoch=1, partition_epoch=1)),),
        (BrokerState(0, fenced=True, shutting_down=False, epoch=0),),
        offset=5,
    )

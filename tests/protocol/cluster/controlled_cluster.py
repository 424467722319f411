"""A controller to play with: build one, let brokers beat, fall silent and come back."""

from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_messages import (
    Answer,
    Changed,
    ControllerSettings,
    Effect,
    Heartbeat,
    PartitionState,
    Register,
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
    session_timeout_ms: int = 9_000,
) -> Controller:
    """A controller at time 0; of one partition on 0, 1, 2 unless others are named."""
    states = partitions or (whole(*ABC),)
    return Controller(
        ControllerSettings(elr=elr, session_timeout_ms=session_timeout_ms),
        states,
        brokers,
        min_isr=[min_isr] * len(states),
        unclean=[unclean] * len(states),
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


def fence(controller: Controller, *nodes: int) -> int:
    """Let only these brokers fall silent until all are fenced; return when."""
    while True:
        due_ms = controller.next_deadline_ms
        assert due_ms is not None
        for state in controller.brokers:
            if state.node not in nodes and not state.fenced:
                beat(controller, due_ms, state.node)
        controller.handle_timeout(due_ms)
        if all(controller.brokers[node].fenced for node in nodes):
            return due_ms


def start(controller: Controller, node: int, now_ms: int, *, clean: bool) -> None:
    """Register a broker and unfence it."""
    answer = controller.handle(Register(node, clean=clean), now_ms)[-1]
    assert isinstance(answer, Answer) and answer.broker is not None
    controller.handle(Heartbeat(node, answer.broker.epoch), now_ms)


def changed(effects: list[Effect]) -> Changed:
    """The one batch of metadata among effects."""
    (batch,) = [effect for effect in effects if isinstance(effect, Changed)]
    return batch


def errors(effects: list[Effect]) -> list[int]:
    """The errors of all answers among effects."""
    return [effect.error for effect in effects if isinstance(effect, Answer)]

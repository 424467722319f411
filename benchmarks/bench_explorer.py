"""From a control of an explorer to its new figure, inside the kernel.

A move makes a scenario, runs it, looks at its tables, moves the artists and makes the
PNG. It is held against the last two alone: the same figures, drawn again from numbers
that are at hand. So the ratio says what simulating costs whoever turns a control.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.bench import Figure, figure, interleaved
from kafkasim.experiments.transitions import transitions
from kafkasim.plot import states
from kafkasim.widgets import (
    BatchingExplorer,
    GroupExplorer,
    LogExplorer,
    OffsetExplorer,
    PartitionExplorer,
    QueueOrLogExplorer,
    ReplicationExplorer,
    TopologyExplorer,
)
from kafkasim.widgets.explorer import Explorer
from kafkasim.widgets.inputs import Value
from kafkasim.widgets.knobs import NO_KEY
from kafkasim.widgets.log_traffic import COMPACT, DELETE
from kafkasim.widgets.partition_traffic import BY_KEY

BAR: Final = 1.6
REPLICATION_BAR: Final = 3.2
"""What is simulated is 40 s in which three brokers fetch: ten times the entries."""
ROUNDS: Final = 7
STATES: Final = 10
"""Moments of a run at which a group's states are drawn."""
PARTITIONS: Final[list[dict[str, Value]]] = [
    {"partitions": count} for count in (1, 2, 4, 8, 16)
]
OTHERS: Final[list[dict[str, Value]]] = [
    {"members": 2},
    {"members": 4},
    {"keys": NO_KEY},
    {"keys": BY_KEY},
    {"rate_per_s": 4_000},
    {"rate_per_s": 3_000},
    {"skew": 2.0},
    {"skew": 0.0},
    {"work_ms": 0.5},
    {"work_ms": 1.0},
]
RETENTION: Final[list[dict[str, Value]]] = [
    {"retention_s": seconds} for seconds in (5, 7, 10, 20, 40)
]
LOG_OTHERS: Final[list[dict[str, Value]]] = [
    {"segment_s": 10},
    {"segment_s": 2},
    {"keys": 50},
    {"keys": 8},
    {"slow_reader": False},
    {"slow_reader": True},
    {"policy": COMPACT},
    {"policy": DELETE},
]
BATCHING: Final[list[dict[str, Value]]] = [
    {"linger_ms": 10},
    {"linger_ms": 5},
    {"batch_kib": 1},
    {"batch_kib": 16},
    {"rate_per_s": 10_000},
    {"rate_per_s": 5_000},
    {"partitions": 32},
    {"partitions": 6},
    {"brokers": 1},
    {"brokers": 6},
]
GROUP: Final[list[dict[str, Value]]] = [
    {"members": 7},
    {"members": 3},
    {"partitions": 12},
    {"partitions": 6},
    {"protocol": "cooperative"},
    {"protocol": "KIP-848"},
    {"protocol": "static"},
    {"protocol": "eager"},
    {"event": "add"},
    {"event": "crash"},
    {"event": "restart"},
    {"event": "leave"},
]
LINGER_0: Final[list[dict[str, Value]]] = [{"linger_ms": 5}, {"linger_ms": 0}]

REPLICATION: Final[list[dict[str, Value]]] = [
    {"replication_factor": 1},
    {"replication_factor": 3},
    {"min_isr": 3},
    {"min_isr": 2},
    {"acks": "1"},
    {"acks": "all"},
    {"down": 2},
    {"down": 1},
    {"first": "followers"},
    {"first": "leader"},
    {"leave": "clean stop"},
    {"leave": "crash"},
    {"last_too": True},
    {"last_too": False},
]

TOPOLOGY: Final[list[dict[str, Value]]] = [
    {"sources": 5},
    {"sources": 4},
    {"subscribers": 3},
    {"subscribers": 4},
    {"density": 0.5},
    {"density": 1.0},
    {"one_more": True},
    {"one_more": False},
    {"crash": "a subscriber"},
    {"mode": "synchronous"},
    {"mode": "asynchronous"},
    {"crash": "the hub"},
    {"crash": "none"},
]
TEN: Final[list[dict[str, Value]]] = [
    {"sources": 9, "subscribers": 10},
    {"sources": 10, "subscribers": 10},
]

OFFSET: Final[list[dict[str, Value]]] = [
    {"commit": "before_work"},
    {"commit": "auto"},
    {"commit": "manual"},
    {"crash": "after the work"},
    {"crash": "never"},
    {"crash": "in the work"},
    {"per_poll": 10},
    {"per_poll": 4},
]


QUEUE: Final[list[dict[str, Value]]] = [
    {"second_s": 0},
    {"second_s": 10},
    {"second_s": 20},
    {"dies": True},
    {"replay": True},
    {"in_time": True},
    {"dies": False, "replay": False, "in_time": False},
]


def figures_of_the_slider_of_partitions() -> Iterator[Figure]:
    yield measured(
        "a move of the slider of partitions (1, 2, 4, 8, 16) to the new figure",
        at_4_partitions(),
        PARTITIONS,
    )


def figures_of_the_other_controls() -> Iterator[Figure]:
    yield measured(
        "a move of any other control at 4 partitions to the new figure",
        at_4_partitions(),
        OTHERS,
    )


def figures_of_the_slider_of_retention() -> Iterator[Figure]:
    yield measured(
        "a move of the log explorer's slider of retention to the new figure",
        LogExplorer(live=True),
        RETENTION,
    )


def figures_of_the_log_explorers_other_controls() -> Iterator[Figure]:
    yield measured(
        "a move of any other control of the log explorer to the new figure",
        LogExplorer(live=True),
        LOG_OTHERS,
    )


def figures_of_the_batching_explorer() -> Iterator[Figure]:
    yield measured(
        "a move of a control of the batching explorer to the new figure",
        BatchingExplorer(live=True),
        BATCHING,
    )
    yield measured(
        "a move of its linger to 5 ms and to 0 to the new figure",
        BatchingExplorer(live=True),
        LINGER_0,
    )


def figures_of_the_group_explorer() -> Iterator[Figure]:
    yield measured(
        "a move of a control of the group explorer to the new figure",
        GroupExplorer(live=True),
        GROUP,
    )


def figures_of_the_replication_explorer() -> Iterator[Figure]:
    yield measured(
        "a move of a control of the replication explorer to the new figure",
        ReplicationExplorer(live=True),
        REPLICATION,
        REPLICATION_BAR,
    )


def figures_of_the_offset_explorer() -> Iterator[Figure]:
    yield measured(
        "a move of a control of the offset explorer to the new figure",
        OffsetExplorer(live=True),
        OFFSET,
    )


def figures_of_the_topology_explorer() -> Iterator[Figure]:
    """Two systems run at each move, one of them on three brokers."""
    yield measured(
        "a move of a control of the topology explorer to the new figure",
        TopologyExplorer(live=True),
        TOPOLOGY,
    )
    yield measured(
        "a move of its sources to 9 and to 10, with 10 subscribers, to the new figure",
        TopologyExplorer(live=True),
        TEN,
        REPLICATION_BAR,
    )


def figures_of_the_queue_explorer() -> Iterator[Figure]:
    yield measured(
        "a move of a control of the queue explorer, two runs, to the new figure",
        QueueOrLogExplorer(live=True),
        QUEUE,
    )


def figures_of_a_groups_states() -> Iterator[Figure]:
    """Draw a group's states at ten moments of a run, against the machine alone."""
    result = GroupExplorer(live=True).result
    table = transitions("classic")
    end_s = float(result.group_states["at_ms"].max()) / 1_000
    moments = [end_s * (n + 1) / STATES for n in range(STATES)]

    def with_a_run() -> None:
        for at_s in moments:
            as_png(states(table, run=result, at_s=at_s))

    def alone() -> None:
        for _ in moments:
            as_png(states(table))

    took, drawing = interleaved(with_a_run, alone)
    yield figure(
        "a group's states at a moment of a run, over the states alone",
        took / drawing,
        BAR,
        milliseconds=1_000 * took / STATES,
        milliseconds_of_drawing=1_000 * drawing / STATES,
    )


def as_png(ax: Axes) -> None:
    """Make a picture of a figure, and let it go."""
    figure_of = ax.get_figure(root=True)
    assert figure_of is not None
    figure_of.savefig(io.BytesIO(), format="png")
    plt.close(figure_of)


def at_4_partitions() -> PartitionExplorer:
    explorer = PartitionExplorer(live=True)
    explorer.set(partitions=4)
    return explorer


def measured(
    what: str,
    explorer: Explorer[Any, Any],
    moves: Sequence[dict[str, Value]],
    bar: float = BAR,
) -> Figure:
    """Return how long moves take, over drawing the same figures again."""
    entries = int(explorer.result.facts["calendar_entries"])
    carry_out, draw_again = both(explorer, moves)
    took, drawing = interleaved(carry_out, draw_again, ROUNDS)
    return figure(
        f"{what}, over drawing it again",
        took / drawing,
        bar,
        calendar_entries_at_first=entries,
        milliseconds=1_000 * took / len(moves),
        milliseconds_of_drawing=1_000 * drawing / len(moves),
    )


def both(
    explorer: Explorer[Any, Any], moves: Sequence[dict[str, Value]]
) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return what makes all moves, and what draws their figures again."""
    seen = []
    for move in (moves[-1], *moves):  # so that the first has its run before
        explorer.set(**move)
        seen.append((explorer.shown, explorer.before))

    def carry_out() -> None:
        for move in moves:
            explorer.set(**move)

    del seen[0]

    def draw_again() -> None:
        for explorer.shown, explorer.before in seen:
            explorer.redraw()

    carry_out()
    drawn = explorer.panel.picture.value
    draw_again()
    assert explorer.panel.picture.value == drawn, "not the same figure"
    return carry_out, draw_again

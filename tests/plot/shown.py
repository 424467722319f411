"""Every public figure once, of small data: for tests of its words."""

from collections.abc import Callable
from functools import cache, partial

import pandas as pd
from matplotlib.axes import Axes

from kafkasim import analysis, plot
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.experiments.assignment import assign
from kafkasim.experiments.transitions import transitions
from kafkasim.log.batch_fields import anatomy
from kafkasim.log.contents import ByteBatch
from kafkasim.log.dump_tables import dump
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Pause
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, System, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.analysis.test_offset_records import by_hand
from tests.analysis.test_ownership import member_dies, only_assigned
from tests.plot import (
    test_advantages,
    test_crashing,
    test_crossing,
    test_edges,
)

TRAFFIC = Traffic(
    {"web": Source("orders", Periodic(60.0), keys=UniformKeys(5))},
    {
        "billing": Subscriber(["orders"], work_ms=30.0),
        "audit": Subscriber(["orders"], work_ms=1.0, from_s=0.5, wants="all"),
    },
    duration_s=1.0,
)
KAFKA = Kafka(
    topics={
        "orders": Topic(partitions=2, config=TopicConfig(internal_segment_bytes=600))
    },
    groups={"billing": Group(members=2)},
)


@cache
def ran(system: System = KAFKA) -> Result:
    """Return a small run in which a subscriber is dead for a while."""
    events = [Crash("subscriber:billing", at_s=0.4, for_s=0.2)]
    return run(
        Scenario(TRAFFIC, system, events=events, seed=3),
        resources=isinstance(system, Kafka),
    )


@cache
def paused() -> Result:
    """Return a small run that nobody crashes in."""
    events = [Pause("source:web", at_s=0.2, for_s=0.2)]
    return run(Scenario(TRAFFIC, PointToPoint(), events=events, seed=3))


@cache
def log() -> "PartitionLog[ByteBatch]":
    """Return a small log of two segments."""
    made: PartitionLog[ByteBatch] = PartitionLog(
        config=TopicConfig(internal_segment_bytes=700)
    )
    for number in range(12):
        made.append([Record(number, b"key-%d" % (number % 3), b"a value")])
    return made


def of_systems() -> dict[str, Result]:
    """Return runs of the same traffic through two systems."""
    return {"direct": paused(), "Kafka": ran()}


def summaries() -> pd.DataFrame:
    """Return the table of a comparison."""
    tables = [
        analysis.summary(each).assign(system=name)
        for name, each in of_systems().items()
    ]
    return pd.concat(tables, ignore_index=True)


def moved() -> pd.DataFrame:
    """Return an assignment after a member more."""
    before = assign("sticky", members=3, topics={"orders": 4})
    return assign("sticky", members=4, topics={"orders": 4}, previous=before)


def removal() -> Axes:
    """Draw what the log lost, of its first records."""
    table = dump(log())["records"]
    return plot.removal(table, {name: table[name][5:] for name in table})


OTHERS: dict[str, Callable[[], Axes]] = {
    "advantage": lambda: plot.advantage(test_advantages.table(), y=test_advantages.Y),
    "anatomy": lambda: plot.anatomy(anatomy(bytes(log().read(0).data))),
    "assignment": lambda: plot.assignment(moved()),
    "braid of two": lambda: plot.braid(of_systems()),
    "comparison": lambda: plot.comparison(summaries()),
    "crash_points": lambda: plot.crash_points(test_crashing.table()),
    "crossover": lambda: plot.crossover(test_crossing.table()),
    "log of boxes": lambda: plot.log(ran(), at_s=0.3),
    "offsets_topic": lambda: plot.offsets_topic(by_hand()),
    "ownership of a death": lambda: plot.ownership(member_dies()),
    "queue_and_log": lambda: plot.queue_and_log(ran(RabbitMQ()), ran()),
    "removal": removal,
    "retention": lambda: plot.retention(ran(), subscriber="billing"),
    "scorecard": lambda: plot.scorecard(analysis.scorecard(of_systems())),
    "segments": lambda: plot.segments(dump(log()), high_watermark=9),
    "segments searched": lambda: plot.segments(dump(log()), find=7),
    "states": lambda: plot.states(transitions("consumer")),
    "states of a run": lambda: plot.states(transitions("classic"), run=member_dies()),
    "sweep": lambda: plot.sweep(
        pd.concat([summaries().assign(partitions=n) for n in (1, 2, 4)]),
        x="partitions",
        hue="subscriber",
        y="lag_records_max",
    ),
    "tangle": lambda: plot.tangle(of_systems()),
    "unread": lambda: plot.unread({"calm": only_assigned(), "other": member_dies()}),
    "when_one_dies": lambda: plot.when_one_dies({"one dies": of_systems()}),
}


def _of_the_run(name: str) -> Axes:
    return test_edges.OF_RUNS[name](ran())


FIGURES: dict[str, Callable[[], Axes]] = {
    **{name: partial(_of_the_run, name) for name in test_edges.OF_RUNS},
    **OTHERS,
}
"""Name → what draws it, in the language that holds."""

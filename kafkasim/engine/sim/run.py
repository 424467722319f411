"""Run a scenario in simulated time."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, get_args

from kafkasim.catalogue import say
from kafkasim.config.document import Document
from kafkasim.engine.sim.hub_rows import told_of_hub
from kafkasim.engine.sim.own_systems import SystemRun, run_class_of
from kafkasim.engine.sim.systems.asynchronous import AsynchronousRun
from kafkasim.engine.sim.systems.coordinated import CoordinatedRun
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.engine.sim.systems.kafka_clients import (
    has_coordinators,
    not_streamed,
)
from kafkasim.engine.sim.systems.kafka_refusals import Refusal
from kafkasim.engine.sim.systems.late_polls import LatePoll
from kafkasim.engine.sim.systems.point_to_point import PointToPointRun
from kafkasim.engine.sim.systems.rabbitmq.run import RabbitMQRun
from kafkasim.engine.sim.systems.relay import RelayRun
from kafkasim.engine.sim.systems.streamable import (
    MustKeepRecords,
    check_streamed,
    keeps_records,
)
from kafkasim.engine.sim.systems.stuck_records import of_the_world, stuck
from kafkasim.engine.sim.timeline import Report
from kafkasim.errors import OutputError, ValidationError
from kafkasim.protocol.producing.memory_watch import OutOfMemory
from kafkasim.result.result import Result
from kafkasim.result.schema import ResultKind
from kafkasim.result.streaming_tables import stream_tables
from kafkasim.scenario.hub_events import at_all_brokers
from kafkasim.scenario.own_systems import OwnSystem
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, System

RUNS: Final[Mapping[type[Document], type[SystemRun]]] = {
    PointToPoint: PointToPointRun,
    RabbitMQ: RabbitMQRun,
    Relay: RelayRun,
}
"""Which kind of run it is, by the class of the system; Kafka's are chosen apart, and so
is asynchronous point to point."""


def run(
    scenario: Scenario,
    *,
    plan: Plan | None = None,
    check: bool = False,
    result: ResultKind = "full",
    report: Report | None = None,
    logs: Path | None = None,
    resources: bool = False,
) -> Result:
    """Simulate a scenario and return what happened.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    plan : Plan, optional
        Its traffic, drawn already; `scenario.plan()` otherwise.
    check : bool
        Check invariants after every entry of the calendar; slow, and off by default.
    result : "full" or "streamed"
        Keep a row per record and hand-out, or histograms and totals in their place.
    report : callable, optional
        Told now and then the simulated time (ns) and how much is left to settle; the
        result is the same with it and without.
    logs : Path, optional
        Folder into which the logs are written, as a broker leaves them, but without
        compression; made if it is not there.
    resources : bool
        Measure how busy each part of the hardware is, for the table `resources`; the
        result is the same with it and without.

    Returns
    -------
    Result
        The tables of the run.

    Raises
    ------
    ValidationError
        The scenario does not fit together, its clients would spin in no time, or there
        are no logs to be written.
    OutputError
        The folder for the logs holds something.
    """
    if not isinstance(scenario, Scenario):
        raise ValidationError(
            "scenario", scenario, say("a Scenario; ks.load reads one from a file")
        )
    if plan is not None:
        _check_plan(plan, scenario)
    if result not in get_args(ResultKind):
        raise ValidationError("result", result, say(" or ").join(get_args(ResultKind)))
    streamed = result == "streamed"
    if streamed and isinstance(scenario.system, RabbitMQ):
        why = say("what becomes of a message in each queue shows in its rows alone")
        raise ValidationError("result", result, say("full, of RabbitMQ"), why)
    if logs is not None:
        check_logs(logs, scenario, streamed=streamed)
    with _collector_resting():
        if isinstance(scenario.system, Kafka):
            done = _run_kafka(
                at_all_brokers(scenario),
                plan,
                check=check,
                streamed=streamed,
                report=report,
                logs=logs,
                resources=resources,
            )
            return told_of_hub(done, scenario)
        plan = plan or scenario.plan()
        started = _class_of(scenario.system)(
            scenario,
            stuck(plan, scenario.events),
            check=check,
            resources=resources,
        )
        if report is not None:
            started.timeline.report(report)
        done = of_the_world(started.run(), plan)
        return stream_tables(done) if streamed else done


def _class_of(system: System) -> type[SystemRun]:
    """Return which kind of run a system has that is no Kafka cluster."""
    if isinstance(system, OwnSystem):
        return run_class_of(system)
    if isinstance(system, PointToPoint) and system.mode == "asynchronous":
        return AsynchronousRun
    return RUNS[type(system)]


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Let Python not look for garbage in circles meanwhile, if it does so at all.

    A run leaves none before it is over, and looking goes through all batches of all
    logs, again and again.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _run_kafka(
    scenario: Scenario,
    plan: Plan | None,
    *,
    check: bool,
    streamed: bool,
    report: Report | None,
    logs: Path | None,
    resources: bool,
) -> Result:
    """Run a cluster; anew if a producer lacks memory, or a broker would refuse a batch.

    Whether that is so shows in the run. Then its records have to be looked at one by
    one, or its clients have to expect errors, and that from the beginning. So has a
    run whose members poll too late: it has coordinators then. And a streamed run in
    which something fails keeps its records to its end.
    """
    by_record: set[int] = set()
    refuses = False
    keeps = not streamed or keeps_records(scenario.events)
    kind = _kind_of(scenario, streamed=streamed)
    while True:
        if keeps and plan is None:
            plan = scenario.plan()
        started = kind(
            scenario,
            plan and stuck(plan, scenario.events),
            check=check,
            streamed=not keeps,
            logs=logs,
            by_record=by_record,
            refuses=refuses,
            resources=resources,
        )
        if report is not None:
            started.timeline.report(report)
        try:
            done = of_the_world(started.run(), plan)
            return stream_tables(done) if streamed and keeps else done
        except MustKeepRecords:
            keeps = True
        except OutOfMemory as found:
            by_record.add(found.source_index)
        except Refusal as found:
            if streamed:
                raise found.in_streamed_run() from None
            refuses = True
        except LatePoll as found:
            if streamed:
                raise found.in_streamed_run() from None
            kind = CoordinatedRun


def _kind_of(scenario: Scenario, *, streamed: bool) -> type[KafkaRun]:
    """Return which kind of run it is; refuse what cannot be streamed."""
    coordinated = has_coordinators(scenario)
    if coordinated and streamed:
        raise not_streamed()
    if streamed:
        check_streamed(scenario)
    return CoordinatedRun if coordinated else KafkaRun


def check_logs(folder: Path, scenario: Scenario, *, streamed: bool) -> None:
    """Refuse to write logs that there will not be, or over something."""
    if not isinstance(scenario.system, Kafka):
        name = type(scenario.system).__name__
        raise ValidationError(
            "logs", str(folder), say("None: {name} keeps no log", name=name)
        )
    if streamed:
        raise ValidationError(
            "logs",
            str(folder),
            say("None in a streamed run"),
            say("it lets records go; run with result='full'"),
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is there already and not an empty folder")


def _check_plan(plan: Plan, scenario: Scenario) -> None:
    """Refuse a plan that was drawn for something else."""
    if plan.seed != scenario.seed:
        raise ValidationError(
            "plan",
            f"seed {plan.seed}",
            say("a plan drawn with seed {seed}", seed=scenario.seed),
        )
    sources, planned = sorted(scenario.traffic.sources), sorted(plan.sources)
    if sources != planned:
        raise ValidationError(
            "plan",
            f"sources {planned}",
            say("a plan of the sources {sources}", sources=sources),
        )

"""A faithful, fast, deterministic simulation of Apache Kafka for notebooks.

The way through: a `Scenario` says what the world wants (`Traffic`), which system serves
it (`Kafka`, `PointToPoint`) and what happens to it (`Crash`, `Pause`, `Slow`, …). `run`
gives a `Result`, whose tables `analysis` reads and `plot` draws.

    >>> import kafkasim as ks
    >>> web = ks.Source(stream="orders", arrivals=ks.Poisson(rate_per_s=200))
    >>> billing = ks.Subscriber(streams=["orders"], work_ms=1.0)
    >>> traffic = ks.Traffic({"web": web}, {"billing": billing}, duration_s=2)
    >>> result = ks.run(ks.Scenario(traffic, seed=7))
    >>> len(result.deliveries) == len(result.records)
    True

Every public name is fetched when it is first asked for (PEP 562), so that importing
kafkasim costs neither pandas, matplotlib nor SimPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kafkasim import analysis as analysis
    from kafkasim import export as export
    from kafkasim import lessons as lessons
    from kafkasim import log as log
    from kafkasim import plot as plot
    from kafkasim import testing as testing
    from kafkasim import traces as traces
    from kafkasim import widgets as widgets
    from kafkasim.analysis.measures import summary as summary
    from kafkasim.analysis.receiving import receipts as receipts
    from kafkasim.config.broker import BrokerConfig as BrokerConfig
    from kafkasim.config.consumer import ConsumerConfig as ConsumerConfig
    from kafkasim.config.producer import ProducerConfig as ProducerConfig
    from kafkasim.config.topic import TopicConfig as TopicConfig
    from kafkasim.engine.sim.own_run import OwnRun as OwnRun
    from kafkasim.engine.sim.own_systems import register_system as register_system
    from kafkasim.experiments.assignment import assign as assign
    from kafkasim.experiments.assignment import partition_for_key as partition_for_key
    from kafkasim.experiments.comparison import compare as compare
    from kafkasim.experiments.crash_points import crash_points as crash_points
    from kafkasim.experiments.crash_points import crash_scenario as crash_scenario
    from kafkasim.experiments.each_system import run_each as run_each
    from kafkasim.experiments.pipeline_sizes import mesh_sizes as mesh_sizes
    from kafkasim.experiments.pipeline_sizes import pipeline_sizes as pipeline_sizes
    from kafkasim.experiments.rolling_restart import (
        rolling_restarts as rolling_restarts,
    )
    from kafkasim.experiments.running import run as run
    from kafkasim.experiments.saturating import saturate as saturate
    from kafkasim.experiments.sweeping import sweep as sweep
    from kafkasim.experiments.transitions import transitions as transitions
    from kafkasim.languages import language as language
    from kafkasim.result.result import Result as Result
    from kafkasim.result.result import load_result as load_result
    from kafkasim.scenario.arrivals import Bursts as Bursts
    from kafkasim.scenario.arrivals import ClosedLoop as ClosedLoop
    from kafkasim.scenario.arrivals import DayCurve as DayCurve
    from kafkasim.scenario.arrivals import Periodic as Periodic
    from kafkasim.scenario.arrivals import Poisson as Poisson
    from kafkasim.scenario.distributions import Exponential as Exponential
    from kafkasim.scenario.distributions import LogNormal as LogNormal
    from kafkasim.scenario.distributions import Uniform as Uniform
    from kafkasim.scenario.events import AddPartitions as AddPartitions
    from kafkasim.scenario.events import Crash as Crash
    from kafkasim.scenario.events import Cut as Cut
    from kafkasim.scenario.events import Delay as Delay
    from kafkasim.scenario.events import DeleteRecords as DeleteRecords
    from kafkasim.scenario.events import FillDisk as FillDisk
    from kafkasim.scenario.events import Lose as Lose
    from kafkasim.scenario.events import Pause as Pause
    from kafkasim.scenario.events import Slow as Slow
    from kafkasim.scenario.hardware import Cpu as Cpu
    from kafkasim.scenario.hardware import Disk as Disk
    from kafkasim.scenario.hardware import Hardware as Hardware
    from kafkasim.scenario.hardware import Link as Link
    from kafkasim.scenario.keys import HotKey as HotKey
    from kafkasim.scenario.keys import NoKeys as NoKeys
    from kafkasim.scenario.keys import TraceColumn as TraceColumn
    from kafkasim.scenario.keys import UniformKeys as UniformKeys
    from kafkasim.scenario.keys import ZipfKeys as ZipfKeys
    from kafkasim.scenario.many_to_many import many_to_many as many_to_many
    from kafkasim.scenario.many_to_many import mesh as mesh
    from kafkasim.scenario.member_events import AddMember as AddMember
    from kafkasim.scenario.member_events import MoveCoordinator as MoveCoordinator
    from kafkasim.scenario.member_events import RemoveMember as RemoveMember
    from kafkasim.scenario.member_events import ResetOffsets as ResetOffsets
    from kafkasim.scenario.member_events import RollingRestart as RollingRestart
    from kafkasim.scenario.member_events import StuckRecord as StuckRecord
    from kafkasim.scenario.members import Member as Member
    from kafkasim.scenario.own_systems import OwnSystem as OwnSystem
    from kafkasim.scenario.pipelines import PointToPoint as PointToPoint
    from kafkasim.scenario.pipelines import Relay as Relay
    from kafkasim.scenario.plan import Plan as Plan
    from kafkasim.scenario.plan import load_plan as load_plan
    from kafkasim.scenario.rabbitmq import Binding as Binding
    from kafkasim.scenario.rabbitmq import Consumers as Consumers
    from kafkasim.scenario.rabbitmq import Exchange as Exchange
    from kafkasim.scenario.rabbitmq import Publisher as Publisher
    from kafkasim.scenario.rabbitmq import Queue as Queue
    from kafkasim.scenario.rabbitmq import RabbitMQ as RabbitMQ
    from kafkasim.scenario.reader_events import PausePartitions as PausePartitions
    from kafkasim.scenario.reader_events import Seek as Seek
    from kafkasim.scenario.scenario import Scenario as Scenario
    from kafkasim.scenario.scenario import load as load
    from kafkasim.scenario.systems import Group as Group
    from kafkasim.scenario.systems import Kafka as Kafka
    from kafkasim.scenario.systems import Producer as Producer
    from kafkasim.scenario.systems import Topic as Topic
    from kafkasim.scenario.trace import Trace as Trace
    from kafkasim.scenario.traffic import Source as Source
    from kafkasim.scenario.traffic import Subscriber as Subscriber
    from kafkasim.scenario.traffic import Traffic as Traffic

_HOME: Final = {
    "analysis": "kafkasim",
    "export": "kafkasim",
    "lessons": "kafkasim",
    "log": "kafkasim",
    "plot": "kafkasim",
    "testing": "kafkasim",
    "traces": "kafkasim",
    "widgets": "kafkasim",
    "receipts": "kafkasim.analysis.receiving",
    "summary": "kafkasim.analysis.measures",
    "Binding": "kafkasim.scenario.rabbitmq",
    "BrokerConfig": "kafkasim.config.broker",
    "ConsumerConfig": "kafkasim.config.consumer",
    "Consumers": "kafkasim.scenario.rabbitmq",
    "Exchange": "kafkasim.scenario.rabbitmq",
    "ProducerConfig": "kafkasim.config.producer",
    "Publisher": "kafkasim.scenario.rabbitmq",
    "Queue": "kafkasim.scenario.rabbitmq",
    "RabbitMQ": "kafkasim.scenario.rabbitmq",
    "TopicConfig": "kafkasim.config.topic",
    "OwnRun": "kafkasim.engine.sim.own_run",
    "register_system": "kafkasim.engine.sim.own_systems",
    "assign": "kafkasim.experiments.assignment",
    "partition_for_key": "kafkasim.experiments.assignment",
    "compare": "kafkasim.experiments.comparison",
    "crash_points": "kafkasim.experiments.crash_points",
    "crash_scenario": "kafkasim.experiments.crash_points",
    "run_each": "kafkasim.experiments.each_system",
    "mesh_sizes": "kafkasim.experiments.pipeline_sizes",
    "pipeline_sizes": "kafkasim.experiments.pipeline_sizes",
    "rolling_restarts": "kafkasim.experiments.rolling_restart",
    "run": "kafkasim.experiments.running",
    "saturate": "kafkasim.experiments.saturating",
    "sweep": "kafkasim.experiments.sweeping",
    "transitions": "kafkasim.experiments.transitions",
    "language": "kafkasim.languages",
    "Result": "kafkasim.result.result",
    "load_result": "kafkasim.result.result",
    "Bursts": "kafkasim.scenario.arrivals",
    "ClosedLoop": "kafkasim.scenario.arrivals",
    "DayCurve": "kafkasim.scenario.arrivals",
    "Periodic": "kafkasim.scenario.arrivals",
    "Poisson": "kafkasim.scenario.arrivals",
    "Exponential": "kafkasim.scenario.distributions",
    "LogNormal": "kafkasim.scenario.distributions",
    "Uniform": "kafkasim.scenario.distributions",
    "AddPartitions": "kafkasim.scenario.events",
    "Crash": "kafkasim.scenario.events",
    "Cut": "kafkasim.scenario.events",
    "Delay": "kafkasim.scenario.events",
    "DeleteRecords": "kafkasim.scenario.events",
    "FillDisk": "kafkasim.scenario.events",
    "Lose": "kafkasim.scenario.events",
    "Pause": "kafkasim.scenario.events",
    "Slow": "kafkasim.scenario.events",
    "HotKey": "kafkasim.scenario.keys",
    "NoKeys": "kafkasim.scenario.keys",
    "TraceColumn": "kafkasim.scenario.keys",
    "UniformKeys": "kafkasim.scenario.keys",
    "ZipfKeys": "kafkasim.scenario.keys",
    "Plan": "kafkasim.scenario.plan",
    "load_plan": "kafkasim.scenario.plan",
    "many_to_many": "kafkasim.scenario.many_to_many",
    "mesh": "kafkasim.scenario.many_to_many",
    "AddMember": "kafkasim.scenario.member_events",
    "MoveCoordinator": "kafkasim.scenario.member_events",
    "RemoveMember": "kafkasim.scenario.member_events",
    "ResetOffsets": "kafkasim.scenario.member_events",
    "RollingRestart": "kafkasim.scenario.member_events",
    "StuckRecord": "kafkasim.scenario.member_events",
    "Member": "kafkasim.scenario.members",
    "PausePartitions": "kafkasim.scenario.reader_events",
    "Seek": "kafkasim.scenario.reader_events",
    "Scenario": "kafkasim.scenario.scenario",
    "load": "kafkasim.scenario.scenario",
    "Cpu": "kafkasim.scenario.hardware",
    "Disk": "kafkasim.scenario.hardware",
    "Group": "kafkasim.scenario.systems",
    "Hardware": "kafkasim.scenario.hardware",
    "Kafka": "kafkasim.scenario.systems",
    "Link": "kafkasim.scenario.hardware",
    "OwnSystem": "kafkasim.scenario.own_systems",
    "PointToPoint": "kafkasim.scenario.pipelines",
    "Relay": "kafkasim.scenario.pipelines",
    "Producer": "kafkasim.scenario.systems",
    "Topic": "kafkasim.scenario.systems",
    "Trace": "kafkasim.scenario.trace",
    "Source": "kafkasim.scenario.traffic",
    "Subscriber": "kafkasim.scenario.traffic",
    "Traffic": "kafkasim.scenario.traffic",
}
"""Public name → the module it stands in; `kafkasim` for a module of that name."""

__all__ = list(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("kafkasim")
    elif (home := _HOME.get(name)) is None:
        raise AttributeError(f"module 'kafkasim' has no attribute {name!r}")
    elif home == "kafkasim":
        value = import_module(f"kafkasim.{name}")
    else:
        value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_HOME, "__version__"})

"""What needs an engine: a run, a sweep, a comparison, an assignment, crashes."""

from kafkasim.experiments.assignment import assign
from kafkasim.experiments.comparison import compare
from kafkasim.experiments.crash_points import crash_points, crash_scenario
from kafkasim.experiments.each_system import run_each
from kafkasim.experiments.pipeline_sizes import mesh_sizes, pipeline_sizes
from kafkasim.experiments.rolling_restart import rolling_restarts
from kafkasim.experiments.running import run
from kafkasim.experiments.saturating import saturate
from kafkasim.experiments.sweeping import sweep
from kafkasim.experiments.transitions import transitions

__all__ = [
    "assign",
    "compare",
    "crash_points",
    "crash_scenario",
    "mesh_sizes",
    "pipeline_sizes",
    "rolling_restarts",
    "run",
    "run_each",
    "saturate",
    "sweep",
    "transitions",
]

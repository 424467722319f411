"""What needs an engine: a run, a sweep, a comparison, an assignment, crashes."""

from kafkasim.experiments.assignment import assign
from kafkasim.experiments.comparison import compare
from kafkasim.experiments.crash_points import crash_points, crash_scenario
from kafkasim.experiments.running import run
from kafkasim.experiments.sweeping import sweep

__all__ = ["assign", "compare", "crash_points", "crash_scenario", "run", "sweep"]

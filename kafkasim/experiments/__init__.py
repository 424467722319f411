"""Questions that need an engine: one run, a sweep, a comparison, an assignment."""

from kafkasim.experiments.assignment import assign
from kafkasim.experiments.comparison import compare
from kafkasim.experiments.running import run
from kafkasim.experiments.sweeping import sweep

__all__ = ["assign", "compare", "run", "sweep"]

"""How a run looks: functions from a result or a table of analysis to axes.

Each takes the data first and everything else by keyword, draws into `ax` or a new
figure, and returns the Axes; nothing of pyplot's state is used. `caption` says what ran
and `alt_text` what is seen, for every figure; in a notebook the axes show both.
"""

from kafkasim.plot.comparing import comparison
from kafkasim.plot.filling import batching
from kafkasim.plot.over_time import lag, latency, throughput
from kafkasim.plot.overtaking import ordering
from kafkasim.plot.positions import offsets
from kafkasim.plot.spoken import alt_text, caption
from kafkasim.plot.sweeps import sweep
from kafkasim.plot.wires import topology

__all__ = [
    "alt_text",
    "batching",
    "caption",
    "comparison",
    "lag",
    "latency",
    "offsets",
    "ordering",
    "sweep",
    "throughput",
    "topology",
]

"""How a run looks: functions from a result or a table of analysis to axes.

Each takes the data first and everything else by keyword, draws into `ax` or a new
figure, and returns the Axes; nothing of pyplot's state is used. `caption` says what ran
and `alt_text` what is seen, for every figure; in a notebook the axes show both. Titles
say what was found. A figure of a run shows all of it, its warm-up too; the metrics of a
sweep or a comparison leave the warm-up out.

Figures are made for a notebook; for a slide or a printed column they are drawn within
`sized`:

    with ks.plot.sized("slide"):
        ks.export.figure(ks.plot.lag(result), "lag.png")
"""

from kafkasim.plot.advantages import advantage
from kafkasim.plot.assigning import assignment
from kafkasim.plot.batches import batching
from kafkasim.plot.braiding import braid
from kafkasim.plot.busy_parts import resources
from kafkasim.plot.captions import alt_text, caption
from kafkasim.plot.comparing import comparison
from kafkasim.plot.crashing import crash_points
from kafkasim.plot.crossing import crossover
from kafkasim.plot.dying import tangle, when_one_dies
from kafkasim.plot.fields import anatomy
from kafkasim.plot.lagging import lag
from kafkasim.plot.logs import log
from kafkasim.plot.network import topology
from kafkasim.plot.offset_boxes import offsets_topic
from kafkasim.plot.offset_lines import offsets
from kafkasim.plot.over_time import latency, throughput
from kafkasim.plot.overtaking import ordering
from kafkasim.plot.owning import ownership
from kafkasim.plot.percentiles import latency_ecdf, latency_ladder
from kafkasim.plot.queueing import queue_and_log
from kafkasim.plot.removed import removal
from kafkasim.plot.replicating import replication
from kafkasim.plot.scores import scorecard
from kafkasim.plot.segment_files import segments
from kafkasim.plot.segment_lives import retention
from kafkasim.plot.sizes import sized
from kafkasim.plot.state_machine import states
from kafkasim.plot.sweeps import sweep
from kafkasim.plot.unread import unread

__all__ = [
    "advantage",
    "alt_text",
    "anatomy",
    "assignment",
    "batching",
    "braid",
    "caption",
    "comparison",
    "crash_points",
    "crossover",
    "lag",
    "latency",
    "latency_ecdf",
    "latency_ladder",
    "log",
    "offsets",
    "offsets_topic",
    "ordering",
    "ownership",
    "queue_and_log",
    "removal",
    "replication",
    "resources",
    "retention",
    "scorecard",
    "segments",
    "sized",
    "states",
    "sweep",
    "tangle",
    "throughput",
    "topology",
    "unread",
    "when_one_dies",
]

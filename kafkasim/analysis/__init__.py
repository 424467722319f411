"""What a run means: functions from a result to a table.

Each function takes a `Result` (or several) and returns a DataFrame; `topology` is a
graph, `metrics` and `pipelines` are dicts. Definitions stand in the docstrings of the
modules. They rest on cores that take bare arrays: `arrays`, `inversions`, `intervals`,
`silences`. Analysis knows the schema of results and the scenario, and no engine, log or
protocol: it reads Kafka and point to point, and what comes after them, alike.
"""

from kafkasim.analysis.blasts import blast_radius, interruptions
from kafkasim.analysis.busy import resources
from kafkasim.analysis.carrying import carrying
from kafkasim.analysis.dealings import RECEIPT_OUTCOMES
from kafkasim.analysis.holding import held, readings
from kafkasim.analysis.intervals import mean_interval
from kafkasim.analysis.measures import METRICS, metrics, summary
from kafkasim.analysis.newcomers import onboarding
from kafkasim.analysis.offset_records import offsets_topic
from kafkasim.analysis.order import ordering, overtakings
from kafkasim.analysis.ownership import ownership, rebalances
from kafkasim.analysis.piping import PIPELINES, pipelines
from kafkasim.analysis.positions import positions
from kafkasim.analysis.producing import batching, skew
from kafkasim.analysis.progress import lag, offsets
from kafkasim.analysis.ranks import latency_ecdf
from kafkasim.analysis.receiving import receipts
from kafkasim.analysis.replicated import replication
from kafkasim.analysis.scoring import scorecard
from kafkasim.analysis.service import SERVICE
from kafkasim.analysis.unread import unread
from kafkasim.analysis.waiting import latency, latency_over_time, throughput
from kafkasim.analysis.wiring import topology

__all__ = [
    "METRICS",
    "PIPELINES",
    "RECEIPT_OUTCOMES",
    "SERVICE",
    "batching",
    "blast_radius",
    "carrying",
    "held",
    "interruptions",
    "lag",
    "latency",
    "latency_ecdf",
    "latency_over_time",
    "mean_interval",
    "metrics",
    "offsets",
    "offsets_topic",
    "onboarding",
    "ordering",
    "overtakings",
    "ownership",
    "pipelines",
    "positions",
    "readings",
    "rebalances",
    "receipts",
    "replication",
    "resources",
    "scorecard",
    "skew",
    "summary",
    "throughput",
    "topology",
    "unread",
]

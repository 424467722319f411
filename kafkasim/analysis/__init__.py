"""What a run means: functions from a result to a table.

Each function takes a `Result` and returns a DataFrame (`topology` a graph, `metrics` a
dict); definitions stand in the docstrings of the modules. They rest on cores that take
bare arrays: `arrays`, `inversions`, `intervals`. Analysis knows the schema of results
and the scenario, and no engine, log or protocol: it reads Kafka and point to point, and
what comes after them, alike.
"""

from kafkasim.analysis.busy import resources
from kafkasim.analysis.dealings import RECEIPT_OUTCOMES
from kafkasim.analysis.intervals import mean_interval
from kafkasim.analysis.measures import METRICS, metrics, summary
from kafkasim.analysis.offset_records import offsets_topic
from kafkasim.analysis.order import ordering, overtakings
from kafkasim.analysis.ownership import ownership, rebalances
from kafkasim.analysis.positions import positions
from kafkasim.analysis.producing import batching, skew
from kafkasim.analysis.progress import lag, offsets
from kafkasim.analysis.ranks import latency_ecdf
from kafkasim.analysis.receiving import receipts
from kafkasim.analysis.replicated import replication
from kafkasim.analysis.unread import unread
from kafkasim.analysis.waiting import latency, latency_over_time, throughput
from kafkasim.analysis.wiring import topology

__all__ = [
    "METRICS",
    "RECEIPT_OUTCOMES",
    "batching",
    "lag",
    "latency",
    "latency_ecdf",
    "latency_over_time",
    "mean_interval",
    "metrics",
    "offsets",
    "offsets_topic",
    "ordering",
    "overtakings",
    "ownership",
    "positions",
    "rebalances",
    "receipts",
    "replication",
    "resources",
    "skew",
    "summary",
    "throughput",
    "topology",
    "unread",
]

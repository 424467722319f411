"""July's flights with 1 to 1,000 partitions, three copies, and a broker that dies.

    python docs/evidence/many-partitions/sweep.py

Prints the two tables of `docs/evidence/many-partitions.md`. Each count of partitions
has two runs with the same traffic and seed: one in which nothing fails, and one in
which broker 1 dies after 2 s and stays away.
"""

from typing import TYPE_CHECKING

import kafkasim as ks

if TYPE_CHECKING:
    import pandas as pd

PARTITIONS = "system.topics.flights.partitions"
COUNTS = [1, 3, 10, 30, 100, 300, 1_000]
DIES_S = 2.0

july = ks.traces.flights(month=7, speedup=ks.traces.YEAR_IN_A_MINUTE)
airports = ks.Source("flights", july, keys=ks.TraceColumn("tail"), value_bytes=200)
calm = ks.Scenario(
    ks.Traffic(
        {"airports": airports},
        {"board": ks.Subscriber(["flights"], work_ms=1)},
        duration_s=5.1,
    ),
    ks.Kafka(
        brokers=3,
        topics={"flights": ks.Topic(replication_factor=3)},
        groups={"board": ks.Group(members=8)},
    ),
)
dies = calm.where({"events": [ks.Crash("broker:1", at_s=DIES_S)]})


def waits_ms(run: ks.Result) -> "pd.Series[float]":
    """Return how long each flight waited for its acknowledgement."""
    return run.records["acked_ms"] - run.records["intended_ms"]


def without_failure(run: ks.Result) -> dict[str, float]:
    """Return what the partitions cost while all is well."""
    seconds = run.scenario.traffic.duration_s
    requests = run.requests["api"].value_counts() / seconds
    return {
        "records per batch": len(run.records) / len(run.batches),
        "bytes per record": run.segments["size_bytes"].sum() / len(run.records) / 3,
        "Produce/s": requests["Produce"],
        "FetchFollower/s": requests["FetchFollower"],
        "Fetch/s": requests["Fetch"],
        "p99 acknowledged ms": waits_ms(run).quantile(0.99),
        "p99 processed ms": ks.analysis.metrics(run)["latency_ms_p99"],
        "longest silence s": ks.analysis.replication(run)["silent_ms"].max() / 1_000,
    }


def with_a_death(run: ks.Result) -> dict[str, float]:
    """Return what a broker's death cost."""
    replicas = run.replicas.query("cause == 'elected'")
    copies = ks.analysis.replication(run)
    return {
        "led by the dead": len(replicas),
        "first led anew s": replicas["at_ms"].min() / 1_000 - DIES_S,
        "last led anew s": replicas["at_ms"].max() / 1_000 - DIES_S,
        "longest wait s": waits_ms(run).max() / 1_000,
        "waited over 1 s": (waits_ms(run) > 1_000).sum(),
        "median silence s": copies["silent_ms"].median() / 1_000,
        "longest silence s": copies["silent_ms"].max() / 1_000,
        "lost": copies["acked_lost"].sum(),
    }


for scenario, measure in ((calm, without_failure), (dies, with_a_death)):
    table = ks.sweep(
        scenario, {PARTITIONS: COUNTS}, workers=1, progress=False, measure=measure
    )
    names = [str(column) for column in table.columns]
    kept = [name for name in names if not name.endswith(("_low", "_high"))]
    rows = table[kept].drop(columns=["replications", "digest"]).round(3)
    print(f"| {' | '.join(map(str, rows.columns))} |\n|{'--:|' * len(rows.columns)}")
    for row in rows.to_numpy():
        print(f"| {' | '.join(f'{value:,.7g}' for value in row)} |")
    print()

"""Measure what rebalances cost: rolling restarts, and partitions that are added.

    .venv/bin/python docs/evidence/rolling-restart/measure.py

prints the rows of the page's tables, and draws its figure.
"""

from pathlib import Path

import kafkasim as ks
from kafkasim.experiments.rolling_restart import PROTOCOLS, RESTART_AT_S

SIZES = ((100, 50.0), (100, 2_000.0), (900, 2_000.0))
"""Partitions, and milliseconds of work on a record."""
DRAWN = (100, 2_000.0)
"""Of these, what the figure shows."""
FIGURE = Path(__file__).with_name("unread.png")
ADDED_AT_S = (60.0, 160.0, 260.0)


def restarted(partitions: int, work_ms: float) -> None:
    """Print a row for each protocol; draw them if they are the ones to draw."""
    runs = {}
    for name in PROTOCOLS:
        runs |= ks.rolling_restarts([name], partitions=partitions, work_ms=work_ms)
        result = runs[name]
        table = ks.analysis.unread(result, from_s=RESTART_AT_S - 5)
        begun = ks.analysis.rebalances(result)
        begun = begun[begun["began_ms"] > 1e3 * (RESTART_AT_S - 5)]
        row = (
            name,
            f"{table.attrs['longest_gap_ms'] / 1e3:.2f}",
            f"{table.attrs['gap_partition_s']:,.0f}",
            f"{table['partitions'].max():,}",
            f"{len(begun)}",
            f"{begun['moved'].sum():,}",
        )
        print(f"| {' | '.join(row)} |", flush=True)
        if (partitions, work_ms) != DRAWN:
            del runs[name]  # they are large
    if runs:
        ax = ks.plot.unread(runs, from_s=RESTART_AT_S - 10)
        ax.figure.savefig(FIGURE, dpi=100)


def added(at_s: float, protocol: str) -> float:
    """Return seconds until all of 900 partitions that are added are read."""
    source = ks.Source("orders", ks.Periodic(1))
    readers = {"billing": ks.Subscriber(["orders"])}
    config = ks.ConsumerConfig(group_protocol=protocol)
    groups = {"billing": ks.Group(members=10, start="cold", config=config)}
    kafka = ks.Kafka(topics={"orders": ks.Topic(partitions=100)}, groups=groups)
    traffic = ks.Traffic({"web": source}, readers, 330)
    event = ks.AddPartitions("stream:orders", at_s=at_s, to=1_000)
    result = ks.run(ks.Scenario(traffic, kafka, events=[event]), progress=False)
    owned = ks.analysis.ownership(result)
    new = owned[owned["partition"] >= 100].groupby("partition")["since_ms"].min()
    return float(new.max()) / 1e3 - at_s


def main() -> None:
    """Print all rows."""
    for at_s in ADDED_AT_S:
        seconds = [f"{added(at_s, each):.1f}" for each in ("classic", "consumer")]
        print(f"| {at_s:g} | {' | '.join(seconds)} |", flush=True)
    for partitions, work_ms in SIZES:
        print(f"\n{partitions} partitions, {work_ms:g} ms\n", flush=True)
        restarted(partitions, work_ms)


if __name__ == "__main__":
    main()

"""Print the table of `real-broker.md`: batches of a real producer and of kafkasim.

    PYTHONPATH=. python docs/evidence/real-broker/compare.py producer_batches.json

The file holds what `ProducerPerformance` of Apache Kafka measured on one broker: for
each configuration, three times, the producer's own metrics at the end of a run.
kafkasim runs the same configurations, with its usual hardware, three times: with evenly
spaced records, with Poisson arrivals, and with records when the tool sends them. Its
`batch-size-avg` is the mean size of the batches, its records per request are records
sent ÷ produce requests, its `record-queue-time-avg` is the mean time from when a batch
was opened until it was sent.

**When the tool sends.** `ThroughputThrottler` compares what was sent with the rate;
when it is ahead it owes a pause, the reciprocal of the rate for each record, and takes
it once it owes 2 ms. So records come in bursts: as many as 2 ms hold, and then those
that came due meanwhile. What a record takes is measured, too: it is the reciprocal of
the rate that the same tool reached without a limit. Nothing is fitted.
"""

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import kafkasim as ks
from kafkasim.scenario.trace import Trace

NS_PER_MS, NS_PER_S = 1_000_000, 1_000_000_000
LEAST_PAUSE_NS = 2 * NS_PER_MS
Arrivals = ks.Periodic | ks.Poisson | Trace
METRICS = ("batch-size-avg", "records-per-request-avg", "record-queue-time-avg")
COLUMNS = " | ".join(
    f"{name}: real | kafkasim | %"
    for name in ("batch size", "records per request", "queue ms")
)
HEADER = (
    f"| records/s | bytes | linger.ms | acks | partitions | arrivals | {COLUMNS} |\n"
    f"|--:|--:|--:|---|--:|---|{9 * '--:|'}"
)


def as_the_tool_sends(rate_per_s: float, seconds: float, record_ns: int) -> Trace:
    """Return when the tool sends its records.

    Parameters
    ----------
    rate_per_s : float
        What it was told.
    seconds : float
        How long.
    record_ns : int
        What one record takes it.
    """
    pause_ns = int(NS_PER_S / rate_per_s)
    now_ns = owed_ns = 0
    times = []
    for sent in range(int(rate_per_s * seconds)):
        elapsed_ms = now_ns // NS_PER_MS
        times.append(now_ns)
        now_ns += record_ns
        if elapsed_ms > 0 and sent / (elapsed_ms / 1_000) > rate_per_s:
            owed_ns += pause_ns
            if owed_ns >= LEAST_PAUSE_NS:
                now_ns, owed_ns = now_ns + owed_ns, 0
    inside = [each for each in times if each < seconds * NS_PER_S]
    return Trace(np.array(inside, dtype=np.int64), {})


def real(repeats: list[Mapping[str, Any]]) -> list[float]:
    """Return the medians of the producer's metrics."""
    found = [repeat["producer_metrics"] for repeat in repeats]
    return [statistics.median(each[name] for each in found) for name in METRICS]


def simulated(
    config: Mapping[str, Any], arrivals: Arrivals, seconds: float
) -> list[float]:
    """Return the same numbers of a run of kafkasim."""
    source = ks.Source("perf", arrivals, value_bytes=config["record_size"])
    settings = ks.ProducerConfig(
        linger_ms=config["linger_ms"],
        batch_size=config["batch_size"],
        acks=config["acks"],
        enable_idempotence=config["acks"] == "all",
    )
    kafka = ks.Kafka(
        topics={"perf": ks.Topic(partitions=config["partitions"])},
        producers={"tool": ks.Producer(config=settings)},
    )
    traffic = ks.Traffic({"tool": source}, {}, duration_s=seconds)
    result = ks.run(ks.Scenario(traffic, kafka), progress=False)
    batches = result.batches
    requests = (result.requests["api"] == "Produce").sum()
    return [
        float(batches["size_bytes"].mean()),
        float(batches["record_count"].sum() / requests),
        float((batches["sent_ms"] - batches["opened_ms"]).mean()),
    ]


def main(path: Path) -> None:
    """Print the table in Markdown."""
    truth = json.loads(path.read_text(encoding="utf-8"))
    seconds = truth["seconds"]
    (unlimited,) = (run for run in truth["runs"] if run["config"]["throughput"] < 0)
    reached = statistics.median(
        repeat["all"]["records_per_s"] for repeat in unlimited["repeats"]
    )
    kinds: dict[str, Callable[[float], Arrivals]] = {
        "evenly spaced": ks.Periodic,
        "Poisson": ks.Poisson,
        "as the tool sends": lambda rate: as_the_tool_sends(
            rate, seconds, round(NS_PER_S / reached)
        ),
    }
    print(HEADER)
    for run in truth["runs"]:
        config = run["config"]
        if run is unlimited:  # as fast as it can: there is no rate to simulate
            continue
        names = ("throughput", "record_size", "linger_ms", "acks", "partitions")
        said = " | ".join(str(config[name]) for name in names)
        measured = real(run["repeats"])
        for name, kind in kinds.items():
            found = simulated(config, kind(config["throughput"]), seconds)
            cells = [
                f"{theirs:,.{digits}f} | {ours:,.{digits}f} | {100 * ours / theirs:.0f}"
                for theirs, ours, digits in zip(measured, found, (0, 1, 2), strict=True)
            ]
            print(f"| {said} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

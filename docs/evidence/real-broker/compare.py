"""Print the table of `real-broker.md`: batches of a real producer and of kafkasim.

    PYTHONPATH=. python docs/evidence/real-broker/compare.py producer_batches.json

The file holds what `ProducerPerformance` of Apache Kafka measured on one broker: for
each configuration, three times, the producer's own metrics at the end of a run.
kafkasim runs the same configurations, with its usual hardware, twice: with evenly
spaced records and with Poisson arrivals. Its `batch-size-avg` is the mean size of the
batches, its records per request are records sent ÷ produce requests.
"""

import json
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import kafkasim as ks

ARRIVALS: dict[str, Callable[[float], ks.Periodic | ks.Poisson]] = {
    "evenly spaced": ks.Periodic,
    "Poisson": ks.Poisson,
}
HEADER = (
    "| records/s | bytes | linger.ms | acks | partitions | arrivals "
    "| batch-size-avg: real | kafkasim | % | records per request: real | kafkasim | % |"
)
ALIGNMENT = "|--:|--:|--:|---|--:|---|--:|--:|--:|--:|--:|--:|"


def real(repeats: list[Mapping[str, Any]]) -> tuple[float, float]:
    """Return the medians of batch-size-avg and records-per-request-avg."""
    found = [repeat["producer_metrics"] for repeat in repeats]
    names = ("batch-size-avg", "records-per-request-avg")
    size, count = (statistics.median(each[name] for each in found) for name in names)
    return size, count


def simulated(
    config: Mapping[str, Any],
    arrivals: Callable[[float], ks.Periodic | ks.Poisson],
    seconds: float,
) -> tuple[float, float]:
    """Return the same two numbers of a run of kafkasim."""
    source = ks.Source(
        "perf",
        arrivals(config["throughput"]),
        value_bytes=config["record_size"],
    )
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
    result = ks.run(ks.Scenario(traffic, kafka))
    requests = (result.requests["api"] == "Produce").sum()
    sent = result.batches["record_count"].sum()
    return float(result.batches["size_bytes"].mean()), float(sent / requests)


def main(path: Path) -> None:
    """Print the table in Markdown."""
    truth = json.loads(path.read_text(encoding="utf-8"))
    print(f"{HEADER}\n{ALIGNMENT}")
    for run in truth["runs"]:
        config = run["config"]
        if config["throughput"] < 0:  # as fast as it can: there is no rate to simulate
            continue
        names = ("throughput", "record_size", "linger_ms", "acks", "partitions")
        said = " | ".join(str(config[name]) for name in names)
        measured = real(run["repeats"])
        for name, arrivals in ARRIVALS.items():
            found = simulated(config, arrivals, truth["seconds"])
            cells = [
                f"{theirs:,.{digits}f} | {ours:,.{digits}f} | {100 * ours / theirs:.0f}"
                for theirs, ours, digits in zip(measured, found, (0, 1), strict=True)
            ]
            print(f"| {said} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

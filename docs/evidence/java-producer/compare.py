"""Print the tables of `java-producer.md`: the real Java producer and kafkasim.

    PYTHONPATH=. python docs/evidence/java-producer/compare.py

The figures of the Java producer are those of lbradstreet/kafka-sim, which runs the real
`KafkaProducer` on a virtual clock against brokers in memory: 4,096 records in a closed
loop, 32 of them outstanding. kafkasim's sources are open loops, whose times are known
beforehand. A closed loop is an open one whose times are right: each record but the
first 32 comes with an acknowledgement, in their order. So it is run again and again,
each time with the times that the last run gave, until they are the same: what happens
at a time depends on what came before it alone, so each run is right a little longer
than the one before.

Which keys theirs are is not known here; their partitions decide which requests there
are. So kafkasim runs several sets of 64 keys, and the range stands beside the median.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from plain import NS_PER_MS, Producer, Rules

import kafkasim as ks
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn

RECORDS, OUTSTANDING, KEYS, BROKERS = 4_096, 32, 64, 3
SETS_OF_KEYS = 5
LINKS: dict[str, float | ks.Uniform] = {
    "kafkasim": 0.2,
    "kafkasim, a way of 0.20 to 0.21 ms": ks.Uniform(0.20, 0.21),
}


@dataclass(frozen=True)
class Row:
    """An experiment, and what the Java producer did."""

    name: str
    linger_ms: int
    partitions: int
    requests: int
    p99_ms: float


ROWS = (
    Row("linger 0 ms", 0, 6, 1_209, 4.012),
    Row("linger 1 ms", 1, 6, 754, 3.611),
    Row("linger 5 ms, 6 partitions", 5, 6, 352, 6.618),
    Row("linger 20 ms", 20, 6, 347, 21.212),
    Row("1 partition", 5, 1, 586, 5.215),
    Row("16 partitions", 5, 16, 384, 7.407),
)
Found = tuple[int, float]
"""Produce requests, and p99 of latency in milliseconds."""


def keys_of(number: int) -> list[str]:
    """Return a key of eight bytes for each record, drawn from a set of 64."""
    drawn = np.random.default_rng(number).integers(0, KEYS, RECORDS)
    return [f"{number:02}-{key:05}" for key in drawn.tolist()]


def p99_ms(latencies_ns: Sequence[int] | NDArray[np.int64]) -> float:
    """Return the value that 99 of 100 do not exceed."""
    ordered = np.sort(latencies_ns)
    return float(ordered[-(-99 * len(ordered) // 100) - 1]) / NS_PER_MS


def scenario(
    row: Row, keys: list[str], times_ns: NDArray[np.int64], way: float | ks.Uniform
) -> ks.Scenario:
    """Return the experiment, with records at these times."""
    labels, codes = np.unique(keys[: len(times_ns)], return_inverse=True)
    names = tuple(str(label) for label in labels)
    trace = Trace(times_ns, {"key": CodedColumn(codes.astype(np.int32), names)})
    config = ks.ProducerConfig(
        linger_ms=row.linger_ms,
        batch_size=4_096,
        max_in_flight_requests_per_connection=3,
    )
    kafka = ks.Kafka(
        brokers=BROKERS,
        topics={"topic": ks.Topic(partitions=row.partitions)},
        producers={"app": ks.Producer(config=config)},
        broker_config=ks.BrokerConfig(num_io_threads=1),
        hardware=ks.Hardware(
            link=ks.Link(delay_ms=way, bandwidth_mb_per_s=1e12),
            cpu=ks.Cpu(request_ms=1.0, mb_ms=0.0),
        ),
    )
    source = ks.Source("topic", trace, keys=ks.TraceColumn("key"), value_bytes=512)
    return ks.Scenario(ks.Traffic({"app": source}, {}), kafka, seed=0)


def closed_loop(row: Row, keys: list[str], way: float | ks.Uniform) -> Found:
    """Run until the times at which records come are those that the run gives."""
    times = np.zeros(OUTSTANDING, dtype=np.int64)
    while True:
        result = ks.run(scenario(row, keys, times, way), progress=False)
        records, requests = result.columns("records"), result.requests
        known = min(RECORDS, len(times) + OUTSTANDING)
        come = np.zeros(known, dtype=np.int64)
        come[OUTSTANDING:] = np.sort(records["acked_ns"])[: known - OUTSTANDING]
        if len(times) == RECORDS and np.array_equal(come, times):
            sent = int((requests["api"] == "Produce").sum())
            return sent, p99_ms(records["acked_ns"] - records["intended_ns"])
        times = come


def plain(row: Row, keys: list[str], clock_ns: int) -> Found:
    """Run the plain loop of `plain.py`, with one clock or the other."""
    partitions = [ks.partition_for_key(key, row.partitions) for key in keys]
    leaders = [partition % BROKERS for partition in range(row.partitions)]
    rules = Rules(row.linger_ms * NS_PER_MS, clock_ns=clock_ns)
    producer = Producer(rules, partitions, leaders)
    producer.run(OUTSTANDING)
    return producer.requests, p99_ms(producer.latencies_ns)


def cells(values: Sequence[float], theirs: float, digits: int) -> str:
    """Return what the Java producer did, the median, its error, and the range."""
    median = statistics.median(values)
    error = 100 * (median / theirs - 1)
    low, high = min(values), max(values)
    return (
        f"{theirs:,.{digits}f} | {median:,.{digits}f} | {error:+.1f} "
        f"| {low:,.{digits}f} to {high:,.{digits}f}"
    )


def over_sets(one: Callable[[list[str]], Found]) -> list[Found]:
    """Return what each set of keys gives."""
    return [one(keys_of(number)) for number in range(SETS_OF_KEYS)]


def print_tables(first: str, rows: Sequence[tuple[str, Row, list[Found]]]) -> None:
    """Print a table of requests and one of p99."""
    print(f"| {first} | requests: Java | median | error % | range |\n|---|{4 * '--:|'}")
    for name, row, found in rows:
        print(f"| {name} | {cells([each[0] for each in found], row.requests, 0)} |")
    print(f"\n| {first} | p99 ms: Java | median | error % | range |\n|---|{4 * '--:|'}")
    for name, row, found in rows:
        print(f"| {name} | {cells([each[1] for each in found], row.p99_ms, 3)} |")


def main() -> None:
    """Print the tables of all experiments, and of four ways to one of them."""
    rows = [
        (row.name, row, over_sets(partial(closed_loop, row, way=0.2))) for row in ROWS
    ]
    print_tables("experiment", rows)
    row = ROWS[1]
    ways: dict[str, Callable[[list[str]], Found]] = {
        name: partial(closed_loop, row, way=way) for name, way in LINKS.items()
    }
    ways["plain loop, exact clock"] = partial(plain, row, clock_ns=1)
    ways["plain loop, clock of milliseconds"] = partial(plain, row, clock_ns=NS_PER_MS)
    print()
    print_tables(row.name, [(name, row, over_sets(one)) for name, one in ways.items()])


if __name__ == "__main__":
    main()

"""Small clusters to which one thing happens, and what is read off their runs."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

import kafkasim as ks
from kafkasim.scenario.events import Event

if TYPE_CHECKING:
    import pandas as pd

APART_MS = 5.0
"""One way between any two, where a fault is to come between two steps."""


def records_at(*seconds: float) -> ks.Source:
    """Return a source that sends one record at each of some times."""
    times_ns = np.rint(np.array(seconds) * 1e9).astype(np.int64)
    return ks.Source("orders", ks.Trace(times_ns, {}))


def evenly(rate_per_s: float, from_s: float) -> ks.Source:
    """Return a source that sends at equal distances."""
    return ks.Source("orders", ks.Periodic(rate_per_s, from_s))


def story(
    source: ks.Source,
    *events: Event,
    until_s: float,
    min_isr: int = 2,
    copies: int = 3,
    unclean: bool = False,
    delay_ms: float = 0.2,
    on_error: Literal["drop", "resend"] = "drop",
    reset: str = "earliest",
    **producer: Any,  # noqa: ANN401 - settings by name
) -> ks.Result:
    """Run one partition on as many brokers as it has copies, and one reader.

    Broker 1 leads. The rest of the arguments are settings of the producer, which waits
    for nothing before it sends.
    """
    topic = ks.Topic(
        replication_factor=copies,
        config=ks.TopicConfig(
            min_insync_replicas=min_isr, unclean_leader_election_enable=unclean
        ),
    )
    reader = ks.ConsumerConfig(auto_offset_reset=reset)
    cluster = ks.Kafka(
        brokers=copies,
        topics={"orders": topic},
        producers={
            "shop": ks.Producer(
                ks.ProducerConfig(linger_ms=0, **producer), on_error=on_error
            )
        },
        groups={"billing": ks.Group(config=reader)},
        hardware=ks.Hardware(link=ks.Link(delay_ms=delay_ms)),
    )
    traffic = ks.Traffic(
        {"shop": source}, {"billing": ks.Subscriber(["orders"])}, duration_s=until_s
    )
    result = ks.run(ks.Scenario(traffic, cluster, events=events), check=True)
    assert result.violations.empty
    return result


def waits_ms(records: "pd.DataFrame") -> "pd.Series[float]":
    """Return how long each record's sender waited for its acknowledgement."""
    return records.acked_ms - records.created_ms


def times_read(result: ks.Result) -> dict[int, int]:
    """Return how often the reader was handed each record."""
    counts = result.deliveries.record_id.value_counts()
    return {record: int(counts.get(record, 0)) for record in result.records.record_id}


def in_log_order(result: ks.Result) -> list[int]:
    """Return the records as a fresh reader would see them."""
    kept = result.records.dropna(subset="offset")
    return kept.sort_values("offset").record_id.tolist()

"""Small groups to which one thing happens, and what is read off their runs."""

from typing import Any

import numpy as np

import kafkasim as ks
from kafkasim.scenario.events import Event

FIRST = "member:billing/1"
"""It has the first partition while a group that is joined is left alone."""


def at_once(count: int, at_s: float) -> ks.Source:
    """Return a source that sends so many records at one time."""
    times_ns = np.full(count, round(at_s * 1e9), np.int64)
    return ks.Source("orders", ks.Trace(times_ns, {}))


def evenly(rate_per_s: float) -> ks.Source:
    """Return a source that sends at equal distances."""
    return ks.Source("orders", ks.Periodic(rate_per_s))


def group_story(
    source: ks.Source,
    *events: Event,
    until_s: float,
    members: Any = 2,  # noqa: ANN401 - a number, or members by name
    partitions: int = 1,
    work_ms: float = 0.0,
    commit: str = "auto",
    start: str = "joined",
    broker: ks.BrokerConfig | None = None,
    **consumer: Any,  # noqa: ANN401 - settings by name
) -> ks.Result:
    """Run one broker and the group `billing`; the rest are settings of its members.

    Nothing that must hold in every run may be broken.
    """
    sender = ks.ProducerConfig(linger_ms=0, metadata_max_age_ms=1_000)
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=partitions)},
        producers={"shop": ks.Producer(sender)},
        groups={
            "billing": ks.Group(
                members=members,
                start=start,  # type: ignore[arg-type]
                commit=commit,
                config=ks.ConsumerConfig(**consumer),
            )
        },
        broker_config=broker or ks.BrokerConfig(),
    )
    traffic = ks.Traffic(
        {"shop": source},
        {"billing": ks.Subscriber(["orders"], work_ms=work_ms, wants="all")},
        duration_s=until_s,
    )
    scenario = ks.Scenario(traffic, cluster, events=events, drain_limit_s=60.0)
    result = ks.run(scenario, check=True)
    assert result.violations.empty, result.violations.to_string()
    return result


def times_done(result: ks.Result, subscriber: str = "billing") -> list[int]:
    """Return how often each record was processed, by its number."""
    rows = result.deliveries
    done = rows[(rows.outcome == "processed") & (rows.subscriber == subscriber)]
    counts = done.record_id.value_counts()
    return [int(counts.get(record, 0)) for record in result.records.record_id]


def members_at(result: ks.Result, at_ms: float) -> dict[int, str]:
    """Return who read each partition at a time."""
    rows = result.assignments
    here = rows[(rows.since_ms <= at_ms) & ~(rows.until_ms <= at_ms)]
    return dict(zip(here.partition, here.member, strict=True))


def gaps_ms(result: ks.Result, about_ms: float) -> list[float]:
    """Return, by partition, how long nobody read it that was read before a time."""
    rows = result.assignments
    gaps = []
    for _, each in rows.groupby("partition"):
        gaps.append(0.0)
        ended = each[each.until_ms >= about_ms]
        later = each[each.since_ms > about_ms]
        if len(ended) and len(later):
            gaps[-1] = float(later.since_ms.min() - ended.until_ms.min())
    return gaps

"""A shop whose topic gets more partitions while it runs, and what is read off it.

The clocks: brokers know some 25 ms after the controller has decided; the producer asks
for metadata every 2 s, the leader of the group every 3 s, unless a story says more.
"""

from typing import Any, Literal

import kafkasim as ks
from kafkasim.protocol.producing.partitioner import key_partition
from kafkasim.scenario.events import Event

ADDED_S = 3.2
KEYS = ks.UniformKeys(30)
READER = ks.ConsumerConfig(metadata_max_age_ms=2_500)


def shop(
    *events: Event,
    keys: ks.UniformKeys | ks.NoKeys = KEYS,
    to: int = 4,
    at_s: float = ADDED_S,
    until_s: float = 10.0,
    from_s: float = 0.0,
    work_ms: float = 0.0,
    drain_limit_s: float = 60.0,
    **cluster: Any,  # noqa: ANN401 - as of `cluster_of`
) -> ks.Result:
    """Run 50 records a second into a topic that grows, and one group of readers."""
    addition = ks.AddPartitions("stream:orders", at_s=at_s, to=to)
    source = ks.Source("orders", ks.Periodic(50, 0.001), keys=keys)
    traffic = ks.Traffic(
        {"shop": source},
        {"billing": ks.Subscriber(["orders"], from_s=from_s, work_ms=work_ms)},
        duration_s=until_s,
    )
    scenario = ks.Scenario(
        traffic,
        cluster_of(**cluster),
        events=[addition, *events],
        drain_limit_s=drain_limit_s,
    )
    result = ks.run(scenario, check=True)
    assert result.violations.empty
    return result


def cluster_of(
    *,
    before: int = 2,
    brokers: int = 1,
    copies: int = 1,
    placement: Literal["in turn", "striped"] = "in turn",
    members: int = 2,
    reset: str = "earliest",
    commit_ms: int = 5_000,
    ages_ms: tuple[int, int] = (2_000, 3_000),
    partition: int | None = None,
    partitioner: Literal["builtin", "round_robin"] = "builtin",
    ratio: float | None = None,
    topic: ks.TopicConfig | None = None,
    **producer: object,
) -> ks.Kafka:
    """Return the cluster; the rest of the arguments are settings of the producer."""
    config = {"linger_ms": 0, "metadata_max_age_ms": ages_ms[0], **producer}
    reader = ks.ConsumerConfig(
        auto_offset_reset=reset,
        auto_commit_interval_ms=commit_ms,
        metadata_max_age_ms=ages_ms[1],
    )
    orders = ks.Topic(
        partitions=before, replication_factor=copies, config=topic or ks.TopicConfig()
    )
    shop = ks.Producer(
        ks.ProducerConfig.from_dict(config),
        partition=partition,
        partitioner=partitioner,
        compression_ratio=ratio,
    )
    return ks.Kafka(
        brokers=brokers,
        placement=placement,
        topics={"orders": orders},
        producers={"shop": shop},
        groups={"billing": ks.Group(members=members, config=reader)},
    )


def outcomes(result: ks.Result) -> dict[str, int]:
    found = ks.receipts(result).outcome.value_counts()
    return {str(name): int(count) for name, count in found.items() if count}


def asked_ms(result: ks.Result, who: str) -> list[float]:
    """Return when a client had its metadata, in milliseconds."""
    asked = result.requests.query(f"api == 'Metadata' and sender == '{who}'")
    return [float(ms) for ms in asked.answered_ms.dropna()]


def knows_ms(result: ks.Result, who: str = "source:shop") -> float:
    """Return when a client first had metadata that tell of new partitions."""
    return next(ms for ms in asked_ms(result, who) if ms > 1_000 * ADDED_S + 25)


def of_key(key: object, count: int) -> int:
    """Return the partition of a key among so many."""
    return key_partition(str(key).encode(), count)


def check_places(result: ks.Result, knew_ms: float) -> None:
    """Check that keys go to one of two partitions until then, and then of four."""
    records = result.records
    early = (records.created_ms < knew_ms).tolist()
    counts = [2 if is_early else 4 for is_early in early]
    places = [*map(of_key, records.key, counts)]
    assert records.partition.tolist() == places

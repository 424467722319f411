"""What order Kafka keeps: for a key and in a partition.

DS-29 and DS-30 are the numbers of delivery scenarios.
"""

import kafkasim as ks


def keyed(partitions: int, members: int = 1) -> ks.Result:
    """Run records of 40 customers, each customer's name a key."""
    source = ks.Source("orders", ks.Poisson(500), keys=ks.UniformKeys(40))
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=partitions)},
        groups={"billing": ks.Group(members=members)},
    )
    reader = ks.Subscriber(["orders"], work_ms=1.0)
    traffic = ks.Traffic({"shop": source}, {"billing": reader}, duration_s=2.0)
    return ks.run(ks.Scenario(traffic, cluster), check=True)


def test_another_number_of_partitions_sends_keys_elsewhere() -> None:
    """DS-29: of a key whose partition changes, old records stay and new ones go."""
    three, four = (
        keyed(partitions).records.groupby("key", observed=True).partition
        for partitions in (3, 4)
    )

    assert set(three.nunique()) == set(four.nunique()) == {1}
    moved = three.first() != four.first()
    assert 0 < moved.sum() < len(moved)
    for key, partition in four.first().items():
        assert ks.partition_for_key(str(key), 4) == partition


def test_order_holds_for_a_key_and_in_a_partition_but_not_overall() -> None:
    """DS-30: and no two members of a group work on one key."""
    result = keyed(partitions=3, members=3)

    for per in ("key", "partition"):
        assert ks.analysis.ordering(result, per=per).overtaken.sum() == 0
    ended = result.deliveries.sort_values("ended_ms").record_id.tolist()
    created = result.records.set_index("record_id").created_ms[ended]
    assert not created.is_monotonic_increasing
    read = result.deliveries.merge(result.records[["record_id", "key"]])
    assert set(read.groupby("key", observed=True).member.nunique()) == {1}

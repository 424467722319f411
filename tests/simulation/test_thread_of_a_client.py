"""What the thread of a KIP-848 client does while its application works.

In Kafka that is the `ConsumerNetworkThread`. A classic client's heartbeat thread takes
answers, too, but neither asks where to begin nor fetches.
"""

from typing import Literal

import pytest

import kafkasim as ks
from tests.simulation.group_stories import FIRST


@pytest.mark.parametrize(("protocol", "last"), [("classic", 3), ("consumer", 4)])
def test_partitions_that_come_are_fetched_while_the_application_works(
    protocol: Literal["classic", "consumer"], last: int
) -> None:
    """CO-7: with KIP-848 the client's thread ends what a poll has only begun.

    A poll returns 20 records, 600 ms of work. Before it does, it asks where to begin in
    two partitions that were added. The answers come while the application works, the
    last one from broker 4; then the thread fetches. A classic member joins anew for
    them, has nothing to work on, and fetches at each answer.
    """
    config = ks.ConsumerConfig(
        max_poll_records=20, group_protocol=protocol, metadata_max_age_ms=500
    )
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(50.0))},
        {"billing": ks.Subscriber(["orders"], work_ms=30.0, wants="all")},
        duration_s=2.0,
    )
    cluster = ks.Kafka(
        brokers=4,
        topics={"orders": ks.Topic(partitions=2)},
        groups={"billing": ks.Group(1, start="cold", config=config)},
        broker_config=ks.BrokerConfig(
            group_consumer_heartbeat_interval_ms=200,
            group_initial_rebalance_delay_ms=0,
        ),
    )
    events = (
        ks.AddPartitions("stream:orders", at_s=1.0, to=4),
        ks.Delay(f"link:{FIRST}<->broker:4", at_s=0.0, for_s=60.0, extra_ms=50.0),
    )
    result = ks.run(ks.Scenario(traffic, cluster, events=events))

    asked = result.requests[result.requests.sender == FIRST]
    offsets, where, fetches = (
        asked[asked.api == api] for api in ("OffsetFetch", "ListOffsets", "Fetch")
    )
    where, fetches = (
        each[each.receiver.isin(["broker:3", "broker:4"])] for each in (where, fetches)
    )
    begun_ms = where[where.receiver == f"broker:{last}"].answered_ms.iloc[0]
    fetched_ms = fetches.sent_ms.min()
    assert len(where) == 2
    assert (where.sent_ms == offsets.answered_ms.max()).all()
    assert fetched_ms == pytest.approx(begun_ms, abs=1e-6)
    work = result.deliveries
    busy = (work.started_ms < fetched_ms) & (work.ended_ms > fetched_ms)
    assert busy.any() == (protocol == "consumer")

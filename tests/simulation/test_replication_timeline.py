"""One record and its copies, moment by moment, to the nanosecond.

With acks=all a record is acknowledged when both followers have asked for the next one:

    sent       + bytes on the producer's card + link   = received
    received   + a thread, with its part for bytes     = appended
    appended   + bytes on the leader's card, twice + link = at the slower follower
    there      + link + a thread                       = committed
    committed  + link                                  = acknowledged

Both followers wait at the leader, so the copy leaves at once; their answers share its
card, and the slower one decides (BR-9).
"""

import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

LINK_NS = 300_000
REQUEST_NS = 70_000
NS_PER_BYTE_ON_CARD = 10
NS_PER_BYTE_OF_THREAD = 2
HARDWARE = Hardware(
    link=Link(delay_ms=0.3, bandwidth_mb_per_s=100.0),
    cpu=Cpu(request_ms=0.07, mb_ms=2.0),
)


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_a_record_takes_its_way_to_the_nanosecond(copies: int) -> None:
    config = ProducerConfig(acks="all", linger_ms=0)
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(10.0, phase_s=0.05), value_bytes=5_000)},
            {"billing": Subscriber(["orders"])},
            duration_s=1.0,
        ),
        Kafka(
            brokers=3,
            topics={"orders": Topic(replication_factor=copies)},
            producers={"web": Producer(config=config)},
            hardware=HARDWARE,
        ),
    )
    result = run(scenario, check=True)
    records, batches = result.columns("records"), result.columns("batches")
    assert len(batches["size_bytes"]) == 10

    size = batches["size_bytes"]
    on_card_ns = NS_PER_BYTE_ON_CARD * size
    received_ns = batches["sent_ns"] + on_card_ns + LINK_NS
    appended_ns = received_ns + REQUEST_NS + NS_PER_BYTE_OF_THREAD * size
    committed_ns = appended_ns
    if copies > 1:
        copied_ns = appended_ns + (copies - 1) * on_card_ns + LINK_NS
        committed_ns = copied_ns + LINK_NS + REQUEST_NS
    assert records["appended_ns"].tolist() == appended_ns.tolist()
    assert records["committed_ns"].tolist() == committed_ns.tolist()
    assert records["acked_ns"].tolist() == (committed_ns + LINK_NS).tolist()
    # The group waits at the leader; its answer has the card to itself by then.
    fetched_ns = committed_ns + on_card_ns + LINK_NS
    assert result.columns("deliveries")["fetched_ns"].tolist() == fetched_ns.tolist()

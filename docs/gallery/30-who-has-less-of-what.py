"""Who has less of what.

Kafka on three brokers with three copies beside point to point, for more and more
systems. Above the line point to point has less: it moves fewer bytes in all, is
quicker, and has no hub to die. Below it Kafka has. Nobody waits for a batch to fill:
with Kafka's default linger.ms of 5 its median latency is 5 ms more.
"""

import kafkasim as ks

at_once = ks.Producer(config=ks.ProducerConfig(linger_ms=0))


def kafka(traffic: ks.Traffic) -> ks.Kafka:
    """Return Kafka on three brokers, with three copies of every stream."""
    topics = {source.stream: ks.Topic(3, 3) for source in traffic.sources.values()}
    return ks.Kafka(3, topics, dict.fromkeys(traffic.sources, at_once))


systems = {"point to point": ks.PointToPoint(), "Kafka": kafka}
table = ks.pipeline_sizes(range(1, 9), densities=[1.0], systems=systems)
ax = ks.plot.advantage(table)

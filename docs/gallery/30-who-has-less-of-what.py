"""Who has less of what.

Kafka on three brokers with three copies beside point to point, for more and more
systems. Above the line point to point has less: it moves fewer bytes in all, is
quicker, and has no hub to die. Below it Kafka has.
"""

import kafkasim as ks


def kafka(traffic: ks.Traffic) -> ks.Kafka:
    """Return Kafka on three brokers, with three copies of every stream."""
    streams = [source.stream for source in traffic.sources.values()]
    return ks.Kafka(brokers=3, topics={name: ks.Topic(3, 3) for name in streams})


systems = {"point to point": ks.PointToPoint(), "Kafka": kafka}
table = ks.pipeline_sizes(range(1, 9), densities=[1.0], systems=systems)
ax = ks.plot.advantage(table)

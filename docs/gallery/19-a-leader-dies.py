"""A leader dies.

The log end and, below it, what every in-sync replica has; who leads, who is in sync,
and what the producer is told. A death goes unnoticed for 7 to 10 seconds.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Periodic(200))
config = ks.TopicConfig(min_insync_replicas=2)
topics = {"orders": ks.Topic(replication_factor=3, config=config)}
traffic = ks.Traffic({"web": orders}, {"billing": ks.Subscriber(["orders"])}, 40)
kafka = ks.Kafka(brokers=3, topics=topics)
events = [ks.Crash("broker:1", at_s=8, for_s=20)]
result = ks.run(ks.Scenario(traffic, kafka, events=events))
ax = ks.plot.replication(result)

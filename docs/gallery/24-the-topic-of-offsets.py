"""The topic of offsets.

What a group has committed are records of a topic of the cluster, `__consumer_offsets`.
Under each key the newest one counts, and compaction may remove the others.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Periodic(10), keys=ks.UniformKeys(50))
traffic = ks.Traffic({"web": orders}, {"billing": ks.Subscriber(["orders"])}, 30)
topics = {"orders": ks.Topic(partitions=2)}
groups = {"billing": ks.Group(members=2, start="cold")}
kafka = ks.Kafka(topics=topics, groups=groups)
result = ks.run(ks.Scenario(traffic, kafka))
ax = ks.plot.offsets_topic(result)

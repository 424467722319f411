"""A late reader, and what it does to a broker.

A group that comes late and wants everything reads what has left the page cache. The
disk is busy, and so are network threads, which stand still while they wait for it.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Poisson(450), value_bytes=4_000)
late = ks.Subscriber(["orders"], from_s=10, wants="all")
audience = {"billing": ks.Subscriber(["orders"]), "audit": late}
disk = ks.Disk(bandwidth_mb_per_s=100, access_ms=8, page_cache_mb=4)
topics = {"orders": ks.Topic(partitions=6)}
groups = {name: ks.Group(members=3) for name in audience}
kafka = ks.Kafka(topics=topics, groups=groups, hardware=ks.Hardware(disk=disk))
traffic = ks.Traffic({"till": orders}, audience, duration_s=15)
result = ks.run(ks.Scenario(traffic, kafka), resources=True)
ax = ks.plot.resources(result)

"""A member of a group dies.

Its partitions are read by nobody until its session is over, 45 s by default; then the
others get them. A member that leaves in order is missed at once.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Periodic(10), keys=ks.UniformKeys(50))
traffic = ks.Traffic({"web": orders}, {"billing": ks.Subscriber(["orders"])}, 120)
topics = {"orders": ks.Topic(partitions=6)}
groups = {"billing": ks.Group(members=3, start="cold")}
events = [ks.Crash("member:billing/2", at_s=30, for_s=70)]
scenario = ks.Scenario(traffic, ks.Kafka(topics=topics, groups=groups), events=events)
ax = ks.plot.ownership(ks.run(scenario))

"""A group goes through its states.

The ways between them are those of the coordinator's own table. Numbers are the steps
of this run: two members join, one dies, its session is over, and it comes back.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Periodic(10))
traffic = ks.Traffic({"web": orders}, {"billing": ks.Subscriber(["orders"])}, 120)
groups = {"billing": ks.Group(members=2, start="cold")}
kafka = ks.Kafka(topics={"orders": ks.Topic(partitions=4)}, groups=groups)
events = [ks.Crash("member:billing/2", at_s=30, for_s=70)]
result = ks.run(ks.Scenario(traffic, kafka, events=events))
ax = ks.plot.states(ks.transitions("classic"), run=result)

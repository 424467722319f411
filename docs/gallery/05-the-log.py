"""The log, and where everyone stands.

Three partitions a moment after the start: numbered records from old to new, and under
them each subscriber's position and its committed offset.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Periodic(100), keys=ks.UniformKeys(6))
subscribers = {
    "billing": ks.Subscriber(["orders"], work_ms=20.0),
    "archive": ks.Subscriber(["orders"], work_ms=1.0),
}
traffic = ks.Traffic({"web": orders}, subscribers, duration_s=0.3)
kafka = ks.Kafka(topics={"orders": ks.Topic(3)})
ax = ks.plot.log(ks.run(ks.Scenario(traffic, kafka, seed=3)), at_s=0.3)

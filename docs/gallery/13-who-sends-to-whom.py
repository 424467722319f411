"""Who sends to whom.

Sources, brokers and members, and how much moved between them.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Poisson(500))
subscribers = {name: ks.Subscriber(["orders"]) for name in ("board", "billing", "crew")}
traffic = ks.Traffic({"web": orders}, subscribers, duration_s=5)
kafka = ks.Kafka(topics={"orders": ks.Topic(2)}, groups={"board": ks.Group(2)})
ax = ks.plot.topology(ks.run(ks.Scenario(traffic, kafka)))

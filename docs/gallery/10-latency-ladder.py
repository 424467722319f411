"""Latency: the ladder of percentiles.

Each rung is one record in ten, in a hundred, in a thousand: what an average hides.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Poisson(3_000), keys=ks.HotKey(500, hot_share=0.3))
billing = ks.Subscriber(["orders"], work_ms=1.0)
traffic = ks.Traffic({"web": orders}, {"billing": billing}, duration_s=5)
kafka = ks.Kafka(topics={"orders": ks.Topic(8)}, groups={"billing": ks.Group(8)})
result = ks.run(ks.Scenario(traffic, kafka))
ax = ks.plot.latency_ladder(result)

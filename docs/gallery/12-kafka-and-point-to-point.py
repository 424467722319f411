"""Kafka beside point to point.

The same records through two systems, for two subscribers of which one is slow.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Poisson(500))
subscribers = {
    "board": ks.Subscriber(["orders"], work_ms=0.2),
    "billing": ks.Subscriber(["orders"], work_ms=2.5),
}
traffic = ks.Traffic({"web": orders}, subscribers, duration_s=5)
systems = {"Kafka": ks.Kafka(), "point to point": ks.PointToPoint()}
table = ks.compare(traffic, systems)
ax = ks.plot.comparison(table, y=["latency_ms_p50", "latency_ms_p99", "drain_s"])

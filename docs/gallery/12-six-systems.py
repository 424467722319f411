"""Six systems.

The same records through six systems, for two subscribers of which one is dead for a
second. Where a source waits until both have answered, the other one waits, too. What
was not acknowledged is handed out again: a record or two, and in Kafka all since the
last commit. And only the log has every record left to read.
"""

import kafkasim as ks

readers = {name: ks.Subscriber(["orders"], work_ms=2) for name in ("board", "billing")}
traffic = ks.Traffic({"web": ks.Source("orders", ks.Poisson(400))}, readers, 6)
systems = {"synchronous": ks.PointToPoint()}
systems |= {"asynchronous": ks.PointToPoint("asynchronous"), "relay": ks.Relay()}
quorum = dict.fromkeys(readers, ks.Queue("quorum"))
systems |= {"RabbitMQ": ks.RabbitMQ(), "quorum queues": ks.RabbitMQ(3, queues=quorum)}
systems["Kafka"] = ks.Kafka(3, {"orders": ks.Topic(replication_factor=3)})
dead = [ks.Crash("subscriber:billing", at_s=2, for_s=1)]
table = ks.compare(traffic, systems, events=dict.fromkeys(systems, dead))
ax = ks.plot.comparison(table, y=["latency_ms_p99", "redelivered", "left_to_read"])

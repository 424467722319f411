"""A queue and a log.

The same records through queues, which delete what is acknowledged, and through a log,
which keeps it. A reader dies for 8 s and comes back; another comes later and wants
history; the first one reads all again, which the log allows. Retention takes the oldest
segments of the log, whoever has read them.
"""

import kafkasim as ks

late = ks.Subscriber(["orders"], work_ms=100, from_s=20, wants="all")
readers = {"billing": ks.Subscriber(["orders"], work_ms=100), "audit": late}
traffic = ks.Traffic({"web": ks.Source("orders", ks.Periodic(2))}, readers, 60)
short = ks.Topic(config=ks.TopicConfig(segment_ms=8_000, retention_ms=30_000))
often = ks.BrokerConfig(log_retention_check_interval_ms=1_000)
kafka = ks.Kafka(topics={"orders": short}, broker_config=often)
dead, again = (ks.Crash("subscriber:billing", 8, 8), ks.Seek("subscriber:billing", 35))
queue = ks.run(ks.Scenario(traffic, ks.RabbitMQ(), events=[dead]))
log = ks.run(ks.Scenario(traffic, kafka, events=[dead, again]))
ax = ks.plot.queue_and_log(queue, log, names=("RabbitMQ", "Kafka"))

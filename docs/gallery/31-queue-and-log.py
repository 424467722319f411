"""A queue and a log.

The same records through a system that deletes what is acknowledged and through one that
keeps it. A reader dies for 8 s and comes back, another comes later and wants history,
the first one reads all again; in the end retention takes the oldest segments.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Periodic(2))
late = ks.Subscriber(["orders"], work_ms=100, from_s=20, wants="all")
readers = {"billing": ks.Subscriber(["orders"], work_ms=100), "audit": late}
traffic = ks.Traffic({"web": orders}, readers, duration_s=60)
short = ks.Topic(config=ks.TopicConfig(segment_ms=8_000, retention_ms=30_000))
often = ks.BrokerConfig(log_retention_check_interval_ms=1_000)
kafka = ks.Kafka(topics={"orders": short}, broker_config=often)
events = [ks.Crash("subscriber:billing", at_s=8, for_s=8)]

"""What retention removes.

Whole segments vanish, never single records: a segment is deleted when its newest record
is too old. A reader that is too slow finds the records gone.
"""

import kafkasim as ks

orders = ks.Source("orders", ks.Poisson(100))
slow = ks.Subscriber(["orders"], work_ms=18.0, wants="all")
config = ks.TopicConfig(segment_ms=4_000, retention_ms=12_000)
broker = ks.BrokerConfig(log_retention_check_interval_ms=1_000)
topics = {"orders": ks.Topic(config=config)}
traffic = ks.Traffic({"web": orders}, {"slow": slow}, duration_s=60)
kafka = ks.Kafka(topics=topics, broker_config=broker)
result = ks.run(ks.Scenario(traffic, kafka, seed=1))
ax = ks.plot.retention(result, subscriber="slow")

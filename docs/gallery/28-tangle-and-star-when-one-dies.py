"""Tangle and star when one dies.

The same records of four sources for four subscribers, sent directly or through a log on
three brokers. A synchronous source waits until all have answered, so one subscriber
that is dead stops everybody; with a queue for each subscriber at every source, or
behind the log, it stops alone. When the hub is dead everybody behind it stops, and
point to point has no such point.
"""

import kafkasim as ks

traffic = ks.many_to_many(4, 4, arrivals=ks.Poisson(20), work_ms=6.0, duration_s=30)
topics = {f"stream-{n}": ks.Topic(1, 3) for n in (1, 2, 3, 4)}
systems = {"synchronous": ks.PointToPoint()}
systems["asynchronous"] = ks.PointToPoint(mode="asynchronous")
systems["Kafka"] = ks.Kafka(3, topics)
one, hub = (
    ks.run_each(traffic, systems, events=[ks.Crash(target, at_s=8, for_s=7)])
    for target in ("subscriber:subscriber-2", "hub")
)
ax = ks.plot.when_one_dies({"a subscriber dies": one, "the hub dies": hub})

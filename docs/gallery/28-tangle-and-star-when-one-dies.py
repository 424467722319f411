"""Tangle and star when one dies.

The same records of four sources for four subscribers, sent directly or through a log on
three brokers. A source that sends directly waits until all have answered, so a
subscriber that is dead stops everybody; behind the log it stops alone. When the hub is
dead everybody stops, and point to point has no such point.
"""

import kafkasim as ks

traffic = ks.many_to_many(4, 4, arrivals=ks.Poisson(40), work_ms=3.0, duration_s=40)
topics = {source.stream: ks.Topic(1, 3) for source in traffic.sources.values()}
point_to_point, kafka = ks.PointToPoint(), ks.Kafka(brokers=3, topics=topics)
one = [ks.Crash("subscriber:subscriber-2", at_s=10, for_s=10)]
hub = [ks.Crash(f"broker:{n}", at_s=10, for_s=10) for n in (1, 2, 3)]
runs = [(point_to_point, one), (kafka, one), (point_to_point, []), (kafka, hub)]
a, b, c, d = (ks.run(ks.Scenario(traffic, s, events=events)) for s, events in runs)
before, after = ("a subscriber dies", "the hub dies"), ("point to point", "Kafka")
deaths = dict(zip(before, (dict(zip(after, x)) for x in ((a, b), (c, d)))))
ax = ks.plot.when_one_dies(deaths)

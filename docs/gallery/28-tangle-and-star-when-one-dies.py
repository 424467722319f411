"""Tangle and star when one dies.

The same records of four sources for four subscribers, sent directly or through a log on
three brokers. A source that sends directly waits until all have answered, so a
subscriber that is dead stops everybody; behind the log it stops alone. When the hub is
dead everybody stops, and point to point has no such point.
"""

import kafkasim as ks

traffic = ks.many_to_many(4, 4, arrivals=ks.Poisson(20), work_ms=6.0, duration_s=30)
topics = {f"stream-{n}": ks.Topic(1, 3) for n in (1, 2, 3, 4)}
systems = {"point to point": ks.PointToPoint(), "Kafka": ks.Kafka(3, topics)}
one = [ks.Crash("subscriber:subscriber-2", at_s=8, for_s=7)]
hub = {"Kafka": [ks.Crash(f"broker:{n}", at_s=8, for_s=7) for n in (1, 2, 3)]}
deaths = {"a subscriber dies": ks.run_each(traffic, systems, events=one)}
deaths["the hub dies"] = ks.run_each(traffic, systems, events=hub)
ax = ks.plot.when_one_dies(deaths)

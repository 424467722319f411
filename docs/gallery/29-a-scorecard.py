"""A scorecard.

Point to point in both its kinds and Kafka on three brokers with three copies: the same
traffic, one subscriber dead for 3 s, and what one more subscriber touches. No metric is
left out because one of them does well in it. Of Kafka's median latency 5 ms are the
wait of a producer for more records (`linger.ms`), which one can do without.
"""

import kafkasim as ks

topics = {f"stream-{n}": ks.Topic(3, 3) for n in (1, 2, 3, 4)}
systems = {"synchronous": ks.PointToPoint(), "Kafka": ks.Kafka(3, topics)}
systems["asynchronous"] = ks.PointToPoint(mode="asynchronous")
one = [ks.Crash("subscriber:subscriber-2", at_s=4, for_s=3)]
few = {"arrivals": ks.Poisson(15), "keys": ks.UniformKeys(50)}
four, five = (
    ks.run_each(ks.many_to_many(4, n, **few), systems, events=one) for n in (4, 5)
)
ax = ks.plot.scorecard(ks.analysis.scorecard(four, added=five))

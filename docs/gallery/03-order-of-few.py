"""The order of few records.

Of a run with few records each one is a strand, with its number and whose it is on the
left, and when and in which partition it was processed on the right.
"""

import kafkasim as ks

airport, aircraft = ks.UniformKeys(6), ks.UniformKeys(2)
departures = ks.Source("flights", ks.Periodic(100), keys=airport, entity=aircraft)
board = ks.Subscriber(["flights"], work_ms=ks.Exponential(25.0))
traffic = ks.Traffic({"web": departures}, {"board": board}, duration_s=0.15)
kafka = ks.Kafka(topics={"flights": ks.Topic(4)}, groups={"board": ks.Group(4)})
ax = ks.plot.ordering(ks.run(ks.Scenario(traffic, kafka, seed=5)))

"""The braid.

The departures of one aircraft in July: on the left in the order in which they were to
leave, on the right in the order in which the group of eight members was done with them.
A later flight that is done first crosses an earlier one.
"""

import kafkasim as ks

july = ks.traces.flights(month=7, speedup=ks.traces.YEAR_IN_A_MINUTE)
tail = ks.TraceColumn("tail")
flights = ks.Source("flights", july, keys=ks.NoKeys(), entity=tail)
traffic = ks.Traffic({"web": flights}, {"board": ks.Subscriber(["flights"], work_ms=1)})
one = ks.Scenario(traffic, ks.Kafka(groups={"board": ks.Group(8)}), seed=1)
eight = one.where({"system.topics.flights.partitions": 8})
by_tail = eight.where({"traffic.sources.web.keys": tail})
names = ["1 partition", "8 partitions, no key", "8 partitions, by tail number"]
runs = [ks.run(scenario) for scenario in (one, eight, by_tail)]
ax = ks.plot.braid(dict(zip(names, runs, strict=True)), entity="N328AA")

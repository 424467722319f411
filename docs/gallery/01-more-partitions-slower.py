"""More partitions, slower.

July's departures from New York in five seconds, for a group of eight members. Keyed by
carrier, more than eight partitions make it slower: the range assignor gives each member
partitions that are neighbours, and of few and unequal keys busy ones end up together.
Other names of the same carriers would have other luck. At each point stands the share
of flights that a later one of the same aircraft overtook.
"""

import kafkasim as ks

july = ks.traces.flights(month=7, speedup=ks.traces.YEAR_IN_A_MINUTE)
carrier, tail = ks.TraceColumn("carrier"), ks.TraceColumn("tail")
flights = ks.Source("flights", july, keys=carrier, entity=tail)
traffic = ks.Traffic({"web": flights}, {"board": ks.Subscriber(["flights"], work_ms=1)})
scenario = ks.Scenario(traffic, ks.Kafka(groups={"board": ks.Group(8)}))
keys = {"by carrier": carrier, "by tail number": tail, "no key": ks.NoKeys()}
counts = [1, 2, 4, 8, 16, 32]
grid = {"traffic.sources.web.keys": keys, "system.topics.flights.partitions": counts}
table = ks.sweep(scenario, grid, workers=1, progress=False)
ax = ks.plot.sweep(table, y="drain_s", label="overtaken_share", y_scale="linear")

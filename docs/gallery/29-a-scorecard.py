"""A scorecard.

Point to point and Kafka on three brokers with three copies, the same traffic, one
subscriber dead for 3 s, and what one more subscriber touches. No metric is left out
because one of them does well in it.
"""

import kafkasim as ks

events = [ks.Crash("subscriber:subscriber-2", at_s=4, for_s=3)]
systems = {"point to point": ks.PointToPoint()}
systems["Kafka"] = ks.Kafka(3, {f"stream-{n}": ks.Topic(3, 3) for n in (1, 2, 3, 4)})


def runs(many: int) -> dict[str, ks.Result]:
    traffic = ks.many_to_many(4, many, keys=ks.UniformKeys(50), duration_s=12)
    scenarios = {n: ks.Scenario(traffic, s, events=events) for n, s in systems.items()}
    return {name: ks.run(scenario) for name, scenario in scenarios.items()}


ax = ks.plot.scorecard(ks.analysis.scorecard(runs(4), added=runs(5)))

"""Where a hub has fewer links.

Sources and subscribers, as many of both, joined directly or by a hub: every pair that
is wanted is a link of its own, or each system has one, to the hub. Who wants what of
whom decides where the two cross; with few systems point to point has fewer.
"""

import kafkasim as ks

systems = {"point to point": ks.PointToPoint(), "Kafka": ks.Kafka()}
table = ks.pipeline_sizes(range(1, 11), densities=(1.0, 0.5, 0.25), systems=systems)
ax = ks.plot.crossover(table)

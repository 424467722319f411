"""A mesh of systems.

S systems that all send and all read what the others send: directly that takes
S(S − 1) pipelines, one for each ordered pair; with a hub each system writes to it and
reads from it, which takes 2S. With two systems the hub takes more, with three as many.
"""

import kafkasim as ks

systems = {"point to point": ks.PointToPoint(), "Kafka": ks.Kafka()}
table = ks.mesh_sizes(range(2, 11), systems=systems)
ax = ks.plot.crossover(table)

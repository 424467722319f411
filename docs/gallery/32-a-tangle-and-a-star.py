"""A tangle and a star.

Seven sources and five subscribers of which half of the pairs are wanted: joined
directly, and by a hub. An edge is the thicker, the more bytes went over it.
"""

import kafkasim as ks

traffic = ks.many_to_many(7, 5, 0.5, duration_s=1)
systems = {"point to point": ks.PointToPoint(), "Kafka": ks.Kafka()}
ax = ks.plot.tangle(ks.run_each(traffic, systems))

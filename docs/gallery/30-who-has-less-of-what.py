"""Who has less of what.

Kafka on three brokers with three copies, measured by point to point, for more and more
systems. Above the line point to point has less: it moves fewer bytes in all, is quicker,
and has no hub to die. Below it Kafka has.
"""

import kafkasim as ks

topics = {f"stream-{n}": ks.Topic(3, 3) for n in range(1, 9)}
rows = []
for n in range(1, 9):
    few = {name: topics[name] for name in list(topics)[:n]}
    systems = {"point to point": ks.PointToPoint(), "Kafka": ks.Kafka(3, few)}
    rows.append(ks.pipeline_sizes([n], densities=[1.0], systems=systems))
table = rows[0]._append(rows[1:])
ax = ks.plot.advantage(table)

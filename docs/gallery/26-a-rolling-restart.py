"""A rolling restart.

Four members, 24 partitions, and two seconds of work on a record: how many partitions
nobody reads while the members are stopped and started one by one.
"""

import kafkasim as ks

size = {"members": 4, "partitions": 24}
runs = ks.rolling_restarts(**size, work_ms=2_000)
ax = ks.plot.unread(runs, from_s=50)

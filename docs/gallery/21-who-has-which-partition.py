"""Who has which partition, and what moves when a member joins.

The sticky assignor takes from those that have most, and no more than it must. A range
would have moved almost everything: every member's run begins somewhere else.
"""

import kafkasim as ks

topics = {"orders": 8, "returns": 4}
before = ks.assign("sticky", members=3, topics=topics)
after = ks.assign("sticky", members=4, topics=topics, previous=before)
ax = ks.plot.assignment(after)

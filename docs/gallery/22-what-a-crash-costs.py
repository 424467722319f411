"""What a crash costs.

A process dies in its poll loop, and the next one goes on at the committed offset. What
was done and not committed is done twice, what was committed and not done is never done.
The automatic commit of every 5 s leaves most to repeat. Each cell is a run of its own.
"""

import kafkasim as ks

commits = ["auto", "each_poll", "before_work", "after_work", "manual(every=3)"]
table = ks.crash_points(commits=commits)
ax = ks.plot.crash_points(table)

# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Offsets and delivery
#
# A program that works through a topic dies and is started again. Where does it go on?
# What was done twice, what never? One number answers that, and your program says when
# it is written down.
#
# **After this lesson you can**
#
# - tell a position from a committed offset, and say what lies between the two;
# - read the topic in which Kafka keeps committed offsets, and say who needs which row;
# - say of a program, by when it commits, what a crash costs: done twice, or never done;
# - say when `auto.offset.reset` has a say, and when it has none.
#
# **New words.** [hand-out](../docs/reference/glossary.md#hand-out), [offsets
# topic](../docs/reference/glossary.md#offsets-topic). Each is said in a sentence where
# it first comes up. Of the earlier lessons you need 01, and these words of 06 and 07:
# [compaction](../docs/reference/glossary.md#compaction), [reset
# policy](../docs/reference/glossary.md#reset-policy),
# [coordinator](../docs/reference/glossary.md#coordinator),
# [poll](../docs/reference/glossary.md#poll),
# [session](../docs/reference/glossary.md#session).
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are eight.

# %% [markdown]
# ## Two numbers
#
# Twenty orders lie in a topic with one partition, offsets 0 to 19. Two groups read
# them: *billing* needs half a second for an order, *audit* more. Each has one member. A
# program asks its consumer for records with a call, `poll()`; a poll returns four
# records at most here (`max.poll.records`; Kafka's default is 500). One record, given
# to one member, once, is a *hand-out*.
#
# Both groups are new. The coordinator waits 3 s for others to come (lesson 07), and so
# all begins at 3 s.

# %%
import pandas as pd

import kafkasim as ks

shop = ks.Source(stream="orders", arrivals=ks.Periodic(rate_per_s=100))
billing = ks.Subscriber(streams=["orders"], work_ms=500, wants="all")
audit = ks.Subscriber(streams=["orders"], work_ms=1_400, wants="all")
four_by_four = ks.ConsumerConfig(max_poll_records=4, session_timeout_ms=6_000)
member = ks.Group(start="cold", config=four_by_four)
calm = ks.Scenario(
    ks.Traffic({"shop": shop}, {"billing": billing, "audit": audit}, duration_s=0.2),
    ks.Kafka(groups={"billing": member, "audit": member}),
)

# %%
by_default = ks.run(calm)
ks.plot.offsets(by_default, subscriber="billing")

# %% [markdown]
# The *position* says how far the member is. It lives in the member, and dies with it.
# (Kafka's own `position()` jumps ahead by a whole poll; the line here follows the
# work.) The *committed* offset is what the cluster has been told. Between the two lies
# what a crash makes the group do again.
#
# By default the consumer commits by itself (`enable.auto.commit`), every 5 s
# (`auto.commit.interval.ms`).
#
# **By hand.** The five seconds count from when the group was joined, at 3 s. Polls
# return at 3, 5, 7 and 9 s: four records of half a second each.
#
# **Predict.** At how many seconds is the first offset committed?

# %%
guess = None  # at how many seconds?

# %%
of_billing = by_default.commits.query("group == 'billing'")

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(of_billing["at_ms"].iloc[0] / 1_000, 1),
    "is when the first commit is stored",
    unit="s",
    within=0.02,
    figure=of_billing[["group", "topic", "partition", "offset", "at_ms"]].round(0),
)

# %% [markdown]
# Not at 8 s. The five seconds are over by then, but the program is at work on an order,
# and nobody looks. The next poll looks, at 9 s.
#
# > **What people get wrong.** "Auto-commit commits every five seconds in the
# > background." It commits inside `poll()`, the first time that the five seconds are
# > over. What it commits are the records of the polls before. So a program that works
# > on its records between two polls never commits what it has not done. (One that hands
# > them to other threads and polls on does.)
#
# **Predict.** Which offset does that first commit at 9 s say? Orders 0 to 11 are done.

# %%
guess = None  # which offset?

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    of_billing["offset"].iloc[0],
    "is committed: the offset of the next record to read",
    figure=of_billing[["offset", "at_ms", "kind"]].round(0),
)

# %% [markdown]
# One past the last that is done. Later, with nothing left to read, it commits 20 again
# and again. There is no record 20 yet; it is the one to go on with.
#
# ## A topic like any other
#
# Where does the cluster keep that? In a topic, the *offsets topic*. Its name is
# `__consumer_offsets`. The broker that coordinates a group writes a record for each
# commit: the key says group, topic and partition, the value says the offset.
#
# **Investigate.** Here is what was in it at 12 s. What is in it besides offsets? Why do
# the groups lie in different partitions? Which rows would you need to go on after a
# crash?

# %%
at_12 = ks.analysis.offsets_topic(by_default, at_s=12)
at_12[["partition", "offset", "type", "key", "value", "newest"]].replace(
    r", leader .*", "", regex=True
)

# %% [markdown]
# Here is billing's partition at the end, drawn:

# %%
ks.plot.offsets_topic(by_default, partition=9)

# %% [markdown]
# A group's members and its generation are records, too. Which of the 50 partitions a
# group is in follows from its name: Java's hash of it, modulo 50. And of each key only
# the newest row is needed. So the topic is compacted (lesson 06).
#
# Only closed segments are compacted, and one of this topic is closed at 100 MiB. Here
# it is at 1 MiB, the least that a topic may have. To fill that, a group with 200
# partitions commits twice a second, for 45 s. Each time that is 200 records, whether
# anything has happened or not.
#
# **Predict.** The first segment, closed and compacted, had 14,002 records. How many are
# left in it?

# %%
guess = None  # how many records?

# %%
eager = ks.Group(start="cold", config=ks.ConsumerConfig(auto_commit_interval_ms=500))
slow_shop = ks.Source(stream="orders", arrivals=ks.Periodic(rate_per_s=1))
wide = ks.Scenario(
    ks.Traffic({"shop": slow_shop}, {"billing": ks.Subscriber(["orders"])}, 45),
    ks.Kafka(
        topics={"orders": ks.Topic(partitions=200)},
        groups={"billing": eager},
        broker_config=ks.BrokerConfig(
            offsets_topic_segment_bytes=2**20,
            log_cleaner_backoff_ms=1_000,
            log_initial_task_delay_ms=0,
        ),
    ),
)
files = ks.run(wide).segments.query("topic == '__consumer_offsets' and partition == 9")

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    files.query("created_ms == rolled_ms")["record_count"].item(),
    "records: one for each partition, and one for the group itself",
    figure=files[
        ["base_offset", "end_offset", "created_ms", "rolled_ms", "record_count"]
    ].round(0),
)

# %% [markdown]
# > **What people get wrong.** "Offsets are in ZooKeeper." They were, until 2015 or so;
# > Kafka 4 has no ZooKeeper. "Consumers read `__consumer_offsets`": only a coordinator
# > does, when it begins. "Kafka notes for each record who has read it": it notes one
# > number for each group and partition.
#
# ## Many groups, one topic
#
# That number belongs to a group. So groups do not know of each other, and the log knows
# of none: nothing is removed because somebody has read it.

# %%
ks.summary(by_default).set_index("subscriber")[["records", "duplicated", "drain_s"]]

# %% [markdown]
# ## Before the work or after it
#
# Now *billing* turns the automatic commits off and commits by itself (`commitSync`):
# when the four orders of a poll are done, or before it begins with them. At 8.25 s its
# process is killed. It has done 8 and 9 and is at work on 10. A second later the
# program is started again.
#
# Nobody is told of the death. The group waits until the session is over: 6 s here
# (`session.timeout.ms`; 45 s is the default). Then the new member gets the partition,
# and goes on where the group has committed.
#
# **Predict.** Committed *after* the work: how many of the twenty are done twice?

# %%
guess = None  # how many?

# %%
COMMIT = "system.groups.billing.commit"
killed = calm.where({"events": [ks.Crash("member:billing/1", at_s=8.25, for_s=1)]})
after = ks.run(killed.where({COMMIT: "after_work"}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.summary(after).set_index("subscriber").loc["billing", "duplicated"],
    "orders are billed twice; none is missing",
    figure=ks.plot.offsets(after, subscriber="billing"),
)

# %% [markdown]
# The position falls back to what was committed, 8. Orders 8 and 9 are billed again, and
# 10 is begun again, so the figure says 3: what half an order has done already nobody
# can say. That is *at least once*. (Why at 13 s? A commit counts as a heartbeat. The
# coordinator last heard of the dead member at 7 s, and waited 6 s from then.)
#
# **Predict.** Committed *before* the work, the same crash: how many are never billed?

# %%
guess = None  # how many?

# %%
before = ks.run(killed.where({COMMIT: "before_work"}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.summary(before).set_index("subscriber").loc["billing", "skipped"],
    "orders are never billed; none is billed twice",
    figure=ks.plot.offsets(before, subscriber="billing"),
)

# %% [markdown]
# What is committed lies above the position now, and a crash makes the group pass over
# what is between. It goes on at 12. Orders 10 and 11 are in the log, and this group
# will not ask for them again. That is *at most once*. No error, no message: to the
# group they are done.
#
# And *audit*, in both runs?

# %%
pd.concat({"after the work": ks.summary(after), "before it": ks.summary(before)})[
    ["subscriber", "records", "duplicated", "skipped"]
].droplevel(1)

# %% [markdown]
# It has its own number, and noticed nothing.
#
# Where the crash falls matters as much. Here are six polls of four records each, and in
# the fourth the process dies: at one of four points of the loop, for three ways to
# commit. Each cell is a run.

# %%
ks.plot.crash_points(ks.crash_points(commits=["auto", "before_work", "after_work"]))

# %% [markdown]
# Between the work and the commit there is always a moment, in one order or the other,
# and a crash can fall into it. No setting of a consumer closes it. What closes it is
# work that may be done twice without harm, or a commit that is stored together with the
# work's result, in one transaction.
#
# > **What people get wrong.** "A consumer group rules out duplicates." It rules out
# > that two members *own* a partition at the same time. A record that was done and not
# > committed is handed out again, to whoever owns the partition then.
#
# > **A plausible wrong result.** "We commit after each poll. We killed the process four
# > times in the middle of its run, and no order was billed twice. So a kill is safe."

# %%
moments_s = [5.01, 7.01, 9.01, 11.01]
orderly = calm.where({COMMIT: "after_work"})
twice = []
for at_s in moments_s:
    kill = ks.Crash("member:billing/1", at_s=at_s, for_s=1)
    run = ks.run(orderly.where({"events": [kill]}))
    twice.append(int(ks.summary(run)["duplicated"].sum()))
print("billed twice, in four tests:", twice)

# %% [markdown]
# The measurement is right. All four fall just after a commit: whoever starts the work
# and the kill by the same clock hits the same point of the loop each time. Exercise 1
# shifts them by 0.9 s.
#
# ## Where a group begins
#
# `auto.offset.reset` says where a group begins that has committed nothing: at the log's
# end (`latest`, the default) or at its start (`earliest`). A display of prices comes at
# 10 s, reads with `latest`, and is stopped in good order at 22 s. At 30 s it is started
# again. Two prices a second are sent all the time.
#
# **Predict.** With which offset does it begin the second time? The first time it was
# 26, the log's end at 13 s. At 22 s it has read up to 43; at 33 s the log ends at 66.

# %%
guess = None  # which offset?

# %%
shown = ks.Subscriber(streams=["prices"], from_s=10, wants="new")
ticker = ks.Source(stream="prices", arrivals=ks.Periodic(rate_per_s=2))
display = ks.Scenario(
    ks.Traffic({"ticker": ticker}, {"display": shown}, duration_s=40),
    ks.Kafka(groups={"display": ks.Group(start="cold")}),
    events=[
        ks.RemoveMember("member:display/1", at_s=22),
        ks.AddMember("subscriber:display", at_s=30),
    ],
)
two_starts = ks.run(display)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    two_starts.assignments["start_offset"].iloc[1],
    "is where it goes on: there is a committed offset, and the policy has no say",
    figure=two_starts.assignments[["member", "epoch", "since_ms", "start_offset"]],
)

# %% [markdown]
# It reads everything that was sent meanwhile, with `latest`. And with `earliest` it
# would not begin at 0 again. The policy is for a group without a *valid* committed
# offset: a new name, an offset that the log no longer has (lesson 06), or one that has
# expired. Here is what it asked the cluster:

# %%
asked = ["OffsetFetch", "ListOffsets"]
two_starts.requests.query("api in @asked")[["api", "sender", "sent_ms"]].round(0)

# %% [markdown]
# What is committed, twice; where the log ends, only once. And the stop in good order
# had a commit of its own (`kind`), which a crash has not:

# %%
two_starts.commits[["member", "offset", "at_ms", "kind"]].round(0)

# %% [markdown]
# ## The last one writes
#
# *Billing* is done at 13 s and has committed 20. Then it turns out that the orders from
# 5 on were billed with a wrong tax. The program is stopped at 14 s. At 16 s an
# administrator sets the group's offset to 5 (`kafka-consumer-groups.sh
# --reset-offsets`), and at 18 s the program is started again.
#
# **Predict.** It does four orders and commits 9, less than the 20 before. Is that
# stored, refused or ignored?

# %%
guess = None  # "stored", "refused" or "ignored"?

# %%
to_five = ks.ResetOffsets("subscriber:billing", at_s=16, to=5)
stopped = ks.RemoveMember("member:billing/1", at_s=14)
started = ks.AddMember("subscriber:billing", at_s=18)
again = ks.run(orderly.where({"events": [stopped, to_five, started]}))
stored = again.commits.query("group == 'billing'")

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    "stored" if (stored["offset"].diff() < 0).any() else "ignored",
    "is what becomes of it, as of any other",
    choices=["stored", "refused", "ignored"],
    figure=stored[["offset", "at_ms", "kind", "outcome"]].round(0),
)

# %% [markdown]
# A coordinator does not compare, and it does not look whether the log has such an
# offset. The last one writes. That is what makes reading again so simple. It is also
# why a `commitAsync` that failed must not be sent again by hand when a later one has
# been stored: it would take the group back.
#
# What it does look at is *who* commits. While the group has members, only they may. So
# had nobody stopped the program, the administrator would have been refused:

# %%
at_work = ks.run(orderly.where({"events": [to_five]}))
pd.concat([again.events, at_work.events])[["event", "target", "effect"]]

# %% [markdown]
# ## A coordinator that moves
#
# What a coordinator knows of a group is in one partition of the offsets topic. On three
# brokers, with three copies of each partition, two things happen to the broker that
# coordinates *billing*: at 8 s the task is moved to another one. Or it dies at 8 s.
#
# **Predict.** In which of the two are orders billed twice?

# %%
guess = None  # "moved", "dead", "both" or "neither"?

# %%
cluster = ks.Kafka(
    brokers=3,
    topics={"orders": ks.Topic(replication_factor=3)},
    groups={
        "billing": ks.Group(start="cold", commit="after_work", config=four_by_four)
    },
)
happens = {
    "moved": ks.MoveCoordinator("subscriber:billing", at_s=8),
    "dead": ks.Crash("broker:1", at_s=8, for_s=30),
}
three = calm.where({"traffic.subscribers": {"billing": billing}, "system": cluster})
fates = {name: ks.run(three.where({"events": [it]})) for name, it in happens.items()}
doubled = [n for n, run in fates.items() if ks.summary(run)["duplicated"].any()]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    {0: "neither", 2: "both"}.get(len(doubled), "".join(doubled)),
    "is a reason to do anything twice",
    choices=["moved", "dead", "both", "neither"],
    figure=pd.concat({name: run.offsets_topic for name, run in fates.items()})[
        ["offset", "leader", "leader_epoch", "at_ms", "kind", "committed_offset"]
    ]
    .droplevel(1)
    .round(0),
)

# %% [markdown]
# Read the column `leader`: it says which broker wrote the row, and so coordinated. The
# other broker has read all of the partition before it answers, and goes on with the
# next row. The group has the same members and the same generation.
#
# When the broker dies, the commit of 12 is some 8 s late: so long nobody knows (lesson
# 10). The work on the next records waits for it, since `commitSync` waits. Late is not
# lost.
#
# ## All together
#
# | commit | a crash in the work | what for |
# |---|---|---|
# | before the work | the rest of the poll: never | what is old when it is late |
# | after the work | what is done of the poll: twice | most programs |
# | after each record | that one record at most: twice | few, valuable records |
# | automatic, at a poll | up to 5 s and a poll: twice | work that may be repeated |
#
# ## Move it yourself
#
# The same twenty orders and two groups. Choose when *billing* commits and where it
# dies. Its questions are buttons. Answer each before you press it. (Without a kernel,
# on a web page for instance, you see a picture.)

# %%
ks.widgets.OffsetExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **After the work:** what was done of the poll is done twice. At worst, all of it.
# - **Before the work:** what was not done is never done. The larger a poll, the more.
# - **Automatically:** all since the last commit, here ten orders, since none was due.
# - **Each record:** one twice, if the crash falls between its work and its commit.
# - **Just after a commit:** any way looks harmless.
# - **Audit:** twenty times 1, whatever you do.
#
# </details>
#
# ## Where these rules stand
#
# - **The number** is the next offset to read (`OffsetAndMetadata`); a commit is per
#   partition, and stored as it comes (`OffsetMetadataManager.commitOffset`).
# - **Automatic commits**: `ConsumerCoordinator.maybeAutoCommitOffsetsAsync`, called
#   from `poll()`; also before partitions are given up, and in `close()`.
# - **The topic**: `__consumer_offsets`, 50 partitions, compacted, three copies
#   (`offsets.topic.num.partitions`, `offsets.topic.replication.factor`). A group's
#   partition: the absolute value of `groupId.hashCode()`, modulo 50.
# - **When a commit is answered**: when all copies in sync have it, and not before.
# - **Expiry**: a week after the group lost its last member
#   (`offsets.retention.minutes`).
#
# [Where a group remembers how far it is](../docs/explanation/offsets-topic.md) has
# more.
#
# ## What this leaves out
#
# **Transactions**, which store offsets and results together. **Programs with several
# threads**, where "done" is no longer one number. A process that dies may leave a
# commit on its way, which arrives after all: in these runs what is on its way dies with
# it.
#
# ## Exercises
#
# **1. Change one setting.** The four kills, 0.9 s later each. How many orders are
# billed twice in each? Say it first: which are done at 5.91 s and not committed?

# %% tags=["solution"]
# Solution. At 5.91 s one of four is done: the work began at 5.0 s, and each takes half
# a second. So it is at each of the others. At 0.01 s after a commit none was.
late = []
for at_s in moments_s:
    kill = ks.Crash("member:billing/1", at_s=at_s + 0.9, for_s=1)
    run = ks.run(orderly.where({"events": [kill]}))
    late.append(int(ks.summary(run)["duplicated"].sum()))
print("billed twice, in four tests:", late)

# %% [markdown]
# **2. Change one setting.** Automatic commits, the crash at 8.25 s, and
# `auto.commit.interval.ms` of 5,000, 1,000 and 100. How many are done twice? Why does
# 100 help no more than 1,000?

# %% tags=["solution"]
# Solution. With 5,000 nothing is committed yet at 8.25 s: ten are done again. With less
# the poll at 7 s commits 8, and only a poll commits: the polls are 2 s apart.
INTERVAL = "system.groups.billing.config.auto_commit_interval_ms"
for interval_ms in (5_000, 1_000, 100):
    run = ks.run(killed.where({INTERVAL: interval_ms}))
    print(interval_ms, "ms:", ks.summary(run)["duplicated"].sum())

# %% [markdown]
# **3. Ask a table.** In the run `after`, how long did nobody work for *billing*? Which
# records of the offsets topic tell of it, and what do they say of the group?

# %% tags=["solution"]
# Solution. From 8.25 s until the old member's session was over and the new one had the
# partition. Two records of the group: generation 1, then generation 2, one member each.
table = ks.analysis.offsets_topic(after)
print(after.assignments.query("group == 'billing'")["since_ms"].round(0).tolist())
table.query("group == 'billing' and type == 'GroupMetadata'")[["at_ms", "type"]]

# %% [markdown]
# **4. Make one.** Two members of *billing*, two partitions, `after_work`; one member
# dies in its work and is not started again. Who does its orders, from where, and how
# many twice? Build it (`partitions=2` in `ks.Topic`, `members=2` in `ks.Group`).

# %% tags=["solution"]
# Solution. The other member gets the partition when the session is over, and begins at
# the committed offset, as the same program would have. What is done twice does not
# depend on who does it. (Two came, one after the other, so all begins at 6 s.)
pair = calm.where(
    {
        "system.topics.orders": ks.Topic(partitions=2),
        "traffic.sources.shop.keys": ks.UniformKeys(50),
        "system.groups.billing": ks.Group(
            members=2, start="cold", commit="after_work", config=four_by_four
        ),
        "events": [ks.Crash("member:billing/1", at_s=9.3)],
    }
)
heir = ks.run(pair)
print("twice:", int(ks.summary(heir)["duplicated"].sum()))
owned = heir.assignments.query("group == 'billing'")
owned[["epoch", "member", "partition", "since_ms", "start_offset"]].round(0)

# %% [markdown]
# **5. Your own settings.** Take the properties of a consumer that you know, or these.
# Kafka's own names are read as they are. Say first: what is done twice if it dies at
# 8.25 s?

# %%
properties = ks.ConsumerConfig.from_properties(
    "max.poll.records=10\nauto.commit.interval.ms=2000\nsession.timeout.ms=6000\n"
)
properties

# %% tags=["solution"]
# Solution, for these. The first poll returns ten records, 5 s of work. The next one, at
# 8 s, commits 10. A quarter of a second later no other is done: nothing twice. At 7.9 s
# it would have been nine.
mine = killed.where({"system.groups.billing.config": properties})
ks.summary(ks.run(mine)).set_index("subscriber")[["duplicated", "skipped"]]

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. A group has done the records 0 to 41 of a partition and committed. What is
# stored?**
#
# <details><summary>A. 41: the last one that is done.</summary>
#
# Not so: then 41 would be read again.
#
# </details>
# <details><summary>B. 42: the next one to read.</summary>
#
# Right: whether there is a record 42 yet or not.
#
# </details>
# <details><summary>C. A mark at each of the 42 records.</summary>
#
# Not so: it is one number for each group and partition.
#
# </details>
#
# **2. Automatic commits every 5 s; the work on one poll takes a minute. How often does
# it commit?**
#
# <details><summary>A. Every 5 s: a thread of its own sees to it.</summary>
#
# Not so: it is done inside `poll()`.
#
# </details>
# <details><summary>B. Once a minute.</summary>
#
# Right: each poll finds that the 5 s are over, and commits what the polls before gave.
#
# </details>
# <details><summary>C. Never: the work takes too long.</summary>
#
# Not so: a minute is less than `max.poll.interval.ms`, five minutes.
#
# </details>
#
# **3. A program commits before it works. It dies. What may happen?**
#
# <details><summary>A. Records are done twice.</summary>
#
# Not so: what was handed out is committed, and is not handed out again.
#
# </details>
# <details><summary>B. Records are never done.</summary>
#
# Right: and nothing says so.
#
# </details>
# <details><summary>C. Both.</summary>
#
# Not so: only what is done and not committed can come twice.
#
# </details>
#
# **4. A group with `auto.offset.reset=earliest` has been reading for days, and is
# restarted. Where does it begin?**
#
# <details><summary>A. At the start of the log, as the setting says.</summary>
#
# Not so: the setting holds only without a valid committed offset.
#
# </details>
# <details><summary>B. At its committed offset.</summary>
#
# Right: and it would with `latest`.
#
# </details>
# <details><summary>C. At the end: it has read all the rest.</summary>
#
# Not so: it has yet to read what was sent while it was down.
#
# </details>
#
# **5. The broker that coordinates a group dies. What becomes of its offsets?**
#
# <details><summary>A. They are lost; the reset policy decides.</summary>
#
# Not so: they are records of a topic with three copies.
#
# </details>
# <details><summary>B. Each consumer sends its own again.</summary>
#
# Not so: nobody has to; a consumer may not even know them.
#
# </details>
# <details><summary>C. Another broker reads them from its own copy.</summary>
#
# Right: and until it has, commits wait.
#
# </details>
#
# ## Now your own settings
#
# Two lines. The file is that of a real consumer:
#
# ```python
# config = ks.ConsumerConfig.from_properties("consumer.properties")
# run = ks.run(killed.where({"system.groups.billing.config": config}))
# ```
#
# Then `ks.plot.offsets(run, subscriber="billing")` says what a crash would cost.

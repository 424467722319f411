# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Groups and rebalancing
#
# Three programs share the work on six partitions. One of them dies. Who notices, when,
# and who reads its partitions until then? And when a fourth is started to help, why
# does everything stop for a while?
#
# **After this lesson you can**
#
# - say who decides which member reads what, and how long that takes at a first start;
# - say after how many seconds a dead, a departed and a slow member is noticed, and why;
# - say what a rebalance costs, and what four ways of doing it change about that;
# - explain how a group works on a record twice, and what stays in order all the same.
#
# **New words.** [rebalance](../docs/reference/glossary.md#rebalance),
# [coordinator](../docs/reference/glossary.md#coordinator),
# [generation](../docs/reference/glossary.md#generation),
# [heartbeat](../docs/reference/glossary.md#heartbeat),
# [session](../docs/reference/glossary.md#session),
# [poll](../docs/reference/glossary.md#poll), [static
# member](../docs/reference/glossary.md#static-member). Each is said in a sentence where
# it first comes up. Of the earlier lessons you need 01 and 03: group, member,
# partition, commit, [assignor](../docs/reference/glossary.md#assignor).
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are seven.

# %% [markdown]
# ## A group begins
#
# A shop sends 20 orders a second to a topic with six partitions. The group `billing`
# has three members, and all three are started at the same moment. Nobody of this name
# has ever read here.

# %%
import pandas as pd

import kafkasim as ks

shop = ks.Source("orders", ks.Periodic(rate_per_s=20), keys=ks.UniformKeys(200))
billing = ks.Subscriber(["orders"], work_ms=1, wants="all")
calm = ks.Scenario(
    ks.Traffic({"shop": shop}, {"billing": billing}, duration_s=20),
    ks.Kafka(
        topics={"orders": ks.Topic(partitions=6)},
        groups={"billing": ks.Group(members=3, start="cold")},
    ),
    seed=1,
)

# %% [markdown]
# Who is to read what says an assignor, a rule that all members know (lesson 03):

# %%
ks.plot.assignment(ks.assign("range", members=3, topics={"orders": 6}))

# %% [markdown]
# That is quickly computed. But somebody has to know first who is there. One broker is
# the group's *coordinator*: members tell it that they are there, and ask
# it what they should read. Whenever members come or go it lets the group agree anew;
# that is a *rebalance*. Each one has a number, the *generation*, one more than the
# last.
#
# The coordinator hears of the first member after a millisecond, and could give it all
# six partitions at once. But who starts one member mostly starts more. So it waits on
# purpose, 3 s (`group.initial.rebalance.delay.ms`); and if another one has come when
# they are over, 3 s more.
#
# **Predict.** How many seconds after the start is the first order read?

# %%
guess = None  # how many seconds?

# %%
first = ks.run(calm)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.ownership(first)["since_ms"].min() / 1_000,
    "after the start a partition is read for the first time",
    unit="s",
    within=0.05,
    figure=ks.plot.ownership(first),
)

# %% [markdown]
# The picture has a lane for each partition, in the colour of the member that reads it.
# Below is the state of the group, by Kafka's names: in `PreparingRebalance` the
# coordinator waits for members to join, in `CompletingRebalance` for the answer who
# reads what; when it has that, the group is `Stable`.
#
# The same as a table (`epoch` is the generation), and above it one member alone:

# %%
MEMBERS = "system.groups.billing.members"
alone = ks.run(calm.where({MEMBERS: 1}))
print("one alone begins at", ks.analysis.ownership(alone)["since_ms"].min(), "ms")
first.group_states.round(0)

# %% [markdown]
# **By hand.** Three members, all there after 1 ms: 3 + 3 = 6 s. One alone: 3 s. This
# delay is for the first rebalance of an empty group only.
#
# > **What people get wrong.** "The broker assigns the partitions." Not with this
# > protocol, Kafka's default. It picks one *member*, the one that joined first, and
# > sends it the list of all. That one runs the assignor and sends the result back. So
# > what is assigned is decided by code in your program, of the version that you
# > deployed. The coordinator only passes it on, and stores it:

# %%
stored = first.offsets_topic.query("kind == 'GroupMetadata'")["text"].iloc[-1]
print(stored)

# %% [markdown]
# ## The seventh member
#
# **Predict.** Six partitions and seven members. How many of the seven read something?

# %%
guess = None  # how many members?

# %%
seven = ks.assign("range", members=7, topics={"orders": 6})

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    seven["member"].nunique(),
    "members have a partition; the seventh waits",
    figure=ks.plot.assignment(seven),
)

# %% [markdown]
# A partition is read by one member of a group, so that its order is somebody's order.
# More members than partitions are spare ones. They cost little and shorten nothing:
# when one of six dies, the seventh takes over no sooner than anybody else would have.
#
# ## One member dies
#
# Eighty seconds, three members, and at 20 s the second one dies: the process is gone,
# without a farewell.
#
# Members send the coordinator a *heartbeat* every 3 s (`heartbeat.interval.ms`): a
# message that says "I am here". Each makes the member's *session* begin anew. One that
# was not heard of for 45 s (`session.timeout.ms`) has none any more, and is given up.
#
# **Predict.** For how many seconds does nobody read the two partitions of member 2?
# There is a range; any number in it is good.

# %%
guess = None  # how many seconds?

# %%
UNTIL = "traffic.duration_s"
dies = [ks.Crash("member:billing/2", at_s=20)]
crashed = ks.run(calm.where({UNTIL: 80, "events": dies}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.rebalances(crashed)["gap_ms"].max() / 1_000,
    "nobody reads partitions 2 and 3",
    unit="s",
    within=0.05,
    figure=ks.plot.ownership(crashed),
)

# %% [markdown]
# **By hand.** The last heartbeat came between 17 and 20 s; here at 18 s. 45 s later is
# 63 s, and 63 − 20 = 43. So it takes from 42 to 45 s, and a moment for the rebalance
# itself.
#
# If it ends in good order (`close()`), it says so:

# %%
leaves = [ks.RemoveMember("member:billing/2", at_s=20)]
left = ks.run(calm.where({UNTIL: 80, "events": leaves}))
both = {"dies": crashed, "leaves": left}
costs = ["cause", "began_ms", "ended_ms", "moved", "gap_ms", "gap_partition_s"]
pd.concat({what: ks.analysis.rebalances(run).iloc[1:] for what, run in both.items()})[
    costs
].droplevel(1).round(1)

# %% [markdown]
# The coordinator knows at once. Then it has to tell the others, and it cannot call
# them: each hears of the rebalance in the answer to its next heartbeat, 3 s later at
# most. `gap_partition_s` adds up what was not read: partitions times seconds.
#
# > **What people get wrong.** "Kafka notices that the connection breaks." It does not
# > act on it. A program that is killed (`kill -9`, out of memory, a machine that burns)
# > costs 45 s; one that is asked to stop, and closes its consumer, one heartbeat.
#
# ## One member is slow
#
# Now nobody dies. Two orders a second, and one of them, at 20 s, takes its member 400
# s: it waits for a service that does not answer. A program gets its records by a
# *poll*: it asks its client for some, works on them, and asks again.
#
# Two settings may have a say: a session lasts 45 s, as before, and between two polls
# there may be 300 s (`max.poll.interval.ms`).
#
# **Predict.** How many seconds after it got that order does the member lose its place
# in the group? Or does it keep it, as it is alive? (Then write 0.)

# %%
guess = None  # how many seconds? 0: it keeps it

# %%
RATE = "traffic.sources.shop.arrivals.rate_per_s"
stuck = [ks.StuckRecord("subscriber:billing", "shop", ordinal=40, work_ms=400_000)]
long = calm.where({UNTIL: 345, RATE: 2, "events": stuck})
slow = ks.run(long.where({"end": "cut"}))
missed = ks.analysis.rebalances(slow).iloc[1]
begun_ms = slow.records["acked_ms"].iloc[40]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    (missed["began_ms"] - begun_ms) / 1_000,
    "after it got the order the member has left its group",
    unit="s",
    within=0.02,
    figure=slow.group_states.iloc[2:].round(0),
)

# %% [markdown]
# Its heartbeats go on, from a thread of their own, so the 45 s mean nothing here. What
# counts is the time between two polls: after 300 s that thread itself says goodbye to
# the coordinator.
#
# > **What people get wrong.** "Heartbeats are sent by poll, so slow work kills the
# > session." That was so until 2016 (KIP-62). "Then set `session.timeout.ms` higher" is
# > advice from that time; it only makes real deaths go unnoticed for longer.
#
# And the order that was stuck? It was never committed. The next owner gets it, too, and
# will be stuck in turn.
#
# | what happens | noticed after | setting |
# |---|---|---|
# | a first start | 3 s alone, 6 s together | `group.initial.rebalance.delay.ms` |
# | a member leaves | at once; the others within 3 s | `heartbeat.interval.ms` |
# | a member dies | 42 to 45 s | `session.timeout.ms` |
# | a member does not poll | 300 s | `max.poll.interval.ms` |
#
# ## Marked twice
#
# "In a group each record is worked on by one member, so once", one reads. Back to the
# death at 20 s. By default the client commits what it has read every 5 s: here at 11
# and at 16 s. Member 2 has two of six partitions, and it keeps up.
#
# **Predict.** How many orders were worked on twice?

# %%
guess = None  # how many orders?

# %%
done = crashed.deliveries.query("outcome == 'processed'")
twice = done[done["record_id"].duplicated()]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    len(twice),
    "orders were worked on by member 2, and again by its successors",
    within=0.15,
    figure=twice.groupby("partition").size().rename("worked on again").to_frame(),
)

# %% [markdown]
# **By hand.** From 16 to 20 s member 2 worked on 4 s × 20 × 2/6 = 27 orders, give or
# take what falls into its partitions. Then it died, and nobody knew. Who comes next
# begins at what was committed. A group says who reads a partition *now*. It says
# nothing about what the one before had already done.
#
# **Investigate.** What about the order? Ask the table of deliveries: partition 2,
# around the place where it changes hands.

# %%
lane = done.query("partition == 2").sort_values("started_ms").reset_index(drop=True)
back = int((lane["offset"].diff() < 0).idxmax())
lane.loc[back - 2 : back + 2, ["offset", "member", "ended_ms"]].round(0)

# %% [markdown]
# The offsets go up, then back once, then up again. Each member works in the order of
# the partition; nothing overtakes. **Order survives a move, and repeats are part of
# it.** So whoever works on records has to bear a repeat. Lesson 08 asks when to commit.
#
# ## What a rebalance costs
#
# So far members were quick, so that a rebalance took milliseconds. Now let there be
# more to do than they can: an order takes 0.8 s in the mean, and a poll hands out five.
# At 20 s a fourth member comes to help.

# %%
WORK = "traffic.subscribers.billing.work_ms"
CONFIG = "system.groups.billing.config."
heavy = {WORK: ks.Exponential(800), CONFIG + "max_poll_records": 5}
busy = calm.where({UNTIL: 60, "end": "cut", **heavy})
comes = [ks.AddMember("subscriber:billing", at_s=20)]

# %% [markdown]
# **Predict.** One partition of six will move to the new member. How many of the six
# stand still for a while?

# %%
guess = None  # how many partitions?

# %%
GAPS = "until_ms >= 20_000 and gap_ms > 0"
eager = ks.run(busy.where({"events": comes}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.ownership(eager).query(GAPS)["partition"].nunique(),
    "of six partitions have nobody who reads them for a while",
    figure=ks.plot.ownership(eager),
)

# %% [markdown]
# This is *eager*: before it joins anew, each member gives up all that it has, also what
# it will get back. It does so at its next poll, and then waits in it until the last one
# has come. So the slowest poll of any member is everybody's pause. (Here member 1 was
# the last to poll. Its two partitions stood still, too, but only for a millisecond.)
#
# Three other ways:
#
# - **cooperative** (`cooperative-sticky`, KIP-429): members keep what they have and go
#   on. Only who has to give something up does so, and then a second rebalance hands it
#   out.
# - **static** (`group.instance.id`, KIP-345): a *static member* has a name that lasts.
#   One that is back within its session of 45 s gets what it had.
# - **KIP-848** (`group.protocol=consumer`): the *broker* assigns, and tells each member
#   its part in the answer to a heartbeat. There is no moment at which all have to meet.

# %%
names = {str(n): ks.Member(instance_id=f"billing-{n}") for n in (1, 2, 3)}
ways = {
    "eager": {},
    "cooperative": {CONFIG + "partition_assignment_strategy": ["cooperative-sticky"]},
    "static": {MEMBERS: names},
    "KIP-848": {CONFIG + "group_protocol": "consumer"},
}
deploy = [ks.RollingRestart("subscriber:billing", 20, down_s=5, every_s=1_000)]
runs = {
    (event, way): ks.run(busy.where({**change, "events": happens}))
    for event, happens in {"comes": comes, "restarts": deploy}.items()
    for way, change in ways.items()
}

# %% [markdown]
# Eight runs: in four of them the fourth member comes; the other four are for later.
# What the first four cost from 20 s on:

# %%
by = ["event", "way"]
gaps = {key: ks.analysis.ownership(run).query(GAPS) for key, run in runs.items()}
again = {
    key: ks.analysis.rebalances(run).query("began_ms >= 20_000")
    for key, run in runs.items()
}
waits = pd.concat(gaps, names=by).groupby(by)["gap_ms"]
which = pd.concat(gaps, names=by).groupby(by)["partition"]
rebalances = pd.concat(again, names=by).groupby(by)
costs_of = pd.DataFrame(
    {
        "rebalances": rebalances.size(),
        "they took (s)": rebalances["ended_ms"].sum() - rebalances["began_ms"].sum(),
        "partitions stood still": which.nunique(),
        "longest (s)": waits.max(),
        "partition-seconds": waits.sum(),
    }
).reindex(list(runs))
seconds = ["they took (s)", "longest (s)", "partition-seconds"]
costs_of[seconds] /= 1_000
costs_of.fillna(0).loc["comes"].T.round(1)

# %% [markdown]
# Read it row by row. Static does not help here: a new member is a new member. With the
# other two, one partition stands still, the one that moves. With the new protocol its
# old owner gives it up at its own next poll, and waits for nobody else's.
#
# > **A plausible wrong result.** "We switched to cooperative, and measured: rebalances
# > used to take 6 s, now they take 21 s. It is worse." The measurement is right; look
# > at the second row. A cooperative rebalance takes several polls of the slowest
# > member, twice. But meanwhile five of six partitions are read. What a rebalance
# > *lasts* is not what it *costs*. (For the one that moves it did take longer: that is
# > true, too.)

# %%
ks.plot.ownership(runs["comes", "cooperative"])

# %% [markdown]
# ## A new version
#
# The commonest rebalance is one that you make yourself: a deployment. Each member is
# stopped in good order, and started again 5 s later. Take the first of the three alone.
#
# **Predict.** How many rebalances are there if the members are *static*?

# %%
guess = None  # how many rebalances?

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    len(again["restarts", "static"]),
    "rebalances; its two partitions wait the 5 s for it, and nobody else does",
    figure=costs_of.fillna(0).loc["restarts"].T.round(1),
)

# %% [markdown]
# A static member says nothing when it stops, and it is expected back. The price: if it
# does *not* come back, its partitions wait as long as after a crash, also when it was
# stopped on purpose.
#
# And look at the last column: here KIP-848 costs more than eager. Four partitions
# move and move back, and each new owner hears of it at its next heartbeat, up to 5 s
# later. Then it works on what it has in hand, and only after that asks the broker
# whether the log still has what was committed. "No common pause" is a promise about
# those that do not move.
#
# ## Move it yourself
#
# The same busy group; at 15 s something happens. Its questions are buttons. Answer each
# before you press it. (Without a kernel, on a web page for instance, you see a
# picture.)

# %%
ks.widgets.GroupExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **A member leaves:** the others hear of it at a heartbeat, then all stand still
#   until the slowest has polled.
# - **It crashes:** 45 s of grey, less what had passed since its last heartbeat.
# - **A seventh member:** it has nothing until somebody leaves.
# - **A new one comes:** eager stops all six; cooperative and KIP-848 the one that
#   moves.
# - **A restart:** two rebalances, and none for a static member.
# - **KIP-848 begins at once:** the first one there reads all six, and hands over when
#   the others have come. Nobody waits 6 s, and what moves is grey until a heartbeat.
#
# </details>
#
# ## Where these rules stand
#
# - **First start**: `GroupCoordinatorConfig` (`group.initial.rebalance.delay.ms`, 3 s);
#   each member that comes makes it longer, up to the largest `max.poll.interval.ms`.
# - **Who assigns**: the member that joined first (`ClassicGroup`); with KIP-848 the
#   broker (`uniform`, or `range`).
# - **Heartbeats** come from a thread (`AbstractCoordinator.HeartbeatThread`, KIP-62).
# - **Eager or cooperative** is what the assignor says; by default both `range` and
#   `cooperative-sticky` are offered, and `range` is taken: eager (`ConsumerConfig`).
# - **Static members** send no farewell (`AbstractCoordinator.maybeLeaveGroup`,
#   KIP-345).
# - **KIP-848**: heartbeats every 5 s and 45 s of patience, both set at the broker
#   (`group.consumer.heartbeat.interval.ms`, `group.consumer.session.timeout.ms`).
#
# ## What this leaves out
#
# A coordinator that dies or moves: the group finds the new one, and goes on. Members
# that subscribe to different topics. Racks. Share groups, in which several members read
# one partition (KIP-932). [How Kafka is modelled](../docs/explanation/model.md) says
# what kafkasim has of these.
#
# ## Exercises
#
# **1. Change one setting.** `session_timeout_ms` of 10 s, and `heartbeat_interval_ms`
# of 3 s as before. When is it noticed that member 2 is dead? What would you risk?

# %% tags=["solution"]
# Solution. 10 s after its last heartbeat: 8 s after its death at 20 s. The risk: one
# that only stands still for 10 s (garbage collection, a machine that is moved) counts
# as dead. The group does without it, and what it works on then is worked on twice.
eight = ks.run(crashed.scenario.where({CONFIG + "session_timeout_ms": 10_000}))
ks.analysis.rebalances(eight).iloc[1:][costs].round(1)

# %% [markdown]
# **2. Ask a table.** `left.requests` has what members and broker said to each other.
# Look at `Heartbeat`, `JoinGroup` and `SyncGroup` after 20 s. Who hears of the
# rebalance by what, and when?

# %% tags=["solution"]
# Solution. Members 1 and 3 ask at 21 s, as every 3 s, and hear that there is a
# rebalance. They join at once, and the one that joined first assigns.
group_talk = ["LeaveGroup", "Heartbeat", "JoinGroup", "SyncGroup"]
left.requests.query("api in @group_talk and 20_000 <= sent_ms < 22_000")[
    ["sent_ms", "sender", "api", "error"]
].round(1)

# %% [markdown]
# **3. Make one.** Twice as many partitions, and a fourth member comes. How many of the
# twelve move with `range`, and how many with `cooperative-sticky`? Ask `ks.assign`,
# which takes what was before as `previous`, before you run anything.

# %% tags=["solution"]
# Solution. Ranges are counted anew from the first member on, so that what stands at
# their borders moves: six of twelve. The sticky one takes one from each of three. It
# takes them away first; they are given out in a second rebalance.
for assignor in ("range", "cooperative-sticky"):
    before = ks.assign(assignor, members=3, topics={"orders": 12})
    after = ks.assign(assignor, members=4, topics={"orders": 12}, previous=before)
    moved = int((after["member"] != after["before"]).sum())
    print(assignor, "moves", moved, "at once and takes away", after.attrs["free"])

# %% [markdown]
# **4. Your own settings.** Take the properties of a consumer that you know, or these.
# Kafka's own names are read as they are. Say first: what if a member dies, and what if
# one is added? Then run it.

# %%
consumer = ks.ConsumerConfig.from_properties(
    "session.timeout.ms=20000\npartition.assignment.strategy="
    "org.apache.kafka.clients.consumer.CooperativeStickyAssignor\n"
)
consumer

# %% tags=["solution"]
# Solution, for these. A death is noticed after 17 to 20 s, and then only what the dead
# one had stands still.
mine = crashed.scenario.where({"system.groups.billing.config": consumer})
ks.analysis.rebalances(ks.run(mine)).iloc[1:][costs].round(1)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. A group has eight members, its topic six partitions. What do two of them do?**
#
# <details><summary>A. They share partitions with others.</summary>
#
# Not so: a partition is read by one member of a group.
#
# </details>
# <details><summary>B. Nothing, until a member is gone.</summary>
#
# Right: they are spare.
#
# </details>
# <details><summary>C. They take over at once when another one dies.</summary>
#
# Not so: that it is dead is found out after 45 s, spare or not.
#
# </details>
#
# **2. A member works on one record for a minute. What happens?**
#
# <details><summary>A. It counts as dead after 45 s.</summary>
#
# Not so: its heartbeats come from a thread of their own.
#
# </details>
# <details><summary>B. Nothing: 300 s between two polls are allowed.</summary>
#
# Right: but a rebalance would have to wait for it.
#
# </details>
# <details><summary>C. The coordinator interrupts it.</summary>
#
# Not so: nobody interrupts a program from outside.
#
# </details>
#
# **3. Who computes which member reads what, by default?**
#
# <details><summary>A. The coordinator, a broker.</summary>
#
# Not so: with KIP-848 it does, with the default protocol it passes on what it gets.
#
# </details>
# <details><summary>B. Each member for itself.</summary>
#
# Not so: one does it for all.
#
# </details>
# <details><summary>C. The member that joined first.</summary>
#
# Right: with the assignor that all of them offer.
#
# </details>
#
# **4. A member dies between its work on a record and the commit. The record is …**
#
# <details><summary>A. lost.</summary>
#
# Not so: it is still in the log, and not committed.
#
# </details>
# <details><summary>B. worked on again by the next owner.</summary>
#
# Right: it begins at what was committed.
#
# </details>
# <details><summary>C. skipped, since each record goes to a group once.</summary>
#
# Not so: who reads a partition is unique at a time; what was done is not known.
#
# </details>
#
# **5. What does a cooperative rebalance spare?**
#
# <details><summary>A. Time: it is over sooner.</summary>
#
# Not so: it has a round more.
#
# </details>
# <details><summary>B. That partitions stop which stay where they are.</summary>
#
# Right: only what moves has to wait.
#
# </details>
# <details><summary>C. The rebalance.</summary>
#
# Not so: it needs two where something moves.
#
# </details>
#
# ## Now your own settings
#
# Three lines. The file is that of a real client:
#
# ```python
# consumer = ks.ConsumerConfig.from_properties("consumer.properties")
# run = ks.run(mine.where({"system.groups.billing.config": consumer}))
# ks.plot.ownership(run)
# ```
#
# Then ask it for a night with a dead member, and a day with a deployment.

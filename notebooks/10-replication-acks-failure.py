# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Replication, acks and failure
#
# A producer was told "I have it". Then a broker dies. Is the record still there, may
# anybody read it, and how long does everybody wait? Three questions with three answers,
# and which they are was settled before, by three settings.
#
# **After this lesson you can**
#
# - follow a record from one broker to three with a pencil, and say when it is safe;
# - say how long a partition stands still when a broker dies, and why so long;
# - say what `acks` and `min.insync.replicas` promise together, and what neither does;
# - tell three things apart that are often one: accepted, readable, still there.
#
# **New words.** [replica](../docs/reference/glossary.md#replica),
# [leader](../docs/reference/glossary.md#leader), [in-sync
# replica](../docs/reference/glossary.md#in-sync-replica),
# [controller](../docs/reference/glossary.md#controller). Each is said in a sentence
# where it first comes up. Of the earlier lessons you need 01, and these words of 05 and
# 09: [log end offset](../docs/reference/glossary.md#log-end-offset), [high
# watermark](../docs/reference/glossary.md#high-watermark), [leader
# epoch](../docs/reference/glossary.md#leader-epoch),
# [acknowledgement](../docs/reference/glossary.md#acknowledgement).
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are seven.

# %% [markdown]
# ## Three copies
#
# A shop sends 50 payments a second to a topic with one partition. Three brokers have a
# copy of it each, a *replica*. One of the three is the *leader*: producers send to it,
# consumers read from it. The other two, the followers, fetch from the leader, as
# consumers do. What a follower asks for tells the leader how far it has come.
#
# A broker that keeps up is an *in-sync replica*, and all of them together are the ISR.
# So that a pencil is enough, every way between two machines takes 1 ms, and nothing
# else takes time.

# %%
import pandas as pd

import kafkasim as ks

shop = ks.Source(stream="payments", arrivals=ks.Periodic(rate_per_s=50))
ledger = ks.Subscriber(streams=["payments"])
payments = ks.Topic(replication_factor=3, config=ks.TopicConfig(min_insync_replicas=2))
calm = ks.Scenario(
    ks.Traffic({"shop": shop}, {"ledger": ledger}, duration_s=40),
    ks.Kafka(
        brokers=3,
        topics={"payments": payments},
        hardware=ks.Hardware(ks.Link(delay_ms=1), ks.Cpu(request_ms=0, mb_ms=0)),
    ),
)

# %%
few = ks.run(calm.where({"traffic.duration_s": 0.12}))
ks.plot.replication(few)

# %% [markdown]
# Above are offsets over time. The *log end offset* is where the leader's log ends; it
# goes up when a batch comes. The *high watermark* follows: below it every in-sync
# replica has the records. In the grey between the two a record has one copy. Below is a
# lane for each broker, and one for what the producer was told.
#
# Consumers read up to the high watermark, and no further: what they have read, all
# in-sync replicas have.

# %%
way = few.records[["intended_ms", "appended_ms", "committed_ms", "acked_ms"]]
way.head(4).round(2)

# %% [markdown]
# **By hand.** The first payment waits 5 ms for company (lesson 09), so it leaves at 5
# ms. At 6 the leader has it. Both followers are waiting there for something to come, so
# they have it at 7, and ask for more at once; when that question is back at the leader,
# at 8, the leader knows that they have it, and the high watermark moves
# (`committed_ms`). At 9 the shop knows. Four ways, 4 ms.
#
# That was the default, `acks=all`: the leader answers when all in-sync replicas have
# the batch. With `acks=1` it answers when it has written the batch to its own log.
#
# **Predict.** With `acks=1`, at how many ms does the shop know of its first payment?

# %%
guess = None  # at how many ms?

# %%
ACKS = "system.producers.shop.config.acks"
quicker = ks.run(few.scenario.where({ACKS: "1"}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(quicker.records["acked_ms"].iloc[0]),
    "is when the shop knows; when it may be read is the same as before",
    unit="ms",
    figure=quicker.records[way.columns].head(4).round(2),
)

# %% [markdown]
# Two ways less. The record is not readable any sooner: `committed_ms` is the same. What
# `acks` changes is what the *producer* waits for, and so what it knows.
#
# > **What people get wrong.** "`acks=all` waits for all three copies." It waits for all
# > *in-sync* replicas, and those may be fewer. "It waits for a majority", is said too;
# > Kafka counts no majority here. And "`acks=all` means that it is on a disk": it means
# > that it is in the memory of several machines. The disk comes later, when the
# > operating system writes it (`log.flush.interval.messages` is off by default).
#
# ## The leader dies
#
# Forty seconds, 50 payments a second, and at 8 s broker 1 dies, the leader. It is
# started again 20 s later.
#
# Nobody is told of a death. The *controller* is the server that keeps track of brokers
# and of who leads what. A broker sends it a heartbeat every 2 s
# (`broker.heartbeat.interval.ms`). One that was not heard of for 9 s
# (`broker.session.timeout.ms`) counts as dead; the controller looks every 9/8 s. Then
# the broker is taken out of the ISR, and the first in-sync replica of the partition's
# list becomes the leader.
#
# **Predict.** For how many seconds is no payment acknowledged? There is a range; any
# number in it is good.

# %%
guess = None  # how many seconds?

# %%
leader_dies = [ks.Crash("broker:1", at_s=8, for_s=20)]
one_down = ks.run(calm.where({"events": leader_dies}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.replication(one_down)["silent_ms"].item() / 1_000,
    "is how long no payment was acknowledged",
    unit="s",
    within=0.2,
    figure=ks.plot.replication(one_down),
)

# %% [markdown]
# **By hand.** The last heartbeat was sent between 6 and 8 s. Nine seconds later, at 15
# to 17 s, the broker is overdue; up to 1.1 s after that the controller looks. So from 7
# to 10.1 s pass, whatever the machine, plus a moment until everybody has heard who
# leads now. On a real cluster of three brokers (Kafka 4.3.1, a leader killed) it took
# 9.7 s until another one led, and the longest gap between two acknowledgements was 10.8
# s.
#
# Look at the orange piece of the first lane: a broker that is dead, and leads on paper.
# Nobody may take its place, since nobody knows. Then all that had waited in the shop's
# producer goes out at once.
#
# What became of each replica, and when, is a table. The *leader epoch* counts the
# leaders:

# %%
changes = [
    "broker",
    "role",
    "leader_epoch",
    "log_end_offset",
    "in_isr",
    "at_ms",
    "cause",
]
one_down.replicas[changes].round(0)

# %% [markdown]
# Nothing was lost, and nothing is twice in the log:

# %%
ks.analysis.replication(one_down)[["log_end", "acked_lost", "leader_changes"]].assign(
    records=len(one_down.records),
    acknowledged=(one_down.records["outcome"] == "acked").sum(),
    slowest_ack_s=(one_down.records["acked_ms"] - one_down.records["intended_ms"]).max()
    / 1_000,
).round(2)

# %% [markdown]
# > **What people get wrong.** "The replicas elect a leader", "a quorum votes". The
# > controller chooses, and takes the first of the list that is in the ISR. (Votes are
# > for who is controller.) And: "a dead leader is noticed at once, connections break".
# > The producer does notice at once. It has nobody else to send to.
#
# ## A follower dies
#
# Now the leader lives. Broker 2 dies at 8 s, one of two followers. Nobody writes to it,
# nobody reads from it.
#
# **Predict.** For how many seconds is no payment acknowledged?

# %%
guess = None  # how many seconds?

# %%
follower_dies = [ks.Crash("broker:2", at_s=8, for_s=20)]
spare_down = ks.run(calm.where({"events": follower_dies}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.replication(spare_down)["silent_ms"].item() / 1_000,
    "is how long no payment was acknowledged",
    unit="s",
    within=0.2,
    figure=ks.plot.replication(spare_down),
)

# %% [markdown]
# As long as before. Broker 2 is in the ISR until somebody takes it out, and `acks=all`
# waits for it. So **each death stops every partition that has the dead broker in its
# ISR**, not only those it led. On the real cluster it was so, too: all six partitions
# stopped for 9.7 s or more.
#
# What would `acks=1` have done?

# %%
runs = {
    ("leader", "all"): one_down,
    ("leader", "1"): ks.run(one_down.scenario.where({ACKS: "1"})),
    ("follower", "all"): spare_down,
    ("follower", "1"): ks.run(spare_down.scenario.where({ACKS: "1"})),
}
pd.DataFrame(
    {
        key: ks.analysis.replication(run)[
            ["silent_ms", "hidden_ms", "acked_lost"]
        ].iloc[0]
        for key, run in runs.items()
    }
).T.rename_axis(["dead", "acks"]).round(0)

# %% [markdown]
# With `acks=1` a follower's death is not felt by the producer at all. It is by the
# readers: for as long as before the high watermark stood still below what had been
# acknowledged (`hidden_ms`).
#
# ## Two are down
#
# `min.insync.replicas` is 2. Both followers die at 2 s, and are away until 38 s. From
# about 13 s on the ISR has one member, the leader.
#
# **Predict.** With `acks=all`: how many payments does the log take in between 13 s and
# 38 s? The shop wants to send 1,250 in that time.

# %%
guess = None  # how many payments?

# %%
both_die = [ks.Crash(f"broker:{number}", at_s=2, for_s=36) for number in (2, 3)]
two_down = ks.run(calm.where({"events": both_die}))
taken = two_down.appends.query("13_000 < appended_ms < 38_000")

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    taken["record_count"].sum(),
    "payments were taken in with one in-sync replica where two are asked for",
    figure=ks.plot.replication(two_down),
)

# %% [markdown]
# What was the producer told? Here are its requests from 2 s on that were answered with
# an error:

# %%
produced = two_down.requests.query("api == 'Produce' and error.notna()")
produced[["sent_ms", "answered_ms", "error"]].round(0)

# %% [markdown]
# Two different things. The first batch after the deaths *was* written, by a leader that
# did not know yet; it waits for followers that never ask. A broker takes one request of
# a connection at a time (lesson 09), so the next four are not even looked at. After 30
# s (`request.timeout.ms`) the producer gives all five up and connects anew. Only now
# the leader refuses: `NOT_ENOUGH_REPLICAS`. Nothing is written. The producer tries
# again, at most once a second, for up to two minutes (`delivery.timeout.ms`).
#
# Here the followers are back in time, and all 2,000 payments arrive, each once. Had
# they stayed away, each payment would have failed after its two minutes, with an error
# that the shop's program sees. A refusal is a promise kept: what cannot be kept twice
# is not accepted.
#
# **By hand.** Three copies, two of them needed: one broker may be down, and writing
# goes on. Two may be down and nothing is lost, since the third has all that was
# acknowledged. "Replication factor 3 survives two failures" is true of the records, and
# not of the service.
#
# ## And with acks=1?
#
# The same two deaths, and the producer asks for less.
#
# **Predict.** Of the payments sent between 3 s and 38 s, how many may `ledger` read
# before 38 s?

# %%
guess = None  # how many payments?

# %%
accepted = ks.run(calm.where({"events": both_die, ACKS: "1"}))
sent = accepted.records.query("3_000 < intended_ms < 38_000").index
read = accepted.deliveries.query("fetched_ms < 38_000")["record_id"].isin(sent).sum()

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    read,
    "were readable before the followers were back; all were acknowledged",
    figure=ks.plot.replication(accepted),
)

# %% [markdown]
# `min.insync.replicas` stops no producer that does not ask for all. It stops the high
# watermark: as long as the ISR is too small, that stays where it is (since Kafka 4.0,
# KIP-966). So 1,750 payments were accepted and nobody could read them, until enough
# copies were there again. **Accepted is not readable.**
#
# The grey has turned orange: of what lies there a producer was told that all is well.
#
# ## And if the last one dies, too?
#
# Both followers are stopped in good order at 8 s, for maintenance. The leader goes on
# alone, with `acks=1`. At 20 s it dies. At 28 s the other two are back.
#
# **Predict.** How many payments that were acknowledged are gone? A pencil: from when on
# has the leader been alone, and until when does it take payments?

# %%
guess = None  # how many payments?

# %%
maintenance = [
    ks.Crash(f"broker:{number}", at_s=8, for_s=20, clean=True) for number in (2, 3)
]
last_dies = ks.Crash("broker:1", at_s=20, for_s=14)
gone = ks.run(calm.where({"events": [*maintenance, last_dies], ACKS: "1"}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.replication(gone)["acked_lost"].item(),
    "payments were acknowledged, and are not in the log any more",
    within=0.02,
    figure=ks.plot.replication(gone),
)

# %% [markdown]
# **By hand.** 12 s × 50 = 600, less what was sent while the two said goodbye. None
# of them was ever readable: they lay above the high watermark. A broker that came back
# in good order is known to have everything below it, so it may lead (an *eligible
# leader replica*, KIP-966), and the log goes on at the offsets that the lost ones had.
#
# **Investigate.** At 34 s broker 1 is back, with all that the others lack. What
# becomes of it? Ask the table of replicas:

# %%
gone.replicas.query("broker == 1")[changes].round(0)

# %% [markdown]
# It comes back as a follower, with a log that is longer than the leader's. It asks the
# new leader where epoch 0 ended there, hears 402, and cuts its own log to that
# (`truncated`). Nobody compares records; epochs and offsets are enough
# (KIP-101). Then it catches up and joins.
#
# Did the shop ever hear of it? Count what its producer was told:

# %%
gone.records["outcome"].astype(str).value_counts().to_frame()

# %% [markdown]
# All 2,000 are acknowledged, and nearly 600 are nowhere. **Acknowledged is not
# kept**, unless it was acknowledged by enough.
#
# > **A plausible wrong result.** "We use `acks=1` with three copies. We killed the
# > leader twenty times under load, and never lost a record. So it is safe." Here is
# > such a test, with both followers alive, at five different moments:

# %%
lost = []
for number in range(5):
    kill = ks.Crash("broker:1", at_s=1 + 0.0026 * number, for_s=20)
    test = calm.where({"traffic.duration_s": 2, "events": [kill], ACKS: "1"})
    lost.append(ks.analysis.replication(ks.run(test))["acked_lost"].item())
print("acknowledged and lost, in five tests:", lost)

# %% [markdown]
# The measurement is right. As long as the followers are well, they are a millisecond
# behind, and a payment every 20 ms hardly ever falls into it. What kills records is not
# the one failure that is tested; it is the second one, after the copies have fallen
# behind and nobody looked. `acks=all` with `min.insync.replicas` of 2 is the setting
# that refuses to go on alone.
#
# ## A cable, and a disk
#
# Brokers do not only die. Here nothing that broker 2 sends arrives at broker 1, the
# leader, for 20 s; both are alive, and both can be reached by everybody else.
#
# **Predict.** For how many seconds is no payment acknowledged?

# %%
guess = None  # how many seconds?

# %%
cut = ks.run(
    calm.where({"events": [ks.Cut("link:broker:2->broker:1", at_s=8, for_s=20)]})
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    ks.analysis.replication(cut)["silent_ms"].item() / 1_000,
    "is how long no payment was acknowledged",
    unit="s",
    within=0.5,
    figure=ks.analysis.replication(cut)[
        ["log_end", "silent_ms", "leader_changes", "acked_lost"]
    ].round(0),
)

# %% [markdown]
# More than a death, and more than the 20 s. What is lost on the way is sent again by
# the network (TCP): after 0.2 s, and each time after twice as long. **By hand:** 0.2 +
# 0.4 + 0.8 + … + 12.8 = 25.4 s. The seventh try is the first one that finds the cable
# whole.
#
# And nobody took broker 2 out of the ISR. The controller hears of it every 2 s, so for
# it nobody is gone. The leader takes a follower out that has not caught up for 30 s
# (`replica.lag.time.max.ms`), and it had not come to that.
#
# And a disk? Broker 1 dies as in the beginning, but comes back with an empty one. Ten
# seconds of payments are enough. With three copies, and with one:

# %%
COPIES = "system.topics.payments.replication_factor"
LEAST = "system.topics.payments.config.min_insync_replicas"
new_disk = [ks.Crash("broker:1", at_s=8, for_s=20, lose_disk=True)]
three = ks.run(calm.where({"traffic.duration_s": 10, "events": new_disk}))
alone = ks.run(three.scenario.where({COPIES: 1, LEAST: 1}))
pd.concat({"3": ks.analysis.replication(three), "1": ks.analysis.replication(alone)})[
    ["log_end", "silent_ms", "acked_lost"]
].droplevel(1).rename_axis("copies").round(0)

# %% [markdown]
# With three copies it is a death like the first: another one leads, and the new disk is
# filled from there. With one copy, all that was acknowledged before is gone, and no
# `acks` would have helped. That is what copies are for.
#
# ## Sent twice, and in another order
#
# When no answer comes, the producer sends again. It cannot know whether the batch was
# written. The batch that is sent at 8,005 ms is with the leader at 8,006 and with the
# followers at 8,007. Broker 1 dies at 8,007.5, half a millisecond before it would have
# answered. By default the producer is *idempotent*: it numbers its batches, and a
# broker that has a number already does not write it again (KIP-98). What if that is
# off?

# %%
IDEMPOTENT = "system.producers.shop.config.enable_idempotence"
bad_moment = calm.where(
    {
        "traffic.duration_s": 10,
        "events": [ks.Crash("broker:1", at_s=8.0075, for_s=20)],
    }
)
by_default = ks.run(bad_moment)
without = ks.run(bad_moment.where({IDEMPOTENT: False}))
pd.DataFrame(
    {
        name: {
            "records": len(run.records),
            "twice in the log": (run.records["log_copies"] == 2).sum(),
            "read twice": run.deliveries["record_id"].duplicated().sum(),
        }
        for name, run in {"idempotent": by_default, "not": without}.items()
    }
)

# %% [markdown]
# And the order, which lesson 04 left open? Forty times as many payments, none of which
# waits for company, so that several batches are on their way at once. The leader is
# stopped in good order, and all that is on its way comes back with an error: it leads
# no more. Each batch goes back to the *front* of the queue, one before the other:

# %%
busy = calm.where(
    {
        "traffic.duration_s": 1.25,
        "traffic.sources.shop.arrivals.rate_per_s": 2_000,
        "system.producers.shop.config.linger_ms": 0,
        "events": [ks.Crash("broker:1", at_s=1, for_s=20, clean=True)],
    }
)
IN_FLIGHT = "system.producers.shop.config.max_in_flight_requests_per_connection"
settings = {
    "idempotent, five on their way": {},
    "not, five on their way": {IDEMPOTENT: False},
    "not, one at a time": {IDEMPOTENT: False, IN_FLIGHT: 1},
}
pd.DataFrame(
    {
        name: ks.analysis.ordering(ks.run(busy.where(change)), per="partition")[
            ["records", "overtaken"]
        ].iloc[0]
        for name, change in settings.items()
    }
).T

# %% [markdown]
# Some payments have overtaken others in the log itself. The numbers of the idempotent
# producer keep the order, too: a broker does not take the seventh before the sixth.
#
# ## All together
#
# | `acks`, `min.insync.replicas` | told when | lost if |
# |---|---|---|
# | `0` | it is sent | anything fails, unnoticed |
# | `1` | the leader has it | the leader goes while the others are behind |
# | `all`, 1 | all in sync have it | the last in sync is lost for good |
# | `all`, 2 | all in sync have it, two at least | those two are lost for good |
#
# With `0` the producer waits for nobody. With `1` it waits when the leader dies, with
# `all` when anybody dies who is in the ISR. The last line, with three copies, refuses
# when one is left; it is what most mean by "safe". It is not Kafka's default:
# `min.insync.replicas` is 1 unless somebody sets it.
#
# ## Move it yourself
#
# The same payments, with Kafka's usual network. Brokers go at 4 s and are back at 38 s.
# Its questions are buttons. Answer each before you press it. (Without a kernel, on a
# web page for instance, you see a picture.)

# %%
ks.widgets.ReplicationExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **The death of a leader, or of a follower:** a pause of 7 to 10 s, then all goes on.
# - **`acks=1`, and a follower dies:** the producer notices nothing, the readers do.
# - **In good order:** no pause. The lead is handed over first.
# - **One of three is left:** nothing is accepted. After 30 s there are refusals.
# - **`acks=1` then:** everything is accepted, and nothing can be read.
# - **And then the last one crashes:** what was accepted is lost.
#
# </details>
#
# ## Where these rules stand
#
# - **High watermark**: the least log end of the in-sync replicas; it does not move
#   while they are fewer than `min.insync.replicas` (`Partition.maybeIncrementLeaderHW`,
#   KIP-966).
# - **In sync** is who asked for the log's end within `replica.lag.time.max.ms`, 30 s;
#   how many records it is behind does not matter (`Partition.isFollowerInSync`).
# - **Heartbeats and fencing**: `BrokerHeartbeatManager`, `ReplicationControlManager`.
# - **Who leads next**: the first of the partition's replicas that is in the ISR and
#   alive (`PartitionChangeBuilder`). If none is left, an eligible leader replica
#   (KIP-966, on since Kafka 4.1).
# - **Refusals**: `NOT_ENOUGH_REPLICAS` before anything is written
#   (`Partition.appendRecordsToLeader`).
# - **Truncation** by leader epoch: KIP-101, KIP-279. **Idempotence**: KIP-98.
# - **Defaults**: `acks=all` and idempotence since Kafka 3.0 (KIP-679).
#
# ## What this leaves out
#
# **Unclean elections** (`unclean.leader.election.enable`): a topic may ask to go on
# with a replica that is not in sync, and lose records rather than wait. Power that
# fails everywhere at once: acknowledged records may be in no disk's files yet. The
# controller is three machines or more, with an election of their own, during which
# nobody is fenced. Followers can serve reads, too (KIP-392). [How Kafka is
# modelled](../docs/explanation/model.md) says what kafkasim has of these.
#
# ## Exercises
#
# **1. Change one setting.** `min.insync.replicas` of 1, and both followers die, with
# `acks=all`. For how long is nothing acknowledged? What has changed when the leader is
# alone, and what would you risk?

# %% tags=["solution"]
# Solution. The pause is that of two deaths, which are noticed one after the other. Then
# the ISR is the leader alone, "all in sync" is one, and all goes on: `acks=all` with
# one copy. If that one is lost for good, so is everything since.
MIN_ISR = "system.topics.payments.config.min_insync_replicas"
alone = ks.run(two_down.scenario.where({MIN_ISR: 1}))
ks.plot.replication(alone)

# %% [markdown]
# **2. Change one setting.** Broker 1 leads, and is stopped in good order
# (`clean=True`) in the place of dying. How long is the pause? Why so short?

# %% tags=["solution"]
# Solution. It asks the controller first, which hands the lead to another one and takes
# it out of the ISR. Nobody has to find out. That is why brokers are updated one after
# the other, by a stop and never by a kill.
leaves = [ks.Crash("broker:1", 8, 20, clean=True)]
stopped = ks.run(calm.where({"traffic.duration_s": 12, "events": leaves}))
print(ks.analysis.replication(stopped)["silent_ms"].item(), "ms")

# %% [markdown]
# **3. Ask a table.** How long the pause is depends on when the broker dies. Let broker
# 1 die at 8.0, 8.5, 9.0, 9.5 and 10.0 s (12 s of payments are enough), and look at
# `silent_ms`. Which range do you see, and which do the settings allow?

# %% tags=["solution"]
# Solution. Between 9 s less one heartbeat (2 s) and 9 s and a look of the controller
# (1.1 s), and some milliseconds to tell everybody. Then the producer's next try comes,
# up to a second later, if it was waiting between two.
shorter = calm.where({"traffic.duration_s": 12})
pauses = {}
for at_s in (8, 8.5, 9, 9.5, 10):
    dies = ks.Crash("broker:1", at_s=at_s, for_s=60)
    run = ks.run(shorter.where({"events": [dies]}))
    pauses[at_s] = ks.analysis.replication(run)["silent_ms"].item() / 1_000
pd.Series(pauses, name="pause (s)").rename_axis("dies at (s)").to_frame().round(2)

# %% [markdown]
# **4. Make one.** Six partitions on three brokers, three copies each, and broker 2
# dies. Which partitions stop, and for how long? Say it first: which partitions does it
# lead, and in the ISR of which is it? Then build it (`partitions=6` in `ks.Topic`) and
# ask `ks.analysis.replication`. And with two copies each?

# %% tags=["solution"]
# Solution. With three copies on three brokers each broker is in every ISR, so all six
# stop, though it led only two. With two copies it is in the ISR of four of six. Fewer
# copies stop less, and keep less.
for copies in (3, 2):
    spread = ks.Topic(
        partitions=6,
        replication_factor=copies,
        config=ks.TopicConfig(min_insync_replicas=copies - 1),
    )
    six = calm.where(
        {
            "traffic.duration_s": 12,
            "traffic.sources.shop.arrivals.rate_per_s": 100,
            "traffic.sources.shop.keys": ks.UniformKeys(1_000),
            "system.topics.payments": spread,
            "events": [ks.Crash("broker:2", at_s=8, for_s=60)],
        }
    )
    table = ks.analysis.replication(ks.run(six)).set_index("partition")
    print(copies, "copies:", (table["silent_ms"] / 1_000).round(1).to_dict())

# %% [markdown]
# **5. Your own settings.** Take the properties of a producer and of a topic that you
# know, or these. Kafka's own names are read as they are. Say first: what is told when,
# what can be lost, what stops when one broker dies? Then run it.

# %%
topic = ks.TopicConfig.from_properties("min.insync.replicas=1\n")
producer = ks.ProducerConfig.from_properties("acks=1\nlinger.ms=20\n")
producer

# %% tags=["solution"]
# Solution, for these. The shop is told when the leader has it; `acks=1` turns
# idempotence off without a word, so a batch may be written twice; what the leader has
# alone is lost with it. A follower's death is not felt.
mine = calm.where(
    {
        "system.topics.payments.config": topic,
        "system.producers.shop.config": producer,
        "events": follower_dies,
    }
)
ks.analysis.replication(ks.run(mine)).drop(columns="topic").round(0)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. Three copies, `acks=all`. A producer is told that a record is accepted. Where is
# it?**
#
# <details><summary>A. On three brokers.</summary>
#
# Not so: on those that are in sync, and they may be fewer.
#
# </details>
# <details><summary>B. On all in-sync replicas, min.insync.replicas at least.</summary>
#
# Right: and in their memory first; the disk comes later.
#
# </details>
# <details><summary>C. On two of three: a majority.</summary>
#
# Not so: no majority is counted. One that is in sync and slow is waited for.
#
# </details>
#
# **2. A follower is killed. What does a producer with `acks=all` notice?**
#
# <details><summary>A. Nothing: it sends to the leader.</summary>
#
# Not so: the leader waits for that follower until it has left the ISR.
#
# </details>
# <details><summary>B. A pause of 7 to 10 seconds.</summary>
#
# Right: as when the leader dies, since that is how long a death goes unnoticed.
#
# </details>
# <details><summary>C. Errors, until the follower is back.</summary>
#
# Not so: two in sync are enough, and so it goes on without it.
#
# </details>
#
# **3. Two of three are down, `min.insync.replicas` is 2, the producer has `acks=1`. Its
# records are …**
#
# <details><summary>A. refused.</summary>
#
# Not so: only who asks for all is refused.
#
# </details>
# <details><summary>B. accepted, and read as always.</summary>
#
# Not so: the high watermark stands still while the ISR is too small.
#
# </details>
# <details><summary>C. accepted, and not to be read for now.</summary>
#
# Right: and lost, if the leader is lost before the others have caught up.
#
# </details>
#
# **4. Who chooses the new leader of a partition?**
#
# <details><summary>A. Its replicas, by a vote.</summary>
#
# Not so: replicas do not vote.
#
# </details>
# <details><summary>B. The controller: the first in-sync replica in the list.</summary>
#
# Right: after it has given up the old one.
#
# </details>
# <details><summary>C. Nobody: a stand-in takes over at once.</summary>
#
# Not so: until the death is noticed nobody may take over.
#
# </details>
#
# **5. A dead leader comes back, with records that the new one does not have. What
# becomes of them?**
#
# <details><summary>A. They are copied to the others.</summary>
#
# Not so: at their offsets there are others by now.
#
# </details>
# <details><summary>B. It leads again, since its log is longer.</summary>
#
# Not so: the length of a log decides nothing.
#
# </details>
# <details><summary>C. They are cut off.</summary>
#
# Right: by epoch and offset. Nobody could ever read them.
#
# </details>
#
# ## Now your own settings
#
# Three lines. The files are those of a real client and a real topic:
#
# ```python
# topic = ks.TopicConfig.from_properties("topic.properties")
# producer = ks.ProducerConfig.from_properties("producer.properties")
# run = ks.run(mine.where({"system.topics.payments.config": topic}))
# ```
#
# Then `ks.plot.replication(run)` says what a night with a dead broker would look like.

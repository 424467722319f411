# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Queue or log
#
# A queue hands each message to one consumer and forgets it when that one says "done". A
# log keeps what was written, whoever read it. Both are sold as "messaging". Which of
# them do you need? This lesson lets the same records through both, and looks.
#
# **After this lesson you can**
#
# - say when a queue forgets a message, and when a log does;
# - say what a late reader, a second reader and a reader that died get of either;
# - say who waits behind one slow job, and what order it costs not to wait;
# - choose between them, and say what you give up.
#
# **New words.** [message queue](../docs/reference/glossary.md#message-queue),
# [requeue](../docs/reference/glossary.md#requeue),
# [prefetch](../docs/reference/glossary.md#prefetch), [competing
# consumers](../docs/reference/glossary.md#competing-consumers), [quorum
# queue](../docs/reference/glossary.md#quorum-queue). Each is said in a sentence where
# it first comes up. Of the earlier lessons you need 01, and these words of 02, 03 and
# 06: [point to point](../docs/reference/glossary.md#point-to-point),
# [overtaken](../docs/reference/glossary.md#overtaken),
# [segment](../docs/reference/glossary.md#segment),
# [replay](../docs/reference/glossary.md#replay).
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are eight.

# %% [markdown]
# ## Forty orders, and one who is late
#
# A shop sends two orders a second, for 20 s. **Billing** is there from the start and
# needs 0.2 s for each. **Audit** comes at 20 s and wants them all. That is the world.
# It knows neither queue nor log.

# %%
import pandas as pd

import kafkasim as ks

shop = ks.Source(stream="orders", arrivals=ks.Periodic(rate_per_s=2))
billing = ks.Subscriber(streams=["orders"], work_ms=200)
audit = ks.Subscriber(streams=["orders"], work_ms=100, from_s=20, wants="all")
late_audit = ks.Traffic(
    {"shop": shop}, {"billing": billing, "audit": audit}, duration_s=20
)

# %%
log = ks.run(ks.Scenario(late_audit, ks.Kafka()))
ks.plot.log(log, at_s=21.05)

# %% [markdown]
# Kafka you know: this is its log a second after audit has come. **RabbitMQ** has
# *message queues*: a publisher sends to an *exchange*, which puts a copy into each
# queue that is bound to it. A queue hands a message to a consumer. When the consumer
# acknowledges it, it is deleted. Here each subscriber has a queue of its own, which is
# there when the subscriber comes.
#
# **Predict.** How many of the 40 orders does audit get from RabbitMQ?

# %%
guess = None  # how many of the 40?

# %%
queue = ks.run(ks.Scenario(late_audit, ks.RabbitMQ()))

# %% tags=["reveal"]
of_audit = ks.summary(queue).set_index("subscriber").loc["audit"]
ks.lessons.reveal(
    guess,
    int(of_audit["records"] - of_audit["not_kept"]),
    "orders are what audit gets of the queue; of the log it gets all 40",
    figure=ks.plot.queue_and_log(queue, log, names=("RabbitMQ", "Kafka")),
)

# %% [markdown]
# Above: what each system holds. The queue never has more than one order, and is empty
# in the end. The log is full. Below: what was read of it.
#
# **Investigate.** The same in a table. What would somebody get who comes tomorrow
# (`left_to_read`)? Which share of what was before it came did audit get
# (`history_share`)?

# %%
both = ks.compare({"RabbitMQ": queue, "Kafka": log})
both[["system", "subscriber", "left_to_read", "history_share", "order_kept_share"]]

# %% [markdown]
# ## Read is not acknowledged
#
# "RabbitMQ deletes a message when it is read", one hears. Let us see. Now billing needs
# 0.8 s for an order, so it falls behind. RabbitMQ does not wait to be asked: it sends a
# consumer messages in advance, up to 100 here (RabbitMQ's own default is no limit). At
# 8.1 s billing dies, and is back 2 s later.
#
# **By hand.** Orders come at 0 s, 0.5 s, 1 s, … At 8.1 s orders 0 to 16 have been sent,
# and billing has them all. It has done ten, and works on the next.
#
# **Predict.** How many orders are handed out a second time?

# %%
guess = None  # how many?

# %%
slow = ks.Subscriber(streams=["orders"], work_ms=800)
only_billing = ks.Traffic({"shop": shop}, {"billing": slow}, duration_s=20)
dies = ks.Crash("subscriber:billing", at_s=8.1, for_s=2)
by_hand = ks.run(ks.Scenario(only_billing, ks.RabbitMQ(), events=[dies]))
again = by_hand.deliveries.query("delivery_count == 2")

# %% tags=["reveal"]
steps = by_hand.table("queues").query("record_id == 12")
ks.lessons.reveal(
    guess,
    len(again),
    "orders are handed out again (the table follows one of them)",
    figure=steps[["record_id", "at_ms", "change", "member", "ready", "unacked"]],
)

# %% [markdown]
# Order 12 was sent, and had been read. But it was not acknowledged, so it was still in
# the queue, as *unacked*. When the connection is lost it is *requeued*: it goes back to
# its place and is handed out again, marked as redelivered. Nothing is lost, and of the
# seven only one had been begun.
#
# With *automatic* acknowledgement (`auto`) a message counts as done as soon as RabbitMQ
# has sent it.
#
# **Predict.** The same death. How many orders are never done?

# %%
guess = None  # how many?

# %%
in_advance = ks.RabbitMQ(consumers={"billing": ks.Consumers(ack="auto")})
automatic = ks.run(ks.Scenario(only_billing, in_advance, events=[dies]))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    int(ks.summary(automatic)["lost"].sum()),
    "orders are lost: all that billing had in its hands",
    figure=ks.receipts(automatic)
    .query("outcome == 'lost'")[["record_id", "deliveries", "outcome"]]
    .reset_index(drop=True),
)

# %% [markdown]
# > **What people get wrong.** "RabbitMQ deletes on read." It deletes on
# > acknowledgement. Only with automatic acknowledgement does it delete on sending.
#
# And Kafka? It knows one number for each group and partition (lesson 08). So it cannot
# say "9 and 11 are done, 10 is not". What is handed out again begins at that number:

# %%
each = ks.Kafka(groups={"billing": ks.Group(commit="manual(every=1)")})
died = {
    "RabbitMQ": by_hand,
    "Kafka, commits every 5 s": ks.run(
        ks.Scenario(only_billing, ks.Kafka(), events=[dies])
    ),
    "Kafka, commits each order": ks.run(ks.Scenario(only_billing, each, events=[dies])),
}
ks.compare(died)[["system", "redelivered", "duplicated", "lost"]]

# %% [markdown]
# `redelivered` are hand-outs, `duplicated` are orders whose work was done twice. Nobody
# loses an order. By default Kafka does some twice, and a commit after each order ends
# that here. A death *between* the work and the acknowledgement, or the commit, costs
# one order done twice in either: at least once. (These runs leave out who notices the
# death when. RabbitMQ sees that the connection is lost; Kafka gives a killed member up
# to 45 s: lesson 07.)
#
# ## In time, and again
#
# Audit got nothing because its queue came with it. A queue that is declared *before*
# keeps everything for it. In the log, audit need not be known before. But a log does
# not keep for ever. Here it keeps 8 s, in segments of 2 s (lesson 06), and a look is
# taken every second.
#
# **Predict.** Audit comes at 20 s. How many of the 40 orders does the log still have
# for it? Segments hold five orders; the last one of a segment has to be older than 8 s.

# %%
guess = None  # how many of the 40?

# %%
in_time = ks.RabbitMQ(queues={"audit": ks.Queue(declared="start")})
forgetful = ks.Kafka(
    topics={
        "orders": ks.Topic(config=ks.TopicConfig(segment_ms=2_000, retention_ms=8_000))
    },
    broker_config=ks.BrokerConfig(
        log_retention_check_interval_ms=1_000, log_initial_task_delay_ms=0
    ),
)
waiting = ks.run(ks.Scenario(late_audit, in_time))
short = ks.run(ks.Scenario(late_audit, forgetful))

# %% tags=["reveal"]
of_audit = ks.summary(short).set_index("subscriber").loc["audit"]
ks.lessons.reveal(
    guess,
    int(of_audit["records"] - of_audit["expired"]),
    "orders; and the queue that was there in time gives it all 40",
    figure=ks.plot.queue_and_log(
        waiting, short, names=("the early queue", "the short log")
    ),
)

# %% [markdown]
# This time the queue gives more. A queue keeps what is not acknowledged, for as long as
# it takes; a log lets go what is too old, read or unread. But when audit has read, its
# queue is empty again. Whoever is third finds nothing, and each has to be known
# before:

# %%
at_20_s = {
    "RabbitMQ": queue,
    "RabbitMQ, in time": waiting,
    "Kafka": log,
    "Kafka, 8 s": short,
}
ks.compare(at_20_s).query("subscriber == 'audit'")[
    ["system", "history_share", "left_to_read"]
]

# %% [markdown]
# **And once more from the beginning?** Billing has found a mistake. At 19.1 s it wants
# to read all orders again (`seek` to the beginning):

# %%
back = ks.Seek("subscriber:billing", at_s=19.1, to="earliest")
rereads = {
    name: ks.run(ks.Scenario(late_audit, system, events=[back]))
    for name, system in {"RabbitMQ": ks.RabbitMQ(), "Kafka": ks.Kafka()}.items()
}
pd.DataFrame(
    {
        name: {
            "what came of it": run.events["effect"].item(),
            "orders read again by billing": (
                run.deliveries.query("subscriber == 'billing'")["record_id"]
                .duplicated()
                .sum()
            ),
        }
        for name, run in rereads.items()
    }
)

# %% [markdown]
# A queue has no positions to go back to. In a log, reading again is nothing but a lower
# number.
#
# ## What order is kept
#
# Now 100 orders a second of eight customers, for 10 s. The work takes 6 ms on average,
# sometimes much more, sometimes less. Six ways to do it:

# %%
customers = ks.Source(
    stream="orders", arrivals=ks.Poisson(rate_per_s=100), keys=ks.UniformKeys(8)
)
uneven = ks.Subscriber(streams=["orders"], work_ms=ks.Exponential(6.0))
busy_shop = ks.Traffic({"shop": customers}, {"billing": uneven}, duration_s=10)
three = ks.Consumers(count=3)
one_active = ks.Queue(single_active_consumer=True)
failing = ks.Consumers(failing_share=0.1)
ways = {
    "queue, 1 consumer": ks.RabbitMQ(),
    "queue, 1, a tenth fails": ks.RabbitMQ(consumers={"billing": failing}),
    "queue, 3 consumers": ks.RabbitMQ(consumers={"billing": three}),
    "queue, 3, 1 active": ks.RabbitMQ(
        queues={"billing": one_active}, consumers={"billing": three}
    ),
    "log, 1 partition": ks.Kafka(),
    "log, 3 partitions": ks.Kafka(
        topics={"orders": ks.Topic(partitions=3)},
        groups={"billing": ks.Group(members=3)},
    ),
}

# %% [markdown]
# Who fails says so (`basic.nack`), and the message is requeued. Three consumers on one
# queue are *competing consumers*: each message goes to one of them. In the log the
# customer is the key.
#
# **Predict.** In how many of the six does an order overtake an earlier one *of the same
# customer*?

# %%
guess = None  # 0 to 6

# %%
ordered = ks.compare(busy_shop, ways, seed=3)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    int((ordered["overtaken_share"] > 0).sum()),
    "of the six: the one in which work fails, and three competing consumers",
    figure=ordered[
        ["system", "overtaken_share", "order_kept_share", "redelivered"]
    ].round(5),
)

# %% [markdown]
# > **What people get wrong.** "RabbitMQ preserves the order." From one publisher,
# > through one queue, to one consumer that acknowledges, it does. What is requeued
# > comes after orders that were sent later, and several consumers work each in their
# > own time. "With partitions Kafka preserves none": it keeps that of each key (lesson
# > 04). Of *all* orders (`order_kept_share`) three partitions keep about as much as
# > three consumers.
#
# `single_active_consumer` keeps the order, and two of three do nothing.
#
# > **A plausible wrong result.** "We let three consumers share a queue and counted. Of
# > 1,000 orders none was overtaken. So competing consumers keep the order."

# %%
even = ks.Traffic(
    {"shop": ks.Source("orders", ks.Periodic(100), keys=ks.UniformKeys(8))},
    {"billing": ks.Subscriber(streams=["orders"], work_ms=6)},
    duration_s=10,
)
ks.compare(even, {"queue, 3 consumers": ks.RabbitMQ(consumers={"billing": three})})[
    ["system", "records", "overtaken_share", "order_kept_share"]
]

# %% [markdown]
# The measurement is right. In this test every order takes equally long and nothing
# fails, so who begins first ends first. A promise is what holds when it does not.
#
# ## One slow job
#
# So a log divides work by key, and a queue does not. When is that an advantage of the
# queue? Work takes 10 ms, but one order of the 400 takes 2 s. Four members on four
# partitions, or four consumers on one queue. *Prefetch* says how many messages a
# consumer may have that are not acknowledged; kafkasim's default is 100.
#
# **Predict.** In which of the three is no *other* order more than one second late?

# %%
guess = None  # "Kafka", "prefetch 100", "prefetch 1" or "none"?

# %%
steady = ks.Source(
    stream="orders", arrivals=ks.Periodic(rate_per_s=100), keys=ks.UniformKeys(40)
)
quick = ks.Subscriber(streams=["orders"], work_ms=10)
jobs = ks.Traffic({"shop": steady}, {"billing": quick}, duration_s=4)
stuck = ks.StuckRecord("subscriber:billing", "shop", ordinal=100, work_ms=2_000)
patient = ks.Consumers(count=4, prefetch=1)
four = {
    "Kafka": ks.Kafka(
        topics={"orders": ks.Topic(partitions=4)},
        groups={"billing": ks.Group(members=4)},
    ),
    "prefetch 100": ks.RabbitMQ(consumers={"billing": ks.Consumers(count=4)}),
    "prefetch 1": ks.RabbitMQ(consumers={"billing": patient}),
}
behind = {
    name: ks.run(ks.Scenario(jobs, system, events=[stuck]))
    for name, system in four.items()
}
many = {}
for name, run in behind.items():
    done = run.deliveries.merge(run.records[["record_id", "intended_ms"]])
    late = done["ended_ms"] - done["intended_ms"] > 1_000
    many[name] = int(late.sum()) - 1  # without the slow one itself

# %% tags=["reveal"]
beside = ks.compare(behind).set_index("system")
ks.lessons.reveal(
    guess,
    "".join(name for name, number in many.items() if not number) or "none",
    "lets nobody wait but the slow order itself",
    choices=["Kafka", "prefetch 100", "prefetch 1", "none"],
    figure=beside[["latency_ms_p99_others", "overtaken_share"]].assign(
        others_over_1_s=pd.Series(many)
    ),
)

# %% [markdown]
# **Here the queue wins.** In the log about a quarter of what comes meanwhile waits: all
# of the same partition, other customers' orders too. It is a wait at the *head of the
# line*. Competing consumers go on with what is next. But only with a small prefetch:
# with 100, a quarter of what comes lies in the hands of the one that is stuck, and
# nobody else may have it.
#
# The price stands beside it: orders of one customer overtake each other. Whoever needs
# their order *has* to wait. (Kafka has queues of its own, share groups, KIP-932. They
# are not in this lesson.)
#
# ## What prefetch costs
#
# Then why not always 1? After each message the consumer has to answer, and the answer
# travels. Let it take 10 ms each way, and let the work take no time. 1,000 orders wait
# to be done.
#
# **Predict.** One consumer, prefetch 1. How many orders does it get a second?

# %%
guess = None  # how many a second?

# %%
flood = ks.Traffic(
    {"shop": ks.Source("orders", ks.Periodic(500))},
    {"billing": ks.Subscriber(["orders"])},
    duration_s=2,
)
far = ks.Hardware(link=ks.Link(delay_ms=10))
PREFETCH = "system.consumers.billing.prefetch"
distant = ks.Scenario(
    flood, ks.RabbitMQ(consumers={"billing": ks.Consumers()}, hardware=far)
)
by_prefetch = ks.sweep(distant, {PREFETCH: [1, 2, 5, 10, 100]}, workers=1)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(by_prefetch["throughput_per_s"].iloc[0]),
    "orders a second: one for each round trip of 20 ms",
    figure=by_prefetch[["prefetch", "throughput_per_s", "drain_s"]].round(1),
)

# %% [markdown]
# Throughput is prefetch / round trip, until something else is full. Small prefetch
# shares fairly, large prefetch is fast. (Kafka's consumer fetches many at once, and
# shares by partition.)
#
# ## When a node dies
#
# RabbitMQ has three nodes now. Node 1 leads the queue, and is away from 1 s to 4 s.
#
# > **What people get wrong.** "Mirrored queues make it highly available." They were
# > removed in RabbitMQ 4.0, and so `ks.Queue(members=3)` is refused.
#
# So a *classic* queue has one copy. A *quorum queue* has copies on several nodes, and
# goes on as long as most of them are there (Raft).
#
# **Predict.** For how many seconds does billing get nothing from the classic queue?

# %%
guess = None  # how many seconds?

# %%
few = ks.Traffic(
    {"shop": ks.Source("orders", ks.Periodic(50))},
    {"billing": ks.Subscriber(["orders"], work_ms=5)},
    duration_s=3,
)
down = ks.Crash("node:1", at_s=1, for_s=3)
kinds = {
    kind: ks.run(
        ks.Scenario(
            few,
            ks.RabbitMQ(nodes=3, queues={"billing": ks.Queue(type=kind)}),
            events=[down],
        )
    )
    for kind in ("classic", "quorum")
}
gaps_s = {
    kind: run.deliveries["ended_ms"].sort_values().diff().max() / 1_000
    for kind, run in kinds.items()
}

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(gaps_s["classic"], 1),
    "is how long the classic queue waits for its node",
    unit="s",
    figure=ks.compare(kinds)
    .set_index("system")[["lost", "duplicated", "latency_ms_p99"]]
    .assign(nothing_for_s=pd.Series(gaps_s))
    .round(2),
)

# %% [markdown]
# Neither has lost a confirmed order: both write to disk. The quorum queue chose another
# leader, and took a fifth of a second. (How soon the others miss a node is assumed to
# be at once, as when its process dies; a machine without power is missed later. Lesson
# 10 has what Kafka's copies do.)
#
# ## All together
#
# A day of flights from New York, from the table that comes with kafkasim, pressed into
# twelve seconds. The **board** needs 1 ms for a flight, and one flight takes a second.
# The **archive** comes when the day is over and wants everything. Seven systems carry
# the same day: besides those above, a hub without a log (`ks.Relay`), and no hub at
# all, point to point.

# %%
day = ks.traces.flights(month=7, speedup=7_200)
airports = ks.Source(stream="flights", arrivals=day, keys=ks.TraceColumn("tail"))
july_1 = ks.Traffic(
    {"airports": airports},
    {
        "board": ks.Subscriber(streams=["flights"], work_ms=1),
        "archive": ks.Subscriber(streams=["flights"], from_s=12, wants="all"),
    },
    duration_s=12,
)

# %%
one_slow = ks.StuckRecord("subscriber:board", "airports", ordinal=300, work_ms=1_000)
systems = {
    "Kafka": ks.Kafka(),
    "Kafka, 4 partitions": ks.Kafka(
        topics={"flights": ks.Topic(partitions=4)},
        groups={"board": ks.Group(members=4)},
    ),
    "RabbitMQ": ks.RabbitMQ(),
    "RabbitMQ, 4 consumers": ks.RabbitMQ(consumers={"board": patient}),
    "RabbitMQ, archive in time": ks.RabbitMQ(
        queues={"archive": ks.Queue(declared="start")}
    ),
    "hub without a log": ks.Relay(),
    "point to point": ks.PointToPoint(),
}

# %%
carried = ks.compare(july_1, systems, events=[one_slow], seed=1)
of_board = carried.query("subscriber == 'board'")
ks.plot.comparison(
    of_board, y=["left_to_read", "order_kept_share", "latency_ms_p99_others"]
)

# %%
of_archive = carried.query("subscriber == 'archive'").set_index("system")
of_board.set_index("system")[
    ["left_to_read", "latency_ms_p99_others", "order_kept_share", "blocked_s"]
].join(of_archive["history_share"]).round(4)

# %% [markdown]
# Read a row at a time, and say what you would use it for. No row is best everywhere:
#
# - **A log** is the only one that has something for a reader of tomorrow. With one
#   partition the slow flight holds up all, with four those of its partition.
# - **A queue with competing consumers** is the only one in which nobody waits. Flights
#   overtake the slow one, as they do in another partition.
# - **A queue declared in time** serves a late reader as well as a log does, once.
# - **A hub without a log** does what one consumer on a queue does, without a disk.
# - **Point to point**, here synchronous, has the shortest way and nothing in between.
#   So the source itself waits for the slow flight (`blocked_s`).
#
# ## Move it yourself
#
# The forty orders. Choose when audit comes, whether billing dies before its
# acknowledgement, whether it reads again, and whether audit's queue was there in time.
# Its questions are buttons. Answer each before you press it. (Without a kernel, on a
# web page for instance, you see a picture.)

# %%
ks.widgets.QueueOrLogExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **Late:** 0 against 40. The queue is empty, and was bound too late.
# - **There all the time:** 40 and 40. Two subscribers, two queues.
# - **Half-way:** 20 of the queue, 40 of the log.
# - **Declared in time:** 40 and 40; and the queue holds them until audit has come.
# - **It dies:** both hand out again what it was at work on.
# - **Again:** 39 from the log (the last one had not come yet), none from the queue.
#
# </details>
#
# ## Where these rules stand
#
# - **Deleted on acknowledgement**, requeued when a channel closes: RabbitMQ 4.3,
#   "Consumer acknowledgements and publisher confirms".
# - **Prefetch** (`basic.qos`) of 100 to 300 is what the same page advises; a requeued
#   message goes to its own place "if possible".
# - **Classic queues** have no copies since 4.0; **quorum queues** need a majority
#   ("Quorum queues").
# - **Fan-out** is a queue for each subscriber (tutorial three of RabbitMQ).
# - **The log**: lessons 05, 06 and 08.
#
# [How RabbitMQ is modelled](../docs/explanation/rabbitmq.md) says what is documented,
# what was read in the server, and what is assumed. [Queue or
# log](../docs/explanation/queue-or-log.md) has more that is half true.
#
# **Documented, not simulated.** No run here shows these:
#
# - "RabbitMQ cannot replay": since 3.9 it has *streams*. Reading deletes nothing, and
#   one reads from the first message, an offset or a time.
# - "Pulsar deletes on read": when *all* subscriptions have acknowledged, and then a
#   whole ledger at a time. A retention policy keeps it longer.
# - "Pulsar's brokers store the data": BookKeeper's bookies do.
# - "Pub/Sub is ordered": messages of one ordering key are, if the subscription was made
#   with ordering on.
# - "Pub/Sub keeps messages for ever": unacknowledged ones for 7 days, 31 at most.
#
# ## What this leaves out
#
# **Priorities, time to live, dead letters**: queues have them, and logs have not.
# **Share groups**, Kafka's own competing consumers. **What a disk costs**: a log of a
# week is a week of disks.
#
# ## Exercises
#
# **1. Change one setting.** Billing dies at 8.1 s as above, with a prefetch of 1. How
# many orders are handed out again? Which of the two prefetches takes longer in the end?

# %% tags=["solution"]
# Solution. One: only what it was at work on was in its hands. The others waited in the
# queue all the time. It takes hardly longer: beside 0.8 s of work a round trip is
# nothing.
for prefetch in (100, 1):
    said = ks.RabbitMQ(consumers={"billing": ks.Consumers(prefetch=prefetch)})
    run = ks.run(ks.Scenario(only_billing, said, events=[dies]))
    twice = (run.deliveries["delivery_count"] == 2).sum()
    print(prefetch, "handed out again:", twice, "drain_s:", *ks.summary(run)["drain_s"])

# %% [markdown]
# **2. Change one setting.** The slow job, prefetch 2, 5 and 10. How many others are
# late? Say it first: how many can the stuck consumer hold besides?

# %% tags=["solution"]
# Solution. One less than the prefetch: that is all that it may hold beside the job.
for prefetch in (2, 5, 10):
    said = ks.Consumers(count=4, prefetch=prefetch)
    system = ks.RabbitMQ(consumers={"billing": said})
    run = ks.run(ks.Scenario(jobs, system, events=[stuck]))
    done = run.deliveries.merge(run.records[["record_id", "intended_ms"]])
    late = done["ended_ms"] - done["intended_ms"] > 1_000
    print("prefetch", prefetch, "others over 1 s:", late.sum() - 1)

# %% [markdown]
# **3. Ask a table.** In the run `by_hand`, how many messages were in the queue at most,
# ready or unacked? And how many were unacked when billing died?

# %% tags=["solution"]
# Solution. Both stand in the table `queues`, at each step.
table = by_hand.table("queues")
held = table["ready"] + table["unacked"]
dead = table.query("at_ms < 8_100")["unacked"].iloc[-1]
print("at most:", held.max(), "unacked at the death:", dead)

# %% [markdown]
# **4. Make one.** Three subscribers come at 20 s and want all. Their queues are
# declared at the start. How many messages are in RabbitMQ's queues at 20 s, how many
# records in Kafka's log? Build it.

# %% tags=["solution"]
# Solution. Three times forty: each queue has every message. (The server keeps the
# content once for many queues where it can; the entries are three.) The log has forty.
readers = dict.fromkeys(["audit", "search", "report"], audit)
teams = ks.Traffic({"shop": shop}, readers, duration_s=20)
known = dict.fromkeys(readers, ks.Queue(declared="start"))
run = ks.run(ks.Scenario(teams, ks.RabbitMQ(queues=known)))
put = run.table("queues").query("change == 'enqueued' and at_ms < 20_000")
kept = ks.run(ks.Scenario(teams, ks.Kafka())).segments["record_count"].sum()
print("in queues:", len(put), "in the log:", kept)

# %% [markdown]
# **5. Your own settings.** Take the prefetch, the number of consumers and the kind of
# queue of a program that you know, or these. What happens behind a slow job?

# %% tags=["solution"]
# Solution, for these: a quorum queue on three nodes, three consumers, prefetch 20. The
# stuck one holds 20, so 19 others wait for it.
mine = ks.RabbitMQ(
    nodes=3,
    queues={"billing": ks.Queue(type="quorum")},
    consumers={"billing": ks.Consumers(count=3, prefetch=20)},
)
run = ks.run(ks.Scenario(jobs, mine, events=[stuck]))
done = run.deliveries.merge(run.records[["record_id", "intended_ms"]])
late = done["ended_ms"] - done["intended_ms"] > 1_000
print("others over 1 s:", late.sum() - 1)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. A consumer of RabbitMQ has received a message and dies before it acknowledges.
# What becomes of the message?**
#
# <details><summary>A. It is gone: it was read.</summary>
#
# Not so: that is what automatic acknowledgement does.
#
# </details>
# <details><summary>B. It is requeued and handed out again.</summary>
#
# Right: marked as redelivered. The work may be done twice.
#
# </details>
# <details><summary>C. It waits until the same consumer is back.</summary>
#
# Not so: any consumer of the queue may get it, as soon as the connection is lost.
#
# </details>
#
# **2. A second team wants all orders, too. What has to be done in RabbitMQ?**
#
# <details><summary>A. It adds its consumer to the queue.</summary>
#
# Not so: then each team gets some of the orders.
#
# </details>
# <details><summary>B. It binds a queue of its own, and in time.</summary>
#
# Right: what was sent before is not in it.
#
# </details>
# <details><summary>C. It reads from offset 0.</summary>
#
# Not so: queues have none. A stream has.
#
# </details>
#
# **3. When does a log delete a record?**
#
# <details><summary>A. When all groups have read it.</summary>
#
# Not so: a log does not know who reads it.
#
# </details>
# <details><summary>B. When the last group has committed it.</summary>
#
# Not so: a commit is a note about the group.
#
# </details>
# <details><summary>C. When its segment is too old, read or unread.</summary>
#
# Right: so a reader that is too slow can lose records, which a queue would have kept.
#
# </details>
#
# **4. Jobs do not depend on each other, and some take a thousand times longer than
# others. What do you use?**
#
# <details><summary>A. A topic with many partitions.</summary>
#
# Not so: whatever shares a partition with a long job waits.
#
# </details>
# <details><summary>B. A queue, competing consumers, a small prefetch.</summary>
#
# Right: who is free takes the next one.
#
# </details>
# <details><summary>C. A queue, competing consumers, a large prefetch.</summary>
#
# Not so: what the busy one holds, nobody else may have.
#
# </details>
#
# **5. Bookings of an account must be done in order, on several machines. What do you
# use?**
#
# <details><summary>A. A topic with partitions; the account is the key.</summary>
#
# Right: each account's order is kept, and the accounts are shared out.
#
# </details>
# <details><summary>B. A queue with competing consumers.</summary>
#
# Not so: two bookings of one account may be worked on at the same time.
#
# </details>
# <details><summary>C. A queue with a single active consumer.</summary>
#
# Not so: it keeps the order, but one machine does all.
#
# </details>
#
# ## Now your own settings
#
# Two lines. The traffic is yours, and so are the systems:
#
# ```python
# table = ks.compare(july_1, {"a log": ks.Kafka(), "a queue": ks.RabbitMQ()})
# ks.plot.comparison(table, y=["left_to_read", "history_share"])
# ```
#
# [A system of your own](../docs/guides/your-own-system.md) can stand in the same table.

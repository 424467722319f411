# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From point-to-point to the hub
#
# Four programs of an airline have news, and four others want it. Each can send to each
# itself. Or all send to one place, and all read there. Why do so many put something
# between, what does it cost, and when is it a mistake?
#
# **After this lesson you can**
#
# - count links, connections and bytes of both ways, and say which of them a hub saves;
# - say from how many systems on a hub has fewer links, and where it has more;
# - say who is hurt when a subscriber dies, and who when the hub dies;
# - tell a hub that passes on from one that keeps: a relay from a log.
#
# **New words.** Of this comparison: [point to
# point](../docs/reference/glossary.md#point-to-point),
# [hub](../docs/reference/glossary.md#hub),
# [relay](../docs/reference/glossary.md#relay), [blast
# radius](../docs/reference/glossary.md#blast-radius). kafkasim's:
# [plan](../docs/reference/glossary.md#plan),
# [digest](../docs/reference/glossary.md#digest),
# [intended](../docs/reference/glossary.md#intended),
# [receipt](../docs/reference/glossary.md#receipt). And three that are used everywhere:
# [throughput](../docs/reference/glossary.md#throughput),
# [client](../docs/reference/glossary.md#client),
# [cluster](../docs/reference/glossary.md#cluster). Each is said in a sentence where it
# first comes up. Of lesson 01 you need all words.
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are nine.

# %% [markdown]
# ## A tangle and a star
#
# Four sources, four subscribers, and every subscriber wants what every source sends:
# sixteen pairs. A source sends 20 records a second.

# %%
import pandas as pd

import kafkasim as ks

airline = ks.many_to_many(
    sources=4, subscribers=4, arrivals=ks.Periodic(rate_per_s=20), work_ms=1
)
three_copies = ks.Topic(partitions=1, replication_factor=3)
streams = [f"stream-{number}" for number in (1, 2, 3, 4)]
systems = {
    "synchronous": ks.PointToPoint(mode="synchronous"),
    "asynchronous": ks.PointToPoint(mode="asynchronous"),
    "relay": ks.Relay(),
    "Kafka": ks.Kafka(brokers=3, topics=dict.fromkeys(streams, three_copies)),
}
calm = ks.run_each(airline, systems)

# %% [markdown]
# Four ways to carry the same records.
#
# - **Point to point.** Each source sends each record to each subscriber itself.
#   *Synchronous*, it waits until all have answered before it sends the next. That is
#   what one writes first: a call, and another call. *Asynchronous*, it has a queue in
#   memory for each subscriber, and sends again what is not answered. That is what a
#   careful team would build.
# - **A hub** stands between all. Sources send each record to it once. A *relay* is a
#   hub that passes on what it gets, and forgets it when it is answered.
# - **Kafka** is a hub that keeps a log. Three brokers work together, and a program that
#   talks to them, a *client*, sees one thing: a *cluster*. Each record is on all three.
#
# Each source, subscriber and hub is drawn as one system. The thicker a link, the more
# bytes went over it.

# %%
ks.plot.tangle({name: calm[name] for name in ("asynchronous", "Kafka")})

# %% [markdown]
# Sixteen links against eight: 4 × 4 against 4 + 4. A link is something that people have
# to agree upon, set up, watch and repair.
#
# Is the comparison fair? What the world wants is drawn before any system is asked: when
# each record is *intended* to be sent, how large it is, how long the work on it takes.
# That is the *plan*, and its *digest* is a fingerprint of it.

# %%
{name: run.plan.digest[:12] for name, run in calm.items()}

# %% [markdown]
# The same four times. So whatever differs from here on, the systems have done it.
#
# ## One more subscriber
#
# A fifth subscriber comes, and wants everything, too.
#
# **Predict.** Point to point: how many programs that are already running have to be
# told of it, by code or settings, and started again?

# %%
guess = None  # how many programs?

# %%
fifth = ks.Subscriber(streams, work_ms=1)
five = ks.Traffic(airline.sources, {**airline.subscribers, "fifth": fifth}, 10)
with_fifth = ks.run_each(five, systems)
newcomer = pd.concat(
    {name: ks.analysis.onboarding(calm[name], with_fifth[name]) for name in systems}
)

# %% tags=["reveal"]
of_sources = newcomer.query("kind == 'source'").droplevel(1)
ks.lessons.reveal(
    guess,
    of_sources.loc["asynchronous", "touched"],
    "of the four sources have to know the newcomer; with a hub none has",
    figure=newcomer.query("kind != 'subscriber'").droplevel(1),
)

# %% [markdown]
# With a hub the newcomer itself makes one link. No source is touched, none knows how
# many there are. That is why organisations put a hub there: not for speed, but so that
# one team need not wait for four others.
#
# ## What moves
#
# **Predict.** A record has 200 bytes. Which way moves more bytes in all?

# %%
guess = None  # "point to point" or "Kafka"

# %%
made = pd.DataFrame({name: ks.analysis.pipelines(run) for name, run in calm.items()})
moved = made.loc[["source_bytes", "total_bytes", "disk_bytes"]] / made.loc["records"]

# %% tags=["reveal"]
total = moved.loc["total_bytes"]
ks.lessons.reveal(
    guess,
    "Kafka" if total["Kafka"] > total["asynchronous"] else "point to point",
    "moves more: {kafka:,.0f} bytes per record against {point:,.0f}",
    values={"kafka": total["Kafka"], "point": total["asynchronous"]},
    choices=["point to point", "Kafka"],
    figure=moved.add_suffix(" per record", axis="index").round(0),
)

# %% [markdown]
# **By hand.** Point to point: 4 × 200 = 800 bytes. Through the hub a record goes in
# once, to two more brokers for their copies, and out four times: 7 × 200 = 1,400. And
# Kafka packs what it sends: a record that travels alone has 70 bytes around it, and 7 ×
# 270 = 1,890. (Under load many records share one packing; lesson 09. What a record
# travels in point to point is not counted here.)
#
# > **What people get wrong.** "A hub moves less data." It moves *more*, always: the way
# > in, and the copies, come on top. What becomes less is what the **source** sends:
# > once instead of four times, and once instead of forty times if there are forty. The
# > fan-out is paid by the brokers.
#
# **Investigate.** Links, connections and machines are three different things. How many
# has each way of each?

# %%
rows = ["links", "adapters_per_source", "sockets", "hub_sockets", "hub_nodes"]
made.loc[[*rows, "sends_per_record"]].astype(int)

# %% [markdown]
# A client of Kafka connects to each broker that it needs something of. So `sockets`,
# the connections of sources and subscribers, may well be more than links. And a hub is
# made of machines that somebody has to run: three here, none point to point.
#
# ## Where the hub begins to win
#
# n sources and n subscribers. If all pairs are wanted, point to point has n × n links,
# and the hub n + n. But who wants everything? Say that half of the pairs are wanted.
#
# **Predict.** From which n on has the hub fewer links?

# %%
guess = None  # which n?

# %%
sizes = ks.pipeline_sizes(range(1, 8), densities=(1.0, 0.5))

# %% tags=["reveal"]
half = sizes.query("wanted == 0.5").pivot_table("links", "size", "system")
ks.lessons.reveal(
    guess,
    int((half["Kafka"] < half["point to point"]).idxmax()),
    "sources and as many subscribers is where the hub begins to have fewer links",
    figure=ks.plot.crossover(sizes),
)

# %% [markdown]
# **By hand.** Half of n × n is n²/2; the hub has 2n. n²/2 > 2n when n > 4. In general,
# with a share d of the pairs wanted, the hub wins when **n > 2/d**.
#
# > **What people get wrong.** "N × M becomes N + M, so a hub is always simpler." Count
# > the small ones:

# %%
two_ways = {"point to point": ks.PointToPoint(), "Kafka": ks.Kafka()}
small = {}
for sources, subscribers in [(1, 1), (1, 4), (4, 1), (2, 2), (2, 3)]:
    few = ks.many_to_many(sources, subscribers, duration_s=1)
    small[f"{sources} × {subscribers}"] = {
        name: int(ks.analysis.pipelines(run)["links"])
        for name, run in ks.run_each(few, two_ways).items()
    }
pd.DataFrame(small).T

# %% [markdown]
# With one source, or one subscriber, the hub has one link *more*. With two and two it
# is the same. Two programs that talk to each other need no hub.
#
# ## One hop less
#
# One source and one subscriber that works 1 ms on a record. It takes 0.2 ms from one
# machine to the next.
#
# **Predict.** Order these by their median latency, the quickest first: point to point,
# relay, Kafka. Which is the *last*?

# %%
guess = None  # "point to point", "relay" or "Kafka"

# %%
one_pair = ks.many_to_many(1, 1, arrivals=ks.Periodic(20), work_ms=1)
one_source = systems | {"Kafka": ks.Kafka(3, {"stream-1": three_copies})}
latency = pd.Series(
    {
        name: ks.analysis.metrics(run)["latency_ms_p50"]
        for name, run in ks.run_each(one_pair, one_source).items()
    },
    name="p50 (ms)",
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    latency.idxmax(),
    "takes longest",
    choices=["point to point", "relay", "Kafka"],
    figure=latency.to_frame().round(2),
)

# %% [markdown]
# The relay is a second hop, and a machine that takes in and passes on: 0.3 ms more.
# Kafka waits besides: 5 ms at the source, for more records to send together
# (`linger.ms`), and until the copies are there. If a question needs an answer now, ask
# whoever knows it, directly.
#
# ## How much each carries
#
# The same pair, and the work is only 0.1 ms. `ks.saturate` lets the source send twice
# as often, and twice again, until twice as much is wanted as the system carries: more
# it cannot. A fifth way takes part: asynchronous, with eight records on their way at a
# time.
#
# **Predict.** Divide by the number of machines: the source's, the subscriber's, and
# those of a hub. Which carries most records a second *for each machine*?

# %%
guess = None  # "point to point", "relay" or "Kafka"

# %%
eight = ks.PointToPoint(mode="asynchronous", in_flight=8)
much = ks.many_to_many(1, 1, arrivals=ks.Periodic(2_000), work_ms=0.1)
full = ks.saturate(much, one_source | {"eight at a time": eight}, duration_s=0.2)
carried = pd.DataFrame({name: ks.analysis.carrying(run) for name, run in full.items()})

# %% tags=["reveal"]
most = carried.loc["saturation_per_machine_s"].idxmax()
ks.lessons.reveal(
    guess,
    most if most in {"relay", "Kafka"} else "point to point",
    "carries most per machine, with eight records on their way at a time",
    choices=["point to point", "relay", "Kafka"],
    figure=carried.T.round().astype(int),
)

# %% [markdown]
# **By hand.** In all Kafka carries most: its source sends many records together, and
# only the subscriber's 0.1 ms stand in the way of more than 10,000 a second. A
# synchronous source has one record on its way: 0.2 ms there, 0.05 ms to take it in, 0.1
# ms of work, 0.2 ms back, 1 / 0.55 ms = 1,800 a second. The relay answers before the
# work: 1 / 0.45 ms. With eight on their way only what the subscriber does counts: 1 /
# 0.15 ms = 6,700, and no machine besides.
#
# So Kafka carries much because it packs (lesson 09), not because it is a hub, and three
# brokers for one pair are many. They would serve other pairs, too.
#
# ## A subscriber dies
#
# At 4 s subscriber 2 dies, and is back at 7 s.
#
# **Predict.** With *synchronous* sources: how many of the 16 pairs of source and
# subscriber get nothing for a while?

# %%
guess = None  # how many pairs?

# %%
one_dies = [ks.Crash("subscriber:subscriber-2", at_s=4, for_s=3)]
dead = ks.run_each(airline, systems, events=one_dies)
hurt = pd.concat({name: ks.analysis.blast_radius(run) for name, run in dead.items()})
told = ["pairs_hurt", "blast_pair_s", "longest_s", "recovery_s"]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    int(hurt.loc["synchronous", "pairs_hurt"].item()),
    "of the 16 pairs stop",
    figure=ks.plot.tangle(
        {name: dead[name] for name in ("synchronous", "asynchronous", "Kafka")}
    ),
)

# %% [markdown]
# A synchronous source waits for the dead one, and meanwhile sends nothing to the other
# three. So one death stops everybody. With a queue for each subscriber, or behind the
# log, the dead one stops alone. Pairs times seconds is the *blast radius*. The table
# has it (`blast_pair_s`), the longest time without a delivery that a pair had to bear,
# and how long after the return all were up to date again (`recovery_s`):

# %%
hurt[told].droplevel(1).round(1)

# %% [markdown]
# > **A plausible wrong result.** "We had calls between our services. One service died,
# > and everything stood still. With Kafka that cannot happen: so we need Kafka." Both
# > runs are right. But the row in between, *asynchronous*, is as good here. What helped
# > is the queue. What is true: with a hub the queue is built once, and point to point
# > every source has to build it, for every subscriber, and hold it in its own memory.
#
# And did everybody work on each record just once? A record together with a subscriber
# that wants it is a *receipt*; here there are 800 × 4.

# %%
counts = ["records", "duplicated", "lost"]
pd.DataFrame({name: ks.analysis.metrics(run) for name, run in dead.items()}).loc[counts]

# %% [markdown]
# **By hand.** Kafka gave subscriber 2 some records twice. It notes every 5 s how far it
# has come (a commit), and at 4 s it had noted nothing yet. So it begins again at the
# beginning: 4 s × 80 = 320 records. Lesson 08 is about that. (These runs leave out that
# a consumer that is killed keeps its place in its group for up to 45 s, and whoever is
# started in its stead waits until then: lesson 07.)
#
# ## The hub dies
#
# Now all machines of the hub die at 4 s, and are started again at 7 s.
#
# **Predict.** For how many of the 16 pairs does Kafka deliver nothing for a while, and
# for how many does point to point? Write it as a pair of numbers.

# %%
guess = None  # such as (3, 5): first Kafka, then point to point

# %%
hub_dies = [ks.Crash("hub", at_s=4, for_s=3)]
no_hub = ks.run_each(airline, systems, events=hub_dies)
fair = ("asynchronous", "Kafka")
lost_hub = pd.concat(
    {name: ks.analysis.blast_radius(run) for name, run in no_hub.items()}
)

# %% tags=["reveal"]
stopped = lost_hub["pairs_hurt"].fillna(0).astype(int).droplevel(1)
ks.lessons.reveal(
    guess,
    (stopped["Kafka"], stopped["asynchronous"]),
    "pairs stop: all with Kafka, and none point to point",
    figure=ks.plot.when_one_dies(
        {
            "a subscriber dies": {name: dead[name] for name in fair},
            "the hub dies": {name: no_hub[name] for name in fair},
        }
    ),
)

# %%
lost_hub[told].droplevel(1).round(1)

# %% [markdown]
# **A hub is a point whose loss stops everybody.** Point to point has no such point, and
# no amount of "central nervous system" on a slide changes that. That is why a hub is
# more than one machine: with three copies one broker may die and the others go on
# (lesson 10). What you saw is the day on which all three are gone: a bad update, a full
# disk, a certificate that ran out on all of them.
#
# It also took longer than the 3 s. To the cluster, a broker that is started again is a
# new one, and it is not let in while the old one still counts as alive: that is 9 s
# after it was last heard of. (No row for point to point: there is no hub to lose.)
#
# Nothing is lost here: what was in the log is there again, and the sources' clients
# send the rest again.
#
# ## A hub that forgets
#
# Take subscriber 2 down from 3 s to 7 s, and restart the hub in between, at 5 s, for
# one second. Every record had been answered with "I have it".
#
# **Predict.** How many records that the relay had taken does subscriber 2 never get?

# %%
guess = None  # how many records?

# %%
away = ks.Crash("subscriber:subscriber-2", at_s=3, for_s=4)
restart = ks.Crash("hub", at_s=5, for_s=1)
both = ks.run_each(airline, systems, events=[away, restart])
fate = pd.concat({name: ks.summary(run) for name, run in both.items()})
fate = fate.query("subscriber == 'subscriber-2'").droplevel(1)[counts]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    int(fate.loc["relay", "lost"]),
    "records were in the relay's memory for subscriber 2, and are gone",
    within=0.05,
    figure=fate,
)

# %% [markdown]
# **By hand.** From 3 to 5 s, 2 s × 80 = 160 records waited there for subscriber 2. The
# sources have long forgotten them: they had their answer. A log is written down, on
# three machines. (Kafka gave subscriber 2 some twice again: 3 s × 80 = 240.)
#
# A second thing that a relay does not have is a past. A subscriber *archive* comes at 5
# s and wants all, also what was sent before: 400 records.

# %%
archive = ks.Subscriber(streams, from_s=5, wants="all")
late = ks.Traffic(airline.sources, {**airline.subscribers, "archive": archive}, 10)
came_late = ks.run_each(late, systems | {"RabbitMQ": ks.RabbitMQ()})
history = pd.concat({name: ks.summary(run) for name, run in came_late.items()})
history.query("subscriber == 'archive'").droplevel(1)[["records", "not_kept", "lost"]]

# %% [markdown]
# Only the log has them. RabbitMQ, a hub made of queues, does not either: a message is
# gone from a queue when it was answered. (It has streams for that, which are logs;
# lesson 11.)
#
# ## What the producer notices
#
# One source, two subscribers. Then three cases: a third one is there; the third one is
# slow, 200 ms for each record, of which 20 come in a second; the third one is dead for
# 2 s.
#
# **Predict.** The table of records has, for each of the 200 records, when the
# producer's client took it and when it knew that it was accepted. With Kafka: in how
# many rows does the *slow* case differ from that of two subscribers?

# %%
guess = None  # how many of the 200 rows?

# %%
two = ks.many_to_many(1, 2, arrivals=ks.Periodic(20), work_ms=1)
third = ks.Subscriber(["stream-1"], work_ms=1)
slow = ks.Subscriber(["stream-1"], work_ms=200)
with_third, with_slow = (
    ks.Traffic(two.sources, {**two.subscribers, "third": each}, 10)
    for each in (third, slow)
)
dies = [ks.Crash("subscriber:third", at_s=1, for_s=2)]
cases = {
    "two": ks.run_each(two, one_source),
    "a third": ks.run_each(with_third, one_source),
    "slow": ks.run_each(with_slow, one_source),
    "dead": ks.run_each(with_third, one_source, events=dies),
}

# %%
noticed = ["created_ms", "acked_ms"]
before = {name: run.records[noticed] for name, run in cases["two"].items()}
differ = pd.DataFrame(
    {
        case: {
            name: int((runs[name].records[noticed] != rows).any(axis="columns").sum())
            for name, rows in before.items()
        }
        for case, runs in cases.items()
    }
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    differ.loc["Kafka", "slow"],
    "of the 200 rows differ: the producer notices nothing",
    figure=differ,
)

# %% [markdown]
# Not a nanosecond. The log is there, and whether anybody reads it, how quickly, or at
# all, does not come back to the producer. Point to point every row differs: a source
# knows that a record is done with when the last of its subscribers is.
#
# The relay's row is the same as Kafka's, for as long as its queue has room for what the
# slow one has not taken. When it is full, the relay has to drop, or to let everybody
# wait. A log need not remember who has read what, so it cannot be full of somebody's
# unread records; but a reader that is slower than the log is old loses what retention
# deletes.
#
# ## A day of flights
#
# The departures of 1 July 2013 from New York, an hour in a second. Four subscribers
# want them. At noon, on the twelfth second, a *history* comes that wants the whole day.
# It takes one line more to carry them by RabbitMQ, too:

# %%
airports = ks.Source(
    stream="flights",
    arrivals=ks.traces.flights(month=7, speedup=3_600),
    keys=ks.TraceColumn("tail"),
)
wanted = {
    name: ks.Subscriber(["flights"], work_ms=work_ms)
    for name, work_ms in {"board": 1, "crew": 2, "billing": 5, "radar": 1}.items()
}
wanted["history"] = ks.Subscriber(["flights"], from_s=12, wants="all")
day = ks.Traffic({"airports": airports}, wanted, duration_s=24)
everybody = systems | {
    "Kafka": ks.Kafka(3, {"flights": three_copies}),
    "RabbitMQ": ks.RabbitMQ(),
}
flights = ks.run_each(day, everybody)
columns = [
    "throughput_per_s",
    "latency_ms_p50",
    "blocked_s",
    "left_to_read",
    "history_share",
]
ks.compare(flights, per="system").set_index("system")[columns].round(2)

# %% [markdown]
# All carry the day. `throughput_per_s` is how many records a second are done, in the
# mean of the subscribers: the *throughput*. Kafka's is higher only because the
# latecomer gets the morning as well (`history_share`), and what it gets is still there
# when the day is over (`left_to_read`). The synchronous source is stopped (`blocked_s`)
# while flights come more quickly than the slowest subscriber works; the others have
# queues.
#
# And look at this traffic: one source. If nobody wants the past, point to point has
# fewer links, fewer machines, and the least latency.
#
# ## The whole account
#
# The runs in which subscriber 2 dies, and what the newcomer touches. The best of a row
# is marked, and who is so near that another run might swap them. No row was left out
# because one of them does well in it. (Eleven connections here, twelve above:
# subscriber 2 died before its first commit, which would have gone to one more broker.)

# %%
both_kinds = {name: dead[name] for name in ("synchronous", "asynchronous", "Kafka")}
ks.plot.scorecard(
    ks.analysis.scorecard(
        both_kinds, added={name: with_fifth[name] for name in both_kinds}
    )
)

# %% [markdown]
# ## Move it yourself
#
# A tangle, and a star of three brokers. One more subscriber, or somebody dies. Its
# questions are buttons. Answer each before you press it. (Without a kernel, on a web
# page for instance, you see a picture.)

# %%
ks.widgets.TopologyExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **Links:** 16 against 8. With one source 4 against 5, with half of the pairs 8
#   against 8.
# - **One more subscriber:** four new links against one, and only the log has what was
#   sent before it came.
# - **A subscriber dies:** synchronous sources stop for all; with queues, and behind the
#   log, only the dead one gets nothing.
# - **The hub dies:** all 16 pairs stop, longer than it is dead. Point to point has no
#   such point.
#
# </details>
#
# ## When to use what
#
# | point to point is better | a hub with a log is better |
# |---|---|
# | few systems: up to n = 2/d | many, and more will come |
# | a question that needs an answer | news that several want |
# | latency counts in tenths of a millisecond | sources must not know who reads |
# | nobody can run a cluster | readers are slow, or away, or come late |
# | nothing may be a common point of failure | the past is wanted |
#
# ## Where these rules stand
#
# - **N × M and N + M**, and the mesh: S systems that all read and write need S(S − 1)
#   pipelines, or 2S links to a log (J. Kreps, "The Log", 2013).
# - **Copies** and who fetches them: lesson 10. **Packing**: lesson 09.
# - A broker that **comes back** before its old self is given up is refused
#   (`ClusterControlManager`).
# - Relay and point to point are nobody's product. [Pipelines without a
#   log](../docs/explanation/pipelines.md) says what is documented and what assumed.
#
# ## What this leaves out
#
# Formats: what a record means has to be agreed upon in either case; with a hub once for
# each stream. Rights, encryption, costs of a cluster. Several clusters. How RabbitMQ
# works is in lesson 11.
#
# ## Exercises
#
# **1. Change one setting.** The dead subscriber is away for 3 s, and each source may
# hold 30 records for one subscriber (`queue_events=30`, asynchronous). What happens
# with `on_full="drop"`, and what with `"block"`? How many would it have to hold?

# %% tags=["solution"]
# Solution. A source has 20 × 3.5 = 70 records for it until its first try after the 3 s
# reaches it. With room for 30 it drops about 40, and four sources do so; or it stops,
# and with it all its subscribers: synchronous again. It would have to hold rate × time
# away, for each subscriber.
short = {
    on_full: ks.PointToPoint(mode="asynchronous", queue_events=30, on_full=on_full)
    for on_full in ("drop", "block")
}
full = ks.run_each(airline, short, events=one_dies)
pd.DataFrame(
    {
        name: {
            "pairs hurt": ks.analysis.blast_radius(run)["pairs_hurt"].item(),
            "refused": ks.summary(run)["not_accepted"].sum(),
        }
        for name, run in full.items()
    }
)

# %% [markdown]
# **2. Ask a table.** `calm["Kafka"].links` says who sent how many bytes to whom. How
# many bytes went from one broker to another? Which part of all is that, and what is it
# for?

# %% tags=["solution"]
# Solution. The copies: two for each record, so 2 of 7 parts.
links = calm["Kafka"].links
between = links["sender"].astype(str).str.startswith("broker") & links[
    "receiver"
].astype(str).str.startswith("broker")
print(f"{links.loc[between, 'moved_bytes'].sum() / links['moved_bytes'].sum():.0%}")

# %% [markdown]
# **3. Make one.** Six systems that all send, and all read what the others send
# (`ks.mesh`). How many links, either way? Say it first. From how many systems on does
# the hub have fewer?

# %% tags=["solution"]
# Solution. 6 × 5 = 30 against 12. S(S − 1) > 2S from S = 4 on; at 3 it is 6 and 6.
mesh = ks.mesh_sizes(range(2, 7))
mesh.pivot_table("links", "size", "system").astype(int)

# %% [markdown]
# **4. Your own settings.** Take systems that you know: how many send, how many read,
# which share of the pairs is wanted? Or these. Say first: how many links, who is hurt
# if one dies, and would you build the hub?

# %%
mine = ks.many_to_many(sources=3, subscribers=6, density=0.4, duration_s=5)

# %% tags=["solution"]
# Solution, for these. 3 × 6 × 0.4 = 7 pairs, against 9 links: fewer without a hub. If
# many more are to come, or the past is wanted, that may change the answer.
pd.DataFrame(
    {
        name: ks.analysis.pipelines(run)
        for name, run in ks.run_each(mine, two_ways).items()
    }
).loc[["links", "sockets", "hub_nodes"]].astype(int)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. Ten sources, one subscriber that wants them all. Which way has fewer links?**
#
# <details><summary>A. The hub, as always.</summary>
#
# Not so: 10 + 1 = 11.
#
# </details>
# <details><summary>B. Point to point: 10.</summary>
#
# Right: with one subscriber, or one source, the hub is one link more.
#
# </details>
# <details><summary>C. It is the same.</summary>
#
# Not so: that is at 2 × 2.
#
# </details>
#
# **2. What does a hub make less?**
#
# <details><summary>A. The bytes that move in all.</summary>
#
# Not so: they become more, by the way in and the copies.
#
# </details>
# <details><summary>B. The latency.</summary>
#
# Not so: there is a hop more.
#
# </details>
# <details><summary>C. What a source sends, and whom it has to know.</summary>
#
# Right: once, and nobody but the hub.
#
# </details>
#
# **3. One of four subscribers dies. Who stops?**
#
# <details><summary>A. Everybody, without a hub.</summary>
#
# Not so: only if sources wait for all answers.
#
# </details>
# <details><summary>B. Everybody, with a hub.</summary>
#
# Not so: the log does not wait for readers.
#
# </details>
# <details><summary>C. The dead one alone, with queues or with a log.</summary>
#
# Right: and it gets what it missed when it is back.
#
# </details>
#
# **4. The whole hub dies. Who stops?**
#
# <details><summary>A. Everybody behind it.</summary>
#
# Right: that is the price. Copies make it rare, not impossible.
#
# </details>
# <details><summary>B. Nobody, there are three brokers.</summary>
#
# Not so: that is if one of them dies.
#
# </details>
# <details><summary>C. The sources only; subscribers go on reading.</summary>
#
# Not so: they read there.
#
# </details>
#
# **5. What has a log that a relay has not?**
#
# <details><summary>A. Fewer links.</summary>
#
# Not so: they are the same.
#
# </details>
# <details><summary>B. What was sent before somebody came, or before it died.</summary>
#
# Right: it keeps records whether or not anybody has read them.
#
# </details>
# <details><summary>C. Sources that do not notice a slow subscriber.</summary>
#
# Not so: behind a relay they do not either, while its queue has room.
#
# </details>
#
# ## Now your own settings
#
# Three lines. Your systems, and who wants what:
#
# ```python
# mine = ks.many_to_many(sources=12, subscribers=7, density=0.3)
# runs = ks.run_each(mine, two_ways, events=[ks.Crash("hub", at_s=4, for_s=3)])
# ks.plot.when_one_dies({"the hub dies": runs})
# ```
#
# Then ask who runs the machines in the middle.

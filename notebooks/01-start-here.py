# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here
#
# Twelve departures, a log, and those who read it. You work out with a pencil what
# Kafka does with them, and check it in a table. Then the same lines of code take a
# whole day of real flights.
#
# **After this lesson you can**
#
# - point to a record, its topic, its partition and its offset in a table;
# - work out how far a slow reader has come, and what its p50 and p99 are;
# - say what reading does to a log, and what a slow reader does to a producer;
# - say where the picture "a channel and its subscribers" is not true of Kafka.
#
# **New words.** Kafka's: [record](../docs/reference/glossary.md#record),
# [key](../docs/reference/glossary.md#key),
# [topic](../docs/reference/glossary.md#topic),
# [partition](../docs/reference/glossary.md#partition),
# [offset](../docs/reference/glossary.md#offset),
# [log](../docs/reference/glossary.md#log),
# [broker](../docs/reference/glossary.md#broker),
# [producer](../docs/reference/glossary.md#producer),
# [consumer](../docs/reference/glossary.md#consumer),
# [consumer group](../docs/reference/glossary.md#consumer-group),
# [member](../docs/reference/glossary.md#member),
# [fetch](../docs/reference/glossary.md#fetch),
# [position](../docs/reference/glossary.md#position),
# [commit](../docs/reference/glossary.md#commit),
# [lag](../docs/reference/glossary.md#lag),
# [retention](../docs/reference/glossary.md#retention).
# kafkasim's: [source](../docs/reference/glossary.md#source),
# [stream](../docs/reference/glossary.md#stream),
# [subscriber](../docs/reference/glossary.md#subscriber),
# [scenario](../docs/reference/glossary.md#scenario),
# [seed](../docs/reference/glossary.md#seed),
# [result](../docs/reference/glossary.md#result).
# Of measuring: [latency](../docs/reference/glossary.md#latency),
# [p50](../docs/reference/glossary.md#p50),
# [p99](../docs/reference/glossary.md#p99).
# Each is said in a sentence where it first comes up.
#
# **Predict first.** Before a run there is a cell with `guess = None`. Put your answer
# in the place of `None`, then go on. A wrong guess teaches more than no guess.

# %% [markdown]
# ## What Kafka is, and what this is
#
# Apache Kafka is a program that runs on one or more servers, called *brokers*.
# Programs called *producers* send it *records*. A record is a few bytes about one
# thing that happened: here, a departure. The brokers write the records down, one after
# the other, and keep them. Programs called *consumers* read them, each at its own pace.
#
# kafkasim is not Kafka. It follows the rules of Kafka 4.3 in simulated time. No server
# is started, and the same scenario gives the same numbers every time.
#
# A first picture: there is a **channel**, and whoever wants what is sent there
# **subscribes** to it. In Kafka a channel is called a *topic*. The picture is good
# enough to begin with. Further down you see where it breaks.
#
# ## Twelve departures
#
# These are the first twelve departures in New York's timetable for 2013, with one
# change: they leave one second apart, so that a pencil can follow.

# %%
import pandas as pd

import kafkasim as ks

twelve = pd.DataFrame(
    [
        (0, "UA", "IAH"),
        (1, "UA", "IAH"),
        (2, "AA", "MIA"),
        (3, "B6", "BQN"),
        (4, "UA", "ORD"),
        (5, "B6", "BOS"),
        (6, "DL", "ATL"),
        (7, "B6", "FLL"),
        (8, "EV", "IAD"),
        (9, "B6", "MCO"),
        (10, "AA", "ORD"),
        (11, "B6", "PBI"),
    ],
    columns=["at_s", "carrier", "to"],
)
twelve

# %% [markdown]
# The airports send each departure to the topic `flights`. One reader wants them: the
# departures **board**. It needs 200 ms for a flight. Computers and network are *ideal*
# here: they take no time, so that only the rules are left. All this together is a
# *scenario*: who sends what, who wants it, and which system serves it.

# %%
airports = ks.Source(
    stream="flights",
    arrivals=ks.traces.from_dataframe(twelve, time="at_s", time_unit="s"),
    keys=ks.TraceColumn("carrier"),
)
board = ks.Subscriber(streams=["flights"], work_ms=200)
only_board = ks.Scenario(
    ks.Traffic(sources={"airports": airports}, subscribers={"board": board}),
    ks.Kafka(hardware=ks.Hardware.ideal()),
)
one = ks.run(only_board)
ks.plot.log(one, at_s=7.1)

# %% [markdown]
# This is the topic 7.1 seconds after the first departure. Each box is a record. A new
# record is put at the right end and gets the next number, its *offset*. Such a row of
# records is a *log*. The marker is the *position* of the board: the offset of the next
# record it will take up. (Kafka's own `position()` moves on by all that it handed over
# at once; here it moves record by record.) Leave the open square for later.
#
# kafkasim has words that fit any system: a *source* sends into a *stream*, a
# *subscriber* wants it. Here Kafka serves them, so the source is a *producer*, the
# stream is a *topic*, and the subscriber is a *consumer group*.

# %% [markdown]
# ## What a run gives you: tables
#
# A run gives a *result*, and a result is a set of tables. Everything in these lessons,
# figures too, comes from them. The first has a row for each record that was sent:

# %%
sent = ["record_id", "key", "partition", "offset", "created_ms", "acked_ms"]
one.records[sent].round(3)

# %% [markdown]
# - `key`: what the sender wrote on the record, here the carrier. It matters below.
# - `partition` and `offset`: where the record is kept. Here there is one partition, 0.
# - `created_ms`: when the producer took the record. Times count from the run's start.
# - `acked_ms`: when the producer had the broker's answer: "I have it".
#
# The 5 ms between the two are no accident. A producer waits a little for more records,
# so as to send them together (`linger.ms`, default 5 since Kafka 4.0, KIP-1030).
#
# The second table has a row each time a record was handed to a reader:

# %%
read = ["record_id", "subscriber", "offset", "started_ms", "ended_ms"]
one.deliveries[read].round(3)

# %% [markdown]
# The *latency* of a flight is the time from when it was to be sent until the board was
# done with it. **By hand:** flight 3 was sent at 3,000 ms and done at 3,205 ms, so its
# latency is 205 ms. So it is for all twelve.
#
# For many flights one says it with two numbers. Sort the latencies, smallest first. The
# **p50** is the one half-way up: half of the flights had that latency or less. The
# **p99** is the one that 99 of 100 do not exceed. `ks.summary` has both, and the *lag*:
# how many records were in the log and not yet processed, at the worst moment.

# %%
measures = [
    "subscriber",
    "records",
    "latency_ms_p50",
    "latency_ms_p99",
    "lag_records_max",
]
ks.summary(one)[measures].round(0)

# %% [markdown]
# ## A slow reader
#
# Somebody else wants the same departures: **billing**, which works out the landing
# fees. It needs 1,500 ms for a flight, and a flight comes every 1,000 ms. All else
# stays: `where` gives the same scenario with one place changed, and a path of names and
# dots, such as `traffic.subscribers`, says which place.
#
# **Predict.** At 11.5 s all twelve flights are in the log. How many of them has billing
# *finished* by then? A pencil is enough: billing begins with flight 0 at 5 ms.

# %%
guess = None  # how many of the 12 flights?

# %%
SUBSCRIBERS = "traffic.subscribers"
billing = ks.Subscriber(streams=["flights"], work_ms=1_500)
with_billing = only_board.where({SUBSCRIBERS: {"board": board, "billing": billing}})
two = ks.run(with_billing)

# %% tags=["reveal"]
done = two.deliveries.query("subscriber == 'billing' and ended_ms <= 11_500")
ks.lessons.reveal(
    guess,
    len(done),
    "of the 12 flights are finished by billing at 11.5 s",
    figure=ks.plot.log(two, at_s=11.5),
)

# %% [markdown]
# The figure shows one log and two markers. Billing's marker is one further than what it
# has finished: it is at work on the flight in between. All that it has not finished,
# whether it waits or is being worked on, is billing's lag. The board's marker is where
# it would be without billing.
#
# **By hand.** Flight *i* is done by billing at 1,505 + *i* × 1,500 ms, and it was sent
# at *i* × 1,000 ms. Write down the twelve latencies. Which one is the p50, which the
# p99? Then open this.
#
# <details><summary>The twelve latencies</summary>
#
# The latency of flight *i* is 1,505 + *i* × 500 ms:
# 1,505, 2,005, 2,505, 3,005, 3,505, **4,005**, 4,505, 5,005, 5,505, 6,005, 6,505,
# **7,005**. Half of twelve is six: the p50 is the sixth, 4,005 ms. 99 of 100 of twelve
# is 11.88, so all twelve are needed: the p99 is the last, 7,005 ms.
#
# </details>

# %%
ks.summary(two)[measures].round(0)

# %% [markdown]
# ## One who comes late
#
# A third reader, the **archive**, is started at 6 s. It wants all departures, also
# those that were sent before it came (`wants="all"`; in Kafka a new group gets that by
# `auto.offset.reset=earliest`), and needs 100 ms for each. By then the board has long
# read flights 0 to 5.
#
# **Predict.** With which offset does the archive begin?

# %%
guess = None  # an offset

# %%
archive = ks.Subscriber(streams=["flights"], work_ms=100, from_s=6, wants="all")
everyone = only_board.where(
    {SUBSCRIBERS: {"board": board, "billing": billing, "archive": archive}}
)
three = ks.run(everyone)

# %% tags=["reveal"]
reads = three.deliveries.query("subscriber == 'archive'")
ks.lessons.reveal(
    guess,
    reads["offset"].iloc[0],
    "is the offset of the first record that the archive reads",
    figure=ks.plot.log(three, at_s=6.35),
)

# %%
reads[read].round(3)

# %% [markdown]
# It took 0.6 s for the flights that lay in the log when it came. From then on it reads
# each new one as it comes.
#
# > **What people get wrong.** "Reading a record removes it." Count the flights in the
# > log, and how often they were read:

# %%
print(len(three.records), "records in the log")
three.deliveries.groupby("subscriber", observed=True).size()

# %% [markdown]
# Every group keeps a position of its own, and reading moves that position and nothing
# else. What deletes by default is *retention*: a topic keeps records for a time, seven
# days if nothing is said (`retention.ms`), or up to a size, and then drops the oldest,
# a whole file at once, read or not (`UnifiedLog.deleteOldSegments`). No run here lasts
# seven days: the log keeps everything. Lesson 06 is about it.
#
# ## Does the producer notice?
#
# **Predict.** Run the same departures with no reader at all, with one, and with three,
# of which one is slow. In how many of the 12 rows do `created_ms`, `acked_ms` or
# `offset` differ?

# %%
guess = None  # how many of the 12 rows?

# %%
runs = {
    "no reader": ks.run(only_board.where({SUBSCRIBERS: {}})),
    "one": one,
    "three": three,
}
noticed = ["created_ms", "acked_ms", "offset"]
side_by_side = pd.concat(
    {name: run.records[noticed] for name, run in runs.items()}, axis="columns"
)

# %% tags=["reveal"]
alone = side_by_side["no reader"]
differs = (side_by_side["one"] != alone) | (side_by_side["three"] != alone)
ks.lessons.reveal(
    guess,
    differs.any(axis="columns").sum(),
    "of the 12 rows differ",
    figure=side_by_side.round(3),
)

# %% [markdown]
# > **What people get wrong.** "A slow subscriber slows the producer." The table refutes
# > it: to the nanosecond, the producer does not know who reads.
#
# No rule of Kafka makes a producer wait for a consumer. Real hardware is not ideal:
# reading and writing share the brokers' processors, disks and network, and so very many
# readers can be felt. That is a matter of machines, not of waiting for each other.
#
# ## Move it yourself
#
# Two channels, `departures` and `arrivals`, ten flights in each, and three subscribers
# like ours. After a change an outline shows where a marker was before. (Without a
# kernel, on a web page for instance, you see a picture.) Before each, say what will
# happen:
#
# 1. Pause the board. Whose markers move?
# 2. Let the archive start at 8 s, and look at 9 s. Where did it begin?
# 3. Let billing work 3 s on a flight. What happens to the producers' lines?

# %%
ks.widgets.ChannelExplorer()

# %% [markdown]
# ## Where the picture breaks
#
# "A channel and its subscribers" sounds like a radio: the channel sends, the
# subscribers receive. Is it so?
#
# **Predict.** A flight is sent at 2 s. Which comes first: the broker tells the board
# about it, or the board asks the broker?

# %%
guess = None  # "broker" or "board"

# %%
fetches = three.requests.query("api == 'Fetch'")
question = ["sender", "sent_ms", "answered_ms", "batch_count"]
asked = fetches.query("sender == 'member:board/1'")[question].round(3)

# %% tags=["reveal"]
before = asked.query("batch_count > 0 and answered_ms > 2_000").iloc[0]
ks.lessons.reveal(
    guess,
    "board" if before["sent_ms"] < 2_000 else "broker",
    "speaks first: the question was on its way before there was a flight",
    choices=["broker", "board"],
    figure=asked.head(8),
)

# %% [markdown]
# Nothing is sent to a subscriber that did not ask. Such a question is a *fetch*. The
# broker answers it as soon as there is a record (`fetch.min.bytes` is 1 by default).
# When none comes for 500 ms (`fetch.max.wait.ms`) it answers with nothing, and the
# board asks again: in those rows `batch_count` is 0. So a reader that waits gets a new
# record at once, and nobody has notified it. (That every second question comes back
# empty is because two waits of 500 ms just fill the second between two flights.)
#
# **Investigate.** A reader that is busy does not ask. Flight 5 was in the log at
# 5,005 ms. When did it reach each of the three?

# %%
three.deliveries.query("record_id == 5")[
    ["subscriber", "fetched_ms", "started_ms", "ended_ms"]
].round(3)

# %% [markdown]
# The board had asked, and got it at once. The archive came at 6 s. But billing was
# there, and got it at 6,005 ms, a second late. Look for its last question before that:

# %%
fetches.query("sender == 'member:billing/1' and sent_ms < 7_000")[question].round(3)

# %% [markdown]
# While it holds records that it has not taken up, a consumer does not ask that broker
# for more (`AbstractFetch`). Billing had flight 4 from 4,505 ms on, took it up at 6,005
# ms, and only then asked again.
#
# > **What people get wrong.** "Kafka notifies its consumers." Consumers ask. That is
# > why a slow one is not flooded: it asks later. (There is a limit. A program takes
# > records from its consumer by calling `poll`. When it does not call for five minutes,
# > its member leaves the group, `max.poll.interval.ms`. kafkasim does not model that
# > yet; the runs of this lesson stay below it.)
#
# | the picture says | in Kafka | seen in |
# |---|---|---|
# | the channel sends to its subscribers | they ask | `requests` |
# | what all have received is gone | it stays until retention | the archive |
# | a slow one holds up the others | each has its own position | the three runs |
# | a channel has one order | each of its partitions has one | below |
# | a subscriber is one program | a group of members | below |
#
# ## Two partitions, two members
#
# A topic may be cut into *partitions*. Each is a log of its own, with offsets from 0.
# A subscriber may be a *consumer group* of several *members*. Billing hires: two
# members, and the topic gets two partitions. Two numbers change, nothing else.
#
# **Predict.** Before, billing took up 12 flights. Now it has two members. How many
# flights do they take up, both together?

# %%
guess = None  # how many, both together?

# %%
shared = everyone.where(
    {"system.topics.flights.partitions": 2, "system.groups.billing.members": 2}
)
split = ks.run(shared)

# %% tags=["reveal"]
taken = split.deliveries.query("subscriber == 'billing'")
ks.lessons.reveal(
    guess,
    len(taken),
    "flights are taken up by billing's two members together",
    figure=ks.plot.log(split, at_s=7.3),
)

# %%
taken[["record_id", "member", "partition", "offset", "ended_ms"]].round(3)

# %% [markdown]
# Within a group each partition has one owner, so each flight goes to one member. The
# other groups still get every flight. Compare with the keys:

# %%
split.records[sent].sort_values(["partition", "offset"]).round(3)

# %% [markdown]
# - The *key* chose the partition: all flights of a carrier are in one. The rule is a
#   hash (`BuiltInPartitioner.partitionForKey`). Lessons 03 and 04 are about it.
# - An offset counts within a partition. There are two records with offset 0 now. A
#   place in Kafka is topic, partition *and* offset.
# - Within a partition the order is kept. Across the two Kafka promises none.
#
# It helped billing. The shares are not equal, though, 8 flights and 4: two of the
# carriers with many flights, UA and B6, happen to share a partition.

# %%
ks.summary(split)[measures].round(0)

# %% [markdown]
# ## A number that misleads
#
# Now and then each group notes at the brokers how far it has come: it *commits* an
# offset. When one of its members fails, another goes on from there. Back to the run
# with one partition. Here is what was committed:

# %%
three.commits[["group", "partition", "offset", "at_ms"]].round(3)

# %% [markdown]
# By default a consumer commits in a call of `poll`, when five seconds have passed since
# the last time (`auto.commit.interval.ms`). A committed offset is the *next* one to
# read: the board's commit of 5 means that 0 to 4 are done. (Kafka's consumer also
# commits when it is closed. Here nobody closes it: the run just ends.)
#
# Kafka has a tool that prints the lag of a group, `kafka-consumer-groups --describe`.
# It reckons **log end − committed offset**.
#
# **Predict.** At 9.9 s the board has done all flights that were sent. What lag does
# that tool print for it?

# %%
guess = None  # how many records?

# %%
state = ks.analysis.positions(three, at_s=9.9)

# %% tags=["reveal"]
by_the_tool = state["log_end"] - state["committed"]
ks.lessons.reveal(
    guess,
    by_the_tool[state["subscriber"] == "board"].item(),
    "is the lag that the tool prints for the board",
    figure=state[["subscriber", "log_end", "position", "committed"]],
)

# %% [markdown]
# **A plausible wrong result.** "The board is up to five flights behind, so it is too
# slow. Give it a second member." The number is right, and the conclusion wrong. Nothing
# waits: the board's position is at the log's end. The number grows until the next
# commit and falls back. It shows the clock of the commits. (Nor would a second member
# help. There is one partition, and a partition has one owner.)

# %%
ks.plot.offsets(three, subscriber="board")

# %% [markdown]
# The committed offsets are the open squares in the figures above. What they do tell: if
# the board failed at 9.9 s, whoever went on would do those five flights once more. In
# kafkasim *lag* means records that are not yet processed. Lesson 08 comes back to it.
#
# ## A real day
#
# Enough pencil. Here are all 966 departures that were scheduled from New York's three
# airports for Monday, 1 July 2013 (US Bureau of Transportation Statistics). A minute of
# that day lasts a second, so the day lasts 1,440 s. The timetable has whole minutes.
# Where in its minute a flight leaves is left to chance, and all chance comes from one
# number, the *seed* of the scenario.
#
# The code is the same. Other departures arrive, those of July, cut after one day; and
# billing now needs 1,200 ms.
#
# **Predict.** Billing has 966 × 1.2 s = 1,159 s of work, and the day has 1,440 s. There
# is time enough. What is billing's lag at the worst moment?

# %%
guess = None  # how many flights?

# %%
BILLING_WORK = "traffic.subscribers.billing.work_ms"
july_1 = everyone.where(
    {
        "traffic.sources.airports.arrivals": ks.traces.flights(month=7, speedup=60),
        "traffic.duration_s": 24 * 60,
        BILLING_WORK: 1_200,
    }
)
day = ks.run(july_1)

# %% tags=["reveal"]
at_billing = ks.summary(day).set_index("subscriber").loc["billing"]
ks.lessons.reveal(
    guess,
    int(at_billing["lag_records_max"]),
    "flights is the lag of billing at the worst moment",
    figure=ks.plot.lag(day),
)

# %% [markdown]
# Before five in the morning there is nothing to do. Then, in the morning and again in
# the afternoon, more flights come than billing can do. In between it does not catch up,
# so the second wave comes on top of the first. The lag is largest at about eight in the
# evening and gone only after midnight. That there is time enough *on average* says
# little.
#
# Change one number: billing needs 1,000 ms.

# %%
faster = ks.run(july_1.where({BILLING_WORK: 1_000}))
ks.plot.lag(faster)

# %%
pd.concat({"1,200 ms": ks.summary(day), "1,000 ms": ks.summary(faster)})[
    measures
].round(0)

# %% [markdown]
# A sixth less work, a third of the lag: now the first wave is nearly worked off when
# the second comes. The board and the archive have the same numbers in both runs. They
# do not notice billing either.
#
# ## Exercises
#
# **1. Change one setting.** The archive comes at 6 s and wants only what is new
# (`wants="new"`, which is what Kafka does by default: `auto.offset.reset=latest`). Use
# the twelve departures. With which offset does it begin, and how many flights does it
# never see? Predict, then run. The path is `traffic.subscribers.archive.wants`.

# %% tags=["solution"]
# Solution. It begins at 6: flight 6 is the first that is sent after it came.
only_new = ks.run(everyone.where({"traffic.subscribers.archive.wants": "new"}))
first_read = only_new.deliveries.query("subscriber == 'archive'")["offset"].min()
print(f"It begins with offset {first_read} and never sees {first_read} flights.")

# %% [markdown]
# **2. Change one setting.** How slow may the board become before it falls behind, with
# a departure each second? Try 600, 900 and 1,200 ms of work in
# `traffic.subscribers.board.work_ms`. Which of the three have a p50 that differs from
# the p99? What would the p99 of the third be with a hundred departures?

# %% tags=["solution"]
# Solution. At 600 and 900 ms a flight is done before the next one comes. At 1,200 ms
# each waits 200 ms longer than the one before it: 1,205 + 200 × i. Of a hundred flights
# the p99 is the 99th, with i = 98: 20,805 ms. It has no end.
work = "traffic.subscribers.board.work_ms"
ks.sweep(only_board, {work: [600, 900, 1_200]}, workers=1, progress=False)[
    ["work_ms", "latency_ms_p50", "latency_ms_p99", "lag_records_max"]
].round(0)

# %% [markdown]
# **3. Ask a table.** Which flight of 1 July had the largest latency at billing? When
# was it sent, and when was it done? Give both as times of that day in New York: a
# second of the run is a minute. `day.deliveries` and `day.records` have the answer; its
# column `intended_ms` says when a flight was to be sent.

# %% tags=["solution"]
# Solution. The one that is processed last need not be the one that waited longest.
billed = day.deliveries.query("subscriber == 'billing'").merge(
    day.records[["record_id", "intended_ms"]], on="record_id"
)
billed["latency_ms"] = billed["ended_ms"] - billed["intended_ms"]
worst = billed.nlargest(1, "latency_ms").iloc[0]
midnight = pd.Timestamp("2013-07-01")
for what in ("intended_ms", "ended_ms"):
    moment = midnight + pd.Timedelta(worst[what] * 60, "ms")
    print(f"{what:12} {moment:%d %B %H:%M}")

# %% [markdown]
# **4. Make one.** A kiosk in the break of a match. An order comes every 4 s
# (`ks.Periodic`), for three minutes (`duration_s`). The *bar* needs 5 s for an order,
# alone at first. The *till* only counts, 100 ms an order. The key of an order is the
# row of seats, one of 12 (`ks.UniformKeys`). Write the scenario. What are the bar's p50
# and p99? Then give the bar a second member and the topic a second partition. Is that
# enough?

# %% tags=["solution"]
# Solution. Alone, each order makes the bar a second later. Two members are enough.
# They do not work equally much: a row of seats is always served by the same one.
orders = ks.Source(
    stream="orders", arrivals=ks.Periodic(rate_per_s=1 / 4), keys=ks.UniformKeys(12)
)
kiosk = ks.Scenario(
    ks.Traffic(
        sources={"seats": orders},
        subscribers={
            "bar": ks.Subscriber(streams=["orders"], work_ms=5_000),
            "till": ks.Subscriber(streams=["orders"], work_ms=100),
        },
        duration_s=3 * 60,
    )
)
pair = kiosk.where(
    {"system.topics.orders.partitions": 2, "system.groups.bar.members": 2}
)
both = {"alone": ks.summary(ks.run(kiosk)), "two": ks.summary(ks.run(pair))}
pd.concat(both)[measures].round(0)

# %% [markdown]
# **5. Your own data.** Take any table of yours with a column of times: messages of a
# chat, purchases, log lines. `ks.traces.from_csv("mine.csv", time="when")` reads it;
# its other columns can be the key. If it spans days, add `speedup=3600`: then an hour
# of the table passes in a second. Pick a subscriber and its `work_ms`. Does it keep up?
# When does the lag peak? No table at hand? Use this one:

# %%
mine = pd.DataFrame(
    {
        "when": pd.date_range("2026-03-02 09:00", periods=90, freq="20s")
        .append(pd.date_range("2026-03-02 09:10", periods=60, freq="5s"))
        .sort_values(),
        "who": ["ann", "bob", "cho"] * 50,
    }
)
mine.head(3)

# %% tags=["solution"]
# Solution, with the stand-in. From a file it is ks.traces.from_csv("mine.csv",
# time="when"). The lag peaks when the busy five minutes end.
chat = ks.Source(
    stream="chat",
    arrivals=ks.traces.from_dataframe(mine, time="when"),
    keys=ks.TraceColumn("who"),
)
reader = ks.Subscriber(streams=["chat"], work_ms=6_000)
own = ks.run(ks.Scenario(ks.Traffic({"people": chat}, {"reader": reader})))
ks.plot.lag(own)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. All subscribers of a topic have read a record. What happens to it?**
#
# <details><summary>A. It is deleted at once.</summary>
#
# Not so: reading deletes nothing. The archive read from offset 0 what the board had
# read seconds before.
#
# </details>
# <details><summary>B. It stays until retention drops it.</summary>
#
# Right: a topic keeps records by time or size, whoever has read them.
#
# </details>
# <details><summary>C. It is deleted when the last group has committed it.</summary>
#
# Not so: a commit is a note about a group. It does not touch the log.
#
# </details>
#
# **2. A subscriber gets ten times slower. What does the producer see?**
#
# <details><summary>A. It waits longer for the broker's answers.</summary>
#
# Not so: the broker answers the producer when it has the record. It waits for no
# reader.
#
# </details>
# <details><summary>B. It must keep records until the subscriber is ready.</summary>
#
# Not so: the log keeps them, at the broker.
#
# </details>
# <details><summary>C. Nothing.</summary>
#
# Right: only that subscriber's lag grows.
#
# </details>
#
# **3. A topic has two partitions. How many records have offset 7?**
#
# <details><summary>A. At most two.</summary>
#
# Right: each partition counts for itself, from 0.
#
# </details>
# <details><summary>B. Exactly one.</summary>
#
# Not so: an offset is unique within a partition, not within a topic.
#
# </details>
# <details><summary>C. One for each subscriber.</summary>
#
# Not so: subscribers do not make copies. They read the same record.
#
# </details>
#
# **4. A group has two members. Who gets a record?**
#
# <details><summary>A. Both members.</summary>
#
# Not so: two *groups* would both get it. Within a group a partition has one owner.
#
# </details>
# <details><summary>B. The member that owns the record's partition.</summary>
#
# Right: so the members share the work.
#
# </details>
# <details><summary>C. The member that is free.</summary>
#
# Not so: in a consumer group who is free does not matter; the partition decides. (Kafka
# also has share groups, which hand records to whoever asks; KIP-932.)
#
# </details>
#
# **5. The p99 of latency is 7,005 ms and the p50 4,005 ms. What is true?**
#
# <details><summary>A. The mean latency is 4,005 ms.</summary>
#
# Not so: the p50 is the one in the middle, not the mean. They may lie far apart.
#
# </details>
# <details><summary>B. Half of the records took 4,005 ms or less.</summary>
#
# Right: at least half of them did.
#
# </details>
# <details><summary>C. The slowest record took 7,005 ms.</summary>
#
# Not so, in general: up to one in a hundred may have been slower. With only twelve
# records p99 and slowest are the same.
#
# </details>
#
# ## What this leaves out
#
# There is one copy of each record here and no broker fails; groups are joined from the
# start. Kafka does more, and later lessons say so.
# [How Kafka is modelled](../docs/explanation/model.md) has each step and its source,
# the [glossary](../docs/reference/glossary.md) each word with what the neighbours call
# it. What happens when each sender sends to each reader itself, without a topic in
# between, is lesson 02.

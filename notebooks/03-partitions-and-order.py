# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Partitions and order
#
# More partitions let more members of a group work at the same time. What does that do
# to the order of the records, and what does the key decide?
#
# **After this lesson you can** say where Kafka keeps order and where it does not,
# predict what a key does to balance and order, and check both in the tables of a run.
#
# **New words.** A *record* is one thing that was sent: here a departure. Records of one
# kind go to a *topic*, which is cut into *partitions*; in a partition each record gets
# the next *offset*. A *producer* sends; the *key* of a record chooses its partition.
# The *members* of a *consumer group* share the partitions: each partition has one
# owner. Two words are kafkasim's own. The *entity* is whose order matters: here the
# aircraft. A record is *overtaken* when a record of the same entity that the world
# wanted later is processed earlier.
#
# Kafka here means Apache Kafka 4.3, simulated: there is no broker to start, and the
# same scenario gives the same numbers every time.

# %% [markdown]
# ## Five flights and a pencil
#
# One aircraft leaves New York five times, 10 ms apart: three times from Newark (EWR),
# then twice from LaGuardia (LGA). Each flight is a record; its key is the airport.

# %%
import pandas as pd

import kafkasim as ks

five = pd.DataFrame(
    {
        "at_ms": [0, 10, 20, 30, 40],
        "tail": ["N104UW", "N104UW", "N104UW", "N104UW", "N104UW"],
        "origin": ["EWR", "EWR", "EWR", "LGA", "LGA"],
    }
)
five

# %% [markdown]
# The topic has two partitions, the group `board` two members. A member needs 40 ms for
# a record, so flights come faster than one member can work.

# %%
traffic = ks.Traffic(
    sources={
        "airports": ks.Source(
            stream="flights",
            arrivals=ks.traces.from_dataframe(five, time="at_ms", time_unit="ms"),
            keys=ks.TraceColumn("origin"),
            entity=ks.TraceColumn("tail"),
            value_bytes=200,
        )
    },
    subscribers={"board": ks.Subscriber(streams=["flights"], work_ms=40)},
)
kafka = ks.Kafka(
    topics={"flights": ks.Topic(partitions=2)},
    groups={"board": ks.Group(members=2)},
)
pencil = ks.Scenario(traffic, system=kafka, seed=1)
result = ks.run(pencil)
ks.plot.ordering(result)

# %% [markdown]
# Left, the order in which the world wanted the flights; right, the order in which they
# were processed. Two lines that cross are an overtaken pair. Here is where the producer
# put each record, and what the members did:

# %%
result.records[
    ["record_id", "key", "partition", "offset", "intended_ms", "appended_ms"]
]

# %%
result.deliveries[
    ["record_id", "member", "partition", "offset", "started_ms", "ended_ms"]
]

# %% [markdown]
# **By hand.** Take every pair of flights that were wanted in the order *i*, *j*, and
# look up in `ended_ms` which of the two was done first. Ten pairs; write down those
# where it was *j*. Then open this and compare.
#
# <details><summary>The ten pairs</summary>
#
# | pair | ended (ms) | overtaken? |
# |---|---|---|
# | 0, 1 | 45 and 85 | |
# | 0, 2 | 45 and 125 | |
# | 0, 3 | 45 and 75 | |
# | 0, 4 | 45 and 115 | |
# | 1, 2 | 85 and 125 | |
# | 1, 3 | 85 and 75 | **1 by 3** |
# | 1, 4 | 85 and 115 | |
# | 2, 3 | 125 and 75 | **2 by 3** |
# | 2, 4 | 125 and 115 | **2 by 4** |
# | 3, 4 | 75 and 115 | |
#
# Three pairs, two records overtaken. (The times are rounded; the table has the rest.)
#
# </details>
#
# The package counts the same way:

# %%
ks.analysis.ordering(result)[["entity", "records", "overtaken", "overtaken_pairs"]]

# %% [markdown]
# Now count within each partition instead of within the aircraft:

# %%
ks.analysis.ordering(result, per="partition")[
    ["partition", "records", "overtaken", "overtaken_pairs"]
]

# %% [markdown]
# None. **Order does hold per partition and per key; across partitions it does not.**
# The flights from Newark stayed in their order, and so did those from LaGuardia. But
# the aircraft's flights were in two partitions, and two members do not wait for each
# other.
#
# ## The key decides
#
# One value changes: the key is the aircraft.

# %%
KEYS = "traffic.sources.airports.keys"
by_tail = ks.run(pencil.where({KEYS: ks.TraceColumn("tail")}))
ks.plot.ordering(by_tail)

# %%
last = by_tail.deliveries["ended_ms"].max() - result.deliveries["ended_ms"].max()
working = by_tail.deliveries["member"].nunique()
print(
    f"No line crosses. {working} member worked, and all was done {last:.0f} ms later."
)

# %% [markdown]
# That is the trade: one key, one partition, one member. A key that keeps the order of
# an aircraft cannot also let two members work on that aircraft.
#
# The rule is in Kafka's producer (`KafkaProducer.partition`,
# `BuiltInPartitioner.partitionForKey`): a record with a key goes to partition
# `(murmur2(key) & 0x7fffffff) mod partitions`. The same key, the same partition, as
# long as the number of partitions stays.
#
# > **What people get wrong.** "With two or more partitions Kafka guarantees no order."
# > The table per partition refutes it. What is true: there is no order *of the topic*.

# %% [markdown]
# ## A year of flights in a minute
#
# The same code, other flights: all 336,776 departures from New York's three airports in
# 2013 (US Bureau of Transportation Statistics), 525,600 times faster than they
# happened. A record now takes 1 ms of work, the group has eight members, the topic 16
# partitions. The file has whole minutes; each flight is put somewhere in its minute at
# random, by the seed. A few flights have no tail number: they belong to no aircraft, so
# they are in nobody's order.

# %%
ARRIVALS = "traffic.sources.airports.arrivals"
PARTITIONS = "system.topics.flights.partitions"
year = pencil.where(
    {
        ARRIVALS: ks.traces.flights(speedup=ks.traces.YEAR_IN_A_MINUTE),
        "traffic.subscribers.board.work_ms": 1,
        "system.groups.board.members": 8,
        PARTITIONS: 16,
        KEYS: ks.TraceColumn("carrier"),
    }
)

# %% [markdown]
# The key is the carrier, and there are 16 of them. **Predict:** how many of the 16
# partitions get at least one flight? Put your number in the place of 8.

# %%
guess = 8

# %%
by_carrier = ks.run(year)
skew = ks.analysis.skew(by_carrier)
used = int((skew["records"] > 0).sum())
print(f"You said {guess}. It is {used}: {len(skew) - used} partitions stay empty.")
ks.plot.lag(by_carrier, by="partition")

# %%
skew[["partition", "records", "records_share", "keys"]].sort_values(
    "records", ascending=False
).head(4)

# %% [markdown]
# A hash deals keys to partitions as one throws balls into urns: some get several, some
# none. Of 16 urns, 16 balls leave 16 × (15/16)¹⁶ empty on average:

# %%
print(f"{16 * (15 / 16) ** 16:.1f} partitions empty are to be expected")

# %% [markdown]
# And keys are not alike: one partition holds the largest share of all flights, and its
# member works alone while others have nothing to do. That is the lag in the figure.
#
# ## Which key, how many partitions?
#
# July alone, three keys, five numbers of partitions. The eight members stay. Before you
# run it: which of the three keys will be fastest with 16 partitions, and which of them
# will keep every aircraft's order?

# %%
july = year.where(
    {ARRIVALS: ks.traces.flights(month=7, speedup=ks.traces.YEAR_IN_A_MINUTE)}
)
table = ks.sweep(
    july,
    {
        KEYS: {
            "carrier": ks.TraceColumn("carrier"),
            "aircraft": ks.TraceColumn("tail"),
            "none": ks.NoKeys(),
        },
        PARTITIONS: [1, 2, 4, 8, 16],
    },
    workers=1,
    progress=False,
)
ks.plot.sweep(table, y=["drain_s", "overtaken_share"], x="partitions")

# %%
table.pivot_table(
    index="partitions",
    columns="keys",
    values=["drain_s", "overtaken_share"],
    sort=False,
).round(3)

# %% [markdown]
# Read it line by line.
#
# - **Up to 8 partitions** each step is faster, because more members have work; by
#   carrier hardly so from 4 to 8, where one partition already has most to do.
# - **From 8 to 16** the members are the limit. By carrier it even takes *longer*. Look
#   at how many flights each member processed:

# %%
work = {
    count: ks.run(july.where({PARTITIONS: count})).deliveries["member"].value_counts()
    for count in (8, 16)
}
pd.DataFrame(work).fillna(0).astype(int).sort_index()

# %% [markdown]
# With 16 partitions the range assignor (`RangeAssignor`) gives each member two
# neighbours: 0 and 1 to the first, 2 and 3 to the second. Two busy partitions ended up
# with one member, so one member does more than the busiest of eight did before, and
# some have no flight at all. Another set of keys would have other luck: it is the *few
# and unequal* keys that leave it to luck.
#
# - **The aircraft as key** is balanced, because there are thousands of them, and no
#   aircraft is overtaken.
# - **No key** is nearly as balanced and nearly as fast. But nobody keeps an aircraft's
#   flights together: the share overtaken is what that costs.
#
# > **What people get wrong.** "Records without a key are dealt round-robin." Not since
# > Kafka 2.4 (KIP-480, today KIP-794): the producer stays with one partition until it
# > has sent it `batch.size` bytes, 16,384 by default. That makes runs:

# %%
keyless = july.where({KEYS: ks.NoKeys()})
ks.analysis.batching(ks.run(keyless))[
    ["closed_by", "batches", "records_per_batch", "records_per_run"]
]

# %% [markdown]
# ## Ask the table
#
# Which flight was overtaken first, and by which? That is a question to a table, not to
# a figure:

# %%
overtakings = ks.analysis.overtakings(ks.run(keyless))
overtakings.nsmallest(1, "overtaker_processed_ms")[
    [
        "entity",
        "record_id",
        "record_partition",
        "processed_ms",
        "first_overtaker",
        "overtaker_partition",
        "overtaker_processed_ms",
    ]
].T

# %% [markdown]
# ## Move it yourself
#
# The explorer runs July again at every change. In a notebook without a kernel, on a web
# page for instance, you see a picture of it. Try: one partition; then 8; then key
# *carrier*; then `linger.ms` at 50.

# %%
ks.widgets.partitions(july.where({KEYS: ks.TraceColumn("tail"), PARTITIONS: 4}))

# %% [markdown]
# ## Exercises
#
# **1. Change one setting.** Without a key, a run of records goes to one partition, and
# its length is decided by `batch.size`. Predict: with 65,536 bytes instead of 16,384,
# are more flights overtaken or fewer? And with 4,096? The path is
# `system.producers.airports.config.batch_size`.

# %% tags=["solution"]
# Solution. The longer the run, the more records wait behind each other at one member
# while the flights of the same aircraft that came later go to an idle one.
ks.sweep(
    keyless,
    {"system.producers.airports.config.batch_size": [4_096, 16_384, 65_536]},
    workers=1,
    progress=False,
)[["batch_size", "overtaken_share", "latency_ms_p99"]]

# %% [markdown]
# **2. Make one.** Key the flights of July by the airport they leave from (`origin`),
# with 8 partitions. Before you run it, write down: how many partitions can be used at
# most? Will the order of an aircraft hold? Then answer both from tables.

# %% tags=["solution"]
# Solution. Three airports, so at most three partitions; an aircraft that leaves from
# two airports is in two of them, and its flights can overtake each other.
by_airport = ks.run(july.where({KEYS: ks.TraceColumn("origin"), PARTITIONS: 8}))
airports = ks.analysis.skew(by_airport)
share = ks.analysis.metrics(by_airport)["overtaken_share"]
print(f"{(airports['records'] > 0).sum()} partitions used, {share:.1%} overtaken")

# %% [markdown]
# **3. Your own traffic.** `ks.traces.from_csv("mine.csv", time="…")` reads any table
# with a column of times; its other columns serve as key, entity and size. Put it in the
# place of the flights:
#
# ```python
# mine = pencil.where({ARRIVALS: ks.traces.from_csv("mine.csv", time="placed")})
# ```
#
# ## What this leaves out
#
# All that a partition costs here is that batches are smaller. In Kafka it also takes
# files, memory, and time when a leader is elected, so this lesson does not show that
# more are never worse. Replication, failures and rebalances are not in it either. What
# the simulation does at each step stands in `docs/explanation/model.md`.

# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Partitions: parallelism and order
#
# One partition is one queue. More partitions let more members of a group work at the
# same time. How much does that buy, where does it stop buying, and what does it do to
# the order of the records?
#
# **After this lesson you can**
#
# - say from a table why one partition stalls, and how much more partitions can help;
# - name three limits that more partitions do not move: members, keys, skew;
# - predict what a key, or none, does to balance and to order;
# - say where Kafka keeps order, and where it does not.
#
# **New words.** [partitioner](../docs/reference/glossary.md#partitioner),
# [murmur2](../docs/reference/glossary.md#murmur2),
# [skew](../docs/reference/glossary.md#skew),
# [assignor](../docs/reference/glossary.md#assignor), [range
# assignor](../docs/reference/glossary.md#range-assignor),
# [batch](../docs/reference/glossary.md#batch), [sticky
# partition](../docs/reference/glossary.md#sticky-partition). Three more are kafkasim's
# own: [drain](../docs/reference/glossary.md#drain),
# [entity](../docs/reference/glossary.md#entity) and
# [overtaken](../docs/reference/glossary.md#overtaken). Each is said in a sentence where
# it first comes up. The words of lesson 01 are used as they are.
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are six, and three of them surprise most people.

# %% [markdown]
# ## Eight flights, one partition
#
# These are the first eight departures from New York in July 2013, with one change: they
# leave 10 ms apart. Each is a record. Its key is the tail number, which names the
# aircraft. They go to the topic `flights`; the group `board` has four members, and a
# member needs 40 ms for a flight. Network and brokers are ideal, as in lesson 01.

# %%
import pandas as pd

import kafkasim as ks

eight = pd.DataFrame(
    [
        (0, "N167US", "US"),
        (10, "N442UA", "UA"),
        (20, "N5ENAA", "AA"),
        (30, "N708JB", "B6"),
        (40, "N14237", "UA"),
        (50, "N545UA", "UA"),
        (60, "N428UA", "UA"),
        (70, "N959UW", "US"),
    ],
    columns=["at_ms", "tail", "carrier"],
)
eight

# %%
airports = ks.Source(
    stream="flights",
    arrivals=ks.traces.from_dataframe(eight, time="at_ms", time_unit="ms"),
    keys=ks.TraceColumn("tail"),
    entity=ks.TraceColumn("tail"),  # whose order matters: see the third surprise
    value_bytes=200,
)
board = ks.Subscriber(streams=["flights"], work_ms=40)
pencil = ks.Scenario(
    ks.Traffic(sources={"airports": airports}, subscribers={"board": board}),
    ks.Kafka(groups={"board": ks.Group(members=4)}, hardware=ks.Hardware.ideal()),
)
one = ks.run(pencil)
ks.plot.lag(one)

# %% [markdown]
# The lag climbs while flights come, and then falls by one every 40 ms. Who did the
# work?

# %%
done = ["record_id", "partition", "offset", "member", "started_ms", "ended_ms"]
one.deliveries[done].round(3)

# %% [markdown]
# One member worked, three had nothing. Within a group a partition has one owner, and
# that owner takes its records one after the other. **By hand:** the first flight is
# there at 5 ms (the producer waits that long for company). So flight *i* is done at 5 +
# 40 × (*i* + 1) ms, and the last one, flight 7, at 325 ms. A flight comes every 10 ms,
# one is done every 40 ms: that is why one partition stalls.
#
# > **What people get wrong.** "The group is slow, so start more members." With one
# > partition the fifth to the eighth would be as idle as the second to the fourth:

# %%
MEMBERS = "system.groups.board.members"
more_members = ks.run(pencil.where({MEMBERS: 8}))
print(f"Eight members: done at {more_members.deliveries['ended_ms'].max():.0f} ms.")

# %% [markdown]
# ## Four partitions
#
# Now one number changes: four partitions, one for each member. The producer looks at
# the key to choose one. The rule that chooses is the *partitioner*. Kafka's own takes a
# hash of the key, called *murmur2*, and divides it by the number of partitions; what is
# left over is the partition. You can ask without running anything:

# %%
eight.assign(partition=[ks.partition_for_key(key, 4) for key in eight["tail"]])

# %% [markdown]
# **Predict.** With one partition the last flight was done at 325 ms. With four
# partitions and four members, when? A pencil is enough: a flight can begin 5 ms after
# it was sent, or when the flight before it in its partition is done.

# %%
guess = None  # at how many ms is the last flight done?

# %%
PARTITIONS = "system.topics.flights.partitions"
four = ks.run(pencil.where({PARTITIONS: 4}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(four.deliveries["ended_ms"].max()),
    "is when the last flight is done",
    unit="ms",
    figure=four.deliveries.sort_values(["partition", "offset"])[done].round(3),
)

# %% [markdown]
# Was it four times as fast? Look for the partition with the most flights: its owner
# does them one after the other. That the shares are unequal is called *skew*. The
# busiest member decides when all is done.
#
# ## A month of flights
#
# The same code, other flights: all 29,425 departures of July 2013 (US Bureau of
# Transportation Statistics), so fast that a year would take a minute. July takes 5.1
# seconds. Two numbers fit the larger traffic: a flight takes 1 ms of work, and the
# group has eight members.
#
# We look at the *drain*: how long after the last record was to be sent the last one was
# processed. It is kafkasim's word for "and when are we done?".

# %%
ARRIVALS = "traffic.sources.airports.arrivals"
july = pencil.where(
    {
        ARRIVALS: ks.traces.flights(month=7, speedup=ks.traces.YEAR_IN_A_MINUTE),
        "traffic.subscribers.board.work_ms": 1,
        MEMBERS: 8,
    }
)
ks.plot.lag(ks.run(july))

# %% [markdown]
# One partition again, and the same picture: 5,774 flights come in a second, and the one
# member that has work can do 1,000. The axis above shows the calendar: at that pace the
# flights of July are done at the end of December.
#
# **By hand.** All flights together are 29,425 × 1 ms = 29.4 s of work. With *p*
# partitions at most *p* of the eight members work. If they share evenly, they need 29.4
# s divided by *p* (or by 8, if *p* is larger), and 5.1 s of that pass while flights
# still come. The rest is the least drain. Beside it is what a run of each gives
# (`ks.sweep` makes them all):

# %%
KEYS = "traffic.sources.airports.keys"
ENTITY = "traffic.sources.airports.entity"
COUNTS = [1, 2, 4, 8, 16]
by_tail = ks.sweep(
    july,
    {KEYS: {"tail number": ks.TraceColumn("tail")}, PARTITIONS: COUNTS},
)
busy = by_tail["partitions"].clip(upper=8)
by_tail.assign(least_drain_s=(29.425 / busy - 5.1).clip(lower=0))[
    ["partitions", "least_drain_s", "drain_s", "latency_ms_p50", "latency_ms_p99"]
].round(2)

# %% [markdown]
# - **Up to 8 partitions** each step buys much. The runs need a little more than the
#   least, because the hash does not share quite evenly.
# - **From 8 to 16 partitions** nothing is left to buy. There are eight members, and
#   each now has two partitions. That is the first limit: **members**.
#
# ## The first surprise: few keys
#
# Back to the eight flights, with the carrier as key. Now there are four keys for four
# partitions:

# %%
carriers = ["US", "UA", "AA", "B6"]
pd.DataFrame(
    {"carrier": carriers, "partition": [ks.partition_for_key(c, 4) for c in carriers]}
)

# %% [markdown]
# Two carriers share partition 0, and partition 3 stays empty. Nothing prevents that: a
# hash deals keys as one throws balls into boxes. Its owner is idle, though there are as
# many keys as partitions.
#
# In July there are 15 carriers. Key the flights by carrier, with 16 partitions.
#
# **Predict.** How many of the 16 partitions get at least one flight?

# %%
guess = None  # how many of the 16 partitions?

# %%
by_carrier = july.where({KEYS: ks.TraceColumn("carrier")})
sixteen = ks.run(by_carrier.where({PARTITIONS: 16}))

# %% tags=["reveal"]
skew = ks.analysis.skew(sixteen)[["partition", "records", "records_share", "keys"]]
ks.lessons.reveal(
    guess,
    (skew["records"] > 0).sum(),
    "of the 16 partitions get a flight",
    figure=skew.sort_values("records", ascending=False).round(3),
)

# %% [markdown]
# **By hand.** A box stays empty when all 15 balls miss it, and each misses it with
# probability 15/16. So 16 × (1 − (15/16)¹⁵) boxes with a ball are to be expected. Work
# it out: what you saw is ordinary. And the keys are not alike: the column
# `records_share` says how unequal the partitions are.
#
# **Predict.** By carrier, is the group done sooner with 16 partitions than with 8?

# %%
guess = None  # "yes" or "no"

# %%
# As ks.sweep does it, but the runs are kept, and that of 16 is there already.
by_count = {n: ks.run(by_carrier.where({PARTITIONS: n})) for n in (1, 2, 4, 8)}
by_count[16] = sixteen
carrier = pd.DataFrame(
    {"keys": "carrier", "partitions": n, **ks.analysis.metrics(run)}
    for n, run in by_count.items()
)
drain_s = carrier.set_index("partitions")["drain_s"]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    drain_s[16] < drain_s[8],
    "drain {with_8:.1f} s with 8 partitions, {with_16:.1f} s with 16",
    values={"with_8": drain_s[8], "with_16": drain_s[16]},
    figure=carrier[["partitions", "drain_s", "latency_ms_p99"]].round(2),
)

# %% [markdown]
# If that surprises you, do not blame the partitions yet. Look for the cause in a table.
# How many flights did each member process?

# %%
eight_partitions = by_count[8]
pd.DataFrame(
    {
        "with 8": eight_partitions.deliveries["member"].value_counts(),
        "with 16": sixteen.deliveries["member"].value_counts(),
    }
).sort_index()

# %% [markdown]
# With 16 partitions one member has more to do than the busiest of eight had before, and
# some have nothing. Which partitions is that?

# %%
owned = sixteen.deliveries.groupby(["member", "partition"], observed=True)
owned.size().to_frame("flights")

# %% [markdown]
# The rule that deals partitions to members is the *assignor*. The one used here, the
# *range assignor*, gives each member neighbours: 0 and 1 to the first, 2 and 3 to the
# second (`RangeAssignor`). Partitions 10 and 11 are two of the three busiest. They are
# neighbours, so one member got both.
#
# **By hand.** The busiest member's flights × 1 ms, less the 5.1 s in which they come:
# 12.6 − 5.1 = 7.5 s with 8 partitions, 15.4 − 5.1 = 10.3 s with 16. That is all of the
# drain. Nothing is left over that the partitions themselves would have cost.
#
# Is it the dealing, then? Change it and see. With 16 members each partition has an
# owner of its own. (With 8 partitions 16 members would change nothing: half would be
# idle.)

# %%
parted = ks.run(by_carrier.where({PARTITIONS: 16, MEMBERS: 16}))
print(f"16 partitions, 16 members: {ks.analysis.metrics(parted)['drain_s']:.1f} s")

# %% [markdown]
# Now 16 partitions are faster than 8 were: the busiest member has partition 11 alone,
# and 10.3 − 5.1 = 5.2 s.
#
# **And what is luck?** The seed has no say: a hash has none, every seed gives the same
# carriers in the same partitions. But the *names* are luck. Write something before each
# carrier's code, `2013-UA` for `UA`, and the hash deals anew. Exercise 3 tries 100 such
# names: about as often 16 partitions are faster than 8 as they are slower.
#
# > **A plausible wrong result.** "I measured it: with 16 partitions the drain is 2.8 s
# > longer than with 8. So more partitions cost time." The measurement is right, the
# > conclusion is not. What was measured is one deal of 15 unequal keys. By tail number,
# > with thousands of keys, the same step changed nothing.
#
# That is the second limit: **keys**. A partition without a key is of no use to anybody.
#
# ## One key that is too large
#
# Key the flights by the airport they leave from. There are three, and they are dealt to
# three partitions. What do 4, 8 and 16 partitions give?

# %%
airport = ks.sweep(
    july,
    {KEYS: {"airport": ks.TraceColumn("origin")}, PARTITIONS: [4, 8, 16]},
)
airport[["partitions", "drain_s", "latency_ms_p99"]].round(2)

# %% [markdown]
# The same drain, to the last digit shown. Count the flights of each airport:

# %%
by_airport = ks.run(july.where({KEYS: ks.TraceColumn("origin")}))
by_airport.records["key"].value_counts().to_frame("flights")

# %% [markdown]
# One key goes to one partition, a partition has one owner, and the owner takes one
# record at a time. **By hand:** Newark's flights × 1 ms, less the 5.1 s in which they
# come: that is the drain above, and no number of partitions or members makes it less.
# That is the third limit: **skew** of the keys.
#
# ## The second surprise: no key
#
# A record may have no key. Then the partitioner is free to put it anywhere. Back to the
# eight flights, without a key. To have something to see with eight records, one number
# is smaller than usual: `batch.size` is 500 bytes.

# %%
BATCH_SIZE = "system.producers.airports.config.batch_size"
keyless = pencil.where({KEYS: ks.NoKeys(), PARTITIONS: 4, BATCH_SIZE: 500})
pairs = ks.run(keyless)
pairs.records[["record_id", "key", "partition", "offset", "appended_ms"]].round(3)

# %% [markdown]
# They come in pairs. A producer sends the records of a partition together, in a
# *batch*. Without a key it stays with one partition, its *sticky partition*, until it
# has sent about `batch.size` bytes there; then it draws another one. **By hand:** here
# each flight is a batch of its own, of 270 bytes. Two make 540, which is over 500. So
# after two the producer draws again. It may draw the same partition once more, as it
# did here for the last two pairs.
#
# > **What people get wrong.** "Records without a key are dealt one by one, in turn."
# > Not since Kafka 2.4 (KIP-480; today's rule is KIP-794). The table refutes it.
#
# Back to July, with eight partitions and the usual `batch.size` of 16,384 bytes. A
# record without a key can go anywhere, and nothing is left to a hash.
#
# **Predict.** With no key, is the group done sooner than with the tail number?

# %%
guess = None  # "yes" or "no"

# %%
no_key = ks.sweep(
    july,
    {KEYS: {"no key": ks.NoKeys()}, PARTITIONS: COUNTS},
)
both = pd.concat([by_tail, no_key], ignore_index=True)

# %% tags=["reveal"]
at_8 = both[both["partitions"] == 8].set_index("keys")
drain_s = at_8["drain_s"]
ks.lessons.reveal(
    guess,
    drain_s["no key"] < drain_s["tail number"],
    "drain {no_key:.2f} s without a key, {tail:.2f} s by tail number",
    values={"no_key": drain_s["no key"], "tail": drain_s["tail number"]},
    figure=at_8[["drain_s", "latency_ms_p50", "latency_ms_p99"]].round(2),
)

# %% [markdown]
# The table that explains it has `records_per_run`: how many records in a row went to
# one partition. (Here a *run* is such a row of records.)

# %%
without = ks.run(july.where({KEYS: ks.NoKeys(), PARTITIONS: 8}))
ks.analysis.batching(without)[
    ["batches", "records_per_batch", "bytes_per_batch", "records_per_run"]
].round(1)

# %% [markdown]
# (That is more than the 78 that fit into `batch.size`: another partition is drawn only
# when a batch ends, and it may be the same one again.)
#
# **By hand.** 5,774 flights come in a second, so a run of about 114 comes within 20 ms.
# All of it goes to one member, and each flight takes 1 ms. **Records per run × work:**
# that member has work for 114 ms, and the last of the run wait nearly that long; longer
# when the member's partition is soon drawn again. That is the size of the p50 above. By
# tail number, flights that come one after the other go to different members.
#
# So it should depend on how many records fit into `batch.size`. Larger records make
# shorter runs. Take four partitions, where the group cannot keep up and whatever is
# uneven shows in the drain. One number changes: 8,000 bytes a flight instead of 200.
# (By tail number the size is of no account: the hash decides, and a flight is the same
# work.)

# %%
large_no_key = ks.run(
    july.where(
        {
            "traffic.sources.airports.value_bytes": 8_000,
            PARTITIONS: 4,
            KEYS: ks.NoKeys(),
        }
    )
)
small = both[both["partitions"] == 4].set_index("keys")["drain_s"]
pd.Series(
    {
        "tail number, 200 bytes": small["tail number"],
        "no key, 200 bytes": small["no key"],
        "no key, 8,000 bytes": ks.analysis.metrics(large_no_key)["drain_s"],
    },
    name="drain_s",
).to_frame().round(2)

# %%
ks.analysis.batching(large_no_key)[["closed_by", "batches", "records_per_run"]].round(1)

# %% [markdown]
# The answer turned round. With small records no key is slower than the tail number,
# with large ones it is a little faster. Each run is one throw of the dice. July in runs
# of about a hundred is some three hundred throws, and some partition gets too many of
# them. In such short runs it is thousands of throws, and they even out better than the
# 3,215 aircraft do.
#
# Here the seed is luck: it throws. Exercise 2 repeats it with other seeds.
#
# *For the curious.* The producer also looks at how many batches wait in it for each
# partition, and prefers those with few (`partitioner.adaptive.partitioning.enable`,
# KIP-794). Batches of small flights leave as fast as they come, so all partitions are
# alike to it, and it draws all alike. What waits are records at the *members*, and no
# producer sees those.
#
# ## The third surprise: order
#
# One aircraft, N104UW, leaves five times, 10 ms apart: three times from Newark, then
# twice from LaGuardia. The key is the airport. But *whose* order do we care about? The
# aircraft's. kafkasim calls that the *entity*. It is said apart from the key (the line
# `entity=` at the top), because what one cares about and what one sends need not be the
# same.

# %%
five = pd.DataFrame(
    [
        (0, "N104UW", "EWR"),
        (10, "N104UW", "EWR"),
        (20, "N104UW", "EWR"),
        (30, "N104UW", "LGA"),
        (40, "N104UW", "LGA"),
    ],
    columns=["at_ms", "tail", "origin"],
)
five_flights = pencil.where(
    {
        ARRIVALS: ks.traces.from_dataframe(five, time="at_ms", time_unit="ms"),
        KEYS: ks.TraceColumn("origin"),
        PARTITIONS: 4,
    }
)
crossed = ks.run(five_flights)
crossed.deliveries.sort_values("record_id")[done].round(3)

# %% [markdown]
# A record is *overtaken* when a record of the same entity that was to be sent later is
# processed earlier.
#
# **By hand.** Take each pair of flights and look up in `ended_ms` which of the two was
# done first. Ten pairs; write down those where it was the later one. Then open this.
#
# <details><summary>The ten pairs</summary>
#
# | pair | done at (ms) | overtaken? |
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
# Three pairs, two flights overtaken.
#
# </details>
#
# As a figure: left, the order in which the flights were to be sent; right, the order in
# which they were processed. Where two lines cross, one overtook the other.

# %%
ks.plot.ordering(crossed)

# %% [markdown]
# The package counts the same way:

# %%
ks.analysis.ordering(crossed)[["entity", "records", "overtaken", "overtaken_pairs"]]

# %% [markdown]
# > **What people get wrong.** "With two or more partitions Kafka keeps no order." Count
# > within each partition instead of within the aircraft:

# %%
ks.analysis.ordering(crossed, per="partition")[["partition", "records", "overtaken"]]

# %% [markdown]
# None. **Order holds within a partition, and so for a key while the number of
# partitions stays. Across partitions it does not.** The flights from Newark stayed in
# their order, and so did those from LaGuardia. But the aircraft's flights were in two
# partitions, and two members do not wait for each other.
#
# Now July, with eight partitions. Four keys: the tail number, the carrier, the airport
# a flight leaves from, and none.
#
# **Predict.** With how many of these four keys is no flight overtaken by a later one of
# its aircraft?

# %%
guess = None  # 0 to 4

# %%
runs = pd.concat([by_tail, carrier, airport, no_key], ignore_index=True)
orders = runs[runs["partitions"] == 8]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    (orders["overtaken_share"] == 0).sum(),
    "of the four keys keep the order of every aircraft",
    figure=orders[["keys", "drain_s", "overtaken_share"]].round(3),
)

# %% [markdown]
# Does the carrier surprise you? Ask a table for how many carriers each aircraft flies
# in July. (A few flights have no tail number: they belong to no aircraft, and to
# nobody's order.)

# %%
aircraft = eight_partitions.records.groupby("entity", observed=True)
aircraft["key"].nunique().value_counts().to_frame("aircraft")

# %% [markdown]
# For one, all 3,215 of them. So all flights of an aircraft have the same key. That is
# the rule: **the order of an entity is kept when the entity decides the key.** A
# coarser key keeps it too, and pays with fewer, more unequal keys. But it is a fact
# about July, not about Kafka: an aircraft that was sold would break it. The airport
# does not decide: an aircraft leaves from here today and from there tomorrow.
#
# **Investigate.** Without a key: which flight was overtaken first, and by which? A
# question to a table:

# %%
overtakings = ks.analysis.overtakings(without)
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
].round(3).T

# %% [markdown]
# Two flights of one aircraft went to two partitions. The later one came to a member
# that had less to do. Here are all flights of the aircraft that suffered most, without
# a key and by tail number:

# %%
tail = ks.run(july.where({PARTITIONS: 8}))
ks.plot.braid({"no key": without, "tail number": tail})

# %% [markdown]
# > **A plausible wrong result.** "Without a key a third of the flights are overtaken
# > with four partitions, a fifth with eight. So more partitions are better for order."
# > Both numbers are right. But change the work from 1 ms to 0.1 ms:

# %%
WORK = "traffic.subscribers.board.work_ms"
easy = ks.sweep(july.where({KEYS: ks.NoKeys(), WORK: 0.1}), {PARTITIONS: [4, 8]})
pd.concat({"1 ms": no_key.iloc[2:4], "0.1 ms": easy})[
    ["partitions", "overtaken_share", "latency_ms_p99"]
].round(4)

# %% [markdown]
# Where flights hardly wait, hardly any is overtaken, whatever the number of partitions.
# What makes flights overtake is *waiting, and not equally long*. Four partitions had
# more of that, because they could not keep up. And "hardly" is not "never": a test on a
# quiet system shows an order that Kafka does not promise.
#
# ## All together
#
# Three keys, five numbers of partitions, fifteen Julys. At each point stands the share
# of flights that were overtaken.

# %%
ks.plot.sweep(
    runs[runs["keys"] != "airport"],
    y="drain_s",
    label="overtaken_share",
    title="More partitions, slower",
)

# %% [markdown]
# Read each line for itself, and say its reason before you go on. By carrier it turns up
# at 16, because of how the few keys were dealt. Without a key it stays above the tail
# number, because records are small and so runs are long. By tail number it is flat from
# 8 on, because there are eight members. And with either of these keys nothing is
# overtaken, because the aircraft decides it.
#
# ## Move it yourself
#
# Other traffic, and all controls at once: 1,000 keys, four members, 3,000 records a
# second for three seconds. Its questions are buttons. Answer each before you press it.
# In a notebook without a kernel, on a web page for instance, you see a picture of it.

# %%
ks.widgets.PartitionExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **One partition:** the lag climbs by 2,000 a second. 3,000 come, one member does
#   1,000.
# - **Four:** the lag is flat. Four members can do 4,000.
# - **Eight:** nothing more. There are four members.
# - **No keys:** strands cross.
# - **Skew 2:** one key has six of ten records, 1,800 a second for one member that can
#   do 1,000. Its partition stalls, with 4 partitions and with 16.
#
# </details>
#
# ## Can there be too many?
#
# Up to here each record had one copy, and nothing failed. What if there are copies, and
# a broker dies? Here each of three brokers has a copy of every partition. One of them
# is in charge of it (its [leader](../docs/reference/glossary.md#leader)); the other two
# copy from that one. When a broker dies, others take charge in its place. Lesson 10 is
# about that. Here the question is what it has to do with the number of partitions: of
# 1,000, more than 300 have to change hands at once.
#
# It is 0.3 s of July by tail number, on the usual hardware instead of the ideal one. A
# flight takes the members no time, so what is left is what partitions cost. At 0.2 s
# broker 1 dies and stays away. We look at what happens before that, and at how
# long a flight waits at most until it is safely written.
#
# **Predict.** With one partition that is 10.3 s. How many seconds are it with 1,000?

# %%
guess = None  # how many seconds?

# %%
copied = july.where(
    {
        "traffic.duration_s": 0.3,
        WORK: 0,
        "system.brokers": 3,
        "system.hardware": ks.Hardware(),
        "system.topics.flights.replication_factor": 3,
        "events": [ks.Crash("broker:1", at_s=0.2)],
    }
)

# %%
costs = pd.DataFrame(index=pd.Index([1, 10, 100, 1_000], name="partitions"))
for count in costs.index:
    run = ks.run(copied.where({PARTITIONS: count}))
    asked = run.requests.query("answered_ms < 200")["api"].value_counts() / 0.2
    for api in ("Produce", "FetchFollower", "Fetch"):
        costs.loc[count, f"{api} requests per s"] = asked[api]
    batches = run.appends.query("appended_ms < 200")["record_count"]
    costs.loc[count, "records per batch"] = batches.mean()
    calm = run.records.query("intended_ms < 150").merge(run.deliveries, on="record_id")
    latency_ms = calm["ended_ms"] - calm["intended_ms"]
    costs.loc[count, "latency_ms_p99"] = latency_ms.quantile(0.99)
    elected = run.replicas.query("cause == 'elected'")["at_ms"]
    costs.loc[count, "changed hands"] = len(elected)
    costs.loc[count, "all after (s)"] = (elected.max() - 200) / 1_000
    wait_ms = run.records["acked_ms"] - run.records["intended_ms"]
    costs.loc[count, "longest wait (s)"] = wait_ms.max() / 1_000

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    costs["longest wait (s)"].iloc[-1],
    "is the longest wait with 1,000 partitions",
    unit="s",
    within=0.1,
    figure=costs.iloc[:, -3:].round(2).convert_dtypes(),
)

# %% [markdown]
# Nearly all of it is the time in which nobody knows that the broker is dead, and that
# has nothing to do with partitions. Then all that it was in charge of are given to
# others, by one decision. And what do partitions cost before that?

# %%
shown = [*costs.columns[:5], "longest wait (s)"]
ks.plot.sweep(
    costs[shown].reset_index(),
    x="partitions",
    y=shown,
    title="Up to 1,000 partitions: smaller batches, more requests, "
    "and the same p99 and outage",
)

# %% [markdown]
# - **Up to 100** the same flights travel in smaller and smaller batches. The brokers
#   are asked more often, first because all three have work and then because all eight
#   members have. (`FetchFollower` is how brokers copy from each other.)
# - **From 100 to 1,000** hardly more happens: a batch cannot be smaller than one
#   record. And what goes to one broker goes together: the producer sends it the batches
#   of many partitions at once, and a broker that copies asks for all of them at once.
# - **The p99 and the longest wait** stay where they were.
#
# So there is no number from which on it gets worse. That is a finding about *this
# model*, and no licence: it has none of the costs that Kafka pays for each partition by
# itself. They stand below. The whole of July, with seven numbers of partitions: [many
# partitions](../docs/evidence/many-partitions.md).
#
# ## Where these rules stand
#
# - **With a key** the partition is `(murmur2(key) & 0x7fffffff) mod partitions`; an
#   empty key is hashed too, only a missing one is not (`KafkaProducer.partition`,
#   `BuiltInPartitioner.partitionForKey`).
# - **Without a key** one partition for about `batch.size` bytes, then another one is
#   drawn (`BuiltInPartitioner`; KIP-480, KIP-794).
# - **Owners**: within a group a partition has one (Kafka's documentation, Design, "The
#   Consumer").
# - **Neighbours** go to each member (`RangeAssignor`; it comes first in the default of
#   `partition.assignment.strategy`). Members are ordered by `group.instance.id` or,
#   without one, by their ids: `client.id`, then a random part.
# - **Order** is kept within a partition (documentation, Introduction). Across
#   partitions nothing is promised.
# - **Partitions** can be added, never taken away, and adding some sends keys elsewhere:
#   the division has another remainder. Lesson 04 is about that.
#
# Three remarks for those who know Kafka. Groups of the new protocol (KIP-848) have the
# assignor at the broker; its default, `uniform`, gives a new group neighbours too.
# `RoundRobinAssignor` and, to a new group, `CooperativeStickyAssignor` deal in turn:
# one member gets 3 and 11, which hold what partition 3 of 8 held. Then 16 are neither
# slower nor faster. And share groups (KIP-932) let several members work on one
# partition, which gives up the order within it.
#
# ## What this leaves out
#
# **What a partition costs is modelled in part.** Here more of them make smaller batches
# and more questions to brokers, and no more than that. A broker takes time each time it
# is asked, and for each byte, and none for each partition that it is asked for. Giving
# partitions to other brokers takes one moment, be it one partition or a thousand. A
# broker that starts again has its logs at once; a real one opens and checks them first.
# Its open files and its memory are not counted (Jun Rao, "How to choose the number of
# topics/partitions in a Kafka cluster?", Confluent 2015, names these costs). So nothing
# here shows that a thousand partitions are as good as eight. What you saw getting
# slower was not the number of partitions; it was who got which.
#
# A member here works on one record at a time, as a simple consumer does. A program may
# hand the records of a partition to several threads; then it has to see to their order
# itself. But for the last section there is one copy of each record and no broker fails.
# Nobody joins or leaves a group, and nothing has to be sent twice. In Kafka a producer
# that sends again keeps the order of a partition when it is idempotent
# (`enable.idempotence`), the default since Kafka 3.0 (KIP-679). [How Kafka is
# modelled](../docs/explanation/model.md) has each step and its source, the
# [glossary](../docs/reference/glossary.md) each word with what the neighbours call it.
#
# ## Exercises
#
# **1. Change one setting.** Without a key, `batch.size` decides how long a run is.
# July, eight partitions: predict the p50 of latency with 4,096 and with 65,536 bytes
# instead of 16,384. Are more flights overtaken or fewer? `BATCH_SIZE` holds the path.

# %% tags=["solution"]
# Solution. Run × work again: with a quarter of the bytes about a quarter of the wait.
# With four times the bytes it only doubles: July has too few of such long runs for the
# wait to build up. The records are the same, so it is the run that matters, not their
# size as such. Where more wait, more are overtaken.
ks.sweep(
    july.where({KEYS: ks.NoKeys(), PARTITIONS: 8}),
    {BATCH_SIZE: [4_096, 65_536]},
)[["batch_size", "latency_ms_p50", "drain_s", "overtaken_share"]].round(3)

# %% [markdown]
# **2. Change one setting.** Was it luck? Run July without a key and with four
# partitions again (200 bytes), four times with other seeds: `ks.sweep` takes
# `replications=4`. Its columns `drain_s_low` and `drain_s_high` are the ends of a 95 %
# interval. Is the drain by tail number in it?

# %% tags=["solution"]
# Solution. It is not: with small records no key is slower on average. By how much is
# luck of the seed. The tail number needs no second seed: a hash has none.
four_seeds = ks.sweep(
    july.where({PARTITIONS: 4}), {KEYS: {"no key": ks.NoKeys()}}, replications=4
)
print(f"by tail number: {small['tail number']:.2f} s")
four_seeds[["keys", "drain_s", "drain_s_low", "drain_s_high"]].round(2)

# %% [markdown]
# **3. Ask a rule.** How often are 16 partitions slower than 8, for eight members and
# carriers of other names? Take the flights of each carrier from
# `sixteen.records["key"].value_counts()`, write a number before each code (`0-UA`,
# `1-UA`, …), and let `ks.partition_for_key` deal them 100 times. How many flights has
# the busiest member each time? No run is needed.

# %% tags=["solution"]
# Solution. With 8 partitions member m owns partition m; with 16 it owns 2m and 2m + 1.
flights = sixteen.records["key"].value_counts()
busiest = []
for number in range(100):
    names = [f"{number}-{code}" for code in flights.index]
    with_8 = [ks.partition_for_key(name, 8) for name in names]
    with_16 = [ks.partition_for_key(name, 16) // 2 for name in names]
    busiest.append([max(flights.groupby(owner).sum()) for owner in (with_8, with_16)])
deals = pd.DataFrame(busiest, columns=["with 8", "with 16"])
slower = (deals["with 16"] > deals["with 8"]).mean()
faster = (deals["with 16"] < deals["with 8"]).mean()
print(f"16 partitions: slower in {slower:.0%} of the deals, faster in {faster:.0%}")

# %% [markdown]
# **4. Make one.** A shop: 500 orders a second for five seconds, from 500 customers of
# whom one places 30 % of all orders (`ks.HotKey(500, hot_share=0.3)`). Packing takes 8
# ms an order, and each customer's orders must stay in order. Take 64 members, which
# cost nothing here. What is the least drain that any number of partitions can give, and
# what sets it? Write it down, then build the scenario and try 4 and 64 partitions.

# %% tags=["solution"]
# Solution. The large customer alone is 750 orders × 8 ms = 6 s of work for one
# member, and 5 s of it pass while orders come. So 1 s is the least. One comes near it
# with many partitions, because then few others share the large customer's partition.
shop = ks.Scenario(
    ks.Traffic(
        sources={
            "web": ks.Source(
                stream="orders",
                arrivals=ks.Periodic(rate_per_s=500),
                keys=ks.HotKey(500, hot_share=0.3),
            )
        },
        subscribers={"packing": ks.Subscriber(streams=["orders"], work_ms=8)},
        duration_s=5,
    ),
    ks.Kafka(groups={"packing": ks.Group(members=64)}),
)
ks.sweep(
    shop,
    {"system.topics.orders.partitions": [4, 64]},
)[["partitions", "drain_s", "latency_ms_p50", "overtaken_share"]].round(3)

# %% [markdown]
# **5. Your own data.** Take a table of yours with a column of times: orders, messages,
# log lines. Whose order matters to you? That column is the entity. Which other columns
# could be the key? Try each with 1, 4 and 8 partitions. Where does it stop helping, and
# which of the three limits is it? No table at hand? Take this one, twenty minutes of
# orders, twenty times faster than they were placed, with 400 ms of work for each:

# %%
mine = pd.DataFrame(
    {
        "placed": pd.date_range("2026-03-02 09:00", periods=600, freq="2s"),
        "customer": ["ann", "bob", "cho", "ann", "dan", "eve"] * 100,
        "shop": ["north", "south", "north"] * 200,
    }
)
customer = ks.TraceColumn("customer")
mine.head(6)

# %% tags=["solution"]
# Solution, with the stand-in. From a file it is ks.traces.from_csv("mine.csv",
# time="placed", speedup=20). By customer it is the skew: ann's 200 orders are 80 s of
# work, and orders come for 60 s. By shop it is the keys: there are two. Without a key
# small orders make long runs, and more than half of them are overtaken.
own = july.where(
    {
        ARRIVALS: ks.traces.from_dataframe(mine, time="placed", speedup=20),
        KEYS: customer,
        ENTITY: customer,
        WORK: 400,
    }
)
by_key = {"customer": customer, "shop": ks.TraceColumn("shop"), "no key": ks.NoKeys()}
ks.sweep(own, {KEYS: by_key, PARTITIONS: [1, 4, 8]}).pivot_table(
    index="partitions", columns="keys", values=["drain_s", "overtaken_share"]
).round(2)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. A topic has one partition, its group one member that is too slow. What helps?**
#
# <details><summary>A. A second member.</summary>
#
# Not so: the partition has one owner, and the second member would be idle.
#
# </details>
# <details><summary>B. A second partition.</summary>
#
# Not so: the one member would own both, and do the same work.
#
# </details>
# <details><summary>C. Both, if there are enough keys.</summary>
#
# Right: more partitions for more members to own, and keys that spread over them.
#
# </details>
#
# **2. 15 keys, 16 partitions. How many partitions get a record?**
#
# <details><summary>A. 15: each key has one of its own.</summary>
#
# Not so: the hash does not look which partition is still free. Keys share.
#
# </details>
# <details><summary>B. About ten, and which is luck of the names.</summary>
#
# Right: it is like throwing 15 balls into 16 boxes.
#
# </details>
# <details><summary>C. All 16: the partitioner balances them.</summary>
#
# Not so: with a key the hash alone decides, whatever waits where.
#
# </details>
#
# **3. Records have no key. How do they get to the partitions?**
#
# <details><summary>A. In turn: 0, 1, 2, 3, 0, 1, …</summary>
#
# Not so: that was the rule before Kafka 2.4. Look at the pairs of the eight flights.
#
# </details>
# <details><summary>B. In runs of about batch.size bytes.</summary>
#
# Right: then another partition is drawn. So a run of small records is long.
#
# </details>
# <details><summary>C. Each to the member that has least to do.</summary>
#
# Not so: a producer knows nothing of members.
#
# </details>
#
# **4. Each customer's orders must stay in order. Which key does that?**
#
# <details><summary>A. Only the customer.</summary>
#
# Not so: anything that the customer decides does it too, such as the customer's country
# if it never changes. It is a coarser key, with fewer and larger shares.
#
# </details>
# <details><summary>B. The order's own number: it grows.</summary>
#
# Not so: then a customer's orders are in many partitions, and overtake each other.
#
# </details>
# <details><summary>C. Any key that is the same for all orders of a customer.</summary>
#
# Right: same key, same partition, same order, as long as the number of partitions
# stays.
#
# </details>
#
# **5. With 16 partitions a group was slower than with 8. What do you look at first?**
#
# <details><summary>A. How many records each member processed.</summary>
#
# Right: `deliveries["member"].value_counts()` shows whether one has most of the work.
#
# </details>
# <details><summary>B. How long the broker takes for 16 partitions.</summary>
#
# Not so: whatever a partition costs, first see who had the work. It is one line.
#
# </details>
# <details><summary>C. Nothing: more partitions are slower.</summary>
#
# Not so: by tail number the same step changed nothing. It depends on the keys.
#
# </details>
#
# ## Now your own traffic
#
# Two lines. `mine.csv` is any table with a column of times and one of customers:
#
# ```python
# mine = ks.traces.from_csv("mine.csv", time="placed", speedup=3_600)
# run = ks.run(july.where({ARRIVALS: mine, KEYS: customer, ENTITY: customer}))
# ```
#
# With that speed-up an hour of the table passes in a second; for a table of minutes
# leave it out. What else it can read, and how times are written: [your own
# traffic](../docs/guides/your-own-traffic.md).

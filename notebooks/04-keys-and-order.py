# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Keys and order
#
# A parcel is packed, loaded, delivered. If these three come in another order, the page
# that shows where it is says something wrong. What keeps them in order is the key. This
# lesson is about choosing one: what it promises, what it costs, and what breaks it.
#
# **After this lesson you can**
#
# - say for any key whose order it keeps, and whose it does not;
# - work out with a pencil which partition a key goes to;
# - tell a missing key from an empty one, and say what each does to the partitions;
# - recognise a hot key, and say why more partitions do not help it;
# - say what happens to keys and their order when a topic gets more partitions.
#
# **New words.** One: [hot key](../docs/reference/glossary.md#hot-key). The words of
# lessons 01 and 03 are used as they are; the most needed one is
# [entity](../docs/reference/glossary.md#entity), whose order matters.
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are six.

# %% [markdown]
# ## Nine scans, three parcels
#
# A parcel service scans each parcel three times: in the hall, on the truck, in the
# street. A scan is a record. They come 10 ms apart, so that a pencil is enough. The
# page, one group, needs 50 ms for a scan and shows for each parcel the status it was
# told last. The topic has four partitions, the group four members.

# %%
import pandas as pd

import kafkasim as ks

scans = pd.DataFrame(
    [
        (0, "P1", "packed", "hall"),
        (10, "P2", "packed", "hall"),
        (20, "P1", "loaded", "truck"),
        (30, "P2", "loaded", "truck"),
        (40, "P3", "packed", "hall"),
        (50, "P3", "loaded", "truck"),
        (60, "P2", "delivered", "street"),
        (70, "P3", "delivered", "street"),
        (80, "P1", "delivered", "street"),
    ],
    columns=["at_ms", "parcel", "status", "scanner"],
)
scans

# %%
scanners = ks.Source(
    stream="scans",
    arrivals=ks.traces.from_dataframe(scans, time="at_ms", time_unit="ms"),
    keys=ks.TraceColumn("parcel"),
    entity=ks.TraceColumn("parcel"),  # whose order matters
)
page = ks.Subscriber(streams=["scans"], work_ms=50)
service = ks.Scenario(
    ks.Traffic({"scanners": scanners}, {"page": page}),
    ks.Kafka(
        topics={"scans": ks.Topic(partitions=4)},
        groups={"page": ks.Group(members=4)},
        hardware=ks.Hardware.ideal(),
    ),
)
by_parcel = ks.run(service)
ks.plot.ordering(by_parcel)

# %% [markdown]
# Left is the order in which the scans were made, right the order in which the page was
# done with them. Lines cross: the packing of P3 was the fifth scan of all, and the page
# had it third. Is that bad? No line is thick: no scan of a *parcel* was overtaken by a
# later scan of the same parcel. Nobody had asked for an order between parcels.
#
# The key was the parcel. Equal keys go to the same partition, a partition is a log, and
# its one owner reads it from front to back. So:
#
# > **Order holds within a partition, and so for each key. Between partitions nothing is
# > promised.**
#
# Now the people who build the scanners choose another key: the name of the scanner. It
# is at hand, and three keys are spread over the partitions just as well:

# %%
names = ["P1", "P2", "P3", "hall", "truck", "street"]
pd.DataFrame({"partition": [ks.partition_for_key(n, 4) for n in names]}, names).T

# %% [markdown]
# **Predict.** By scanner: on how many of the three parcels does the page end with a
# status other than `delivered`? Three queues and a pencil: the hall's scans are numbers
# 0, 1 and 4, the truck's 2, 3 and 5, the street's 6, 7 and 8. A scan can begin 5 ms
# after it was made, or when the one before it in its queue is done.

# %%
guess = None  # 0 to 3 parcels

# %%
KEYS = "traffic.sources.scanners.keys"
by_scanner = ks.run(service.where({KEYS: ks.TraceColumn("scanner")}))
told = by_scanner.deliveries.sort_values("ended_ms").set_index("record_id")
told = told[["partition", "started_ms", "ended_ms"]].round(0)
told = told.join(scans[["parcel", "status"]])
shown = told.groupby("parcel")["status"].last()

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    (shown != "delivered").sum(),
    "of the three parcels were delivered, and the page says they are on the truck",
    figure=told,
)

# %% [markdown]
# Each queue was read in its order. The truck's was the one that was behind, and P2 and
# P3 were delivered, on the page, before they were loaded. Nothing was lost, nothing
# came twice, and the page is wrong for good.
#
# > **What people get wrong.** "Kafka delivers in order" and "Kafka has no order with
# > more than one partition" are both said, and both are wrong. It keeps the order of
# > each *partition*. Which records that helps is up to the key.

# %%
pd.concat(
    {
        name: ks.analysis.ordering(run, per=per)[["records", "overtaken"]].sum()
        for name, run, per in [
            ("by scanner, within partitions", by_scanner, "partition"),
            ("by scanner, within parcels", by_scanner, "entity"),
            ("by parcel, within parcels", by_parcel, "entity"),
        ]
    },
    axis=1,
).T

# %% [markdown]
# ## Which partition? murmur2 by hand
#
# The producer takes the key's bytes and works out a hash of 32 bits, *murmur2*. Here it
# is for a real key, the tail number of an aircraft, with Python as the calculator. Four
# bytes are taken at a time, the lowest first, and stirred in; then what is left of the
# key, here two bytes; then all is stirred once more (`Utils.murmur2`).

# %%
key = b"N104UW"  # 4e 31 30 34 55 57
SEED, MULTIPLIER, BITS_32 = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF

begun = SEED ^ len(key)
word = int.from_bytes(key[:4], "little") * MULTIPLIER & BITS_32
word = (word ^ word >> 24) * MULTIPLIER & BITS_32
with_four = begun * MULTIPLIER & BITS_32 ^ word
with_all = (with_four ^ int.from_bytes(key[4:], "little")) * MULTIPLIER & BITS_32
mixed = (with_all ^ with_all >> 13) * MULTIPLIER & BITS_32
hashed = mixed ^ mixed >> 15
steps = {
    "seed and length": begun,
    "the four bytes N104, stirred": word,
    "joined": with_four,
    "and the rest, UW": with_all,
    "murmur2": hashed,
}
pd.DataFrame({"hexadecimal": [f"{step:08x}" for step in steps.values()]}, list(steps))

# %% [markdown]
# The top bit is set to 0, and the rest is divided by the number of partitions; what is
# left over is the partition. **By hand.** For 2, 4, 8 or 16 partitions the last
# hexadecimal digit is enough: with 16 it *is* the partition, with 8 what it leaves over
# by 8, and so on.
#
# **Predict.** In a topic with eight partitions, which one do the flights of N104UW go
# to? Take the last digit of the last line.

# %%
guess = None  # 0 to 7

# %%
tail = "N104UW"
counts = [2, 4, 8, 16]
said = {
    "by hand": [(hashed & 0x7FFFFFFF) % count for count in counts],
    "kafkasim's rule": [ks.partition_for_key(tail, count) for count in counts],
}

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    (hashed & 0x7FFFFFFF) % 8,
    "is its partition of eight",
    figure=pd.DataFrame(said, [f"of {count}" for count in counts]),
)

# %% [markdown]
# Nothing of the run is in it: no seed, no state, and nobody is asked. Any producer,
# anywhere, works out the same. That is why equal keys meet in one partition, without
# anybody keeping a list of keys.
#
# > **What people get wrong.** To Java the hash is a number with a sign, and half of all
# > hashes are negative. "Take the absolute value, then": for most of those it gives
# > another partition. Kafka clears the top bit (`Utils.toPositive`). A program that has
# > its own idea of the rule sends the same key elsewhere, and the order of that key is
# > gone. So is it when two producers use two rules: compare them before you mix clients
# > of two languages in one topic.
#
# ## No key, and an empty one
#
# A web shop takes 1,000 orders a second for three seconds. The key is the customer.
# Two of five orders are by guests, who have no customer number. In one column it is
# missing; in the other somebody has "cleaned it up", and it is an empty text:

# %%
row = pd.Series(range(3_000))
orders = pd.DataFrame({"at_ms": row, "customer": "c-" + (row * row % 499).astype(str)})
orders["missing"] = orders["customer"].where((row % 5).isin([1, 3, 4]), None)
orders["empty"] = orders["missing"].fillna("")
orders.head()

# %% [markdown]
# Both are the same to the eye, and to most programs. To Kafka a record has no key when
# the key is *null*. An empty key is a key of no bytes: it is hashed, like any other.
#
# Packing has eight members, one for each of eight partitions, and takes 4 ms an order.
#
# **Predict.** With the empty text as key: what share of all orders is in the busiest
# partition, in percent?

# %%
guess = None  # percent of all orders

# %%
shop = ks.Source(
    stream="orders",
    arrivals=ks.traces.from_dataframe(orders, time="at_ms", time_unit="ms"),
    keys=ks.TraceColumn("missing"),
    entity=ks.TraceColumn("missing"),
)
packing = ks.Subscriber(streams=["orders"], work_ms=4)
PARTITIONS = "system.topics.orders.partitions"
MEMBERS = "system.groups.packing.members"
SHOP_KEYS = "traffic.sources.shop.keys"
market = ks.Scenario(
    ks.Traffic({"shop": shop}, {"packing": packing}),
    ks.Kafka(
        topics={"orders": ks.Topic(partitions=8)},
        groups={"packing": ks.Group(members=8)},
        hardware=ks.Hardware.ideal(),
    ),
)
with_null = ks.run(market)
with_empty = ks.run(market.where({SHOP_KEYS: ks.TraceColumn("empty")}))

# %% tags=["reveal"]
shares = pd.DataFrame(
    {
        name: ks.analysis.skew(run).set_index("partition")["records_share"] * 100
        for name, run in {"null": with_null, "empty": with_empty}.items()
    }
)
ks.lessons.reveal(
    guess,
    shares["empty"].max().round(),
    "of all orders are in partition 1",
    unit="percent",
    within=0.1,
    figure=shares.round(1),
)

# %% [markdown]
# **By hand.** All guests have one key now, and one key is one partition: 40 %. The
# other 60 % are dealt to eight, which is 7.5 % more. Which partition? The hash of no
# bytes is 275,646,681 for everybody, and that leaves 1 when divided by 8.
#
# Without a key the guests' orders went in long runs, each to one *sticky partition*
# until about `batch.size` bytes were in it (lesson 03). Over three seconds that is
# uneven, too. But the next run goes elsewhere; the empty key never does.
#
# > **A plausible wrong result.** "I tried it. I sent the nine scans without a key, with
# > four partitions and four members, and the order was kept."

# %%
keyless = ks.run(service.where({KEYS: ks.NoKeys()}))
print(ks.analysis.ordering(keyless)["overtaken"].sum(), "overtaken")
print(keyless.records["partition"].nunique(), "of four partitions used")

# %% [markdown]
# The result is right, and says nothing about keys. Nine scans are far from `batch.size`
# (16,384 bytes), so all went to one partition, and one partition has an order. In the
# shop's three seconds, without any key, it looks like this:

# %%
nobody = {
    SHOP_KEYS: ks.NoKeys(),
    "traffic.sources.shop.entity": ks.TraceColumn("customer"),
}
summed = ks.summary(ks.run(market.where(nobody)))
summed[["records", "overtaken_share", "drain_s"]].round(2)

# %% [markdown]
# ## A hot key
#
# A key that many more records carry than any other is a *hot key*. The empty text has
# become one. Here is what waits, by partition:

# %%
ks.plot.lag(with_empty, by="partition")

# %% [markdown]
# "There are too few partitions", says the first thought. So the shop takes 64, and 64
# members, one for each.
#
# **Predict.** The drain, the time from the last order to the last one packed, was 2.8 s
# with 8 partitions. With 64 partitions and 64 members, how many seconds? By pencil: how
# many orders has the hot key, how long do they take the one member that gets them, and
# how much of that passes while orders still come?

# %%
guess = None  # how many seconds?

# %%
at_64 = {PARTITIONS: 64, MEMBERS: 64}
empty_at_64 = ks.run(with_empty.scenario.where(at_64))
null_at_64 = ks.run(market.where(at_64))

# %% tags=["reveal"]
columns = ["drain_s", "latency_ms_p50", "latency_ms_p99", "partition_imbalance"]
four_runs = {
    "empty, 8 partitions": with_empty,
    "empty, 64 partitions": empty_at_64,
    "null, 8 partitions": with_null,
    "null, 64 partitions": null_at_64,
}
ks.lessons.reveal(
    guess,
    ks.summary(empty_at_64)["drain_s"].item(),
    "is the drain with 64 partitions and 64 members",
    unit="s",
    within=0.1,
    figure=pd.concat(
        {n: ks.summary(r)[columns].iloc[0] for n, r in four_runs.items()}, axis=1
    ).T.round(2),
)

# %% [markdown]
# **By hand.** 1,200 orders × 4 ms = 4.8 s of work for one member, less the 3 s in which
# they come: 1.8 s is the least that *any* number of partitions can give. Going from 8
# to 64 only took the neighbours out of the way.
#
# **Investigate.** Who are these neighbours? Take the customers who have a number, not
# the guests: how long did each partition let them wait, with eight partitions?

# %%
waits = ks.receipts(with_empty).merge(
    with_empty.records[["key", "partition", "intended_ms"]],
    left_on="record_id",
    right_index=True,
)
waits["latency_ms"] = waits["first_processed_ms"] - waits["intended_ms"]
numbered = waits[waits["key"] != ""].groupby("partition")
numbered["latency_ms"].agg(["size", "median", "max"]).round(0)

# %% [markdown]
# Those in partition 1 wait with the guests, whose key they do not have. A hot key is
# not only slow itself: **it slows every key whose hash leaves the same.** To those
# customers it looks as if Kafka were slow for them alone.
#
# Here the cure is to send no key, since nobody asked for an order among guests. And if
# it were one large customer? Its orders are to stay in order. Three keys:
#
# - **the customer**, as before;
# - **the customer and a number from 0 to 3**, dealt in turn: the hot key becomes four;
# - **the order's own number**: every key is used once.

# %%
large = orders.assign(customer=orders["missing"].fillna("large"))
large["in four"] = large["customer"] + "#" + (row % 4).astype(str)
large["order"] = "o-" + row.astype(str)
one_large = market.where(
    {
        "traffic.sources.shop.arrivals": ks.traces.from_dataframe(
            large, time="at_ms", time_unit="ms"
        ),
        "traffic.sources.shop.entity": ks.TraceColumn("customer"),
        SHOP_KEYS: ks.TraceColumn("customer"),
    }
)
columns = ["customer", "in four", "order"]
three_keys = ks.sweep(one_large, {SHOP_KEYS: {k: ks.TraceColumn(k) for k in columns}})
three_keys[["keys", "drain_s", "overtaken_share"]].round(2)

# %% [markdown]
# Cut in four, the hot key keeps up with eight partitions, and one order in fifteen is
# overtaken. That is no accident: what is worked on at the same time has no order. **A
# hot key is the price of an order.** Before paying it ask who needs the order, and of
# what. If it is enough
# that the steps of *each order* stay in order (placed, paid, sent), then the order's
# number is the key, and nothing is hot.
#
# ## Whose order?
#
# Now the 29,425 departures of July 2013 (US Bureau of Transportation Statistics), eight
# partitions, eight members, 1 ms of work, as fast as in lesson 03. They are carried
# three ways: by aircraft (its tail number), by airline, and without a key. And three
# people look at them. One cares about the order of each aircraft's flights, one of each
# airline's, one of each airport's. kafkasim asks both, apart: `keys=` is what is sent,
# `entity=` is whose order matters.
#
# **Predict.** Three keys, three orders. In how many of the nine is no flight overtaken?
# An aircraft belongs to one airline, and leaves from any of the three airports.

# %%
guess = None  # 0 to 9

# %%
aircraft, airline = ks.TraceColumn("tail"), ks.TraceColumn("carrier")
airports = ks.Source(
    stream="flights",
    arrivals=ks.traces.flights(month=7, speedup=ks.traces.YEAR_IN_A_MINUTE),
    keys=aircraft,
    entity=aircraft,
    value_bytes=200,
)
july = ks.Scenario(
    ks.Traffic(
        {"airports": airports}, {"board": ks.Subscriber(streams=["flights"], work_ms=1)}
    ),
    ks.Kafka(
        topics={"flights": ks.Topic(partitions=8)},
        groups={"board": ks.Group(members=8)},
        hardware=ks.Hardware.ideal(),
    ),
)
FLIGHT_KEYS = "traffic.sources.airports.keys"
ENTITY = "traffic.sources.airports.entity"

# %%
ways = {"aircraft": aircraft, "airline": airline, "no key": ks.NoKeys()}
orders_of = {
    "aircraft": aircraft,
    "airline": airline,
    "airport": ks.TraceColumn("origin"),
}
nine, carried = {}, {}
for way, sent_as in ways.items():
    for whose, entity in orders_of.items():
        run = ks.run(july.where({FLIGHT_KEYS: sent_as, ENTITY: entity}))
        nine[way, whose] = ks.analysis.metrics(run)
        if whose == "airline":
            carried[way] = run  # for the figure below
metrics = pd.DataFrame(nine).T.rename_axis(["keys", "entity"])
overtaken = metrics.pivot_table(
    index="keys", columns="entity", values="overtaken_share", sort=False
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    (overtaken == 0).sum().sum(),
    "of the nine keep their order (the table has the share that is overtaken)",
    figure=overtaken.join(metrics["drain_s"].xs("airline", level=1)).round(2),
)

# %% [markdown]
# Read it by rows. **By airline** keeps the airlines' order and the aircraft's: an
# aircraft decides its airline, so it decides the key. **By aircraft** keeps the
# aircraft's order only: an airline has many aircraft, and so many keys, in many
# partitions. **Nothing** keeps the airports' order, since none of the keys follows from
# the airport.
#
# So, of two keys: the coarser keeps more orders, and is dealt worse. Fifteen airlines
# for eight partitions have a busiest one, and the drain shows it. The finest key that
# keeps what you need is the one to take.
#
# The same as a picture: flights of one small airline (AirTran, FL), carried all three
# ways.

# %%
ks.plot.braid(carried, entity="FL")

# %% [markdown]
# In lesson 03 the tail number kept all strands apart, because the strands were of one
# aircraft. Here they are of an airline, and its aircraft are in all eight partitions.
#
# ## More partitions, later
#
# July again, by aircraft, with four partitions. They cannot keep up, and half-way
# through the month, at 2.5 s, somebody adds four. Kafka lets you: partitions can be
# added at any time, and never taken away. The records that are there stay where they
# are.
#
# What it does to the keys can be asked of the rule:

# %%
tails = pd.Series(ks.traces.flights(month=7).columns["tail"].labels, name="tail")
moves = pd.DataFrame(
    {
        "tail": tails,
        "of 4": [ks.partition_for_key(tail, 4) for tail in tails],
        "of 8": [ks.partition_for_key(tail, 8) for tail in tails],
    }
)
moves.sample(6, random_state=1)

# %% [markdown]
# **Predict.** There are 3,215 aircraft. What share of them, in percent, stays in its
# partition when four become eight? The last hexadecimal digit of the hash will tell.

# %%
guess = None  # percent of the aircraft

# %%
stays = moves["of 4"] == moves["of 8"]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(stays.mean() * 100),
    "of the aircraft stay; all others go to a new partition, four further on",
    unit="percent",
    within=0.1,
    figure=pd.crosstab(moves["of 4"], moves["of 8"]),
)

# %% [markdown]
# **By hand.** Of 4 it is the digit's two lower bits, of 8 its three: a hash whose third
# bit is 0 stays, and half of them are so. Doubling is the kindest step. From 8 to 9
# only one key in nine stays (exercise 2).
#
# And in a run? Half a second of July, and at 250 ms four partitions are added. Nobody
# is told. Clients find out when they next ask for metadata, which they do every five
# minutes (`metadata.max.age.ms`); here the producer asks every 100 ms. When does each
# partition get its first flight, and how many of its flights are read?

# %%
FLIGHT_PARTITIONS = "system.topics.flights.partitions"
grown = ks.run(
    july.where(
        {
            FLIGHT_PARTITIONS: 4,
            "traffic.duration_s": 0.5,
            "system.producers.airports.config.metadata_max_age_ms": 100,
            "events": [ks.AddPartitions("stream:flights", at_s=0.25, to=8)],
        }
    )
)
pd.DataFrame(
    {
        "first_at_ms": grown.records.groupby("partition")["appended_ms"].min(),
        "written": grown.records["partition"].value_counts(),
        "read": grown.deliveries["partition"].value_counts(),
    }
).fillna(0).round(0).astype(int).T

# %% [markdown]
# The producer heard of the new ones at 311 ms. And the group? Nobody told it, either.
# When it finds out, five minutes later, it begins where each new partition *ends*, as
# is usual (`auto.offset.reset=latest`), and what was sent in the meantime is not read.
# Whoever adds partitions sets `earliest` first.
#
# Now the order. What was sent before 2.5 s shall be in four partitions, what was sent
# after, in eight; and each partition shall have a member of its own, so that nothing in
# an old one holds up anything in a new one. In Kafka the group shares out its
# partitions afresh for that (lesson 07); here two runs tell as much.

# %%
ARRIVALS = "traffic.sources.airports.arrivals"
before = ks.run(july.where({FLIGHT_PARTITIONS: 4}))
ks.plot.lag(before, by="partition")

# %% [markdown]
# **By hand.** Look at 2.5 s: more than 4,000 flights wait, in each partition some
# thousand, and a member does 1,000 a second. So a flight that was sent just before
# waits for a second. A flight sent just after, to a new partition, is done at once.
#
# The second run gets the flights from 2.5 s on:

# %%
sent = before.records[["intended_ms", "key"]]
rest = sent[sent["intended_ms"] >= 2_500]
after = ks.run(
    july.where(
        {
            ARRIVALS: ks.traces.from_dataframe(
                rest, time="intended_ms", time_unit="ms"
            ),
            FLIGHT_KEYS: ks.TraceColumn("key"),
            ENTITY: ks.TraceColumn("key"),
        }
    )
)
done_before = before.records.join(before.deliveries.set_index("record_id")["ended_ms"])
done_after = after.records.join(after.deliveries.set_index("record_id")["ended_ms"])
done_after["ended_ms"] += rest["intended_ms"].iloc[0]  # its clock began at 0

# %%
old = done_before[done_before["intended_ms"] < 2_500].groupby("key", observed=True)
new = done_after[done_after["partition"] >= 4].groupby("key", observed=True)
moved = pd.DataFrame(
    {
        "old_partition": old["partition"].first(),
        "last_old_done_ms": old["ended_ms"].max(),
        "new_partition": new["partition"].first(),
        "first_new_done_ms": new["ended_ms"].min(),
    }
).dropna()
broken = moved["first_new_done_ms"] < moved["last_old_done_ms"]
print(f"{len(moved):,} aircraft moved; of {broken.sum():,} the order broke")
moved[broken].head(4).round(0)

# %% [markdown]
# Of nearly half of them a later flight was done before an earlier one. And the aircraft
# that stayed? Their old and new flights are in one partition, one behind the other.
# Nothing broke.
#
# > **A plausible wrong result.** "We did it on the test system, with the same flights.
# > As many aircraft moved, and not one flight was out of order. So it is safe." The
# > test system had less to do for each flight. With 0.1 ms in the place of 1 ms it is
# > just so:

# %%
quiet = {"traffic.subscribers.board.work_ms": 0.1}
both_runs = {
    "1 ms": (before, after),
    "0.1 ms": tuple(ks.run(run.scenario.where(quiet)) for run in (before, after)),
}
found = {}
for work, (four, eight) in both_runs.items():
    ended = [run.deliveries.set_index("record_id")["ended_ms"] for run in (four, eight)]
    is_old = four.records["intended_ms"] < 2_500
    is_new = eight.records["partition"] >= 4
    old = ended[0].groupby(four.records.loc[is_old, "key"], observed=True).max()
    new = ended[1].groupby(eight.records.loc[is_new, "key"], observed=True).min()
    wait = (new + rest["intended_ms"].iloc[0] - old).dropna()
    found[work] = {
        "aircraft moved": len(wait),
        "order broke": (wait < 0).sum(),
        "waiting at 2.5 s": ks.analysis.lag(four)
        .query("at_ms == 2_500")["lag_records"]
        .item(),
    }
pd.DataFrame(found)

# %% [markdown]
# Where nothing waits, nothing can be overtaken. But who adds partitions to a topic on
# which nothing waits? What is safe: stop sending, let the group read to the end, then
# add. Or a new topic with more partitions, and the group goes over when it has read the
# old one. Or, most often: take enough partitions at the start.
#
# ## Same key, same partition, and yet
#
# One more. An order is *placed* on the web, and 3 ms later *paid* at the till. Two
# programs, one topic, one key: the order's number. The web's producer waits 5 ms for
# company, as all do by default; at the till somebody has turned that off
# (`linger.ms=0`), to be faster.

# %%
number = pd.Series(range(8))
placed = pd.DataFrame({"at_ms": 10 * number, "order": "o-" + number.astype(str)})
paid = placed.assign(at_ms=placed["at_ms"] + 3)
paid = pd.concat([pd.DataFrame({"at_ms": [0], "order": ["yesterday's"]}), paid])
programs = {
    name: ks.Source(
        stream="orders",
        arrivals=ks.traces.from_dataframe(table, time="at_ms", time_unit="ms"),
        keys=ks.TraceColumn("order"),
    )
    for name, table in {"web": placed, "till": paid}.items()
}
two_programs = ks.Scenario(
    ks.Traffic(programs, {"packing": ks.Subscriber(streams=["orders"], work_ms=1)}),
    ks.Kafka(
        topics={"orders": ks.Topic(partitions=4)},
        producers={"till": ks.Producer(config=ks.ProducerConfig(linger_ms=0))},
        hardware=ks.Hardware.ideal(),
    ),
)
race = ks.run(two_programs)

# %%
columns = ["source", "key", "intended_ms", "appended_ms", "partition", "offset"]
by_key = race.records[columns].sort_values(["key", "offset"])
by_key[by_key["key"].isin(["o-0", "o-1"])].round(0)

# %% [markdown]
# Paid before placed, in the log itself, for every reader and for ever. Nothing failed.
# **The order that Kafka keeps is the order in which records came to the partition.**
# One producer sends in order; between two nobody has promised anything. Who needs it
# lets one program send both, or lets the second begin when the first has its answer.
#
# ## What else can break it
#
# With one producer, one key and a fixed number of partitions the order of a key
# survives all that lessons 01 and 03 did: more members, slow members, full batches. It
# can be broken by
#
# - **more partitions**, while old records still wait;
# - **another rule for the hash** in another client;
# - **two producers** of one key;
# - **a batch that is sent again** while a later one is already on its way, if the
#   producer is not idempotent (it is by default, `enable.idempotence`); lesson 10;
# - **a member that hands records to several threads**, and sees to no order itself;
# - **a group that begins again** at an older offset: it sees old records after newer
#   ones, each run through the log in order.
#
# ## Where these rules stand
#
# - **Which partition**, in this order: one that the program names; what a
#   `partitioner.class` says; the hash of a key that is not null, unless
#   `partitioner.ignore.keys`; else the sticky partition (`KafkaProducer.partition`).
# - **The hash** is `(murmur2(key) & 0x7fffffff) mod partitions`, over all partitions,
#   whatever waits there or is down (`BuiltInPartitioner.partitionForKey`,
#   `Utils.murmur2`, `Utils.toPositive`).
# - **Without a key** about `batch.size` bytes to one partition, then another (KIP-480,
#   KIP-794).
# - **Order**: any consumer of a partition reads its records in exactly the order in
#   which they were written (Kafka's documentation, Introduction).
# - **Adding partitions** changes the division for keys, and moves no record (Kafka's
#   documentation, Basic Kafka operations, "Modifying topics").
#
# ## What this leaves out
#
# What adding partitions does to the order is shown by two runs. In a cluster members,
# too, hear of it late, and two producers may have two numbers for a while. Members
# change places, too; lesson 07.
#
# No broker fails here and no batch is sent twice. Share groups (KIP-932) let several
# members work on one partition, and give up its order. [How Kafka is
# modelled](../docs/explanation/model.md) has each step and its source.
#
# ## Exercises
#
# **1. Change one setting.** In nature keys are rarely all alike. Take
# `ks.ZipfKeys(1_000, exponent=e)`, where the most frequent key has the weight 1, the
# second 1/2ᵉ, the third 1/3ᵉ: 3,000 records a second for one second, 1 ms of work.
# Compare 8 partitions and members with 64, for e = 0, 1, 1.5 and 2. From which e on do
# more partitions hardly help? Which share of all records has the first key then, and
# how much can one member do?

# %% tags=["solution"]
# Solution. A member does 1,000 of the 3,000 a second. From 1.5 on the first key has
# more than a third of all: then it decides, and the other 56 partitions take away only
# what its neighbours add.
uneven = ks.Scenario(
    ks.Traffic(
        sources={
            "web": ks.Source(
                stream="orders",
                arrivals=ks.Periodic(rate_per_s=3_000),
                keys=ks.ZipfKeys(1_000),
            )
        },
        subscribers={"packing": ks.Subscriber(streams=["orders"], work_ms=1)},
        duration_s=1,
    ),
    ks.Kafka(groups={"packing": ks.Group(members=64)}),
)
exponents = [0, 1, 1.5, 2]
drains = ks.sweep(
    uneven,
    {"traffic.sources.web.keys.exponent": exponents, PARTITIONS: [8, 64]},
).pivot_table(index="exponent", columns="partitions", values="drain_s")
weights = [sum(rank**-e for rank in range(1, 1_001)) for e in exponents]
drains.assign(first_key=[1 / weight for weight in weights]).round(2)

# %% [markdown]
# **2. Ask a rule.** What share of the 3,215 aircraft stays when 8 partitions become 9,
# 12 or 16? `tails` has them. And is there a formula? Think of the hash as a number that
# is drawn from 0 to the least common multiple of both counts.

# %% tags=["solution"]
# Solution. From p to q > p, both remainders are equal for p numbers of each lcm(p, q)
# in a row: those below p. So p / lcm(p, q) stay: 1/9, 1/3, 1/2.
for count in (9, 12, 16):
    same = [ks.partition_for_key(t, 8) == ks.partition_for_key(t, count) for t in tails]
    print(f"8 to {count}: {sum(same) / len(same):.1%} stay")

# %% [markdown]
# **3. Ask a table.** By airline, July has busy partitions and idle ones. For each
# airline, how long did its flights take at the median, and how many flights has it?
# `carried["airline"]` is the run; the cell with the shop's neighbours shows how. Find a
# small airline that waits for a large one, and check that they share a partition.

# %% tags=["solution"]
# Solution. What an airline waits depends on its partition alone. AS has 62 flights and
# waits as long as DL and EV beside it; HA, with 31, has a partition for itself.
run = carried["airline"]
taken = ks.receipts(run).merge(
    run.records[["key", "partition", "intended_ms"]],
    left_on="record_id",
    right_index=True,
)
taken["latency_ms"] = taken["first_processed_ms"] - taken["intended_ms"]
taken.groupby(["partition", "key"], observed=True)["latency_ms"].agg(
    ["size", "median"]
).round(0)

# %% [markdown]
# **4. Make one.** Mend the race of the web and the till without touching the times at
# which they send. Try each of these, and say before you run it what will come: (a) the
# till with `linger_ms=5`, as the web; (b) one partition in the place of four; (c) the
# web with `linger_ms=0`, too. Which of them would you rely on?

# %% tags=["solution"]
# Solution. (c) comes out right. (b) does not help: the order was lost on the way to the
# partition. (a) leaves one: the till sends yesterday's payment at 5 ms and takes o-0's
# along, which is as early as the web sends o-0. Rely on none of them: with (c) it is
# the network that decides. Between two programs there is no order, unless one waits for
# the other.
LINGER = "system.producers.{}.config.linger_ms"
tries = {
    "as it was": {},
    "a": {LINGER.format("till"): 5},
    "b": {PARTITIONS: 1},
    "c": {LINGER.format("web"): 0},
}
for name, change in tries.items():
    overtaken = ks.analysis.ordering(ks.run(two_programs.where(change)))["overtaken"]
    print(f"{name}: {overtaken.sum()} overtaken")

# %% [markdown]
# **5. Your own data.** Take a table of yours with times. Write down first, for each
# column that could be a key: whose order would it keep? Whose would you want? Then
# count: which share of the rows has the most frequent value, and is anything empty?
# With the work that a row takes, is that value a hot key? No table at hand? Take this
# one.

# %%
mine = pd.DataFrame(
    {
        "placed": pd.date_range("2026-03-02 09:00", periods=600, freq="2s"),
        "customer": ["ann", "", "cho", "ann", "", "eve"] * 100,
        "shop": ["north", "south", "north"] * 200,
        "order": [f"o-{i // 3}" for i in range(600)],
    }
)
mine.head(6)

# %% tags=["solution"]
# Solution, with the stand-in. `order` keeps the three steps of each order, and no value
# is frequent. `customer` has an empty text in a third of the rows: that is the hot key.
# A row comes every 2 s; one in three is every 6 s. It is hot from 6 s of work on.
pd.DataFrame(
    {
        column: {
            "values": mine[column].nunique(),
            "largest share": mine[column].value_counts(normalize=True).iloc[0],
            "empty": (mine[column] == "").mean(),
        }
        for column in ["customer", "shop", "order"]
    }
).T.round(2)

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. A topic has six partitions. Which order does Kafka keep?**
#
# <details><summary>A. That of all records, as they were sent.</summary>
#
# Not so: the partitions are read by different members, or in turn, and none waits.
#
# </details>
# <details><summary>B. None: order needs a single partition.</summary>
#
# Not so: each of the six has an order, and every key is in one of them.
#
# </details>
# <details><summary>C. That of each partition, and so of each key.</summary>
#
# Right: as long as the number of partitions stays and one producer sends the key.
#
# </details>
#
# **2. A third of the records have an empty text as key. What becomes of them?**
#
# <details><summary>A. They are spread: they have no key.</summary>
#
# Not so: that holds for null. No bytes are a key, too.
#
# </details>
# <details><summary>B. All of them go to one partition.</summary>
#
# Right: they are hashed, and have all the same hash.
#
# </details>
# <details><summary>C. The broker refuses them.</summary>
#
# Not so: an empty key is allowed.
#
# </details>
#
# **3. One key has half of all records, and its member cannot keep up. What helps?**
#
# <details><summary>A. Twice as many partitions.</summary>
#
# Not so: the key still has one partition, and that one member.
#
# </details>
# <details><summary>B. More members.</summary>
#
# Not so: a partition has one owner within a group.
#
# </details>
# <details><summary>C. A finer key, if its order may go, or less work.</summary>
#
# Right: only what needs no order can be worked on at the same time.
#
# </details>
#
# **4. Flights are keyed by airline. Whose order is kept?**
#
# <details><summary>A. Each airline's, and each aircraft's of one airline.</summary>
#
# Right: whoever decides the key keeps its order.
#
# </details>
# <details><summary>B. Each airline's only.</summary>
#
# Not so: an aircraft's flights all have its airline as key, so they share a partition.
#
# </details>
# <details><summary>C. Each airport's, since planes leave one after the other.</summary>
#
# Not so: an airport's flights belong to many airlines, in many partitions.
#
# </details>
#
# **5. A topic gets twice the partitions. What happens to a key's old records?**
#
# <details><summary>A. They are moved to where the key goes now.</summary>
#
# Not so: no record ever changes its partition.
#
# </details>
# <details><summary>B. They stay; new ones may be elsewhere, and read first.</summary>
#
# Right: for half of the keys, if old ones still wait.
#
# </details>
# <details><summary>C. Nothing: a key keeps the partition it had.</summary>
#
# Not so: nobody keeps a list of keys. It is worked out anew from the new number.
#
# </details>
#
# ## Now your own keys
#
# Two lines. `mine.csv` is any table with a column of times and one of customers:
#
# ```python
# own = ks.traces.from_csv("mine.csv", time="placed", speedup=3_600)
# run = ks.run(july.where({ARRIVALS: own, FLIGHT_KEYS: key, ENTITY: whose}))
# ```
#
# where `key` and `whose` are `ks.TraceColumn("…")`. Then `ks.analysis.ordering(run)`
# says what was overtaken, and `ks.analysis.skew(run)` who is hot.

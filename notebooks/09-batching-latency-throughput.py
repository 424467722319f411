# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Batching, latency and throughput
#
# A producer does not send records. It sends batches of them, and requests full of
# batches. Two settings say how long it gathers: one in milliseconds, one in bytes. What
# they save, what they cost, and where the end is: you measure all three.
#
# **After this lesson you can**
#
# - say when a batch leaves, and why linger is a bound and no delay;
# - work out records in a batch and requests in a second, and what partitions do to
#   both;
# - say why a broker answers slowly long before it is busy all the time;
# - name four ends of throughput, and work out each with a pencil.
#
# **New words.** [linger](../docs/reference/glossary.md#linger),
# [request](../docs/reference/glossary.md#request),
# [drained](../docs/reference/glossary.md#drained), [IO
# thread](../docs/reference/glossary.md#io-thread),
# [acknowledgement](../docs/reference/glossary.md#acknowledgement), [fetch
# session](../docs/reference/glossary.md#fetch-session),
# [purgatory](../docs/reference/glossary.md#purgatory). One is kafkasim's own:
# [warm-up](../docs/reference/glossary.md#warm-up). Each is said in a sentence where it
# first comes up. The words of lessons 01 and 03 are used as they are.
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are eight.

# %% [markdown]
# ## Six orders
#
# Six orders come at 0, 2, 4, 6, 13 and 14 ms. There is one partition, and hardware that
# takes no time, so what you see is the producer's rule alone. The rule has a setting,
# `linger.ms`: how long a batch may wait for more records. Kafka's default is 5 ms.

# %%
import pandas as pd

import kafkasim as ks

six = ks.traces.from_dataframe(
    pd.DataFrame({"at_ms": [0, 2, 4, 6, 13, 14]}), time="at_ms", time_unit="ms"
)
LINGER = "system.producers.web.config.linger_ms"
BATCH_SIZE = "system.producers.web.config.batch_size"
pencil = ks.Scenario(
    ks.Traffic({"web": ks.Source(stream="orders", arrivals=six, value_bytes=100)}, {}),
    ks.Kafka(hardware=ks.Hardware.ideal()),
).where({LINGER: 5})
orders = ks.run(pencil)

# %%
ks.plot.batching(orders)

# %% [markdown]
# Three batches, and *linger* closed each of them: the time was over. A batch is *open*
# from its first record on; when it is closed, it leaves.
#
# **Predict.** The order of 4 ms: how long did it wait at the producer?

# %%
guess = None  # how many ms did the order of 4 ms wait?

# %%
batches = orders.batches.set_index("batch_id")
waited = orders.records[["record_id", "intended_ms", "batch_id"]].join(
    batches[["opened_ms", "closed_ms", "closed_by"]], on="batch_id"
)
waited["wait_ms"] = waited["closed_ms"] - waited["intended_ms"]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(waited["wait_ms"][2]),
    "is how long the order of 4 ms waited",
    unit="ms",
    figure=waited,
)

# %% [markdown]
# **By hand.** The first batch is opened at 0 ms by the first order, so it is closed at
# 5. The order of 4 ms comes last and waits 1 ms. Only the *first* record of a batch
# waits all of its linger. The order of 6 ms finds no batch open and opens one.
#
# The second setting is `batch.size`: how many bytes a batch may have. Here two orders
# fit into 300 bytes, three do not:

# %%
small = ks.run(pencil.where({BATCH_SIZE: 300}))
small.batches[["record_count", "size_bytes", "opened_ms", "closed_ms", "closed_by"]]

# %% [markdown]
# The first batch is closed at 4 ms, not at 5: the third order had no room. A full batch
# waits for nothing.
#
# > **What people get wrong.** "A linger of 5 ms makes every record 5 ms later." It is
# > an upper bound, for the first of a batch. The others wait less, and in a batch that
# > fills up all of them do.
#
# ## A shop
#
# Now more orders, 5,000 a second, at random moments (a Poisson process), of 200 bytes
# each. Network and brokers take their usual time. One group reads them and has nothing
# else to do. First with one partition on one broker:

# %%
web = ks.Source(
    stream="orders",
    arrivals=ks.Poisson(rate_per_s=5_000),
    keys=ks.UniformKeys(1_000),
    value_bytes=200,
)
reader = ks.Subscriber(streams=["orders"], work_ms=0)
shop = ks.Scenario(
    ks.Traffic({"web": web}, {"reader": reader}, duration_s=1), ks.Kafka(), seed=9
)
one = ks.run(shop)
ks.analysis.batching(one)[
    ["closed_by", "batches", "records_per_batch", "bytes_per_batch"]
].round(1)

# %% [markdown]
# **By hand.** A batch has the record that opens it, and those that come within the next
# 5 ms: 5,000 a second × 0.005 s = 25 on average. That makes 26.
#
# The usual `batch.size` is 16,384 bytes. Some 75 of these orders fit.
#
# **Predict.** Half of the orders wait less than 2.6 ms at the producer. Ten times as
# many orders come, 50,000 a second, all else as it is. Half of them wait less than how
# many ms?

# %%
guess = None  # how many ms?

# %%
RATE = "traffic.sources.web.arrivals.rate_per_s"
rows = []
for rate in (500, 5_000, 15_000, 50_000):
    run = ks.run(shop.where({RATE: rate, "traffic.duration_s": 0.5}))
    sent_ms = run.batches["sent_ms"].to_numpy()[run.records["batch_id"].to_numpy()]
    wait_ms = sent_ms - run.records["intended_ms"]
    full = (run.batches["closed_by"] == "full").mean()
    in_batch = run.batches["record_count"].mean()
    rows.append((rate, in_batch, full, wait_ms.median(), wait_ms.max()))
by_rate = pd.DataFrame(
    rows, columns=["rate_per_s", "in_batch", "full", "half_wait_ms", "longest_ms"]
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(by_rate["half_wait_ms"].iloc[-1], 2),
    "is what half of the orders wait at most",
    unit="ms",
    figure=by_rate.round(2),
)

# %% [markdown]
# More traffic, *less* waiting: 75 orders come in 1.5 ms, and on average one waits half
# of that. Between 15,000 and 50,000 it is `batch.size` that closes batches, and linger
# has no say any more. Read the last column down: it never exceeds 5.
#
# ## Who travels together
#
# A batch is of one partition. A *request* goes to one broker. Six partitions on six
# brokers:

# %%
PARTITIONS = "system.topics.orders.partitions"
BROKERS = "system.brokers"
six_brokers = ks.run(shop.where({PARTITIONS: 6, BROKERS: 6}))
requests = six_brokers.requests
produce = requests[requests["api"] == "Produce"]
print(f"{len(produce)} produce requests, {len(six_brokers.batches)} batches")

# %% [markdown]
# **By hand.** Each partition gets 833 orders a second. Its batch is open for 5 ms; then
# 1/833 s = 1.2 ms pass until the next order opens another. So each sends a request
# every 6.2 ms, and six of them send 968 a second.
#
# **Predict.** The same six partitions, all on *one* broker. How many produce requests
# in that second?

# %%
guess = None  # how many requests?

# %%
seen = {}
for brokers, partitions in ((6, 6), (1, 6), (1, 32), (6, 32)):
    run = ks.run(shop.where({PARTITIONS: partitions, BROKERS: brokers}))
    count = int((run.requests["api"] == "Produce").sum())
    seen[brokers, partitions] = {
        "requests": count,
        "batches": len(run.batches),
        "in_request": len(run.records) / count,
        "in_batch": run.batches["record_count"].mean(),
        "bytes_a_record": run.batches["size_bytes"].sum() / len(run.records),
    }
together = pd.DataFrame(seen).T.rename_axis(["brokers", "partitions"])

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    together["requests"][1, 6],
    "produce requests, not 968",
    figure=together.iloc[:2].round(2),
)

# %% [markdown]
# When the first of the six batches has waited its 5 ms, a request leaves for its
# broker. It takes along *every* batch for that broker, ready or not
# (`RecordAccumulator.drain`). Those are *drained* along with their neighbour, before
# their own linger is over. So the request, not the batch, has the rhythm: 5 ms, then
# 1/5,000 s until the next order: 1/0.0052 = 192 a second.
#
# **Predict.** One broker, and now 32 partitions. How many produce requests?

# %%
guess = None  # how many requests?

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    together["requests"][1, 32],
    "produce requests, as with six partitions and as with one",
    figure=together.round(2),
)

# %% [markdown]
# > **What people get wrong.** "More partitions, more requests." A request takes one
# > batch of each partition of its broker. What partitions shrink is the *batch*: from
# > 4.4 orders to 1.5. And since each batch has a header of 61 bytes, an order costs
# > more bytes.
#
# What more *brokers* cost is another matter: the same 32 partitions on six brokers make
# five times as many requests. Each of the six has a rhythm of its own.
#
# **Investigate.** How long were batches open, by what closed them? A question to a
# table, for 32 partitions on one broker:

# %%
run = ks.run(shop.where({PARTITIONS: 32}))
run.batches.assign(open_ms=run.batches["closed_ms"] - run.batches["opened_ms"]).groupby(
    "closed_by", observed=True
)["open_ms"].describe()[["count", "min", "mean", "max"]].round(3)

# %% [markdown]
# Those closed by linger were open for 5 ms to the digit. Those drained along had been
# open for anything below it.
#
# ## What a request costs
#
# A broker has threads that serve requests, its *IO threads* (`num.io.threads`, eight by
# default). A request takes one of them for some time, however little is in it; each
# byte adds to it. Here are five lingers: the requests of a second, the time that they
# take of a thread, and what the orders pay for it. Latency is from when an order was
# placed until the group has it.

# %%
rows = []
for linger in (0, 1, 5, 20, 50):
    run = ks.run(shop.where({LINGER: linger, PARTITIONS: 6}))
    produce = run.requests[run.requests["api"] == "Produce"]
    thread_ms = (produce["done_ms"] - produce["dequeued_ms"]).sum()
    fetches = (run.requests["api"] == "Fetch").sum()
    metrics = ks.analysis.metrics(run)
    p50, p99 = metrics["latency_ms_p50"], metrics["latency_ms_p99"]
    rows.append((linger, len(produce), fetches, thread_ms, p50, p99))
columns = ["linger_ms", "produce", "fetch", "thread_ms", "p50_ms", "p99_ms"]
pd.DataFrame(rows, columns=columns).round(1)

# %% [markdown]
# From 0 to 5 ms the produce requests fall to a 25th, and the time of the threads with
# them. From 5 to 50 little is left to save, and each order waits eight times as long.
# Kafka's default went from 0 to 5 in version 4.0. The reason given: with larger batches
# latency is usually much the same, or lower, in spite of the wait (KIP-1030). Here it
# is higher. Keep that in mind.
#
# **And the fetches?** They fall as well, though nothing was set there. A member keeps
# one fetch at the broker. When there is nothing to give, the broker parks it in its
# *purgatory*, where it holds no thread, until a batch comes and wakes it. What makes a
# fetch cheap is a *fetch session*: the two of them keep what is asked for, so that a
# request names only what changed (KIP-227).
#
# > **A plausible wrong result.** "I measured it: with linger 0 half of the orders take
# > 0.7 ms, with 5 they take 3 ms. So 0 is the fastest." It is, on *this* broker, which
# > is idle nearly all of the time. Now make it busy.
#
# ## A queue explodes before it is full
#
# A small broker: one IO thread, which takes 0.2 ms for a request, whatever is in it. So
# it can serve 5,000 a second. Fifty tills send records to it at random, with linger 0:
# each record is a request. Nobody reads. The broker begins idle, and a queue needs time
# to build up, so what is sent in the first 0.2 s is left out. That is the *warm-up*.
# (For the metrics `warmup_s` does it; here we count requests ourselves.)
#
# At half load, 2,500 a second, a request waits 0.1 ms on average before a thread takes
# it.
#
# **Predict.** At nine tenths, 4,500 a second: how many ms does it wait on average?

# %%
guess = None  # how many ms?

# %%
WARM_UP_MS = 200
tills = [f"till-{number:02}" for number in range(50)]
at_once = ks.Producer(config=ks.ProducerConfig(linger_ms=0))
one_thread = ks.Kafka(
    producers=dict.fromkeys(tills, at_once),
    broker_config=ks.BrokerConfig(num_io_threads=1),
    hardware=ks.Hardware(cpu=ks.Cpu(request_ms=0.2, mb_ms=0)),
)
rows = []
for load in (0.5, 0.8, 0.9, 0.95):
    till = ks.Source(stream="sales", arrivals=ks.Poisson(load * 5_000 / len(tills)))
    traffic = ks.Traffic(dict.fromkeys(tills, till), {}, duration_s=1.6)
    served = ks.run(ks.Scenario(traffic, one_thread, seed=9)).requests
    served = served[served["sent_ms"] > WARM_UP_MS]
    wait_ms = served["dequeued_ms"] - served["sent_ms"] - 0.2  # 0.2 on the way
    law_ms = 0.2 * load / (2 * (1 - load))
    rows.append((load, wait_ms.mean(), law_ms, wait_ms.quantile(0.99)))
queue = pd.DataFrame(rows, columns=["load", "wait_ms", "law_ms", "wait_ms_p99"])

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(queue["wait_ms"][2], 2),
    "is the mean wait at nine tenths",
    unit="ms",
    figure=queue.round(2),
)

# %% [markdown]
# Not a little more than 0.1, but nine times as much; and the slowest hundredth is far
# beyond that. The thread is idle for a tenth of the time, and still there is a queue:
# what comes at random comes in bunches, and the idle moments before a bunch cannot be
# kept for it.
#
# **By hand.** The column `law_ms` is the formula of Pollaczek and Khinchine for
# requests that come at random (Poisson) and all take the same time *D*: the mean wait
# is *D* × load / (2 × (1 − load)). What makes it explode is the 1 − load below the
# line. kafkasim is tested against it. Here a second and a half of one run is beside it,
# so it is near, not equal; the nearer to the end, the longer one has to look.
#
# ## Linger against the queue
#
# The same small broker, but ten busy tills. Up to 12,000 records a second, with linger
# 0 and with 5. The broker can serve 5,000 requests.
#
# **Predict.** At 4,800 records a second, which linger has the smaller p99 of latency, 0
# or 5? Latency here is until the till holds the *acknowledgement*: the answer that says
# the batch is in the log.

# %%
guess = None  # 0 or 5

# %%
rows = []
for linger in (0, 5):
    config = ks.ProducerConfig(linger_ms=linger)
    ten = dict.fromkeys(tills[:10], ks.Producer(config=config))
    kafka = ks.Kafka(
        producers=ten,
        broker_config=one_thread.broker_config,
        hardware=one_thread.hardware,
    )
    for rate in (1_000, 4_000, 4_800, 6_000, 12_000):
        till = ks.Source(stream="sales", arrivals=ks.Poisson(rate / 10))
        traffic = ks.Traffic(dict.fromkeys(ten, till), {}, duration_s=0.8)
        records = ks.run(ks.Scenario(traffic, kafka, seed=9)).records
        in_batch = len(records) / records["batch_id"].nunique()
        records = records[records["intended_ms"] > WARM_UP_MS]
        took_ms = records["acked_ms"] - records["intended_ms"]
        rows.append((linger, rate, in_batch, took_ms.median(), took_ms.quantile(0.99)))
columns = ["linger_ms", "rate_per_s", "in_batch", "p50_ms", "p99_ms"]
busy = pd.DataFrame(rows, columns=columns).set_index(["linger_ms", "rate_per_s"])

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    5 if busy["p99_ms"][5, 4_800] < busy["p99_ms"][0, 4_800] else 0,
    "has the smaller p99: {with_0:.1f} ms with 0, {with_5:.1f} ms with 5",
    values={"with_0": busy["p99_ms"][0, 4_800], "with_5": busy["p99_ms"][5, 4_800]},
    figure=busy.round(2),
)

# %% [markdown]
# With linger 5 the broker has a third as many requests to serve, and the p99 stays
# below 6 ms at every rate. With 0 it is lower while the broker is idle, and higher when
# it is busy. Who waits a little on purpose waits less in the queue.
#
# Look at linger 0 and 12,000 records a second, more than twice what the broker can
# serve one by one. It does not collapse. The p99 stays at 12 ms, and a batch has 2.4
# records though nobody asked for it. Why?
#
# **By hand.** A producer has at most five requests on the way to a broker
# (`max.in.flight.requests.per.connection`). Ten tills × 5 requests × 0.2 ms = 10 ms:
# that is the longest queue there can be. What comes meanwhile gathers at the till, and
# the next request takes it along. So a queue at the broker makes batches by itself;
# linger only makes them before there is a queue.
#
# ## The end of a connection
#
# What is on the way is limited, and that is the first end of throughput. The broker is
# on another continent, 25 ms away. A web shop sends records of 1,000 bytes, 16 of which
# fit into a batch, to one partition.
#
# **Predict.** 2,000 records a second come. How many get through in a second? Five
# requests may be on the way, each with one batch, and the way there and back takes 50
# ms.

# %%
guess = None  # how many records a second?

# %%
abroad = ks.Scenario(
    ks.Traffic(
        {"web": ks.Source("orders", ks.Poisson(2_000), value_bytes=1_000)},
        {},
        duration_s=2,
    ),
    ks.Kafka(hardware=ks.Hardware(link=ks.Link(delay_ms=25))),
    seed=9,
)
IN_FLIGHT = "system.producers.web.config.max_in_flight_requests_per_connection"
ACKS = "system.producers.web.config.acks"
through = {}
for changed in ({}, {BATCH_SIZE: 65_536}, {IN_FLIGHT: 1}, {ACKS: "1"}, {ACKS: "0"}):
    run = ks.run(abroad.where(changed))
    settings = ", ".join(f"{path.split('.')[-1]} {v}" for path, v in changed.items())
    through[settings or "as it is"] = {
        "per_s": len(run.records) / run.records["appended_ms"].max() * 1_000,
        "in_batch": run.batches["record_count"].mean(),
        "p99_ms": (run.records["appended_ms"] - run.records["intended_ms"]).quantile(
            0.99
        ),
    }

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(through["as it is"]["per_s"], -1),
    "get through",
    unit="records/s",
    figure=pd.DataFrame(through).T.iloc[:1].round(1),
)

# %% [markdown]
# **By hand.** That is Little's law: what is on the way = how much goes through in a
# second × how long it is on the way. 5 × 16 records = *x* × 0.05 s, so *x* = 1,600. The
# other records wait at the producer, longer and longer as the run goes on. Here is what
# four changes do:

# %%
pd.DataFrame(through).T.round(1)

# %% [markdown]
# - **Larger batches**, and all get through: four times as much may be on the way.
# - **One request on the way** instead of five: a fifth. It used to be the price of a
#   strict order; since a producer is idempotent by default (KIP-679), five keep it, too
#   (`enable.idempotence` refuses more than five).
# - **`acks=1`** changes nothing: here a partition has one copy, and the answer comes
#   when that one has it. By default (`acks=all`) the broker keeps the request in its
#   purgatory until *all* copies that keep up have the batch; lesson 10 adds them.
# - **`acks=0`** waits for no answer, so nothing is "on the way", and all get through.
#   The price: the producer never learns what became of a batch.
#
# ## The end of the network
#
# The second end: every reader gets everything. A broker's network card sends 10 MB a
# second, and four groups read.
#
# **Predict.** Records of 1,000 bytes, 16 to a batch. Up to how many records a second
# can the readers be served? The pencil is enough.

# %%
guess = None  # how many records a second?

# %%
parcels = ks.Source("orders", ks.Poisson(1_000), value_bytes=1_000)
four = {f"group-{number}": reader for number in range(1, 5)}
card = ks.Kafka(hardware=ks.Hardware(link=ks.Link(bandwidth_mb_per_s=10)))
readers = ks.sweep(
    ks.Scenario(ks.Traffic({"web": parcels}, four, duration_s=1), card, seed=9),
    {RATE: [1_000, 1_400, 1_800, 2_200, 2_400, 3_000]},
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(readers["throughput_per_s"].iloc[-1], -1),
    "are read when 3,000 are written",
    unit="records/s",
    figure=ks.plot.sweep(readers, y="latency_ms_p99", label="throughput_per_s"),
)

# %% [markdown]
# 10,000,000 bytes ÷ 4 readers ÷ 1,000 bytes would be 2,500, and a little less with what
# is around each value. Again latency doubles *before* the end, at 2,200 and 2,400. And
# this end has no brake: nothing tells the producer that readers fall behind. The lag
# grows for as long as more is written, and is worked off afterwards (`drain_s`).
#
# ## Four ends
#
# | what ends it | with a pencil | what helps |
# |---|---|---|
# | threads that serve requests | threads ÷ time of a request | larger batches |
# | what is on the way | requests × records ÷ round trip | larger batches, partitions |
# | the network card | bandwidth ÷ (readers × bytes) | more brokers, fewer readers |
# | who works on the records | members ÷ work (lesson 03) | members, partitions |
#
# ## Move it yourself
#
# Half a second of orders, and all controls at once. Left, the batches: each bar goes
# from a batch's first record until it left. Its questions are buttons. Answer each
# before you press it. In a notebook without a kernel, on a web page for instance, you
# see a picture of it.

# %%
ks.widgets.BatchingExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **At first:** some five records a batch, 1 + 833 × 0.005, and each ended by linger:
#   six partitions on six brokers have no neighbours.
# - **Nobody waits:** one record a batch, one batch a request, five times the requests.
# - **Full:** with 2 KiB nearly no batch lives to see its linger.
# - **32 partitions:** one or two records a batch. Most are drained along. A request has
#   as many records as before.
# - **On one broker:** a request takes 18 batches along.
# - **Linger 50:** 42 records a batch, and 27 ms of latency on average, nearly all of it
#   at the producer.
#
# </details>
#
# ## Where these rules stand
#
# - **A batch is ready** when it is full, when there is a next one behind it, or when
#   its first record has waited `linger.ms` (`RecordAccumulator.partitionReady`).
# - **All batches of that broker** travel along, one for each partition, up to
#   `max.request.size` (`RecordAccumulator.drain`, `Sender.sendProduceRequests`).
# - **A batch has room** up to `batch.size`; a record that is larger gets a batch of its
#   own (`RecordAccumulator.append`).
# - **At most five requests** per connection are on the way by default
#   (`max.in.flight.requests.per.connection`; `InFlightRequests.canSendMore`).
# - **A broker reads one request of a connection at a time** (`SocketServer`), and its
#   IO threads take requests from one queue (`KafkaRequestHandlerPool`).
# - **Linger 5** is the default since 4.0 (KIP-1030), 0 before.
# - **The wait in a queue**: F. Pollaczek (1930) and A. Khinchine (1932). **What is on
#   the way**: J. Little, "A proof for the queuing formula L = λW" (1961).
#
# ## What this leaves out
#
# **A real producer is not so quick.** kafkasim's sends at the very moment a batch is
# ready. The real one is a thread in a loop that has to wake up first; records gather
# meanwhile. So with linger 0 a real producer sends larger batches than this one: of
# bursts of ten, [measured on a real broker](../docs/evidence/real-broker.md), about six
# times as large. What you saw at linger 0 is the worst case.
#
# A producer here never runs out of memory. In Kafka records wait in `buffer.memory` (32
# MiB); when that is full, the application itself has to wait (`max.block.ms`).
#
# The 0.2 ms of the small broker, and kafkasim's usual 0.05 ms, are round figures, not
# measurements: the *shape* is what to take along. Nothing is compressed here, which
# would make fewer bytes of the same records, and the more so the larger a batch is.
# There is one copy of each partition, and no disk. [How Kafka is
# modelled](../docs/explanation/model.md) has each step and its source.
#
# ## Exercises
#
# **1. Change one setting.** The shop with one partition, 20,000 orders a second.
# Predict for `batch.size` of 2, 4, 16 and 64 KiB: which are closed by linger, and which
# has the smallest p99?

# %% tags=["solution"]
# Solution. 100 orders come in 5 ms, of some 218 bytes each: 22 KB. So 64 KiB never
# fill, 16 KiB nearly always do. The smaller, the sooner full; and the more requests.
for kib in (2, 4, 16, 64):
    run = ks.run(shop.where({RATE: 20_000, BATCH_SIZE: kib * 1_024}))
    closed = run.batches["closed_by"].value_counts(normalize=True).round(2).to_dict()
    p99 = ks.analysis.metrics(run)["latency_ms_p99"]
    print(f"{kib:2} KiB: {len(run.batches):4} batches, p99 {p99:.1f} ms,", closed)

# %% [markdown]
# **2. Ask a rule.** Requests a second are brokers ÷ (linger + the time until the next
# order comes). Check it for the shop with 12 partitions on 1, 2, 3, 4 and 6 brokers.
# When do you expect it to fail?

# %% tags=["solution"]
# Solution. The orders of one broker are a share of all. It fails when batches fill up
# before their linger is over, and when too many requests are on the way.
for brokers in (1, 2, 3, 4, 6):
    run = ks.run(shop.where({PARTITIONS: 12, BROKERS: brokers}))
    count = (run.requests["api"] == "Produce").sum()
    rule = brokers / (0.005 + brokers / 5_000)
    print(f"{brokers} brokers: {count} requests, by the rule {rule:.0f}")

# %% [markdown]
# **3. Make one.** The readers of the shop want 99 of 100 orders within 12 ms, and the
# broker's owner wants as few requests as possible. One broker, 6 partitions, 5,000
# orders a second. Which whole linger do you choose? How many requests does it save
# against the default?

# %% tags=["solution"]
# Solution. The first of a batch waits all of linger, and some 0.7 ms are the way: 11.
for linger in (5, 10, 11, 12):
    run = ks.run(shop.where({LINGER: linger, PARTITIONS: 6}))
    p99 = ks.analysis.metrics(run)["latency_ms_p99"]
    count = (run.requests["api"] == "Produce").sum()
    print(f"linger {linger:2} ms: p99 {p99:.2f} ms, {count} requests")

# %% [markdown]
# **4. By hand.** A topic gets 100,000 records a second of 1,000 bytes, from producers
# in the same house: a round trip takes 1 ms. It is read by three groups. A broker has a
# card of 125 MB a second. How many brokers must it have, if all are equally busy and
# each record has one copy? And what would the first end be, if the producer were one,
# with the defaults, and 50 ms away?

# %% tags=["solution"]
# Solution. Read: 3 x 100 MB/s, so three brokers at least, and they would be at 80 % of
# their cards: the wait is what the formula says, so take four or five. One producer far
# away: 5 requests per broker, each with a batch of 16 records for each partition, every
# 50 ms. That is 1,600 records/s for each partition: 63 partitions; or larger batches.
print(3 * 100 / 125, 100_000 / (5 * 16 / 0.050))

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. linger.ms is 5, and batches fill up in 2 ms. How long does a record wait at the
# producer?**
#
# <details><summary>A. 5 ms: that is what linger says.</summary>
#
# Not so: linger is an upper bound, and a full batch leaves at once.
#
# </details>
# <details><summary>B. At most 2 ms, and 1 ms on average.</summary>
#
# Right: the first of a batch waits until it is full, the last one not at all.
#
# </details>
# <details><summary>C. 7 ms: first until it is full, then linger.</summary>
#
# Not so: the clock runs from the first record on, and being full stops it.
#
# </details>
#
# **2. A topic goes from 8 to 80 partitions, on the same two brokers. What happens to
# the produce requests of a producer with few records?**
#
# <details><summary>A. About as many, with more and smaller batches in each.</summary>
#
# Right: a request takes along a batch of every partition of its broker.
#
# </details>
# <details><summary>B. Ten times as many.</summary>
#
# Not so: there is no request per partition.
#
# </details>
# <details><summary>C. Fewer: each has more room.</summary>
#
# Not so: room is not what ends a batch of a producer with few records; linger is.
#
# </details>
#
# **3. A broker's threads are busy 70 % of the time, and the load grows by a quarter.
# The wait in its queue …**
#
# <details><summary>A. grows by a quarter, too.</summary>
#
# Not so: the wait has 1 − load below the line, and that falls from 0.3 to 0.125.
#
# </details>
# <details><summary>B. stays: the threads are still not busy all the time.</summary>
#
# Not so: requests that come at random come in bunches, and wait for each other.
#
# </details>
# <details><summary>C. is three times as long.</summary>
#
# Right: 0.7 ÷ 0.3 = 2.3, and 0.875 ÷ 0.125 = 7.
#
# </details>
#
# **4. When does a linger of 5 ms make records *sooner* than 0?**
#
# <details><summary>A. Never: waiting cannot save time.</summary>
#
# Not so: it saves requests, and whoever is behind them in the queue waits less.
#
# </details>
# <details><summary>B. When the broker is busy with requests.</summary>
#
# Right: then the wait in its queue is longer than the wait that was saved.
#
# </details>
# <details><summary>C. When few records come.</summary>
#
# Not so: then nobody joins the batch, and the wait is for nothing.
#
# </details>
#
# **5. A producer far away sends no more than 1,600 records a second, whatever comes.
# What helps?**
#
# <details><summary>A. A longer linger.</summary>
#
# Not so: its batches are full already; it is what may be on the way that ends it.
#
# </details>
# <details><summary>B. More IO threads at the broker.</summary>
#
# Not so: they have little to do. The time passes on the way.
#
# </details>
# <details><summary>C. A larger batch.size, or more partitions.</summary>
#
# Right: either puts more records into each of the five requests.
#
# </details>
#
# ## Now your own traffic
#
# Two lines. `mine.csv` is any table with a column of times, one row for each record
# that your program sends:
#
# ```python
# mine = ks.traces.from_csv("mine.csv", time="sent_at")
# ks.plot.batching(ks.run(shop.where({"traffic.sources.web.arrivals": mine})))
# ```
#
# Real arrivals are more uneven than a Poisson process. Do your batches fill?

# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Retention, replay and compaction
#
# A log keeps what was read. So it can be asked for again, by anybody, as far back as it
# reaches. How far that is, and what goes first, is decided by two rules: one deletes
# the oldest part, the other keeps the newest record of every key.
#
# **After this lesson you can**
#
# - work out with a pencil when a record leaves a log, and why it is later than the
#   setting says;
# - say what a late reader gets, what a slow one loses, and what either reset changes;
# - say which records compaction leaves, and what a reader can rebuild from them;
# - read a topic's settings and say what they keep.
#
# **New words.** [log start](../docs/reference/glossary.md#log-start),
# [replay](../docs/reference/glossary.md#replay), [reset
# policy](../docs/reference/glossary.md#reset-policy),
# [compaction](../docs/reference/glossary.md#compaction),
# [tombstone](../docs/reference/glossary.md#tombstone). kafkasim's own:
# [expired](../docs/reference/glossary.md#expired),
# [skipped](../docs/reference/glossary.md#skipped). Each is said in a sentence where it
# first comes up. Of the earlier lessons you need 01, and of 05 one word: a log is cut
# into files, and such a file is a *segment*.
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are six.

# %% [markdown]
# ## Sixty readings, two readers
#
# A town has stations with bikes for hire. Each second one of them sends how many bikes
# it has. That is a record; its key is the station. So reading *i* is sent at *i*
# seconds, and in a topic with one partition it gets offset *i*: the row's number in
# this table (made up for this lesson) is second and offset at once. The harbour sends
# once, the museum four times.

# %%
import pandas as pd

import kafkasim as ks

readings = pd.DataFrame(
    {
        "at_s": range(60),
        "station": ["market", "market", "depot"] * 20,
        "bikes": [5 * second % 13 for second in range(60)],
    }
)
readings.loc[5, "station"] = "harbour"
readings.loc[[2, 8, 14, 20], "station"] = "museum"
readings.head(9)

# %% [markdown]
# Two groups want them: a **board** in the street, and **planning**, which decides where
# bikes must be brought. Both keep up. Network and brokers are ideal, as in lesson 01,
# and all settings are Kafka's defaults.

# %%
stations = ks.Source(
    stream="bikes",
    arrivals=ks.traces.from_dataframe(readings, time="at_s", time_unit="s"),
    keys=ks.TraceColumn("station"),
)
board = ks.Subscriber(streams=["bikes"], work_ms=200)
planning = ks.Subscriber(streams=["bikes"], work_ms=700)
town = ks.Scenario(
    ks.Traffic({"stations": stations}, {"board": board, "planning": planning}),
    ks.Kafka(hardware=ks.Hardware.ideal()),
)
minute = ks.run(town)
ks.plot.log(minute, at_s=14.5)

# %% [markdown]
# This is the log at 14.5 s. All that lies left of both markers was read by everybody
# who wants it.
#
# **Predict.** After a minute both have read all sixty, and both have committed most of
# them. How many records are in the log?

# %%
guess = None  # how many of the 60?

# %%
columns = ["base_offset", "end_offset", "record_count", "created_ms", "deleted_ms"]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    int(minute.segments["record_count"].sum()),
    "records are in the log, in one segment",
    figure=minute.segments[columns].round(3),
)

# %% [markdown]
# > **What people get wrong.** "Kafka deletes a message once it was consumed." A log
# > does not know who reads it. A group's commit is a note about the group, kept
# > elsewhere; no rule of deletion looks at it. Run it without a reader, or with ten:

# %%
SUBSCRIBERS = "traffic.subscribers"
ten = {f"reader-{number}": board for number in range(10)}
for readers in ({}, ten):
    kept = ks.run(town.where({SUBSCRIBERS: readers})).segments["record_count"].sum()
    print(f"{len(readers):2} readers, {kept} records in the log")

# %% [markdown]
# ## What deletes
#
# By default *retention* does (`cleanup.policy=delete`). These settings of topic and
# broker say how:

# %%
MINUTE_MS, DAY_MS = 60_000, 24 * 3_600_000
topic = ks.TopicConfig().resolve()
look_ms = ks.BrokerConfig().resolve().log_retention_check_interval_ms
pd.Series(
    {
        "segment.bytes (GiB)": topic.segment_bytes / 2**30,
        "segment.ms (days)": topic.segment_ms / DAY_MS,
        "retention.ms (days)": topic.retention_ms / DAY_MS,
        "retention.bytes (-1: no limit)": topic.retention_bytes,
        "log.retention.check.interval.ms (minutes)": look_ms / MINUTE_MS,
    }
).to_frame("Kafka's default")

# %% [markdown]
# The newest records go into the last segment, the *active* one. When it is full, or
# when a record comes that is more than `segment.ms` later than its first, it is closed
# and another one begins. Every five minutes the broker looks at the oldest segment. Is
# its *newest* record older than `retention.ms`, the whole segment goes. Then it looks
# at the next, and stops at the first that stays (`UnifiedLog.deleteOldSegments`).
#
# In a minute none of that happens. So we make it smaller, in sight: segments of 2 s
# in the place of 7 days, 10 s of retention in the place of 7 days, a look every second.
# (By size it would take more records: Kafka takes no segments below 1 MiB.)

# %%
small = town.where(
    {
        "system.topics.bikes.config": ks.TopicConfig(
            segment_ms=2_000, retention_ms=10_000
        ),
        "system.broker_config": ks.BrokerConfig(
            log_retention_check_interval_ms=1_000, log_initial_task_delay_ms=0
        ),
    }
)
shrunk = ks.run(small)
shrunk.segments[["base_offset", "end_offset", "record_count", "rolled_by"]].head(3)

# %% [markdown]
# **By hand.** Reading 3 is 3 s later than reading 0, which is more than 2 s: so it
# opens a new segment, and the first one has readings 0, 1 and 2. (`end_offset` is the
# one after its last.)
#
# **Predict.** Retention is 10 s, and reading 0 was sent at 0 s. At which second does it
# leave the log? The broker looks at 0 s, 1 s, 2 s, …

# %%
guess = None  # at which second?

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(shrunk.removals["at_ms"].iloc[0] / 1_000),
    "is when reading 0 leaves the log",
    unit="s",
    figure=ks.plot.retention(shrunk),
)

# %% [markdown]
# Its segment ends with reading 2, sent at 2 s. At 12 s that one is 10 s old, not older,
# and so the segment stays. At 13 s it goes, with all three. The black line is the *log
# start*: the offset of the oldest record that is still there. It jumps.
#
# How old were the oldest and the newest record of each segment when it went?

# %%
gone = shrunk.segments.dropna(subset="deleted_ms")
gone_s = gone["deleted_ms"] / 1_000
ages = pd.DataFrame(
    {
        "gone at": gone_s,
        "age of its oldest": gone_s - gone["base_offset"],
        "age of its newest": gone_s - (gone["end_offset"] - 1),
    }
)
ages.describe().loc[["count", "min", "max"]]

# %% [markdown]
# > **What people get wrong.** "Retention deletes messages one by one, when they are
# > seven days old." It deletes segments, each whole. `retention.ms` is the age up to
# > which a record is *sure* to be kept, not the age at which it goes.
#
# **By hand, with the defaults.** A quiet topic never fills 1 GiB. Then a segment holds
# seven days, its newest record has to be more than seven days old, and the look may be
# five minutes late: its oldest record is up to 14 days and 5 minutes old then. (The
# file itself is only renamed then, and goes a minute later, `file.delete.delay.ms`.)
#
# ## A topic that falls silent
#
# The last segment takes records until the next record closes it. When no record comes,
# nobody closes it.
#
# **Predict.** The readings stop after 20 s. At 40 s somebody comes who wants all there
# is. How many of the 20 readings are there?

# %%
guess = None  # how many of the 20?

# %%
inspector = ks.Subscriber(streams=["bikes"], work_ms=100, from_s=40, wants="all")
silent = ks.run(
    small.where({"traffic.duration_s": 20, SUBSCRIBERS: {"inspector": inspector}})
)

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    len(silent.deliveries),
    "of the 20 readings are there at 40 s",
    figure=ks.plot.retention(silent),
)

# %% [markdown]
# "The active segment is never deleted", one reads. But when all of it is too old,
# retention closes it, puts an empty one in its place and deletes it:

# %%
silent.segments[[*columns, "rolled_by"]].tail(3)

# %% [markdown]
# A topic that falls silent does become empty. Its numbers go on, though: the next
# reading would get offset 20. What is deleted gives no offset back.
#
# ## Ask for it again
#
# Back to sixty readings. At 30 s **research** comes and wants all there is
# (`wants="all"`). The board has long read that. To read again what the log still keeps
# is called *replay*.
#
# **Predict.** With which offset does research begin? The figure before last, or a
# pencil, will do.

# %%
guess = None  # an offset

# %%
research = ks.Subscriber(streams=["bikes"], work_ms=100, from_s=30, wants="all")
replay = ks.run(small.where({SUBSCRIBERS: {"board": board, "research": research}}))
read = replay.deliveries[["subscriber", "offset", "started_ms"]]
again = read.query("subscriber == 'research'")

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    again["offset"].iloc[0],
    "is the offset of the first reading that research gets",
    figure=ks.plot.log(replay, at_s=30.35),
)

# %% [markdown]
# The grey offsets are those of readings that are gone. At 30 s the log begins with
# reading 18: its segment ends with reading 20, which is 10 s old, not older. From there
# research reads what the board read, in the same order, and nobody had to keep it for
# research:

# %%
before = read.query("subscriber == 'board' and offset >= 18")["offset"]
print("the same, in the same order:", list(before) == list(again["offset"]))
ks.summary(replay)[["subscriber", "records", "expired", "skipped"]]

# %% [markdown]
# Research wanted sixty and got 42. The other 18 are *expired*: they were kept once, and
# were gone before research came to them. (`ks.analysis.receipts` says it record by
# record.) How far back a log remembers is a setting.
#
# Why did research begin at the log start? A group that has committed an offset goes on
# from there. One that has not, begins by its *reset policy*, `auto.offset.reset`: at
# the log start (`earliest`, which `wants="all"` means) or at the log's end (`latest`,
# the default, `wants="new"`). So there are three ways to read once more: a new group,
# as here; to set a group's committed offsets back while none of its members runs
# (`kafka-consumer-groups --reset-offsets`, to the log start, an offset or a time); or a
# program that seeks.
#
# ## A reader that is too slow
#
# **Counting** is slow: 2 s for a reading, and one comes each second. Its position is at
# *t*/2 after *t* seconds. The log start is at about *t* − 12. **By hand:** the two meet
# when *t*/2 = *t* − 12, at 24 s. From then on, what counting would read next is about
# to be deleted.
#
# **Predict.** Does the broker wait for it? How many of the sixty does counting never
# get?

# %%
guess = None  # how many of the 60?

# %%
counting = ks.Subscriber(streams=["bikes"], work_ms=2_000, wants="all")
new_only = ks.Subscriber(streams=["bikes"], work_ms=2_000, wants="new")
earliest = ks.run(small.where({SUBSCRIBERS: {"counting": counting}}))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    60 - len(earliest.deliveries),
    "of the 60 readings are never read by counting",
    figure=ks.plot.retention(earliest, subscriber="counting"),
)

# %% [markdown]
# Deletion overtakes it. What it had fetched it still works on, though the log has it no
# more (grey). The rest is gone unread.
#
# **Investigate.** At 36 s it fetched again. What did the broker say, and what came
# next?

# %%
said = earliest.requests.query("error.notna() or api == 'ListOffsets'")
said[["api", "sent_ms", "answered_ms", "error"]].round(3)

# %% [markdown]
# It asked for offset 21, and the log began at 24: `OFFSET_OUT_OF_RANGE`. At 42 s it was
# done with what it held, and only then saw the answer. Now the reset policy is used
# once more: it asked where the log begins (`ListOffsets`), and went on there. The
# program is told nothing; the jump is a line in the consumer's own log. (With
# `auto.offset.reset=none` the program gets an exception instead.)
#
# So it goes on: nine lost, nine read, nine lost, nine read, and the last three lost.
# **And with `latest`?** Then it goes on at the log's end, past all that still lies
# there. What a reset passes is *skipped*.

# %%
latest = ks.run(small.where({SUBSCRIBERS: {"counting": new_only}}))
both = {"earliest": earliest, "latest": latest}
pd.DataFrame(
    {
        policy: {
            "read": len(run.deliveries),
            "expired": ks.summary(run)["expired"].item(),
            "skipped": ks.summary(run)["skipped"].item(),
            "times reset": run.requests["error"].notna().sum(),
            "p50 of latency (s)": ks.summary(run)["latency_ms_p50"].item() / 1_000,
        }
        for policy, run in both.items()
    }
).round(1)

# %% [markdown]
# Neither brings back what is gone, and neither makes counting faster: it reads about as
# much. With `earliest` it goes on with the oldest there is, which is the next to go.
# With `latest` it passes 13 that were still there, and is among the new ones. A reader
# that was only held up for a while loses less with `earliest`.
#
# What helps is to be faster (lesson 03 has more members and their limits), or to keep
# the log longer: exercise 1.
#
# ## The newest of every key
#
# For the board one reading of each station would do: the newest. A topic can be kept so
# (`cleanup.policy=compact`). Then nothing goes because of its age. From time to time a
# *cleaner* goes through the closed segments, and of each key it keeps the newest record
# there, and drops the older ones. That is *compaction*.
#
# And when a station is closed for good? Then a record is sent with its key and no
# value: a *tombstone*. It says "of this key there is nothing any more". Compaction
# keeps it a while, so that readers see it, and then drops it too.
#
# With this seed one reading in the minute is a tombstone, number 20. It is the
# museum's, and its last. A tombstone is to stay 5 s in the place of a day
# (`delete.retention.ms`), and the cleaner looks every second in the place of 15.

# %%
newest_only = ks.TopicConfig(
    segment_ms=2_000, cleanup_policy="compact", delete_retention_ms=5_000
)
in_time = ks.Subscriber(streams=["bikes"], work_ms=10, from_s=24, wants="all")
too_late = ks.Subscriber(streams=["bikes"], work_ms=10, from_s=60, wants="all")
keep_newest = small.where(
    {
        "system.topics.bikes.config": newest_only,
        "system.broker_config.log_cleaner_backoff_ms": 1_000,
        "traffic.sources.stations.tombstones": 0.05,
        "seed": 1,
        SUBSCRIBERS: {"board": board, "in_time": in_time, "too_late": too_late},
    }
)
compact = ks.run(keep_newest)
compact.removals[["from_offset", "to_offset", "at_ms"]].head(5)

# %% [markdown]
# **By hand.** The first segment, closed at 3 s, has market, market, museum. At 4 s the
# cleaner drops the older market, offset 0. At 7 s the second segment is closed too:
# market, market, harbour. Now 4 is the newest of the market; 1 and 3 go.
#
# **Predict.** At 60 s a reader comes who wants all there is. Sixty readings of four
# stations were sent. How many records does it get?

# %%
guess = None  # how many of the 60?

# %%
has_value = compact.records.set_index("offset")["value_bytes"] >= 0
sent = pd.DataFrame(
    {
        "offset": readings.index,
        "key": readings["station"],
        "value": readings["bikes"].astype(object).where(has_value, None),
    }
)
reads = compact.deliveries.set_index("subscriber")["offset"]
found = sent.loc[reads["too_late"]]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    len(found),
    "records are there for who comes at 60 s",
    figure=ks.plot.removal(sent, found),
)

# %% [markdown]
# More than four, and more than the three stations that are left. Of the harbour its one
# reading, 55 s old: no age sends it away. Of the market not only the newest. The
# offsets are the old ones, with gaps: a record is never renumbered, and a consumer that
# asks for an offset in a gap gets the next one there is.
#
# The last six readings lie in two segments that no cleaner has been through. Kafka
# never compacts the active segment, and it does not begin before more than half of the
# closed bytes are new since the last time (`min.cleanable.dirty.ratio`).
#
# > **What people get wrong.** "Compaction keeps exactly one record per key." At least
# > one, the newest. Whoever reads a compacted topic goes through it and lets a later
# > record of a key replace an earlier one.
#
# That takes one line. Here is what the board knows, who has read all sixty, and what
# the late reader can rebuild from nine:

# %%
knows = dict(zip(sent["key"], sent["value"], strict=True))
rebuilt = dict(zip(found["key"], found["value"], strict=True))
print("the board:", knows)
print("rebuilt:  ", rebuilt)

# %% [markdown]
# The final state of every key is the same. The board says `None` of the museum; the
# late reader has never heard of it. What the late reader does not know is how it came
# to be so:

# %%
changes = {"sent": sent, "found at 60 s": found}
pd.DataFrame({name: table["key"].value_counts() for name, table in changes.items()})

# %% [markdown]
# **And the tombstone?** Here is the log at 30.5 s. It is still there, number 20:

# %%
ks.plot.log(compact, at_s=30.5)

# %% [markdown]
# Look for it among the removals, and among what the readers got:

# %%
first_gone = compact.removals.query("from_offset <= 20 < to_offset")
print("left the log at", first_gone["at_ms"].item() / 1_000, "s")
for name in ("in_time", "too_late"):
    print(name, "has read it:", 20 in reads[name].to_numpy())

# %% [markdown]
# The cleaner first came to it at 25 s, and gave it a deadline: 25 + 5 = 30 s. It goes
# in the first cleaning after that, at 31 s. A reader that begins at the log start and
# comes past it before then sees every key's last word, deletions too. One that has read
# the museum's readings and then stays away for longer never hears that the museum has
# closed. That is what `delete.retention.ms` is for; its default is a day.
#
# > **A plausible wrong result.** "I looked at the files. Since 31 s each that the
# > cleaner wrote has three records, for three stations. So a compacted topic holds one
# > record per key, and I can read it as a table."

# %%
made = compact.segments.query("created_ms == rolled_ms and created_ms > 30_000")
made[["base_offset", "end_offset", "record_count", "created_ms"]]

# %% [markdown]
# The count is right. It is the count of the *cleaned part*, looked at right after each
# cleaning. What nobody has cleaned yet belongs to the log as well, and with Kafka's
# defaults it is the larger part: a segment that is being written, up to 1 GiB or seven
# days, and before it up to as much again as was cleaned. Exercise 3 shows how far that
# goes.
#
# ## Move it yourself
#
# A shop's prices, fifty changes a second for a minute, eight products, a reader that is
# too slow and one that comes at 45.5 s. Its questions are buttons: answer each before
# you press it. (Without a kernel, on a web page for instance, you see a picture.)

# %%
ks.widgets.LogExplorer()

# %% [markdown]
# <details><summary>What you should have seen, and why</summary>
#
# - **A slow reader** is not waited for. What it loses it never learns.
# - **Keeping longer** gives it time: it loses less, and later. It falls behind all the
#   same.
# - **Segments go, not records**: the longer a segment, the older its oldest record when
#   it goes.
# - **Compaction** keeps the newest price of each product in what was cleaned; with
#   fifty products that is more. The late reader gets it, and all that nobody has
#   cleaned yet.
# - **A slow reader there** gets no error. What it misses are prices that were no longer
#   true.
#
# </details>
#
# ## Where these rules stand
#
# - **What goes**: segments, from the oldest, by time, by size or below a log start that
#   was moved; none that has a record consumers may not read yet
#   (`UnifiedLog.deleteOldSegments`; its looks: `LogManager.cleanupLogs`).
# - **By size** (`retention.bytes`, off by default): the oldest goes while what remains
#   is at least so large. So a log that has grown to that size stays above it, by up to
#   a segment and what is being written.
# - **By time** counts the largest timestamp of a segment, which is what producers
#   wrote. One record from the future holds its segment, and all later ones. (More than
#   an hour ahead is refused by default, `message.timestamp.after.max.ms`.)
# - **Too old an offset**: `OFFSET_OUT_OF_RANGE`, then `auto.offset.reset`
#   (`FetchCollector`, `OffsetFetcher`).
# - **Compaction**: `LogCleaner`, `LogCleanerManager`, `Cleaner`. Each record needs a
#   key; the broker refuses one without.
# - **Both**: `cleanup.policy=compact,delete` compacts, and deletes segments that are
#   too old (exercise 4). An empty policy does neither, and keeps for ever (since Kafka
#   4.2).
#
# A *queue* is different: a share group (KIP-932) settles each record for its members,
# but it too reads from a log, and deletes nothing from it.
#
# ## What this leaves out
#
# Deleting and cleaning take no time here; in Kafka the cleaner reads and writes whole
# segments, and shares the disk with everybody. There is one copy of each log here;
# elsewhere each copy is deleted from and compacted by itself. Old segments can be moved
# to cheaper storage in the place of being deleted (KIP-405): then a log reaches back
# further than the broker's disk. A log start can be moved on by hand (`DeleteRecords`).
# And what a group has committed goes too, seven days after its last member
# (`offsets.retention.minutes`): then the reset policy speaks again. kafkasim does not
# model those three. [How Kafka is modelled](../docs/explanation/model.md) has the rest.
#
# ## Exercises
#
# **1. Change one setting.** Counting needs 2 s for a reading. How long must the log be
# kept, so that it loses nothing of the sixty? Work it out first: when does it begin
# with reading 59, and how old is that then? Then try 20, 30 and 60 s.

# %% tags=["solution"]
# Solution. It begins with reading i at 2 × i seconds, so reading 59 is 59 s old then.
# With 60 s nothing is lost. For a stream without an end no retention is long enough.
for kept_ms in (20_000, 30_000, 60_000):
    longer = {"system.topics.bikes.config.retention_ms": kept_ms}
    run = ks.run(small.where({SUBSCRIBERS: {"counting": counting}} | longer))
    print(f"{kept_ms // 1_000} s: {60 - len(run.deliveries)} lost")

# %% [markdown]
# **2. Ask a table.** In the run `shrunk`, how many records are in the log after 20 s,
# at the least and at the most? `ks.analysis.offsets(shrunk, subscriber="board")` has
# log start and log end over time. Say first what you expect: 10 s of retention, one a
# second.

# %% tags=["solution"]
# Solution. Between two deletions the log grows by three, from 10 to 13. Only three of
# a segment can go, and its newest has to be more than 10 s old.
lines = ks.analysis.offsets(shrunk, subscriber="board").query("at_ms > 20_000")
inside = lines["log_end"] - lines["log_start"]
print(f"{inside.min()} to {inside.max()} records")

# %% [markdown]
# **3. Change one setting.** The compacted topic once more, with Kafka's own segments: 1
# GiB or seven days (`ks.TopicConfig(cleanup_policy="compact")`). How many records does
# the reader find who comes at 60 s? How many would one find who comes after a day, if
# the stations went on so?

# %% tags=["solution"]
# Solution. All sixty: there is one segment, it is active, and so no cleaner touches it.
# After a day it would be 86,400, for three stations. Topics that are to be small have
# segment.ms or max.compaction.lag.ms set.
as_delivered = ks.TopicConfig(cleanup_policy="compact")
unclean = ks.run(keep_newest.where({"system.topics.bikes.config": as_delivered}))
print(unclean.deliveries["subscriber"].value_counts()["too_late"], "records")

# %% [markdown]
# **4. Make one.** A house with 20 rooms. Five times a second, for two minutes, a room
# says how warm it is: `ks.Periodic`, and `ks.ZipfKeys(20, exponent=2)`, since some
# rooms change all the time and others hardly ever. A display comes at 120 s and wants
# all there is. Write the scenario, with segments of 2 s and 30 s of retention. How many
# records does the display get with `delete`, with `compact`, and with both, and of how
# many rooms? Does `compact,delete` rid it of rooms that said nothing for 30 s?

# %% tags=["solution"]
# Solution. It does not: the cleaner writes what it keeps into one segment, old and new,
# and that one is as young as its newest record. Retention then leaves it alone. (Merged
# segments grow up to segment.bytes, which is much here and in any small topic.)
warmth = ks.Source(
    stream="rooms",
    arrivals=ks.Periodic(rate_per_s=5),
    keys=ks.ZipfKeys(20, exponent=2),
)
display = ks.Subscriber(streams=["rooms"], from_s=120, wants="all")
quick_looks = ks.BrokerConfig(
    log_retention_check_interval_ms=1_000,
    log_initial_task_delay_ms=0,
    log_cleaner_backoff_ms=1_000,
)
house = ks.Scenario(
    ks.Traffic({"house": warmth}, {"display": display}, duration_s=120),
    ks.Kafka(broker_config=quick_looks),
)
for policy in ("delete", "compact", "compact,delete"):
    both_rules = ks.TopicConfig(
        cleanup_policy=policy, segment_ms=2_000, retention_ms=30_000
    )
    run = ks.run(house.where({"system.topics.rooms.config": both_rules}))
    shown = run.records.set_index("record_id").loc[run.deliveries["record_id"]]
    print(f"{policy:15} {len(shown):3} records of {shown['key'].nunique()} rooms")

# %% [markdown]
# **5. Your own settings.** Take the properties of a topic you know, or these. Kafka's
# own names are read as they are, and what Kafka does not know is an error. Say of this
# topic: how old may its oldest record get? How long may a reader stay away without
# losing one? Then let a minute stand for six days, so that something is seen: which
# times have to be divided by 8,640?

# %%
settings = ks.TopicConfig.from_properties("""
cleanup.policy=delete
segment.ms=43200000
retention.ms=172800000
""")
settings

# %% tags=["solution"]
# Solution. Two days it is sure to be kept; half a day and a look of the broker later it
# is gone. All times, the broker's too: a look each 34 ms for one each 5 minutes. Who
# comes at the end of the sixth day gets what is left of the last two and a half.
SIX_DAYS_A_MINUTE = 8_640
LOOK = "system.broker_config.log_retention_check_interval_ms"
quick = ks.TopicConfig(
    cleanup_policy=settings.cleanup_policy,
    segment_ms=settings.segment_ms // SIX_DAYS_A_MINUTE,
    retention_ms=settings.retention_ms // SIX_DAYS_A_MINUTE,
)
six_days = small.where(
    {
        "system.topics.bikes.config": quick,
        LOOK: look_ms // SIX_DAYS_A_MINUTE,
        SUBSCRIBERS: {"too_late": too_late},
    }
)
got = ks.run(six_days).deliveries["offset"]
oldest_days = (60_000 - got.min() * 1_000) * SIX_DAYS_A_MINUTE / DAY_MS
print(f"{len(got)} records, the oldest sent {oldest_days:.1f} days before")

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. Every group has read and committed a record. When does it leave the log?**
#
# <details><summary>A. At the next look of the broker.</summary>
#
# Not so: no rule of deletion looks at what was read or committed.
#
# </details>
# <details><summary>B. When the retention of its topic takes its segment.</summary>
#
# Right: or never, by the settings; who has read it does not matter.
#
# </details>
# <details><summary>C. When the last group is deleted.</summary>
#
# Not so: a topic without any group is kept just as long.
#
# </details>
#
# **2. `retention.ms` is one hour. A record is one hour and a minute old. Is it there?**
#
# <details><summary>A. No: it was deleted a minute ago.</summary>
#
# Not so: that would be deletion record by record.
#
# </details>
# <details><summary>B. Yes, as long as somebody has not read it.</summary>
#
# Not so: readers have no say, neither for nor against.
#
# </details>
# <details><summary>C. It may be: its segment goes as a whole.</summary>
#
# Right: when the newest record of the segment is more than an hour old, at the next
# look.
#
# </details>
#
# **3. A consumer was away for a week, and comes back with a committed offset below the
# log start. `auto.offset.reset` is `latest`. What does it read first?**
#
# <details><summary>A. The first record sent after it has come back.</summary>
#
# Right: its offset is out of range, so the reset policy holds, and all that is still
# there is skipped.
#
# </details>
# <details><summary>B. The oldest record that is still there.</summary>
#
# Not so: that would be `earliest`.
#
# </details>
# <details><summary>C. The record it had committed: commits are kept.</summary>
#
# Not so: the commit is a number. The record it names is gone.
#
# </details>
#
# **4. A topic is compacted. Which of these may a reader who begins at the log start
# meet?**
#
# <details><summary>A. Offsets without gaps, one record per key.</summary>
#
# Not so: offsets keep their gaps, and what is not yet cleaned has every record.
#
# </details>
# <details><summary>B. The newest record of a key before an older one of it.</summary>
#
# Not so: compaction drops records, it never changes their order.
#
# </details>
# <details><summary>C. Several records of a key, the newest last.</summary>
#
# Right: so it takes the last one it meets.
#
# </details>
#
# **5. A key's last record is a tombstone. What will a reader see who begins after
# `delete.retention.ms` and the cleanings around it?**
#
# <details><summary>A. The record before the tombstone.</summary>
#
# Not so: that one went at the latest when the cleaner first met the tombstone.
#
# </details>
# <details><summary>B. Nothing of that key.</summary>
#
# Right: and that is the same final state, as long as it knew nothing of the key before.
#
# </details>
# <details><summary>C. The tombstone: the newest of each key stays for ever.</summary>
#
# Not so: of a tombstone that holds only for a while.
#
# </details>
#
# ## Now your own settings
#
# One line: `mine.properties` is any file with a topic's settings, a line each.
#
# ```python
# mine = ks.TopicConfig.from_properties("mine.properties")
# run = ks.run(town.where({"system.topics.bikes.config": mine}))
# ```
#
# A broker's go into `ks.BrokerConfig.from_properties`. Beware of a run of a minute:
# with your settings, as with Kafka's own, nothing may happen in it.

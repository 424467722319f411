# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Anatomy of a partition log
#
# A partition is a log, and a log is files. You open them, read single bytes, and find a
# record with a pencil, as a broker does. Then you turn one bit and see who notices.
#
# **After this lesson you can**
#
# - say what each byte of a batch is for, and what a record costs beside its value;
# - find any offset in the files by hand, and the first record of a moment;
# - say what a checksum covers, what it does not, and why;
# - say what Kafka checks when it starts, and what it takes on trust.
#
# **New words.** [segment](../docs/reference/glossary.md#segment), [base
# offset](../docs/reference/glossary.md#base-offset), [log end
# offset](../docs/reference/glossary.md#log-end-offset), [high
# watermark](../docs/reference/glossary.md#high-watermark), [offset
# index](../docs/reference/glossary.md#offset-index), [time
# index](../docs/reference/glossary.md#time-index),
# [varint](../docs/reference/glossary.md#varint),
# [CRC](../docs/reference/glossary.md#crc), [leader
# epoch](../docs/reference/glossary.md#leader-epoch), [recovery
# point](../docs/reference/glossary.md#recovery-point). Each is said in a sentence where
# it first comes up. The words of lessons 01 and 03 are used as they are.
#
# **Predict first.** In a cell with `guess = None`, put your answer in the place of
# `None`, then go on. There are seven.

# %% [markdown]
# ## A run that leaves its files
#
# All 966 departures of 1 July 2013, as in lesson 01, so fast that an hour passes in 10
# ms. The key is the tail number, the value has 100 bytes, and there is one partition.
# New is `logs=`: when the run is over, its log is written to a folder, as a broker
# leaves it when it is stopped. Kafka's own tools can read it.
#
# One setting is made smaller in sight. A log is cut into files, and a file has up to 1
# GiB (`segment.bytes`). All flights of a day would fit into the first. Kafka takes no
# less than 1 MiB there; below that goes `internal.segment.bytes`, which its own tests
# use. We do as they do, and ask for 32 KiB.

# %%
import struct
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import kafkasim as ks

airports = ks.Source(
    stream="flights",
    arrivals=ks.traces.flights(month=7, speedup=360_000),
    keys=ks.TraceColumn("tail"),
    value_bytes=100,
)
small = ks.TopicConfig(internal_segment_bytes=32 * 1024)
july_1 = ks.Scenario(
    ks.Traffic({"airports": airports}, {}, duration_s=24 * 0.010),
    ks.Kafka(topics={"flights": ks.Topic(config=small)}, hardware=ks.Hardware.ideal()),
    seed=2013,
)
scratch = TemporaryDirectory()  # it goes when the notebook is closed
folder = Path(scratch.name) / "logs"
day = ks.run(july_1, logs=folder)

# %%
partition = folder / "broker-1" / "flights-0"
first = (partition / "00000000000000000000.log").read_bytes()
ks.plot.anatomy(ks.log.anatomy(first))

# %% [markdown]
# ## A batch, byte by byte
#
# These are the first bytes of the log's first file. A log holds no records side by
# side: it holds *batches*, one behind the other, as the producers sent them. This one
# holds a single record, since the first flight of the day leaves alone. A box is a
# field: its bytes (two hexadecimal digits each), its name, and what they say.
#
# - **The header has 61 bytes**, whatever follows. It says how long the batch is and
#   which offsets and times it holds (`DefaultRecordBatch`).
# - **A record has no offset of its own.** It has a *delta*, which is added to the
#   batch's *base offset*, the offset of its first record. The same goes for its time.
# - **The value** is a text that says which record it is. A simulation knows only its
#   size; what stands in it is made up when the file is written.
# - Producer id −1 says: nobody in particular. A producer of Kafka has an id by default,
#   since it is idempotent (KIP-679); those of kafkasim have none yet.
#
# The numbers of a record are *varints*: seven bits to a byte, the low ones first, and
# the eighth bit says that another byte follows. Before that *n* becomes 2*n*, and −*n*
# the odd number below it, 2*n* − 1, so that it stays small, too: 0, −1, 1, −2, 2 become
# 0, 1, 2, 3, 4 (`ByteUtils`).
#
# **By hand.** The length of the record is written `e2 01`. The first byte is 226: its
# top bit (128) is set, so another byte follows, and 98 is left. The second is 1. That
# makes 98 + 1 × 128 = 226; half of it is 113. Count the boxes after it: 1 + 1 + 1 + 1 +
# 6 + 2 + 100 + 1. A length up to 63 would have been a single byte.
#
# **Predict.** A record without a key, with a value of 100 bytes, travels alone in its
# batch. How many bytes does the batch have? The boxes above are all you need.

# %%
guess = None  # how many bytes?

# %%
departure = ks.log.Record(timestamp_ms=0, key=None, value=b"." * 100)
alone = ks.log.encode_batch([departure])

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    len(alone),
    "is the size of the batch: 61 of its header, 9 around the value, 100 of the value",
    unit="bytes",
    figure=ks.plot.anatomy(ks.log.anatomy(alone)),
)

# %% [markdown]
# The key is gone with its six bytes: its length is −1, which is one byte, like 6.
#
# **Predict.** Now it travels with 99 others like it, all from the same millisecond. How
# many bytes of the batch are there for each of the hundred, to the nearest whole one?

# %%
guess = None  # how many bytes a record?

# %%
together = ks.log.encode_batch([departure] * 100)
fields = pd.DataFrame(ks.log.anatomy(together))

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    round(len(together) / 100),
    "is what each costs: the batch has {size:,} bytes for 100 records",
    values={"size": len(together)},
    unit="bytes",
    figure=fields[fields["record"].isin([0, 63, 64])][
        ["record", "start", "size", "name", "value"]
    ].pivot_table(
        index="name", columns="record", values="size", aggfunc="sum", sort=False
    ),
)

# %% [markdown]
# > **What people get wrong.** "Kafka adds about 70 bytes to every record." It adds 61
# > to every *batch*, and about 9 to every record. The header is shared.
#
# A hundred times 109 and a header make 10,961. The other 36 bytes: from record 64 on
# the offset delta takes two bytes instead of one. In the log of our day it is the same:
# the fewer records in a batch, the dearer each. (Keys of five or six bytes come on
# top.)

# %%
tables = ks.log.dump(partition)
batches = pd.DataFrame(tables["batches"])
batches["bytes_per_record"] = batches["size_bytes"] / batches["record_count"]
batches.groupby("record_count")["bytes_per_record"].first().to_frame().round(1).iloc[
    [0, 1, 2, -1]
]

# %% [markdown]
# `ks.log.dump` reads every file of a folder into tables. We use it to check what we
# read by hand. One of them has a row for each batch:

# %%
held = ["segment", "position", "size_bytes", "base_offset", "last_offset"]
batches[[*held, "record_count"]].head()

# %% [markdown]
# ## What the checksum covers
#
# The field *CRC* is a checksum of 32 bits (CRC-32C): it is worked out from other bytes,
# and when one of them is another, it does not fit any more. The bar in the figures
# shows which bytes it covers: all from byte 21 on, and none before.
#
# A producer does not know which offsets its records will get. It sends its batch with
# base offset 0. The broker writes the right one over it, and the *leader epoch* as
# well: a number of the partition that goes up by one each time another broker takes
# over to write it.
#
# **Predict.** A batch of a producer becomes the third of a log, under leader epoch 7.
# Does the broker work out its CRC anew?

# %%
guess = None  # "yes" or "no"

# %%
log = ks.log.PartitionLog()  # in memory; no simulation is needed
log.append([departure])
log.append([departure])
log.append_as_leader(alone, leader_epoch=7)
kept = log.read(2).data

# %% tags=["reveal"]
sent, stored = ks.log.anatomy(alone), ks.log.anatomy(kept)
side_by_side = pd.DataFrame(
    {
        "start": sent["start"],
        "field": sent["name"],
        "as sent": sent["hex"],
        "in the log": stored["hex"],
        "covered": sent["covered"],
    }
)
ks.lessons.reveal(
    guess,
    sent["hex"][4] != stored["hex"][4],
    "the CRC in the log is the one that was sent",
    figure=side_by_side.head(9),
)

# %% [markdown]
# What the broker stamps lies before byte 21, outside the CRC
# (`DefaultRecordBatch.setLastOffset`, `setPartitionLeaderEpoch`). So it checks the
# producer's CRC when the batch comes in (`UnifiedLog.analyzeAndValidateRecords`), sets
# two fields, and writes all else as it came. The consumer checks the very same CRC at
# the other end (`check.crcs`): from producer to consumer, through the disk, nothing
# under it can change unnoticed.
#
# The price: base offset and leader epoch have no checksum. Keep that in mind.
#
# ## Files named after an offset
#
# The files that the log is cut into are its *segments*. Batches are added to the last
# one, the *active* segment. A batch that would make it larger than it may be begins a
# new one (`LogSegment.shouldRoll`). The name of a segment is its base offset, the
# offset of its first record, in twenty digits. Here are the last batches of the first
# segment:

# %%
batches.loc[batches["segment"] == 0, held].tail(3)

# %% [markdown]
# **Predict.** What is the name of the second `.log` file? Write its number, without the
# zeros in front and without the ending.

# %%
guess = None  # a number

# %%
bases = [int(file.stem) for file in sorted(partition.glob("*.log"))]

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    bases[1],
    "names the second segment: {base:020}.log",
    values={"base": bases[1]},
    figure=ks.plot.segments(tables),
)

# %% [markdown]
# Each segment is as wide as the offsets and as high as the bytes that it holds; a
# position in a file (not to be confused with a reader's position) counts its bytes from
# 0. The blue boxes are batches. The dots come next.
#
# At the right stands the *log end offset*: the offset that the next record will get.
# Consumers read up to the *high watermark*, below which every copy of the partition has
# the records. Here there is one copy, so the two are the same. (A copy that has fallen
# behind for long does not count; that is lesson 10.)
#
# ## The index knows only some
#
# Beside each `.log` lies an `.index`, its *offset index*: entries of eight bytes, an
# offset (less the segment's base) and a position in the file. An entry is made when
# more than 4,096 bytes have been added since the last one (`index.interval.bytes`).
#
# Python reads them with `struct`: in `>ii` the sign says that the first byte is the
# highest, and each `i` is a number of four bytes (a `q` has eight).
#
# **Predict.** The first segment has 32,392 bytes. How many entries has its index?

# %%
guess = None  # how many entries?

# %%
index = (partition / f"{bases[0]:020}.index").read_bytes()
entries = pd.DataFrame(struct.iter_unpack(">ii", index), columns=["offset", "position"])

# %% tags=["reveal"]
in_first = batches.loc[batches["segment"] == 0, held[1:]]
ks.lessons.reveal(
    guess,
    len(entries),
    "entries for {batches} batches, each of which is added whole",
    values={"batches": len(in_first)},
    figure=in_first.assign(entry=in_first["position"].isin(entries["position"])),
)

# %% [markdown]
# > **What people get wrong.** "The index has an entry for each record", or "for each
# > 4,096 bytes". It has one for some of the batches, never more than one a batch.
#
# Before a batch is added, the broker looks whether more than 4,096 bytes have gone by
# since the last entry; if so, the batch gets one (`LogSegment.append`). **By hand.**
# The first gets none, since nothing has gone by. Before the second, 176 bytes have.
# Before the third, 176 + 4,316 = 4,492: that is the first entry. It says the *last*
# offset of its batch, and the position of its first byte. Follow the table to the end.
#
# A record can be found without the others: from an entry, a few headers lead on. So the
# index may be small: eight bytes for more than 4,096 of the log. While a segment is
# active its file is larger, filled up with zeros to `segment.index.bytes` (10 MiB);
# when it is closed, it is cut to what is in it.
#
# ## Find offset 720 by hand
#
# A consumer asks for offset 720. Where is it? Three steps, each as a broker does it.
#
# **First, the segment**: of the names, the largest that is not above 720
# (`LogSegments.floorSegment`).

# %%
wanted = 720
base = max(name for name in bases if name <= wanted)
print(f"{bases}: so it is {base:020}.log")

# %% [markdown]
# **Second, the index**: the largest offset in it that is not above 720
# (`OffsetIndex.lookup`). If there is none, one begins at position 0. An entry counts
# from the base of its segment.

# %%
index = (partition / f"{base:020}.index").read_bytes()
entries = [(base + more, at) for more, at in struct.iter_unpack(">ii", index)]
found = max([(base, 0)] + [entry for entry in entries if entry[0] <= wanted])
print(f"{index[:8].hex(' ')} … {len(index)} bytes, {len(entries)} entries")
print(f"{entries}: so one begins at position {found[1]:,}")

# %% [markdown]
# **By hand.** There are five here. A full index of 10 MiB has 1.3 million; there one
# does not look at all of them. Look at the middle one: is it above 720? Then the one
# wanted is in the half before it, else in the half from it on. Each look halves what is
# left. Five entries take three looks, and 1.3 million take 21.
#
# **Third, the batches**: read a header, and if the batch ends before 720, go on by its
# length. Of the header three fields are needed: the base offset (at byte 0), the length
# of what comes after byte 12 (at byte 8), and the last offset delta (at byte 23).

# %%
data = (partition / f"{base:020}.log").read_bytes()
position = found[1]
looked_at = []
for _ in range(10):
    start, length = struct.unpack_from(">qi", data, position)
    (delta,) = struct.unpack_from(">i", data, position + 23)
    looked_at.append((position, start, start + delta, 12 + length))
    if start + delta >= wanted:
        break
    position += 12 + length
pd.DataFrame(
    looked_at, columns=["position", "base_offset", "last_offset", "size_bytes"]
)

# %% [markdown]
# The batch of an entry is never the one, unless its last record is asked for. (Why?
# Look again what an entry says.) In the batch that was found the record is number 720 −
# 695 = 25. (Numbers begin at 0.) Now ask the library: it opens the folder, and reads.
# That the log was closed has to be said; later you see why.

# %%
log = ks.log.PartitionLog(ks.log.FolderStore(partition), small, clean_shutdown=True)
read = log.read(wanted, most_bytes=1)
record = read.records()[0]
print(read.position == position, record.offset, record.key, record.value[:16])
ks.plot.segments(tables, find=wanted)

# %% [markdown]
# `most_bytes=1`, and yet a whole batch came: an answer begins with a whole one,
# however large. (A broker may cut it off within a later one. The consumer drops such a
# piece, and asks for it again.) It is the consumer, too, that leaves out what comes
# before the offset it asked for. So to serve a fetch a broker looks at no record:
# headers are enough.
#
# **Investigate.** From which batch is it farthest to the nearest entry before it? A
# question to a table: for the first offset of each batch, the entry, and the bytes
# between.

# %%
known = pd.DataFrame(tables["offset_index"]).rename(columns={"position": "from"})
ways = pd.merge_asof(
    batches[held],
    known,
    left_on="base_offset",
    right_on="offset",
    by="segment",
)
ways["from"] = ways["from"].fillna(0).astype(int)  # none: from the beginning
ways["bytes_on_the_way"] = ways["position"] - ways["from"]
ways.nlargest(3, "bytes_on_the_way")[
    ["segment", "base_offset", "from", "position", "bytes_on_the_way"]
]

# %% [markdown]
# At most 4,096 bytes and one batch more: in a log of a hundred kilobytes as in one of a
# gigabyte.
#
# ## Find a moment
#
# "What was sent from 120 ms on?" A third file answers that, the `.timeindex`. Its
# entries of twelve bytes say: up to this offset, the largest timestamp was this. Times
# count from 1970; those of a run from 1 January 2026, if nothing is said.

# %%
moment = pd.Timestamp("2026-01-01T00:00:00.120Z").value // 1_000_000
of_segments = pd.DataFrame(tables["segments"])
later = of_segments[of_segments["max_timestamp_ms"] >= moment]
base = int(later["base_offset"].iloc[0])  # the first that has so late a record

times = (partition / f"{base:020}.timeindex").read_bytes()
entries = [(at_ms, base + more) for at_ms, more in struct.iter_unpack(">qi", times)]
before = max(entry for entry in entries if entry[0] <= moment)
print(f"Segment {base}, entry {before[0] - moment:+} ms: look from {before[1]} on.")

# %% [markdown]
# That entry says: nothing up to its offset is later than its timestamp. So one begins
# there, and it is the third step again: from batch to batch, until the max timestamp in
# a header is late enough (`LogSegment.findOffsetByTimestamp`).

# %%
on_the_way = batches[batches["last_offset"] >= before[1]].head(3)
on_the_way[held].assign(late_by_ms=on_the_way["max_timestamp_ms"] - moment)

# %% [markdown]
# In the first of them that is late enough, record by record. A broker looks into a
# batch when it comes in, and here, and hardly ever else:

# %%
answer = log.offset_for_time(moment)
records = pd.DataFrame(tables["records"])[["offset", "timestamp_ms"]]
near = records[records["offset"].between(answer.offset - 2, answer.offset + 1)]
print(answer)
near.assign(late_by_ms=near["timestamp_ms"] - moment)

# %% [markdown]
# ## One bit is wrong
#
# Disks and memories lose a bit now and then. In four copies of the folder we turn one
# bit each, in the same batch: in its base offset, its leader epoch, its max timestamp,
# and the value of a record.
#
# **Predict.** In how many of the four does the CRC not fit any more?

# %%
guess = None  # how many of the four?

# %%
log.close()
files = {file.name: file.read_bytes() for file in partition.iterdir()}
name = f"{bases[1]:020}.log"
batch_at = int(batches.loc[batches["base_offset"] <= 400, "position"].iloc[-1])
fields = pd.DataFrame(ks.log.anatomy(files[name], batch_at)).drop_duplicates("name")
ends = fields.set_index("name")[["start", "size"]].sum(axis="columns")
noticed = []
for field in ["base offset", "leader epoch", "max timestamp", "value"]:
    damaged = bytearray(files[name])
    damaged[batch_at + ends[field] - 1] ^= 1  # the last bit of the field
    copy = ks.log.MemoryStore(files | {name: damaged})
    crcs = pd.DataFrame(ks.log.dump(copy)["batches"]).query("segment == @bases[1]")
    kinds = ", ".join(sorted(ks.log.fsck(copy).kinds()))
    noticed.append((field, bool(crcs["valid"].all()), kinds))
noticed = pd.DataFrame(noticed, columns=["turned in", "CRC fits", "ks.log.fsck finds"])

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    (~noticed["CRC fits"]).sum(),
    "of the four turned bits are under the CRC",
    figure=noticed,
)

# %% [markdown]
# That is the price of above. With another base offset Kafka believes that these are
# other records, and with another leader epoch that another broker wrote them. No broker
# compares them with what stands before and after when it starts. `ks.log.fsck` does: it
# reads every byte of a folder, and says what does not go together.
#
# `copy` is still the last of the four, the one with the wrong value:

# %%
print(ks.log.fsck(copy))

# %% [markdown]
# A CRC that does not fit tells even which bit it was, if it was one. A repaired copy
# goes elsewhere, and what was damaged stays as it is.

# %%
mended = ks.log.MemoryStore()
report = ks.log.fsck(copy, repair_to=mended)
print(*report.repairs, sep="\n")
print("As it was:", mended.read(name) == files[name])

# %% [markdown]
# When does Kafka look? A broker that was stopped leaves a file `.kafka_cleanshutdown`.
# If it is missing, the broker crashed: then all segments from the *recovery point* on
# are read through, every CRC with them (`LogLoader`). The recovery point is the offset
# below which all is known to be on the disk; when a new segment is begun, all before it
# is written out, and the recovery point moves up to its base offset.
#
# **Predict.** With the wrong value in segment 277 the broker crashes, and the recovery
# point is lost, too: it counts as 0. The broker starts. How many of the 966 records are
# left?

# %%
guess = None  # how many of the 966?

# %%
starts = {
    "stopped, started": {"clean_shutdown": True},
    f"crashed, recovery point {bases[-1]}": {"recovery_point": bases[-1]},
    "crashed, recovery point 0": {"recovery_point": 0},
}
after = {}
for how, options in starts.items():
    copy = ks.log.MemoryStore(files | {name: damaged})
    log = ks.log.PartitionLog(copy, small, **options)
    valid = ks.log.dump(log)["batches"]["valid"]
    after[how] = {
        "segments": len(log.segments),
        "log end offset": log.log_end_offset,
        "wrong batches": int((~valid).sum()),
    }

# %% tags=["reveal"]
ks.lessons.reveal(
    guess,
    log.log_end_offset,
    "records are left: the log is cut before the batch, and the rest is gone",
    figure=pd.DataFrame(after).T,
)

# %% [markdown]
# The log ends before the first batch that cannot be trusted, and all later segments are
# deleted. (Where there are other copies of the partition, the broker then fetches what
# it lost from them.) In the first case nothing was checked, in the second only the last
# segment: nobody noticed, and the wrong batch is still there.
#
# > **A plausible wrong result.** "The broker was restarted and said nothing, so its log
# > is in order." It did say nothing: it had not looked. The first to notice is who
# > fetches that batch and checks its CRC: a consumer, or another copy.
#
# Nor does Kafka look into an index that is there. A wrong entry leads a read to a wrong
# place, again and again. If the file is missing, it is made anew from the log: exercise
# 3 does that.
#
# ## What else lies there

# %%
pd.DataFrame(
    [
        (file.relative_to(folder).as_posix(), file.stat().st_size)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    ],
    columns=["file", "bytes"],
)

# %% [markdown]
# - `leader-epoch-checkpoint`: which leader epoch began at which offset.
# - `.snapshot`: what the broker knows of producers with an id, up to the offset in its
#   name. Here there are none.
# - `partition.metadata`: the topic's id. Names can be used again, ids cannot.
# - beside the partitions, with a line for each: `recovery-point-offset-checkpoint`,
#   `replication-offset-checkpoint` (the high watermarks),
#   `log-start-offset-checkpoint`, `cleaner-offset-checkpoint`; and `meta.properties`,
#   which broker of which cluster it is.
#
# Most of them are text:

# %%
directory = partition.parent
for path in (
    partition / "leader-epoch-checkpoint",
    partition / "partition.metadata",
    directory / "replication-offset-checkpoint",
):
    print(f"{path.name}: {path.read_text().split()}")

# %% [markdown]
# A checkpoint is a version, 0, then how many lines follow, then the lines. So: under
# epoch 0 the log began at 0; and the high watermark of `flights`, partition 0, is 966.
#
# ## Exercises
#
# **1. Change one setting.** How many entries has the index of the first segment with
# `index.interval.bytes` of 0, and how many with 16,384? The path is
# `system.topics.flights.config.index_interval_bytes`. Predict, then run.

# %% tags=["solution"]
# Solution. With 0 every batch but the first gets one: before the first nothing has gone
# by, and more than 0 bytes are asked for.
for interval in (0, 16_384):
    path = "system.topics.flights.config.index_interval_bytes"
    there = Path(scratch.name) / f"interval-{interval}"
    ks.run(july_1.where({path: interval}), logs=there)
    index = there / "broker-1" / "flights-0" / f"{0:020}.index"
    print(f"{interval:6} bytes: {index.stat().st_size // 8} entries")

# %% [markdown]
# **2. Ask a table.** Of all bytes of the log, which share are headers of batches, which
# are values, and which the rest? And if each flight had travelled alone? `batches` has
# the answer.

# %% tags=["solution"]
# Solution. Alone, each record has a header of its own; what is around its value stays,
# to a byte or two (deltas are 0 then, and of one byte).
total = int(batches["size_bytes"].sum())
count = int(batches["record_count"].sum())
shares = {
    "headers": 61 * len(batches),
    "values": 100 * count,
    "the rest": total - 61 * len(batches) - 100 * count,
}
print({what: f"{size / total:.1%}" for what, size in shares.items()})
print(f"alone: about {total + 61 * (count - len(batches)):,} bytes, not {total:,}")

# %% [markdown]
# **3. Make one.** Somebody has deleted the `.index` of segment 555. Make it anew from
# the `.log`, with the rule from above, and compare with the file that was there. Is it
# the same to the byte?

# %% tags=["solution"]
# Solution. The bytes since the last entry are compared before a batch is counted.
base = 555
data = (partition / f"{base:020}.log").read_bytes()
index, position, since = b"", 0, 0
for _ in range(len(data) // 61):
    if position == len(data):
        break
    start, length = struct.unpack_from(">qi", data, position)
    (delta,) = struct.unpack_from(">i", data, position + 23)
    if since > 4_096:
        index += struct.pack(">ii", start + delta - base, position)
        since = 0
    since += 12 + length
    position += 12 + length
print(index == (partition / f"{base:020}.index").read_bytes())

# %% [markdown]
# **4. By hand.** Write a log of your own, in memory: one batch of two records, the
# first with key `a` and an empty value, the second with no key and no value (`None`), a
# millisecond later. How many bytes? Work it out box by box before you run it. By what
# do an empty value and none differ?

# %% tags=["solution"]
# Solution. 61, then 8 and 7: each record has seven fields of one byte, and the first a
# key of one byte. Empty is a length of 0, none a length of -1; neither has a byte more.
own = ks.log.PartitionLog()
own.append([ks.log.Record(0, b"a", b""), ks.log.Record(1, None, None)])
ks.plot.anatomy(ks.log.anatomy(own.read(0).data))

# %% [markdown]
# ## Check yourself
#
# Open the choice you hold to be right.
#
# **1. A folder holds `00000000000000000000.log` and `00000000000000008964.log`. What do
# you know?**
#
# <details><summary>A. The first file has 8,964 bytes.</summary>
#
# Not so: names are offsets, not positions. Each file counts its bytes from 0.
#
# </details>
# <details><summary>B. Offset 8,963 is in the first file, if it is anywhere.</summary>
#
# Right: a segment holds the offsets from its own base up to the next one's.
#
# </details>
# <details><summary>C. The log has 8,964 records so far.</summary>
#
# Not so: the second file may have records, too. And offsets can have gaps, so that
# there may be fewer in the first.
#
# </details>
#
# **2. Why does a broker not work out the CRC of a producer's batch anew?**
#
# <details><summary>A. It trusts its producers.</summary>
#
# Not so: it checks their CRC when the batch comes in.
#
# </details>
# <details><summary>B. It changes no byte that the CRC covers.</summary>
#
# Right: base offset and leader epoch lie before byte 21.
#
# </details>
# <details><summary>C. It changes no byte of the batch.</summary>
#
# Not so: it stamps base offset and leader epoch.
#
# </details>
#
# **3. An index entry says offset 666, position 9,080. What is at position 9,080?**
#
# <details><summary>A. The record with offset 666.</summary>
#
# Not so: no index leads to a record. A batch begins there, and its records lie behind
# its header.
#
# </details>
# <details><summary>B. A batch whose first offset is 666.</summary>
#
# Not so: it is the last offset that an entry says.
#
# </details>
# <details><summary>C. A batch whose last offset is 666.</summary>
#
# Right: and so a look-up of any offset from 666 on may begin there.
#
# </details>
#
# **4. A bit of a value is wrong in an old segment. When does Kafka notice?**
#
# <details><summary>A. At the next start of the broker.</summary>
#
# Not so: after a clean stop nothing is read, and after a crash only what lies above the
# recovery point.
#
# </details>
# <details><summary>B. When a consumer reads that batch.</summary>
#
# Right: the broker hands the bytes out as they are, and the consumer checks the CRC.
#
# </details>
# <details><summary>C. At once: the broker checks its disks.</summary>
#
# Not so: nothing in Kafka goes through old segments and looks.
#
# </details>
#
# ## What this leaves out
#
# Batches may be compressed; then all behind the header is one stream, and its records
# are seen only by who unpacks it. Transactions have batches and an index of their own
# (`.txnindex`). With `message.timestamp.type=LogAppendTime` the broker writes its own
# time into a batch, under the CRC, and then it does work it out anew. All bytes stand
# in the [format of a record batch](../docs/reference/log-format.md).
#
# Old segments go one day, whole files at once: that is lesson 06. What keeps several
# copies of a partition alike, and what the leader epoch is really for, is lesson 10.
#
# In a terminal `kafkasim dump FOLDER` prints what Kafka's `kafka-dump-log.sh` prints,
# and `kafkasim fsck FOLDER` what `ks.log.fsck` finds. Both work on a copy of a real
# broker's folder: [a partition's log by hand](../docs/guides/log-by-hand.md).

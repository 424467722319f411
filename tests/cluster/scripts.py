"""The scripts, each with the rules of Kafka's that it is about."""

from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.record import Record
from tests.cluster.batches import T0_MS
from tests.cluster.script import Script


def rolled_by_size() -> Script:
    """Source: LogSegment.shouldRoll, LogSegment.append (index entries)."""
    script = Script()
    for size in (1, 20, 50, 200, 90, 10, 300, 5, 5, 5, 400, 60) * 2:
        script.wait(7).send(1 + size % 3, size=size)
    return script.do("roll").do("roll").send()


def rolled_by_time() -> Script:
    """Source: LogSegment.timeWaitedForRoll: against the first batch's timestamp."""
    script = Script(segment_ms=1_000, internal_segment_bytes=100_000)
    for wait in (100, 500, 399, 1, 1, 2_000, 999, 1, 1_000, 0, 5_000):
        script.wait(wait).send(1)
    script.send([Record(script.now_ms - 9_000, b"old", b"late")]).send(1)
    script.send([Record(script.now_ms + 999_000, b"new", b"early")]).send(1)
    return script


def rolled_by_the_clock() -> Script:
    """Source: LogSegment.timeWaitedForRoll: no timestamps, so since it was made."""
    script = Script(segment_ms=1_000, internal_segment_bytes=100_000)
    for wait in (100, 901, 1_000, 1, 5_000, 0, 0):
        script.wait(wait).send([Record(-1, None, b"no time")])
    return script


def rolled_by_full_indexes() -> Script:
    """Source: AbstractIndex.isFull; TimeIndex keeps one slot free for the roll."""
    script = Script(
        internal_segment_bytes=100_000, segment_index_bytes=48, index_interval_bytes=0
    )
    for _ in range(9):
        script.wait(10).send(2)
    for _ in range(9):  # the time does not go on: only the offset index grows
        script.send([Record(T0_MS, b"k", b"v")])
    return script


def back_and_forth() -> Script:
    """Source: TimeIndex.maybeAppend, LogSegment.append: only what grew is entered."""
    script = Script(index_interval_bytes=0)
    for rows in ((5, 1, 9), (2, 3, 4), (9, 9, 1), (12, 11, 0), (11, 12, 13), (13,)) * 3:
        script.send([Record(T0_MS + 1_000 * at, b"k", b"v" * at) for at in rows])
    for at in range(14):
        script.do("offset_for_time", timestamp_ms=T0_MS + 1_000 * at)
        script.do("offset_for_time", timestamp_ms=T0_MS + 1_000 * at - 500)
    return script


def stamped_by_the_broker() -> Script:
    """Source: LogValidator, DefaultRecordBatch.setMaxTimestamp."""
    script = Script(message_timestamp_type="LogAppendTime", index_interval_bytes=0)
    for codec in ("none", "gzip", "none", "lz4", "zstd", "snappy") * 2:
        script.wait(13).send(3, codec=codec)
    return script.do("offset_for_time", timestamp_ms=T0_MS + 40)


def compressed() -> Script:
    """Source: LogValidator: a batch of the topic's codec is taken as it is."""
    script = Script()
    for codec in ("gzip", "snappy", "lz4", "zstd", "none") * 3:
        script.wait(5).send(7, codec=codec, size=90)
    return script.do("offset_for_time", timestamp_ms=script.now_ms - 3)


def idempotent() -> Script:
    """Source: ProducerAppendInfo, ProducerStateEntry.findDuplicateBatch."""
    script = Script(internal_segment_bytes=2_000)
    for number in range(7):
        script.wait(3).send(2, producer=(9, 0, 2 * number))
    for number in range(7):  # the last five are known, older ones out of order
        script.send(2, producer=(9, 0, 2 * number))
    script.send(1, producer=(9, 0, 20))  # a gap
    script.send(1, producer=(9, 2, 1)).send(1, producer=(9, 2, 0))  # a new epoch
    script.send(1, producer=(9, 1, 0))  # an old one
    script.send(3, producer=(4, 5, 70)).send(2, producer=(4, 5, 73))  # unknown
    most = 2**31 - 1
    script.send(3, producer=(5, 0, most - 1)).send(1, producer=(5, 0, 1))  # wraps
    script.send(2, producer=(6, 0, most - 1)).send(1, producer=(6, 0, 0))
    return (
        script.do("state").again().send(1, producer=(9, 2, 1)).send(producer=(9, 2, 9))
    )


def expired_producers() -> Script:
    """Source: ProducerStateManager.removeExpiredProducers."""
    script = Script(internal_segment_bytes=2_000)
    script.send(1, producer=(1, 0, 0)).wait(86_400_000 - 1).send(1, producer=(2, 0, 0))
    script.do("expire_producers").do("state").wait(1).do("expire_producers")
    return script.do("state").send(1, producer=(1, 0, 40)).again(clean=True)


def transactions() -> Script:
    """Source: ProducerStateManager, TransactionIndex, UnifiedLog.collectAborted…"""
    script = Script()
    script.transaction_version = 1
    a, b = (11, 0), (12, 3)

    def put(of: tuple[int, int], sequence: int, count: int = 2) -> None:
        script.wait(4).send(count, producer=(*of, sequence), transactional=True)

    put(a, 0)
    script.end("commit", a, 1).do("high_watermark", offset=3).do("state")
    put(a, 2)
    put(b, 0)
    script.send(1)
    put(a, 4, 1)
    script.end("abort", a, 1).do("high_watermark", offset=9).do("state")
    put(b, 2, 5)
    script.end("abort", b, 7).do("state").do("high_watermark", offset=10**6).do("state")
    for number in range(6):
        put(a, 5 + 2 * number)
        script.end("abort" if number % 2 else "commit", a, 2)
    script.end("abort", a, 1)  # of an older coordinator
    script.send(1, producer=(*a, 17))  # no transaction, in the middle of its epoch
    put(b, 7, 1)
    script.do("high_watermark", offset=10**6).do("state")
    for offset in range(0, 34, 3):
        script.do("read", offset=offset, until="TXN_COMMITTED", most_bytes=200)
    script.again(clean=False, recovery_point=14).do("state").end("commit", b, 7)
    return script.do("high_watermark", offset=10**6).do("state")


def transactions_of_version_2() -> Script:
    """Source: KIP-890, ProducerAppendInfo.checkProducerEpoch, checkSequence."""
    script = Script()
    script.send(1, producer=(1, 0, 0), transactional=True).end("commit", (1, 0))
    script.send(1, producer=(1, 0, 1), transactional=True)  # the old epoch
    script.send(1, producer=(1, 1, 1), transactional=True)  # not from 0 on
    script.send(2, producer=(1, 1, 0), transactional=True)
    script.send(2, producer=(1, 1, 2), transactional=True)
    script.end("abort", (1, 0))  # late: its epoch is that of the open transaction
    script.send(1, producer=(1, 1, 4))  # of no transaction, in one
    script.end("abort", (1, 1)).end("abort", (1, 1)).do("state")  # once more
    script.send(1, producer=(2, 0, 7), transactional=True)  # unknown, and not from 0 on
    script.send(1, producer=(3, 0, 7)).send(1, producer=(2, 0, 0), transactional=True)
    return script.do("high_watermark", offset=10**6).do("state").again(clean=False)


def epochs() -> Script:
    """Source: LeaderEpochFileCache, UnifiedLog.truncateTo, endOffsetForEpoch."""
    script = Script()
    for epoch in (0, 0, 2, 3, 3, 7):
        script.leader_epoch = epoch
        script.wait(5).send(3, size=60)
    script.do("epoch", epoch=9, offset=18).do("state")
    for epoch in range(11):
        script.do("end_offset_for_epoch", epoch=epoch)
    script.do("truncate_to", offset=10).do("state").send(2)  # into a batch
    script.do("truncate_to", offset=3).do("state").do("truncate_to", offset=50)
    script.send(1).again().do("truncate_fully", offset=70).do("state").send(2)
    return script


def followed() -> Script:
    """Source: UnifiedLog.appendAsFollower: offsets and epochs as they are."""
    script = Script()
    offset = 5
    script.do("truncate_fully", offset=offset)
    for epoch, count in ((0, 2), (0, 1), (4, 3), (4, 4), (5, 1), (8, 6), (8, 2)):
        script.leader_epoch = epoch
        script.wait(3).send(count, follower=True, base_offset=offset, size=70)
        offset += count + epoch % 3  # compaction may have left gaps
    script.send(1, follower=True, base_offset=3)  # below the end
    return script.do("state").do("truncate_to", offset=14).do("state")


def deleted() -> Script:
    """Source: UnifiedLog.deleteOldSegments, maybeIncrementLogStartOffset."""
    script = Script(retention_ms=10_000, retention_bytes=2_000)
    for _ in range(12):
        script.wait(900).send(2, size=110)
    script.do("delete_old_segments").do("state")  # nothing is below the high watermark
    script.do("high_watermark", offset=17).do("delete_old_segments").do("state")
    script.wait(100).do("delete_records", offset=9).do("state")
    script.do("high_watermark", offset=24).do("delete_records", offset=15)
    script.do("delete_old_segments").do("state").do("delete_records", offset=99)
    script.wait(5_000).do("delete_old_segments").do("state")
    script.wait(60_000).do("delete_old_segments").do("state").send(1)  # the active too
    script.wait(60_000).do("state").do("high_watermark", offset=25)
    return script.again(log_start_offset=25).do("state")


def deleted_to_the_millisecond() -> Script:
    """Source: UnifiedLog.deleteRetentionMsBreachedSegments: older, not as old."""
    script = Script(retention_ms=1_000, internal_segment_bytes=400)
    for _ in range(6):
        script.wait(100).send(2, size=110)
    script.do("high_watermark", offset=12).wait(501)
    for _ in range(3):  # the oldest record but one is 1,000 ms old in the first of them
        script.do("delete_old_segments").wait(1)
    return script.do("state")


def deleted_to_the_byte() -> Script:
    """Source: deleteRetentionSizeBreachedSegments: no less than that is left."""
    size_bytes = len(Script().send(2, size=110).steps[-1]["data"])
    for_two = Script(retention_bytes=2 * size_bytes, internal_segment_bytes=400)
    for _ in range(6):
        for_two.send(2, size=110)
    return for_two.do("high_watermark", offset=12).do("delete_old_segments").do("state")


def refused() -> Script:
    """Source: LogValidator, UnifiedLog.analyzeAndValidateRecords."""
    script = Script(max_message_bytes=300)
    script.send(1).send(1, size=400)
    script.send([Record(script.now_ms + 3_600_001, b"k", b"early")])
    script.send([Record(script.now_ms + 3_600_000, b"k", b"just so")])
    data = bytearray(encode_batch(script.records(2)))
    data[-1] ^= 1
    script.append(bytes(data))
    script.send(2, base_offset=7)  # a leader gives offsets of its own
    script.send(2, offset_deltas=[0, 2])
    marker = control_batch(
        "commit", base_offset=0, timestamp_ms=T0_MS, producer_id=3, producer_epoch=0
    )
    script.append(marker)  # from a client
    two = [encode_batch(script.records(1)) for _ in range(2)]
    script.append(b"".join(two)).append(encode_batch([], last_offset_delta=0))
    return script.do("state")


def keyless() -> Script:
    """Source: LogValidator: a compacted topic takes no record without a key."""
    script = Script(cleanup_policy="compact")
    script.send(1).send(script.records(2, key="")).send(script.records(1) * 2)
    return script.do("state")


def compacted(codec: str = "none") -> Script:
    """Source: Cleaner, MemoryRecords.filterTo, LogCleanerManager.cleanableOffsets."""
    script = Script(cleanup_policy="compact", delete_retention_ms=50_000)
    for number in range(24):
        records = script.records(3)
        if number % 4 == 1:
            records[1] = records[1]._replace(value=None)
        producer = (number % 3, 0, 3 * (number // 3))
        script.wait(100).send(records, producer=producer, codec=codec)
    script.do("high_watermark", offset=10**6).do("clean").do("state")
    for _ in range(12):
        script.wait(100).send(2, codec=codec)
    script.do("high_watermark", offset=10**6).do("clean", first_dirty_offset=60)
    script.wait(50_000).send(1).do("high_watermark", offset=10**6)
    script.do("clean", first_dirty_offset=80).do("state").wait(60_000)
    return script.again().do("state").do("clean").do("state")


def compacted_transactions() -> Script:
    """Source: CleanedTransactionMetadata, Cleaner.shouldDiscardBatch."""
    script = Script(cleanup_policy="compact", delete_retention_ms=5_000)
    for number in range(14):
        of = (30 + number % 2, number // 2)
        script.wait(100).send(2, producer=(*of, 0), transactional=True)
        script.end("abort" if number % 3 == 1 else "commit", of)
    script.do("high_watermark", offset=10**6).do("clean").do("state")
    script.wait(10_000).send(1).do("roll").send(1).do("high_watermark", offset=10**6)
    script.do("clean", first_dirty_offset=20).do("state").wait(60_000).send(1)
    script.do("roll").do("high_watermark", offset=10**6).do("clean").do("state")
    for offset in range(0, 40, 4):
        script.do("read", offset=offset, until="TXN_COMMITTED", most_bytes=300)
    return script


SCRIPTS = {
    made.__name__: made
    for made in (
        rolled_by_size,
        rolled_by_time,
        rolled_by_the_clock,
        rolled_by_full_indexes,
        back_and_forth,
        stamped_by_the_broker,
        compressed,
        idempotent,
        expired_producers,
        transactions,
        transactions_of_version_2,
        epochs,
        followed,
        deleted,
        deleted_to_the_millisecond,
        deleted_to_the_byte,
        refused,
        keyless,
        compacted,
        compacted_transactions,
    )
}

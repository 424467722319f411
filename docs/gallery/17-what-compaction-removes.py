"""What compaction removes.

The newest record of each key stays, at its offset; older ones leave gaps. The active
segment is not compacted, and a tombstone stays for a while, so that readers see it.
"""

import kafkasim as ks

config = ks.TopicConfig(cleanup_policy="compact", internal_segment_bytes=900)
log = ks.log.PartitionLog(config=config)
for at in range(36):
    key = b"key-%d" % (at * 5 % 9 if at < 18 else at % 4)
    log.append([ks.log.Record(at, key, None if at in {7, 11, 29} else b"a value")])
log.advance_high_watermark(36)
before = ks.log.dump(log)["records"]
log.clean(now_ms=60_000)
ax = ks.plot.removal(before, ks.log.dump(log)["records"])

"""Finding an offset.

The file is known by its name, the place to begin by the largest index entry that is not
above the offset; from there one batch after the other is looked at.
"""

import kafkasim as ks

config = ks.TopicConfig(internal_segment_bytes=1_000, index_interval_bytes=500)
log = ks.log.PartitionLog(config=config)
for second in range(20):
    records = [ks.log.Record(1_000 * second + n, b"key", b"a value") for n in range(4)]
    log.append(records)
ax = ks.plot.segments(ks.log.dump(log), find=54)

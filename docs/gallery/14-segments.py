"""The segments of a log.

A log is cut into files, each named after its first offset. Positions begin at 0 in each
file; its index knows where some of the batches are.
"""

import kafkasim as ks

config = ks.TopicConfig(internal_segment_bytes=1_000, index_interval_bytes=300)
log = ks.log.PartitionLog(config=config)
for second in range(20):
    records = [ks.log.Record(1_000 * second + n, b"key", b"a value") for n in range(4)]
    log.append(records)
log.advance_high_watermark(72)
ax = ks.plot.segments(ks.log.dump(log), high_watermark=log.high_watermark)

"""The anatomy of a record batch.

61 bytes of header, then the records. Small numbers take one byte: times and offsets are
differences from the header's. What the broker stamps is not under the checksum.
"""

import kafkasim as ks

records = [
    ks.log.Record(1_700_000_000_000, b"key-1", b"hello"),
    ks.log.Record(1_700_000_000_250, b"key-2", "안녕".encode(), (("lang", b"ko"),)),
    ks.log.Record(1_700_000_000_700, b"key-1", None),
]
batch = ks.log.encode_batch(records, base_offset=42, leader_epoch=3)
ax = ks.plot.anatomy(ks.log.anatomy(batch))

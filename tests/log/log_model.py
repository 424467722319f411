"""The plain list that a log is held against, and what is drawn to be done to both."""

from typing import NamedTuple

from hypothesis import strategies as st

from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.record import Record
from kafkasim.log.segment import Segment

RETENTION_BYTES = 900
RETENTION_MS = 100_000
CONFIG = TopicConfig(
    cleanup_policy="compact,delete",
    internal_segment_bytes=400,
    segment_index_bytes=480,
    index_interval_bytes=100,
    retention_bytes=RETENTION_BYTES,
    retention_ms=RETENTION_MS,
    file_delete_delay_ms=1_000,
    delete_retention_ms=5_000,
)
LEAST_MS = 1_000_000
NO_DAMAGE = {"hole", "gap", "leftover"}
"""What truncation, compaction and deletion leave, and a log in order may have."""

Rows = list[Record]
rows_to_send = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"c"]),
        st.none() | st.binary(max_size=30),
        st.integers(0, 3_000),
    ),
    min_size=1,
    max_size=5,
)
share = st.floats(0, 1)


class Batch(NamedTuple):
    """What the list has of a batch."""

    last_offset: int
    rows: Rows
    """Empty of a marker."""
    aborted: bool = False
    marker: Rows = []  # noqa: RUF012 - never changed
    """Offset and time of a marker."""
    producer_id: int = -1
    """Of a transaction."""


def newest_ms(segment: Segment[ByteBatch]) -> int:
    """Return a segment's largest timestamp; if a truncation emptied it, when."""
    newest = segment.max_timestamp_ms
    return segment.modified_ms if newest < 0 else newest

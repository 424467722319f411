"""One record as its sender knows it.

Source: `org.apache.kafka.common.record.internal.SimpleRecord` and `DefaultRecord`.
"""

from typing import NamedTuple


class Record(NamedTuple):
    """A record: when, under which key, what."""

    timestamp_ms: int
    """When it was made; of a batch that the broker stamped, when it was appended; −1 if
    not said."""
    key: bytes | None
    """Its key; None (null) is not the empty key."""
    value: bytes | None
    """Its value; None (null) is a tombstone in a compacted topic."""
    headers: tuple[tuple[str, bytes | None], ...] = ()
    """Its headers in order; a name may come twice, a value may be null."""
    offset: int = -1
    """Its offset in the partition; −1 before it has one."""

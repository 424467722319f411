"""What the batches of a run hold: records of the plan, by the ordinals of append lists.

Only compaction, and whoever wants a log's bytes, looks at single records of a batch; a
run that does neither makes no object of this class.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.log.batch_retention import CleaningView, emptied
from kafkasim.log.header import (
    DELETE_HORIZON,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    MAGIC,
    BatchHeader,
)
from kafkasim.log.record_size import body_bytes_of, varint_bytes_of
from kafkasim.protocol.producing.batch import Batch
from kafkasim.units import NS_PER_MS

Ints = NDArray[np.int64]

LEADER_EPOCH: Final = 0
"""Of every partition: leaders do not move in this model."""


class RecordFacts(Protocol):
    """What is known of a source's records."""

    @property
    def key_labels(self) -> tuple[str, ...]:
        """The keys' text."""
        ...

    @property
    def key_id(self) -> NDArray[np.int32]:
        """Position of each one's key in `key_labels`; −1 for none."""
        ...

    @property
    def value_bytes(self) -> NDArray[np.int32]:
        """Size of each value; −1 for a null value."""
        ...


class KeyCodes:
    """One number for each key of a run, whichever source sends it.

    They are worked out when first asked for, by who cleans or writes logs: with many
    keys that takes as long as some thousand batches, and most runs do neither.

    Parameters
    ----------
    plans : sequence of RecordFacts
        By source.
    """

    def __init__(self, plans: Sequence[RecordFacts]) -> None:
        self._plans = plans

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """Bytes of each; the codes are positions in it."""
        return tuple(label.encode() for label in self._labels)

    @cached_property
    def sizes(self) -> Ints:
        """Bytes of each, and −1 where a code of −1 looks."""
        return np.array([*map(len, self.keys), -1], dtype=np.int64)

    @cached_property
    def _labels(self) -> list[str]:
        return sorted({label for plan in self._plans for label in plan.key_labels})

    @cached_property
    def _codes(self) -> list[Ints]:
        places = {label: code for code, label in enumerate(self._labels)}
        return [
            np.array([*(places[label] for label in plan.key_labels), -1], np.int64)
            for plan in self._plans
        ]

    def of(self, source: int, key_ids: NDArray[np.signedinteger]) -> Ints:
        """Return the codes of some records of a source; −1 for a null key."""
        codes: Ints = self._codes[source][key_ids]
        return codes


class PlanFacts:
    """Looks up what the batches of one partition hold.

    Parameters
    ----------
    plans : sequence of RecordFacts
        By source.
    codes : KeyCodes
        Of the run.
    append_list : callable
        Takes a source; returns the ordinals of its records in this partition, as far as
        they were appended.
    handed : sequence of SourceHandOver
        By source.
    epoch_ms : int
        What the timestamps count from: 0 for the run's start.
    stamps : bool
        The broker stamps what it appends (LogAppendTime).
    """

    def __init__(
        self,
        plans: Sequence[RecordFacts],
        codes: KeyCodes,
        append_list: Callable[[int], NDArray[np.int32]],
        handed: Sequence[SourceHandOver],
        epoch_ms: int = 0,
        *,
        stamps: bool = False,
    ) -> None:
        self._plans = plans
        self._codes = codes
        self._append_list = append_list
        self._handed = handed
        self._epoch_ms = epoch_ms
        self._stamps = stamps
        self._lists: dict[int, NDArray[np.int32]] = {}

    def ordinals(self, batch: Batch, deltas: Ints | None = None) -> NDArray[np.int32]:
        """Return the ordinals of a batch's records."""
        known = self._lists.get(batch.source_index)
        if known is None or len(known) < batch.hi:
            known = self._lists[batch.source_index] = self._append_list(
                batch.source_index
            )
        mine = known[batch.lo : batch.hi]
        return mine if deltas is None else mine[deltas]

    def key_codes(self, batch: Batch, deltas: Ints | None = None) -> Ints:
        """Return the codes of the records' keys; −1 for null."""
        plan = self._plans[batch.source_index]
        key_ids = plan.key_id[self.ordinals(batch, deltas)]
        return self._codes.of(batch.source_index, key_ids)

    def value_bytes(self, batch: Batch, deltas: Ints | None = None) -> Ints:
        """Return the sizes of the records' values; −1 for null."""
        plan = self._plans[batch.source_index]
        return plan.value_bytes[self.ordinals(batch, deltas)].astype(np.int64)

    def timestamps_ms(self, batch: Batch, deltas: Ints | None = None) -> Ints:
        """Return the records' timestamps: when each was created, or was appended."""
        times_ms = self.created_ms(batch, deltas)
        if self._stamps:
            times_ms[:] = batch.appended_ns // NS_PER_MS + self._epoch_ms
        return times_ms

    def created_ms(self, batch: Batch, deltas: Ints | None = None) -> Ints:
        """Return the millisecond in which each record was created."""
        created_ns = self._handed[batch.source_index].created_ns
        assert created_ns is not None
        times_ns = created_ns[self.ordinals(batch, deltas)]
        return times_ns // NS_PER_MS + self._epoch_ms

    def header(self, batch: Batch, base_offset: int) -> BatchHeader:
        """Return the header of a batch as it was appended."""
        known = batch.header
        if known is not None and not self._epoch_ms:
            return known
        times_ms = self.created_ms(batch)
        newest_ms = int(times_ms.max())
        if self._stamps:
            newest_ms = batch.appended_ns // NS_PER_MS + self._epoch_ms
        return BatchHeader(
            base_offset=base_offset,
            size_bytes=batch.size_bytes,
            leader_epoch=LEADER_EPOCH if known is None else known.leader_epoch,
            magic=MAGIC,
            crc=0,
            attributes=LOG_APPEND_TIME if self._stamps else 0,
            last_offset_delta=batch.hi - batch.lo - 1,
            base_timestamp_ms=int(times_ms[0]),
            max_timestamp_ms=newest_ms,
            producer_id=batch.producer_id,
            producer_epoch=batch.producer_epoch,
            base_sequence=batch.base_sequence,
            record_count=batch.hi - batch.lo,
        )

    def cleaning_view(self, batch: Batch, deltas: Ints | None) -> CleaningView:
        """Return the records' keys, as codes, and which are tombstones."""
        codes = self.key_codes(batch, deltas).tolist()
        held = range(len(codes)) if deltas is None else deltas.tolist()
        return CleaningView(
            offset_deltas=held,
            keys=[None if code < 0 else code for code in codes],
            has_value=(self.value_bytes(batch, deltas) >= 0).tolist(),
        )

    def retained(
        self,
        batch: Batch,
        deltas: Ints,
        header: BatchHeader,
        delete_horizon_ms: int | None,
    ) -> BatchHeader:
        """Return the header of a batch when some records are left of it.

        Timestamps count from the first of them, or from the delete horizon (KIP-534);
        that makes their deltas, and so the batch, longer or shorter.
        """
        if not len(deltas):
            return emptied(header)
        times_ms = self.timestamps_ms(batch, deltas)
        base_ms = delete_horizon_ms
        if base_ms is None:
            base_ms = int(times_ms[0])
        body = body_bytes_of(
            self._codes.sizes[self.key_codes(batch, deltas)],
            self.value_bytes(batch, deltas),
        )
        body += _varints(times_ms - base_ms) + _varints(deltas) - 2
        attributes = header.attributes
        if delete_horizon_ms is not None:
            attributes |= DELETE_HORIZON
        return header._replace(
            size_bytes=HEADER_BYTES + int((body + varint_bytes_of(body)).sum()),
            attributes=attributes,
            base_timestamp_ms=base_ms,
            max_timestamp_ms=int(times_ms.max()),
            record_count=len(deltas),
        )


def _varints(values: Ints) -> Ints:
    """Return the varint sizes of numbers of either sign."""
    return varint_bytes_of(np.where(values < 0, -values - 1, values))

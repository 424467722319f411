"""What a producer's accumulator must know of its source, and where its records go.

The order is that of `KafkaProducer.partition`: the partition that the application named
with the record, the partitioner that was configured, the key, the sticky partition.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.producer import ProducerConfig
from kafkasim.protocol.producing.columns import (
    KEY_HASH,
    ROUND_ROBIN,
    STICKY,
    RecordColumns,
)
from kafkasim.protocol.producing.partitioner import key_hashes, key_partitions
from kafkasim.scenario.blocks import SourceBlock, SourceBlocks

KEYLESS: Final = "keyless"
"""The carried column that says which records have no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """How records find their partitions, if not by key, and how that is done here."""

    round_robin: bool = False
    """One partition after the other, whatever the keys (`RoundRobinPartitioner`)."""
    partition: int | None = None
    """The one that the application names with every record."""
    leaders_move: bool = False
    """A partition may come to have no leader; round robin passes it over then. Also
    where records may join, which have their turn among the others."""
    tells_keyless: bool = False
    """Carry along which records have no key, as `keyless`: a broker will ask."""
    ratios: Iterator[float] | None = None
    """With compression: the ratio of one batch after the other."""
    by_record: bool = False
    """Append records one by one also where all partitions are known: the application
    will have to wait for memory."""
    grows: bool = False
    """Partitions may be added; carry along the hashes of keys, as `key_hash`."""


class SourceColumns:
    """Makes what the accumulator must know of a source, each key being hashed once.

    Parameters
    ----------
    source : SourceBlocks
        Where its records come from, one block after the other.
    config : ProducerConfig
        Resolved configuration.
    partition_count : int
        Partitions of its topic.
    entity_codes : int32 array or None
        Code of each of the source's entities, and −1; carried along as `entity`.
    placing : Placing
        How its records find their partitions.

    Attributes
    ----------
    decides_late : bool
        Whether some of them find their partitions only when they are appended.
    """

    def __init__(
        self,
        source: SourceBlocks,
        config: ProducerConfig,
        partition_count: int,
        entity_codes: NDArray[np.int32] | None,
        placing: Placing,
    ) -> None:
        self._by_key = not placing.round_robin and placing.partition is None
        self._partition = placing.partition
        self._as_they_come = (
            placing.round_robin and placing.leaders_move and placing.partition is None
        )
        is_sticky = source.may_lack_keys or config.partitioner_ignore_keys
        self.decides_late = self._as_they_come or (self._by_key and is_sticky)
        self._partition_count = partition_count
        self._count = 0
        """Records so far: the counter of `RoundRobinPartitioner` (PR-11)."""
        keys = tuple(label.encode() for label in source.key_labels)
        # A null key has id −1: it reads the entry that is put behind the last one.
        self._key_bytes = np.array([*map(len, keys), -1], dtype=np.int64)
        self._partitions = np.full(len(keys) + 1, STICKY, dtype=np.int32)
        self._hashes: NDArray[np.int32] | None = None
        if keys and not config.partitioner_ignore_keys:
            self._partitions[:-1] = key_partitions(keys, partition_count)
            if placing.grows and self._by_key:
                self._hashes = np.append(key_hashes(keys), np.int32(-1))
        self._most_bytes = min(config.max_request_size, config.buffer_memory)
        self._entity_codes = entity_codes
        self._tells_keyless = placing.tells_keyless

    def __call__(self, block: SourceBlock) -> RecordColumns:
        """Return the columns of the next block."""
        carried: dict[str, NDArray[np.signedinteger]] = {
            f"work/{name}": column for name, column in block.work_ns.items()
        }
        if self._entity_codes is not None:
            carried["entity"] = self._entity_codes[block.entity_id]
        if self._tells_keyless:
            carried[KEYLESS] = (block.key_id < 0).astype(np.int64)
        if self._hashes is not None:
            carried[KEY_HASH] = self._hashes[block.key_id]
        return RecordColumns(
            created_ns=block.intended_ns,
            key_bytes=self._key_bytes[block.key_id],
            value_bytes=block.value_bytes.astype(np.int64),
            partitions=self._partitions_of(block),
            max_request_size=self._most_bytes,
            carried=carried,
        )

    def _partitions_of(self, block: SourceBlock) -> NDArray[np.int32]:
        """Return where the records of a block go (`KafkaProducer.partition`)."""
        if self._by_key:
            return self._partitions[block.key_id]
        count = len(block.key_id)
        if self._partition is not None:
            return np.full(count, self._partition, np.int32)
        if self._as_they_come:
            return np.full(count, ROUND_ROBIN, np.int32)
        numbers = np.arange(self._count, self._count + count, dtype=np.int64)
        self._count += count
        return (numbers % self._partition_count).astype(np.int32)

"""Names and texts of a log's small files: checkpoints, partition and folder metadata.

Text in, text out: nothing here opens a file. Names are those of
`org.apache.kafka.storage.internals.log.LogFileUtils` (4.3); a checkpoint is written
whole, to a file that ends in `.tmp`, synced and renamed
(`org.apache.kafka.server.common.CheckpointFile`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from kafkasim.errors import LogError

LOG: Final = ".log"
OFFSET_INDEX: Final = ".index"
TIME_INDEX: Final = ".timeindex"
TRANSACTION_INDEX: Final = ".txnindex"
SNAPSHOT: Final = ".snapshot"
"""Suffixes of a segment's files and of a producer snapshot."""

DELETED: Final = ".deleted"
CLEANED: Final = ".cleaned"
SWAP: Final = ".swap"
"""Second suffixes: to be deleted, being cleaned, about to take its place."""

DELETE_FOLDER: Final = "-delete"
FUTURE_FOLDER: Final = "-future"
STRAY_FOLDER: Final = "-stray"
"""Suffixes of a partition's folder."""

LEADER_EPOCHS: Final = "leader-epoch-checkpoint"
PARTITION_METADATA: Final = "partition.metadata"
"""Files of a partition's folder, beside its segments."""

RECOVERY_POINTS: Final = "recovery-point-offset-checkpoint"
LOG_STARTS: Final = "log-start-offset-checkpoint"
HIGH_WATERMARKS: Final = "replication-offset-checkpoint"
CLEANER_OFFSETS: Final = "cleaner-offset-checkpoint"
CLEAN_SHUTDOWN: Final = ".kafka_cleanshutdown"
META_PROPERTIES: Final = "meta.properties"
"""Files of a log directory, which holds the folders of all partitions of a broker."""

_VERSION: Final = 0
_SPACES: Final = re.compile(r"\s+", re.ASCII)
_COLON: Final = re.compile(r":\s+", re.ASCII)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_INT: Final = re.compile(r"[+-]?[0-9]+\Z")


def file_name(offset: int, suffix: str) -> str:
    """Return the name of a file of the segment or snapshot at an offset.

    Source: `LogFileUtils.filenamePrefixFromOffset`.

    Examples
    --------
    >>> file_name(42, ".log")
    '00000000000000000042.log'
    """
    return f"{offset:020d}{suffix}"


def offset_of(name: str) -> int:
    """Return the offset that a file's name begins with.

    Source: `LogFileUtils.offsetFromFileName`.

    Raises
    ------
    LogError
        Before the first point stands no whole number.
    """
    digits, point, _ = name.partition(".")
    if not point or not _INT.match(digits):
        raise LogError(
            "UNKNOWN_SERVER_ERROR", f"{name!r} does not begin with an offset"
        )
    return int(digits)


def leader_epochs_text(entries: Iterable[tuple[int, int]]) -> str:
    r"""Return the text of `leader-epoch-checkpoint`.

    Parameters
    ----------
    entries : iterable of (epoch, first offset)
        In rising order.

    Examples
    --------
    >>> leader_epochs_text([(0, 0), (3, 120)])
    '0\n2\n0 0\n3 120\n'
    """
    return _text(f"{epoch} {offset}" for epoch, offset in entries)


def read_leader_epochs(text: str) -> list[tuple[int, int]]:
    """Return (epoch, first offset) of each line of `leader-epoch-checkpoint`.

    Raises
    ------
    LogError
        The text is no such checkpoint: the log does not open
        (`KAFKA_STORAGE_ERROR`, as in `CheckpointFileWithFailureHandler`).
    """
    return [(_int(epoch), _int(offset)) for epoch, offset in _entries(text, 2)]


def offsets_text(offsets: Mapping[tuple[str, int], int]) -> str:
    """Return the text of one of a log directory's offset checkpoints.

    Parameters
    ----------
    offsets : mapping of (topic, partition) to offset
        Lines come in its order; Kafka's order is that of a hash map.
    """
    return _text(
        f"{topic} {partition} {offset}"
        for (topic, partition), offset in offsets.items()
    )


def read_offsets(text: str) -> dict[tuple[str, int], int]:
    """Return the offset of each (topic, partition) of an offset checkpoint.

    Raises
    ------
    LogError
        The text is no such checkpoint.
    """
    return {
        (topic, _int(partition)): _int(offset)
        for topic, partition, offset in _entries(text, 3)
    }


def partition_metadata_text(topic_id: str) -> str:
    """Return the text of `partition.metadata`; it ends without a line feed.

    Source: `org.apache.kafka.storage.internals.checkpoint.PartitionMetadata.encode`.

    Parameters
    ----------
    topic_id : str
        Kafka's form of it: 22 characters of URL-safe base 64.
    """
    return f"version: {_VERSION}\ntopic_id: {topic_id}"


def read_partition_metadata(text: str) -> str:
    """Return the topic id of `partition.metadata`; a newer version is read too.

    Source: `PartitionMetadataReadBuffer`.

    Raises
    ------
    LogError
        The text is no such file, or the id is the one that stands for none.
    """
    lines = _lines(text)
    pairs = [_COLON.split(line) for line in lines[:2]]
    if len(pairs) < 2 or any(len(pair) != 2 for pair in pairs):
        raise _malformed(text)
    (_, version), (_, topic_id) = pairs
    if _int(version) < _VERSION:
        raise LogError("KAFKA_STORAGE_ERROR", f"unknown version {version}")
    if topic_id == "A" * 22:
        raise LogError("KAFKA_STORAGE_ERROR", f"{topic_id} is no topic's id")
    return topic_id


def clean_shutdown_text(broker_epoch: int = -1) -> str:
    """Return the text of `.kafka_cleanshutdown`.

    Source: `CleanShutdownFileHandler`; before a broker has registered, the epoch is −1.
    """
    return json.dumps(
        {"version": _VERSION, "brokerEpoch": broker_epoch}, separators=(",", ":")
    )


def read_clean_shutdown(text: str) -> int | None:
    """Return the broker epoch of `.kafka_cleanshutdown`; None if it says none.

    That the file is there is the sign of a clean stop, whatever it says.
    """
    try:
        epoch = json.loads(text)["brokerEpoch"]
    except (ValueError, KeyError, TypeError):
        return None
    return epoch if isinstance(epoch, int) else None


def meta_properties_text(cluster_id: str, node_id: int, directory_id: str) -> str:
    """Return the text of `meta.properties`, version 1, without Java's two comments.

    Source: `org.apache.kafka.metadata.properties.MetaProperties`; Java writes the time
    of day into a comment and orders the keys by their hash.
    """
    return (
        f"node.id={node_id}\ndirectory.id={directory_id}\n"
        f"version=1\ncluster.id={cluster_id}\n"
    )


def read_meta_properties(text: str) -> dict[str, str]:
    """Return the keys and values of `meta.properties`; comments are left out."""
    lines = (line.strip() for line in _lines(text))
    pairs = (
        line.partition("=")
        for line in lines
        if line and not line.startswith(("#", "!"))
    )
    return {key.strip(): value.strip() for key, _, value in pairs}


def _text(lines: Iterable[str]) -> str:
    rows = list(lines)
    return "".join(f"{line}\n" for line in (_VERSION, len(rows), *rows))


def _entries(text: str, width: int) -> list[list[str]]:
    """Return the words of each entry; an empty file, or one of one line, has none."""
    lines = _lines(text)
    if lines and _int(lines[0]) != _VERSION:
        raise LogError("KAFKA_STORAGE_ERROR", f"unknown version {lines[0]}")
    if len(lines) < 2:
        return []
    entries = [_SPACES.split(line.rstrip()) for line in lines[2:]]
    for line, words in zip(lines[2:], entries, strict=True):
        if len(words) != width:
            raise _malformed(line)
    if len(entries) != _int(lines[1]):
        raise LogError(
            "KAFKA_STORAGE_ERROR", f"expected {lines[1]} entries, found {len(entries)}"
        )
    return entries


def _lines(text: str) -> list[str]:
    """Return the lines as Java's `BufferedReader` has them."""
    lines = _LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def _int(word: str) -> int:
    if not _INT.match(word):
        raise _malformed(word)
    return int(word)


def _malformed(line: str) -> LogError:
    return LogError("KAFKA_STORAGE_ERROR", f"malformed line {line!r}")

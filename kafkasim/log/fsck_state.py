"""What `fsck` says of producers, epochs and stray files, from a replay of the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    CLEANED,
    DELETED,
    LEADER_EPOCHS,
    PARTITION_METADATA,
    SNAPSHOT,
    SWAP,
    file_name,
    offset_of,
    read_leader_epochs,
)
from kafkasim.log.contents import Files
from kafkasim.log.decode import control_kind, decode_batch
from kafkasim.log.fsck_batches import MOST_OFFSETS, SegmentFile, is_compacted, is_log
from kafkasim.log.fsck_indexes import is_index, log_of
from kafkasim.log.fsck_report import Finding
from kafkasim.log.header import NO_PRODUCER_ID, BatchHeader
from kafkasim.log.leader_epochs import LeaderEpochs
from kafkasim.log.producer_files import refuse_outside
from kafkasim.log.producer_snapshot import read_snapshot
from kafkasim.log.producer_state import Marker, ProducerStates
from kafkasim.log.transaction_index import AbortedTransaction

TEMPORARY: Final = ".tmp"
_NEVER_MS: Final = 1 << 62
Known = dict[int, tuple[int, int, int]]


@dataclass(slots=True)
class Replay:
    """What a log's batches say of its producers."""

    aborted: dict[int, list[AbortedTransaction]] = field(default_factory=dict)
    """By base offset of the segment that holds the marker."""
    unknown: set[int] = field(default_factory=set)
    """Abort markers of transactions that may have begun before the log does."""
    states: dict[int, Known] = field(default_factory=dict)
    """By an offset that a snapshot has: epoch, last sequence number and last offset of
    each producer that the log knows by then."""
    findings: list[Finding] = field(default_factory=list)
    """Batches that their producers cannot have written so."""


def replay(
    segments: Sequence[SegmentFile],
    snapshot_offsets: set[int],
    start_offset: int,
    *,
    compacted: bool = False,
) -> Replay:
    """Go over all batches, and note what snapshots and transaction indexes should say.

    Parameters
    ----------
    segments : sequence of SegmentFile
    snapshot_offsets : set of int
        Offsets for which the state is wanted.
    start_offset : int
        Where the log starts: what lies below may be lost, it is not synced any more.
    compacted : bool
        Whether the log is known to be compacted: batches of a producer may be missing.
    """
    states = ProducerStates(expiration_ms=_NEVER_MS)
    compacted = compacted or is_compacted(segments)
    result = Replay()
    wanted = sorted(snapshot_offsets, reverse=True)
    for segment in segments:
        for batch in segment.batches:
            header = batch.header
            while wanted and wanted[-1] <= header.base_offset:
                result.states[wanted.pop()] = _known(states)
            if header.producer_id == NO_PRODUCER_ID or batch.repeats:
                continue
            if not header.is_control:
                batch.refused |= _is_outside(states, header)
                text = (
                    "" if compacted else _wrong_producer(states, header, start_offset)
                )
                if text:
                    place = segment.name, batch.position, header.base_offset
                    result.findings.append(Finding("producer", *place, text))
                if not batch.refused:
                    states.add(header)
                continue
            marker = _marker(segment.bytes_of(batch))
            if marker is not None:
                _end(states, header, marker, segment.base_offset, result)
    for offset in wanted:
        result.states[offset] = _known(states)
    return result


def _wrong_producer(
    states: ProducerStates, header: BatchHeader, start_offset: int
) -> str:
    """Return why a producer cannot have written a batch next; "" if it can."""
    entry = states.entries.get(header.producer_id)
    if entry is None or entry.last_offset < start_offset:
        return ""
    said = f"producer {header.producer_id}"
    if header.producer_epoch < entry.epoch:
        return f"{said} has epoch {header.producer_epoch} after {entry.epoch}"
    if _is_outside(states, header):
        since = entry.transaction_first_offset
        return f"{said} has a transaction open since {since}, this is outside of it"
    if header.producer_epoch > entry.epoch:
        return ""
    following = (entry.last_sequence + 1) % (1 << 31)
    if header.base_sequence != following:
        return f"{said} has sequence number {header.base_sequence}, {following} is next"
    return ""


def _is_outside(states: ProducerStates, header: BatchHeader) -> bool:
    try:
        refuse_outside(states, header)
    except LogError:
        return True
    return False


def _known(states: ProducerStates) -> Known:
    return {
        entry.producer_id: (entry.epoch, entry.last_sequence, entry.last_offset)
        for entry in states.entries.values()
        if entry.batches
    }


def _marker(data: bytes) -> Marker | None:
    try:
        records = decode_batch(data, check_crc=False)
        kind = control_kind(records[0]) if records else None
    except LogError:
        return None
    value = records[0].value if records else None
    if kind not in {"abort", "commit"} or value is None or len(value) < 6:
        return None
    return Marker(kind == "commit", int.from_bytes(value[2:6], "big", signed=True))


def _end(
    states: ProducerStates,
    header: BatchHeader,
    marker: Marker,
    base_offset: int,
    result: Replay,
) -> None:
    done = states.add_marker(header, marker)
    if done is None:
        if not marker.commits:
            result.unknown.add(header.base_offset)
        return
    if done.aborted:
        stable = states.last_stable_offset_after(done)
        entry = AbortedTransaction(
            done.producer_id, done.first_offset, done.last_offset, stable
        )
        result.aborted.setdefault(base_offset, []).append(entry)
    states.complete(done)


def snapshot_offsets(names: Sequence[str]) -> set[int]:
    """Return the offsets of all producer snapshots."""
    return {offset_of(name) for name in names if is_snapshot(name)}


def is_snapshot(name: str) -> bool:
    """Say whether a file is a producer snapshot, by its name."""
    return name.endswith(SNAPSHOT) and name[: -len(SNAPSHOT)].lstrip("-").isdigit()


def check_snapshots(
    files: Files,
    replayed: Replay,
    start_offset: int,
    end_offset: int | None,
) -> list[Finding]:
    """Return the snapshots that are damaged, or say other than the log."""
    findings = []
    for offset in sorted(replayed.states):
        name = file_name(offset, SNAPSHOT)
        try:
            entries = read_snapshot(files.read(name))
        except LogError as error:
            text = error.text
            findings.append(
                Finding("bad snapshot", name, None, offset, text, mendable=True)
            )
            continue
        if end_offset is not None and offset > end_offset:
            # A truncation within a batch leaves a log that ends before its end.
            kind = "hole" if offset - end_offset > MOST_OFFSETS else "leftover"
            text = f"when it was written the log had offsets to {offset - 1}"
            findings.append(Finding(kind, name, None, end_offset, text))
            continue
        held = {
            entry.producer_id: (entry.epoch, entry.last_sequence, entry.last_offset)
            for entry in entries
        }
        for producer_id, right in replayed.states[offset].items():
            said = held.get(producer_id, right)
            if said != right and max(said[2], right[2]) >= start_offset:
                text = (
                    f"producer {producer_id} has epoch, last sequence number and last "
                    f"offset {said}; in the log they are {right}"
                )
                findings.append(
                    Finding("lying snapshot", name, None, offset, text, mendable=True)
                )
    return findings


def known_epochs(files: Files) -> tuple[LeaderEpochs | None, list[Finding]]:
    """Return what the epoch file says; None if there is none, or it says nothing."""
    if LEADER_EPOCHS not in files.names():
        return None, []
    try:
        text = bytes(files.read(LEADER_EPOCHS)).decode("utf-8", "replace")
        epochs = LeaderEpochs(read_leader_epochs(text))
    except (LogError, ValueError) as error:
        said = getattr(error, "text", str(error))
        finding = Finding(
            "bad epoch file", LEADER_EPOCHS, None, None, said, mendable=True
        )
        return None, [finding]
    return (epochs if len(epochs) else None), []


def check_epoch_file(
    segments: Sequence[SegmentFile],
    known: LeaderEpochs | None,
    start_offset: int,
    ends: Iterable[int] = (),
) -> list[Finding]:
    """Return where the epoch file and the batches part; batches are mended before.

    A log that was cut within a batch ends beyond its last one, and epochs may begin
    there; `ends` has offsets at which a snapshot says that it once ended.
    """
    held = LeaderEpochs() if known is None else known
    if held.entries:  # what lies below was deleted
        start_offset = max(start_offset, held.entries[0].start_offset)
    kind = "epoch file"
    findings = []
    told: int | None = None
    end = max([segments[-1].base_offset, *ends]) if segments else 0
    for segment in segments:
        for batch in segment.batches:
            header = batch.header
            end = max(end, header.next_offset)
            epoch = header.leader_epoch
            if epoch < 0 or header.base_offset < start_offset or epoch == told:
                continue
            told = epoch
            said = held.epoch_of(header.base_offset)
            if said != epoch:
                text = f"it says {said}, the batch has epoch {epoch}"
                findings.append(
                    Finding(
                        kind,
                        LEADER_EPOCHS,
                        None,
                        header.base_offset,
                        text,
                        mendable=True,
                    )
                )
    for epoch, start in held.entries:
        if start > end > 0:
            text = f"epoch {epoch} begins at {start}, the log ends at {end}"
            findings.append(
                Finding(kind, LEADER_EPOCHS, None, start, text, mendable=True)
            )
    return findings


def check_names(names: Sequence[str]) -> list[Finding]:
    """Return the files that belong to nothing, or that a stop left behind."""
    findings = []
    there = set(names)
    for name in names:
        if name.endswith((DELETED, CLEANED, SWAP, TEMPORARY)):
            text = {
                TEMPORARY: "of a checkpoint that was not finished",
                DELETED: "was to be deleted",
                CLEANED: "of a compaction that did not finish",
                SWAP: "of a compaction that was about to take its place",
            }[name[name.rindex(".") :]]
            findings.append(Finding("leftover", name, None, None, text))
        elif is_index(name):
            if log_of(name) not in there:
                text = f"{log_of(name)} is not there"
                findings.append(
                    Finding("orphan file", name, None, None, text, mendable=True)
                )
        elif not (
            is_log(name)
            or is_snapshot(name)
            or name in {LEADER_EPOCHS, PARTITION_METADATA}
        ):
            text = "no file of a partition"
            findings.append(Finding("unknown file", name, None, None, text))
    return findings

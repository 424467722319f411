"""What `fsck` reads of a partition's batches: their bytes, offsets and epochs.

Three fields of a batch's header are changed after the producer computed its CRC, or
lie before it: the offset, the leader's epoch and the length. A flipped bit there is no
error for Kafka. Here the neighbours are asked: a batch whose offset fits nowhere, while
the next one goes on as if it had the offset before it plus one, has been hit.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from kafkasim.errors import CorruptBatchError
from kafkasim.log.checkpoints import LOG, SWAP, offset_of
from kafkasim.log.compression import MissingExtraError
from kafkasim.log.contents import Files
from kafkasim.log.decode import control_kind, decode_batch
from kafkasim.log.fsck_report import Finding
from kafkasim.log.header import BatchHeader
from kafkasim.log.leader_epochs import LeaderEpochs
from kafkasim.log.record import Record
from kafkasim.log.salvage import Piece, salvage

MOST_OFFSETS: Final = 1 << 18
"""More than a batch can have: a record takes 7 bytes or more of 1 MiB."""

CERTAIN: Final = "; certain, can be mended"
"""How the text of a finding ends whose batch can be as it was."""


@dataclass(slots=True)
class Batch:
    """A batch that can be read, with what is taken to be right of its header."""

    piece: Piece
    header: BatchHeader
    """Offset and epoch in it may be mended."""
    repeats: bool = False
    """Whether it is the batch before it once more."""
    refused: bool = False
    """Whether Kafka does not open a log that has it."""

    @property
    def position(self) -> int:
        """Where it begins in its file."""
        return self.piece.position


@dataclass(slots=True)
class SegmentFile:
    """A `.log` file and what is in it."""

    base_offset: int
    name: str
    data: bytes | memoryview
    pieces: list[Piece]
    batches: list[Batch]
    """The readable ones of `pieces`."""

    def bytes_of(self, batch: Batch) -> bytes:
        """Return a batch as it should be."""
        piece = batch.piece
        data = piece.mended or bytes(self.data[piece.position : piece.end_position])
        fixed = batch.header.pack()[:17]  # to the magic; the CRC covers none of it
        return fixed + data[17:]


def read_segments(files: Files) -> list[SegmentFile]:
    """Return the segments of a partition, read batch by batch, in order."""
    names = files.names()
    logs = {offset_of(name): name for name in names if is_log(name)}
    segments = []
    for name in names:
        # A swap whose old segment is gone already holds what is nowhere else.
        if name.endswith(LOG + SWAP) and offset_of(name) not in logs:
            swapped = _read(files, name)
            segments.append(swapped)
            end = max((one.header.next_offset for one in swapped.batches), default=0)
            logs = {
                base: log
                for base, log in logs.items()
                if not swapped.base_offset <= base < end
            }
    segments += [_read(files, name) for name in logs.values()]
    return sorted(segments, key=lambda segment: segment.base_offset)


def _read(files: Files, name: str) -> SegmentFile:
    data = files.read(name)
    found = list(salvage(data))
    readable = [
        Batch(piece, piece.header)
        for piece in found
        if piece.header is not None and (not piece.kind or piece.mended)
    ]
    return SegmentFile(offset_of(name), name, data, found, readable)


def is_log(name: str) -> bool:
    """Say whether a file is a segment's log, by its name (`LogFileUtils.isLogFile`)."""
    return name.endswith(LOG) and name[: -len(LOG)].lstrip("-").isdigit()


def check_bytes(segments: Sequence[SegmentFile]) -> list[Finding]:
    """Return what is wrong with the bytes of the batches."""
    findings = []
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        for piece in segment.pieces:
            if not piece.kind:
                continue
            kind = piece.kind
            if kind == "torn tail" and not is_last:
                kind = "unreadable"
            offset = piece.header.base_offset if piece.header else None
            mendable = piece.mended is not None
            text = piece.text
            if mendable:
                text += CERTAIN
            findings.append(
                Finding(kind, segment.name, piece.position, offset, text, mendable)
            )
    return findings


def check_records(segments: Sequence[SegmentFile]) -> list[Finding]:
    """Return the batches whose records are not what their headers say."""
    findings = []
    for segment in segments:
        for batch in segment.batches:
            piece = batch.piece
            batch.refused = batch.header.last_offset_delta < 0
            data = piece.mended or segment.data[piece.position : piece.end_position]
            text = _wrong_records(data, batch.header)
            if text:
                batch.refused |= batch.header.is_control
                offset = batch.header.base_offset
                findings.append(
                    Finding("bad records", segment.name, piece.position, offset, text)
                )
    return findings


def _wrong_records(data: bytes | memoryview, header: BatchHeader) -> str:
    try:
        records = decode_batch(data, check_crc=False)
        if header.is_control and header.producer_id >= 0 and records:
            kind = control_kind(records[0])
            if not isinstance(kind, str):
                return f"a control batch of type {kind}, which no producer has"
    except CorruptBatchError as error:
        return error.text
    except MissingExtraError:
        return ""
    deltas = [record.offset - _base(data) for record in records]
    if any(late <= early for early, late in pairwise(deltas)):
        return "offsets of its records do not rise"
    if deltas and not 0 <= deltas[0] <= deltas[-1] <= header.last_offset_delta:
        first, last = deltas[0], deltas[-1]
        most = header.last_offset_delta
        return f"offset deltas {first} to {last} are not within 0 to {most}"
    return _wrong_timestamps(records, header)


def _wrong_timestamps(records: list[Record], header: BatchHeader) -> str:
    if not records or header.is_log_append_time:
        return ""
    largest = max(record.timestamp_ms for record in records)
    if largest > header.max_timestamp_ms:
        most = header.max_timestamp_ms
        return f"a record has timestamp {largest}, the batch at most {most}"
    return ""


def _base(data: bytes | memoryview) -> int:
    return int.from_bytes(data[:8], "big", signed=True)


def is_compacted(segments: Sequence[SegmentFile]) -> bool:
    """Say whether a batch shows that the log was compacted: offsets may have gaps."""
    return any(
        batch.header.delete_horizon_ms is not None
        or batch.header.record_count <= batch.header.last_offset_delta
        for segment in segments
        for batch in segment.batches
    )


def check_offsets(
    segments: Sequence[SegmentFile], ends: Collection[int] = (), cleaned: int = 0
) -> list[Finding]:
    """Return where offsets do not go on, and mend those that are certain.

    The header of a batch whose offset is certain to be another is changed to it.

    Parameters
    ----------
    segments : sequence of SegmentFile
    ends : collection of int
        Offsets of producer snapshots: at a clean stop one is taken at the log's end.
    cleaned : int
        Offset below which the log was compacted.
    """
    cleaned = _FOREVER if is_compacted(segments) else cleaned
    findings: list[Finding] = []
    expected: int | None = None
    for number, segment in enumerate(segments):
        later = segments[number + 1 :]
        following = later[0].base_offset if later else None
        expected = _check_start(segment, expected, findings, cleaned)
        lost = 0
        for at, batch in enumerate(segment.batches):
            before = segment.batches[at - 1] if at else None
            after = following
            if at + 1 < len(segment.batches):
                after = segment.batches[at + 1].header.base_offset
            elif following is None:
                after = _end_by_snapshot(batch.header, expected, ends)
            if _lost_before(segment, batch, lost):
                # The offsets of what cannot be read are not known.
                expected = max(expected, batch.header.base_offset)
            lost = batch.piece.end_position
            kind, text = _misplaced(batch, before, expected, after)
            if kind:
                if kind == "hole" and batch.header.base_offset <= cleaned:
                    kind = "gap"
                findings.append(_offset_finding(segment, batch, kind, text))
            header = batch.header
            if kind == "jumped offset" and text.endswith(_PROVEN):
                header = batch.header = header._replace(base_offset=expected)
            if not batch.repeats:
                expected = max(expected, header.next_offset)
    return findings


_FOREVER: Final = 1 << 63
_PROVEN: Final = "what follows goes on from there"


def _end_by_snapshot(
    header: BatchHeader, expected: int, ends: Collection[int]
) -> int | None:
    """Return where the last batch ends if only its place after the others says so.

    A truncation leaves a snapshot too, where it cut; what is appended next begins there
    and may follow a hole. So snapshots speak for what is written where they stand at
    both ends of the batch; or at its begin, unless that is a single bit away.
    """
    base, end = header.base_offset, expected + header.last_offset_delta + 1
    far = (base ^ expected).bit_count() > 1
    as_written = base in ends and (far or header.next_offset in ends)
    return end if end in ends and not as_written else None


def _check_start(
    segment: SegmentFile,
    expected: int | None,
    findings: list[Finding],
    cleaned: int,
) -> int:
    """Report what lies between two segments; return the offset that comes next."""
    base = segment.base_offset
    if expected is None or base == expected or not segment.pieces:
        return base if expected is None else expected
    if base > expected:
        kind = "gap" if base <= cleaned else "hole"
        text = f"no segment holds offsets {expected} to {base - 1}"
        findings.append(Finding(kind, segment.name, None, expected, text))
        return base
    text = f"the segment before goes on to offset {expected - 1}"
    findings.append(Finding("overlap", segment.name, None, base, text))
    return base


def _lost_before(segment: SegmentFile, batch: Batch, lost: int) -> bool:
    """Say whether bytes before the batch were lost, which explains a hole."""
    return any(
        lost <= piece.position < batch.position
        and piece.kind in {"unreadable", "bit rot"}
        for piece in segment.pieces
    )


def _misplaced(
    batch: Batch, before: Batch | None, expected: int, after: int | None
) -> tuple[str, str]:
    """Return the kind of a batch's wrong offset and a text; "" if it is right.

    A log that was truncated within a batch has a hole, no wider than a batch.
    """
    header = batch.header
    base = header.base_offset
    if base == expected:
        return "", ""
    if before is not None and _same(header, before.header):
        batch.repeats = True
        return "repeated batch", f"the batch of offset {base} once more"
    said = f"offset {base} where {expected} comes next"
    distance = (base ^ expected).bit_count()
    bits = "one bit apart" if distance == 1 else f"{distance} bits apart"
    ends = expected + header.last_offset_delta + 1
    if after == ends:
        return "jumped offset", f"{said}, {bits}; {_PROVEN}"
    if base < expected:
        return "overlap", said
    if after is None and distance == 1 and base - expected > MOST_OFFSETS:
        return "jumped offset", f"{said}, {bits}; nothing follows to prove it"
    return "hole", f"no batch holds offsets {expected} to {base - 1}"


def _same(header: BatchHeader, other: BatchHeader) -> bool:
    return header._replace(leader_epoch=other.leader_epoch) == other


def _offset_finding(
    segment: SegmentFile, batch: Batch, kind: str, text: str
) -> Finding:
    offset = batch.header.base_offset
    if kind == "overlap" and offset < segment.base_offset:
        kind = "offset below base"
        text = f"offset {offset} in the segment from {segment.base_offset}"
    mendable = text.endswith(_PROVEN) or kind == "repeated batch"
    return Finding(kind, segment.name, batch.position, offset, text, mendable)


def check_epochs(
    segments: Sequence[SegmentFile], known: LeaderEpochs | None
) -> list[Finding]:
    """Return the batches whose leader's epoch is false, and mend those certain.

    Epochs never fall. And a leader writes an epoch into the epoch file before the first
    batch of it: where a single batch and a file in good order part, the file is right.

    Parameters
    ----------
    segments : sequence of SegmentFile
    known : LeaderEpochs or None
        What `leader-epoch-checkpoint` says; None if it says nothing.
    """
    findings = []
    rows = [(segment, batch) for segment in segments for batch in segment.batches]
    told = _told([batch for _, batch in rows], known)
    part = [
        said is not None and batch.header.leader_epoch != said
        for (_, batch), said in zip(rows, told, strict=True)
    ]
    before: int | None = None
    for at, (segment, batch) in enumerate(rows):
        header = batch.header
        epoch = header.leader_epoch
        after = rows[at + 1][1].header.leader_epoch if at + 1 < len(rows) else None
        alone = part[at] and not any(part[max(at - 1, 0) : at] + part[at + 1 : at + 2])
        right: int | None = None
        if alone:
            right = told[at]
        elif told[at] is None or part[at]:
            if not _falls(epoch, before, after):
                before = epoch
                continue
            right = before if before == after else None
        else:
            before = epoch
            continue
        text = f"epoch {epoch} between {_said(before)} and {_said(after)}"
        if told[at] is not None:
            text += f"; the epoch file says {told[at]}"
        place = segment.name, batch.position, header.base_offset
        findings.append(Finding("false epoch", *place, text, right is not None))
        if right is not None:
            batch.header = header._replace(leader_epoch=right)
        before = batch.header.leader_epoch
    return findings


def _told(batches: Sequence[Batch], known: LeaderEpochs | None) -> list[int | None]:
    """Return the epoch that the file says of each batch; None if it is not to trust.

    It is in good order if every epoch in it begins where a batch does.
    """
    headers = [batch.header for batch in batches]
    bases = {header.base_offset for header in headers}
    if known is None or any(
        headers[0].base_offset < start < headers[-1].next_offset and start not in bases
        for _, start in known.entries
        if headers
    ):
        return [None] * len(headers)
    return [known.epoch_of(header.base_offset) for header in headers]


def _falls(epoch: int, before: int | None, after: int | None) -> bool:
    """Say whether an epoch cannot be between two others, as epochs never fall."""
    if before is not None and epoch < before:
        return True
    return after is not None and epoch > after and (before is None or after >= before)


def _said(epoch: int | None) -> str:
    return "the log's end" if epoch is None else str(epoch)

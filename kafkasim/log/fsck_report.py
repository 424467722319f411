"""What `fsck` finds: findings, and the report that holds them and prints as text."""

from dataclasses import dataclass
from typing import Final

NOTICES: Final = frozenset({"gap", "leftover", "unknown file"})
"""Kinds that are no damage: a log in good order can have them."""

KAFKA_DOES: Final[dict[str, str]] = {
    "bad epoch file": "does not open the log",
    "bad records": "keeps the batch: a right CRC is all it asks for; readers fail",
    "bad snapshot": "deletes it, and replays the log from an older one",
    "bit rot": "cuts the log here when it rescans it after a crash, and deletes all "
    "later segments; otherwise it does not notice, and readers fail",
    "epoch file": "adds what it meets when it rescans, and drops what begins past "
    "the end",
    "false epoch": "believes it: a false entry appears in the epoch file",
    "gap": "goes on at the next batch",
    "header damage": "cuts the log here when it rescans it; otherwise readers fail",
    "hole": "does not notice: reads go on at the next batch",
    "jumped offset": "believes it: the offset is not under the CRC",
    "leftover": "deletes it or finishes the swap at the next start; writes over a "
    "checkpoint that was not finished",
    "lying offset index": "never checks it: reads begin too late and skip records, "
    "or fail",
    "lying snapshot": "believes it: a repeated batch may be taken, a good one refused",
    "lying time index": "never checks it: look-ups by time and retention go wrong",
    "lying transaction index": "looks only whether markers lie below the segment; "
    "readers of commits see aborted records, or miss good ones",
    "log start": "deletes all segments if the log start lies past the end",
    "missing index": "makes it anew: an offset index by a rescan, a time index empty",
    "offset below base": "refuses to open the log after a crash",
    "orphan file": "deletes it at the next start",
    "overlap": "does not notice: the same offsets are read twice",
    "recovery point": "takes the log's end in its place",
    "repeated batch": "does not notice: records are read twice",
    "torn tail": "cuts it off after a crash; after a clean stop it stays, and the log "
    "may not open, or end too early",
    "producer": "believes it; but a batch outside of its producer's open transaction "
    "keeps the log from opening after a crash",
    "unknown file": "leaves it alone",
    "unreadable": "cuts the log here when it rescans it, and deletes all later "
    "segments; otherwise readers fail",
}
"""Kinds of findings, and what Kafka 4.3 does in each case."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a partition's files."""

    kind: str
    """One of `KAFKA_DOES`."""
    file: str
    """Name of the file."""
    position: int | None
    """Position in it, in bytes; None if it is about the whole file."""
    offset: int | None
    """Offset that is concerned; None if there is none."""
    text: str
    """What was found."""
    mendable: bool = False
    """Whether it is certain what was there, so that a repair restores it."""

    @property
    def is_damage(self) -> bool:
        """Whether it is more than a notice."""
        return self.kind not in NOTICES


@dataclass(frozen=True, slots=True)
class Report:
    """What `fsck` found in one partition.

    Examples
    --------
    >>> print(Report("orders-0", segments=1, batches=2, records=5, size_bytes=190))
    fsck of orders-0: 1 segment, 2 batches, 5 records, 190 bytes
    no damage found
    """

    folder: str
    """Name of what was looked at."""
    segments: int = 0
    batches: int = 0
    """Batches that can be read, the mended ones too."""
    records: int = 0
    """Records that their headers count."""
    size_bytes: int = 0
    """Bytes of all `.log` files."""
    start_offset: int | None = None
    """First offset that is there."""
    end_offset: int | None = None
    """The offset after the last."""
    findings: tuple[Finding, ...] = ()
    repaired_to: str | None = None
    """Where a repaired copy was written."""
    repairs: tuple[str, ...] = ()
    """What was done in it."""

    @property
    def ok(self) -> bool:
        """Whether no damage was found; notices may have been."""
        return not any(finding.is_damage for finding in self.findings)

    def kinds(self) -> set[str]:
        """Return the kinds of all findings."""
        return {finding.kind for finding in self.findings}

    def of(self, kind: str) -> list[Finding]:
        """Return the findings of a kind, in the order of the log."""
        return [finding for finding in self.findings if finding.kind == kind]

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """Return kind, file, position, offset and text of every finding, as text."""
        return [
            (
                finding.kind,
                finding.file,
                _number(finding.position),
                _number(finding.offset),
                finding.text,
            )
            for finding in self.findings
        ]

    def __str__(self) -> str:
        """Return the report as `kafkasim fsck` prints it."""
        lines = [self._head(), self._verdict()]
        if self.findings:
            lines += ["", *_table(self.rows()), "", "What Kafka does:"]
            lines += [f"  {kind}: {KAFKA_DOES[kind]}" for kind in sorted(self.kinds())]
        if self.repaired_to is not None:
            lines += ["", f"repaired copy in {self.repaired_to}:"]
            lines += [f"  {repair}" for repair in self.repairs]
        return "\n".join(lines)

    def _head(self) -> str:
        parts = [
            _count(self.segments, "segment"),
            _count(self.batches, "batch", "batches"),
            _count(self.records, "record"),
        ]
        if self.start_offset is not None and self.end_offset is not None:
            parts.append(f"offsets {self.start_offset} to {self.end_offset - 1}")
        parts.append(_count(self.size_bytes, "byte"))
        return f"fsck of {self.folder}: {', '.join(parts)}"

    def _verdict(self) -> str:
        damage = sum(finding.is_damage for finding in self.findings)
        notices = len(self.findings) - damage
        text = f"damage: {_count(damage, 'finding')}" if damage else "no damage found"
        return f"{text}; {_count(notices, 'notice')}" if notices else text


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _number(number: int | None) -> str:
    return "" if number is None else str(number)


def _table(rows: list[tuple[str, str, str, str, str]]) -> list[str]:
    head = ("kind", "file", "position", "offset", "what")
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(4)]
    lines = []
    for kind, file, position, offset, text in [head, *rows]:
        lines.append(
            f"{kind:<{widths[0]}}  {file:<{widths[1]}}  {position:>{widths[2]}}  "
            f"{offset:>{widths[3]}}  {text}"
        )
    return lines

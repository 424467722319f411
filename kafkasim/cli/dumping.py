"""The commands that read a partition's files: dump and fsck.

What goes into a pipe or a file is what Kafka's own tool prints; on a terminal control
characters of keys and values are shown as escapes, and a batch's anatomy has colours.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from kafkasim.errors import RunError, ValidationError
from kafkasim.log.batch_fields import anatomy as fields_of
from kafkasim.log.checkpoints import LOG
from kafkasim.log.dump_complaints import complaints
from kafkasim.log.dump_text import (
    KINDS,
    Texts,
    batches,
    dump_lines,
    files_of,
    texts_of,
)
from kafkasim.log.header import BatchHeader

_COLOURS: Final[dict[str, str]] = {
    "offset": "94",
    "time": "33",
    "size": "37",
    "checksum": "91",
    "flags": "95",
    "producer": "96",
    "key": "92",
    "value": "32",
    "header": "34",
    "unread": "7",
}
"""Kind of a field → its colour (ECMA-48); the names stand beside it in any case."""

_WRONG: Final = "1;91"
_FAINT: Final = "2"

_HEX_BYTES: Final = 8
"""Bytes on a line."""

_VALUE_LETTERS: Final = 16
"""Letters of a value up to which what it says is aligned."""

_CONTROLS: Final = {
    number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))
}


def dump(
    *,
    path: Path,
    print_data_log: bool,
    offsets_decoder: bool,
    anatomy: bool,
    batch: int | None,
) -> None:
    """Print what is in a partition's files, as Kafka's own tool does.

    Raises
    ------
    ValidationError
        There is no such folder or file, no such batch, or nothing to dump.
    """
    if batch is not None and not anatomy:
        raise ValidationError("--batch", batch, "nothing, without --anatomy")
    terminal = sys.stdout.isatty()
    _check(path)
    if anatomy:
        lines = anatomy_lines(path, batch or 0, colour=terminal and wants_colour())
        for line in lines:
            print(line)
        return
    print_data_log |= offsets_decoder
    decoder = offsets_texts if offsets_decoder else texts_of
    for line in dump_lines(path, print_data_log=print_data_log, decoder=decoder):
        print(line.translate(_CONTROLS) if terminal else line)
    sys.stdout.flush()
    for line in complaints(path, print_data_log=print_data_log):
        print(line, file=sys.stderr)


def offsets_texts(key: bytes | None, value: bytes | None) -> Texts:
    """Return what a record of `__consumer_offsets` says, as JSON.

    What is no such record is shown as without `--offsets-decoder`.
    """
    from kafkasim.protocol.groups.record_json import key_text, value_text

    plain_key, plain_value = texts_of(key, value)
    said = None if key is None else key_text(key)
    if key is None or said is None:
        return plain_key, plain_value
    told = value_text(key, value)
    return said, plain_value if told is None else told


def fsck(*, folder: Path, repair_to: Path | None) -> None:
    """Look for damage in a partition's files, and repair a copy if told to.

    Raises
    ------
    ValidationError
        There is no such folder.
    RunError
        There is damage.
    """
    from kafkasim.log.fsck import fsck as look

    if not folder.is_dir():
        raise ValidationError("FOLDER", str(folder), "a partition's folder")
    report = look(folder) if repair_to is None else look(folder, repair_to=repair_to)
    print(report)
    if not report.ok:
        where = f"; a repaired copy is in {repair_to}" if repair_to else ""
        raise RunError(f"{folder} is damaged{where}")


def wants_colour() -> bool:
    """Tell whether a terminal shows colours and its user wants them (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.name == "nt":  # other consoles of Windows may show the codes
        return "WT_SESSION" in os.environ
    return os.environ.get("TERM") != "dumb"


def _check(path: Path) -> None:
    """Check that there is something to dump.

    Raises
    ------
    ValidationError
        There is not.
    """
    allowed = "a partition's folder, or one of its files"
    if not path.exists():
        raise ValidationError("PATH", str(path), allowed, "there is no such file")
    try:
        _, names, _ = files_of(path)
        known = not path.is_file() or path.suffix in KINDS
    except OSError as error:
        why = error.strerror or str(error)
        raise ValidationError("PATH", str(path), allowed, why) from None
    if not names or not known:
        why = f"no file ends in {', '.join(KINDS)}"
        raise ValidationError("PATH", str(path), allowed, why)


def anatomy_lines(path: Path, number: int, *, colour: bool) -> Iterator[str]:
    """Yield a batch byte by byte: place, hexadecimal, field, what it says.

    Parameters
    ----------
    path : Path
        A partition's folder, or one of its log files.
    number : int
        Which batch, from 0, in the order of the log.
    colour : bool
        Whether fields have colours.

    Raises
    ------
    ValidationError
        There is no such batch.
    """
    files, names, _ = files_of(path)
    logs = [name for name in names if name.endswith(LOG)]
    every = [
        (name, position, header)
        for name in logs
        for position, header in batches(files, name)
    ]
    if not every:
        raise ValidationError("PATH", str(path), "log files with a batch")
    if number >= len(every):
        raise ValidationError("--batch", number, f"0 to {len(every) - 1}")
    name, position, header = every[number]
    data = files.read(name, position, position + header.size_bytes)
    yield _title(number, len(every), name, position, header)
    yield ""
    yield from _field_lines(fields_of(data), colour=colour)


def _title(
    number: int, count: int, name: str, position: int, header: BatchHeader
) -> str:
    offsets = f"offsets {header.base_offset} to {header.last_offset}"
    if not header.last_offset_delta:
        offsets = f"offset {header.base_offset}"
    return (
        f"batch {number} (there are 0 to {count - 1}): {name}, position {position}, "
        f"{header.size_bytes} bytes, {offsets}"
    )


def _field_lines(columns: dict[str, Any], *, colour: bool) -> Iterator[str]:
    """Yield the lines of all fields, the records' with a heading."""
    width = max(map(len, columns["name"]))
    wide = min(_VALUE_LETTERS, max(map(len, columns["value"])))
    head = f"{'byte':>6}   {'hex':<{3 * _HEX_BYTES}} {'field':<{width}}"
    yield f"{head}  {'value':<{wide}}  what it says"
    before: tuple[int, bool] = (-1, False)
    for row in range(len(columns["name"])):
        record = int(columns["record"][row])
        unpacked = bool(columns["unpacked"][row])
        if (record, unpacked) != before and record >= 0:
            where = " (bytes as decompressed)" if unpacked else ""
            yield _painted(f"-- record {record}{where}", _FAINT, colour=colour)
        before = (record, unpacked)
        yield from _one_field(columns, row, (width, wide), colour=colour)
    if columns["covered"].any():
        yield ""
        yield "| covered by the CRC"


def _one_field(
    columns: dict[str, Any], row: int, widths: tuple[int, int], *, colour: bool
) -> Iterable[str]:
    digits = str(columns["hex"][row]).split(" ")
    pieces = [
        " ".join(digits[first : first + _HEX_BYTES])
        for first in range(0, len(digits), _HEX_BYTES)
    ]
    wrong = bool(columns["wrong"][row])
    code = _WRONG if wrong else _COLOURS[columns["kind"][row]]
    bar = "|" if columns["covered"][row] else " "
    start = int(columns["start"][row])
    name, told = columns["name"][row], columns["value"][row]
    said = f"  {told:<{widths[1]}}  {columns['meaning'][row]}".rstrip()
    for number, piece in enumerate(pieces):
        hexed = _painted(f"{piece:<{3 * _HEX_BYTES}}", code, colour=colour)
        line = f"{start + number * _HEX_BYTES:>6} {bar} {hexed} "
        if not number:
            line += _painted(f"{name:<{widths[0]}}", code, colour=colour)
            line += _painted(said, code, colour=colour and wrong)
        yield line.rstrip()


def _painted(text: str, code: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text

"""What can be done to a partition's files: damages, as functions on bytes by name.

This module knows no class of the log but the header.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from crc32c import crc32c

from kafkasim.log.header import unpack_header

Files = dict[str, bytes]
Damage = Callable[[Files], None]


@dataclass(frozen=True)
class Case:
    """One folder to open."""

    name: str
    damage: Damage
    clean: bool = False
    """Whether the marker of a clean shutdown is there."""
    recovery_point: int = 0
    log_start: int = 0


def log_name(base: int, suffix: str = ".log") -> str:
    return f"{base:020d}{suffix}"


def positions(data: bytes) -> list[int]:
    """Return where the batches of a log file begin."""
    found, at = [], 0
    while at < len(data):
        found.append(at)
        at += unpack_header(data, at).size_bytes
    return found


def edit(name: str, change: Callable[[bytearray], object]) -> Damage:
    """Return a damage that changes the bytes of one file."""

    def damage(files: Files) -> None:
        data = bytearray(files[name])
        change(data)
        files[name] = bytes(data)

    return damage


def in_batch(
    base: int, number: int, change: Callable[[bytearray, int], object]
) -> Damage:
    """Return a damage that changes a segment's file, told where a batch begins."""
    name = log_name(base)
    return edit(name, lambda data: change(data, positions(bytes(data))[number]))


def put(layout: str, offset: int, value: int) -> Callable[[bytearray, int], object]:
    """Return a change that writes a number at a place of the batch's header."""
    return lambda data, at: struct.pack_into(layout, data, at + offset, value)


def flip(offset: int, bit: int) -> Callable[[bytearray, int], object]:
    """Return a change that flips a bit of the batch."""

    def change(data: bytearray, at: int) -> None:
        data[at + offset] ^= 1 << bit

    return change


def put_with_crc(
    layout: str, offset: int, value: int
) -> Callable[[bytearray, int], object]:
    """Return a change under the CRC, with the CRC made right again."""

    def change(data: bytearray, at: int) -> None:
        size = unpack_header(data, at).size_bytes
        struct.pack_into(layout, data, at + offset, value)
        struct.pack_into(">I", data, at + 17, crc32c(bytes(data[at + 21 : at + size])))

    return change


def cut(base: int, count: int) -> Damage:
    """Return a damage that takes bytes off the end of a segment's log file."""
    return edit(
        log_name(base), lambda data: data.__delitem__(slice(len(data) - count, None))
    )


def keep(name: str, size: int) -> Damage:
    """Return a damage that keeps the first bytes of a file."""
    return edit(name, lambda data: data.__delitem__(slice(size, None)))


def add(name: str, tail: bytes) -> Damage:
    """Return a damage that adds bytes to a file; it need not be there."""

    def damage(files: Files) -> None:
        files[name] = files.get(name, b"") + tail

    return damage


def drop(*names: str) -> Damage:
    """Return a damage that removes files."""

    def damage(files: Files) -> None:
        for name in names:
            del files[name]

    return damage


def write(name: str, data: bytes) -> Damage:
    """Return a damage that writes a whole file."""
    return lambda files: files.__setitem__(name, data)


def copy(old: str, new: str) -> Damage:
    """Return a damage that copies a file."""
    return lambda files: files.__setitem__(new, files[old])


def all_of(*damages: Damage) -> Damage:
    """Return several damages in one."""

    def damage(files: Files) -> None:
        for one in damages:
            one(files)

    return damage


def drop_segment(base: int) -> Damage:
    """Return a damage that removes a segment with its indexes."""

    def damage(files: Files) -> None:
        for name in list(files):
            if name.startswith(log_name(base, "")) and not name.endswith("snapshot"):
                del files[name]

    return damage


def drop_suffix(suffix: str) -> Damage:
    """Return a damage that removes all files of a kind."""

    def damage(files: Files) -> None:
        for name in [name for name in files if name.endswith(suffix)]:
            del files[name]

    return damage


def twice(base: int, number: int) -> Damage:
    """Return a damage that writes a batch twice, one after the other."""

    def change(data: bytearray, at: int) -> None:
        end = at + unpack_header(data, at).size_bytes
        data[end:end] = data[at:end]

    return in_batch(base, number, change)


def nothing(_files: Files) -> None:
    """Damage nothing."""


LAST = 46
"""Base offset of the last segment; the others have 0, 16 and 32."""
EPOCHS = "leader-epoch-checkpoint"
LYING = struct.pack(">iiii", 2, 158, 11, 400)

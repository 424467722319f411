"""Random damages to the files of a partition, and ways to open what is left."""

import struct
from collections.abc import Callable
from typing import Any

from crc32c import crc32c

from kafkasim.log.header import COVERED_AT, unpack_header
from tests.cluster.batches import Draws

Files = dict[str, bytes]
_FIELDS = (
    *((">q", 0), (">i", 8), (">i", 12), (">b", 16), (">I", 17), (">h", 21), (">i", 23)),
    *((">q", 27), (">q", 35), (">q", 43), (">h", 51), (">i", 53), (">i", 57)),
)
"""Layout and place of the header's fields."""
_LEFT_WRONG = (17, 27, 35)
"""Fields whose CRC is not mended: the CRC, and the timestamps, as kafkasim takes a
marker's from its batch."""
_ELSEWHERE = {(0, 2**63 - 1), (16, 0), (16, 1)}
"""Values that kafkasim reads otherwise than Kafka: in Java the offset after the largest
is negative, and a batch of an old format at the end of a closed log is read as one."""
_LEFT = (".deleted", ".cleaned", ".swap")


def a_log(draws: Draws, files: Files) -> str:
    logs = [name for name in files if name.endswith(".log")]
    return draws.one(sorted(logs)) if logs else ""


def a_batch(draws: Draws, data: bytes) -> tuple[int, int]:
    """Return where a batch of a log begins and ends."""
    at, found = 0, []
    while at + 61 <= len(data):
        size = unpack_header(data, at).size_bytes
        if size < 61:
            break
        found.append((at, at + size))
        at += size
    return draws.one(found) if found else (0, len(data))


def cut(draws: Draws, files: Files) -> str:
    name = draws.one(sorted(files))
    kept = draws.below(len(files[name]) + 1)
    files[name] = files[name][:kept]
    return f"{name} cut to {kept} bytes"


def add(draws: Draws, files: Files) -> str:
    name = draws.one(sorted(files))
    count = draws.one((1, 5, 12, 70, 300))
    tail = draws.one((bytes(count), b"\xff" * count, bytes(range(1, 101)) * 3))[:count]
    files[name] += tail
    return f"{name} with {tail[:5]!r}… at its end"


def flip(draws: Draws, files: Files) -> str:
    name = draws.one(sorted(files))
    data = bytearray(files[name])
    if not data:
        return "nothing"
    at, bit = draws.below(len(data)), draws.below(8)
    data[at] ^= 1 << bit
    files[name] = bytes(data)
    return f"{name} with bit {bit} of byte {at} flipped"


def change_header(draws: Draws, files: Files) -> str:
    """Change a header's field, and make the CRC right for it now and then."""
    name = a_log(draws, files)
    if len(files.get(name, b"")) < 61:
        return "nothing"
    data = bytearray(files[name])
    start, end = a_batch(draws, bytes(data))
    layout, place = draws.one(_FIELDS)
    (old,) = struct.unpack_from(layout, data, start + place)
    bits = 8 * struct.calcsize(layout)
    low = 0 if layout == ">I" else -(2 ** (bits - 1))
    top = low + 2**bits - 1
    flipped = old ^ (1 << draws.below(bits - 1))
    new = draws.one((low, 0, 1, old + 1, old - 1, flipped, top))
    if (place, new) in _ELSEWHERE or not low <= new <= top:
        return "nothing"
    struct.pack_into(layout, data, start + place, new)
    mends = draws.often(0.5) and place not in _LEFT_WRONG and end <= len(data)
    if mends:
        struct.pack_into(
            ">I", data, start + 17, crc32c(bytes(data[start + COVERED_AT : end]))
        )
    files[name] = bytes(data)
    mended = ", the CRC mended" if mends else ""
    return f"{name} at {start}: field {place} {old} -> {new}{mended}"


def write_twice(draws: Draws, files: Files) -> str:
    name = a_log(draws, files)
    if not name:
        return "nothing"
    start, end = a_batch(draws, files[name])
    files[name] = files[name][:end] + files[name][start:]
    return f"{name}: the batch at {start} twice"


def drop(draws: Draws, files: Files) -> str:
    name = draws.one(sorted(files))
    del files[name]
    return f"no {name}"


def leave(draws: Draws, files: Files) -> str:
    """Leave a copy of a file behind under a name that means something.

    Of files with an offset in their names: Kafka fails to read one in the others'.
    """
    old = draws.one(sorted(name for name in files if name[0].isdigit()) or [""])
    if not old:
        return "nothing"
    new = old + draws.one(_LEFT)
    files[new] = files[old]
    return f"{new} as well"


def exchange(draws: Draws, files: Files) -> str:
    """Give a file what another one of its kind has."""
    name = draws.one(sorted(files))
    kind = name.rpartition(".")[2]
    other = draws.one(sorted(one for one in files if one.endswith(kind)))
    files[name] = files[other]
    return f"{name} with the bytes of {other}"


DAMAGES: tuple[Callable[[Draws, Files], str], ...] = (
    *(cut, add, flip, flip, change_header, change_header, change_header, change_header),
    *(write_twice, drop, drop, leave, exchange),
)


def damaged(draws: Draws, files: Files, end: int) -> tuple[Files, str, dict[str, Any]]:
    """Return files that are damaged in one way or two, how, and how to open them."""
    made = dict(files)
    ways = [draws.one(DAMAGES) for _ in range(draws.one((1, 1, 2)))]
    said = [way(draws, made) for way in ways if made]
    opening = {
        "clean": draws.often(0.4),
        "recovery_point": draws.one((0, 0, draws.below(end + 1), end)),
        "log_start_offset": draws.one((0, 0, 0, draws.below(end + 2))),
    }
    return made, "; ".join(said), opening

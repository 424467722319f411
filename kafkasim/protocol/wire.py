"""Kafka's own way to write a message's fields: what its generated classes do.

Numbers are big-endian. A version of a message is flexible or not (KIP-482): if it is,
lengths are unsigned varints, one more than the length so that 0 says null, and each
structure ends with its tagged fields. If it is not, a text has a length of two bytes,
an array and bytes one of four, and −1 says null.

Sources: `org.apache.kafka.common.protocol.ByteBufferAccessor`,
`common.utils.ByteUtils.readUnsignedVarint`, and the generated classes (4.3).
"""

import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Self, TypeVar

T = TypeVar("T")

_INT16: Final = struct.Struct(">h")
_INT32: Final = struct.Struct(">i")
_INT64: Final = struct.Struct(">q")
_UVARINT_BITS: Final = 28
_UUID_BYTES: Final = 16


class MalformedError(ValueError):
    """Bytes that are not the message they should be."""


class Reader:
    """Reads fields of a message, one after the other.

    Every method raises `MalformedError` where the bytes end too early, or say what
    cannot be.

    Parameters
    ----------
    data : bytes
        The message.
    flexible : bool
        Whether its version is flexible.
    """

    def __init__(self, data: bytes, *, flexible: bool = False) -> None:
        self._data = data
        self.flexible = flexible
        self._at = 0

    @property
    def rest(self) -> int:
        """Bytes that are left."""
        return len(self._data) - self._at

    def raw(self, length: int) -> bytes:
        """Return so many bytes as they are."""
        if not 0 <= length <= self.rest:
            raise MalformedError(f"{length} bytes where {self.rest} are left")
        at = self._at
        self._at += length
        return self._data[at : self._at]

    def int8(self) -> int:
        """Return a signed number of 1 byte."""
        return int.from_bytes(self.raw(1), signed=True)

    def int16(self) -> int:
        """Return a signed number of 2 bytes."""
        return int.from_bytes(self.raw(2), signed=True)

    def int32(self) -> int:
        """Return a signed number of 4 bytes."""
        return int.from_bytes(self.raw(4), signed=True)

    def int64(self) -> int:
        """Return a signed number of 8 bytes."""
        return int.from_bytes(self.raw(8), signed=True)

    def uvarint(self) -> int:
        """Return an unsigned varint of at most 5 bytes."""
        value = 0
        for shift in range(0, _UVARINT_BITS + 1, 7):
            byte = self.raw(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFF
        raise MalformedError("an unsigned varint of more than 5 bytes")

    def uuid(self) -> bytes:
        """Return an id of 16 bytes."""
        return self.raw(_UUID_BYTES)

    def nullable_string(self) -> str | None:
        """Return a text, or None."""
        length = self.uvarint() - 1 if self.flexible else self.int16()
        return None if length < 0 else self._text(length)

    def string(self) -> str:
        """Return a text that may not be null."""
        return _present(self.nullable_string(), "a text")

    def nullable_blob(self) -> bytes | None:
        """Return bytes, or None."""
        length = self.uvarint() - 1 if self.flexible else self.int32()
        return None if length < 0 else self.raw(length)

    def blob(self) -> bytes:
        """Return bytes that may not be null."""
        return _present(self.nullable_blob(), "bytes")

    def nullable_array(self, read: Callable[[], T]) -> tuple[T, ...] | None:
        """Return what `read` finds, as often as the array says; None for null."""
        count = self.uvarint() - 1 if self.flexible else self.int32()
        if count > self.rest:
            raise MalformedError(f"an array of {count} in {self.rest} bytes")
        return None if count < 0 else tuple(read() for _ in range(count))

    def array(self, read: Callable[[], T]) -> tuple[T, ...]:
        """Return the elements of an array that may not be null."""
        return _present(self.nullable_array(read), "an array")

    def tags(self) -> dict[int, bytes]:
        """Return the tagged fields that end a structure; none if not flexible."""
        if not self.flexible:
            return {}
        found = {}
        for _ in range(self.uvarint()):
            tag = self.uvarint()
            found[tag] = self.raw(self.uvarint())
        return found

    def within(self, data: bytes) -> "Reader":
        """Return a reader of a field's bytes, of the same version."""
        return Reader(data, flexible=self.flexible)

    def _text(self, length: int) -> str:
        try:
            return self.raw(length).decode()
        except UnicodeDecodeError as error:
            raise MalformedError(str(error)) from error


def _present(value: T | None, what: str) -> T:
    if value is None:
        raise MalformedError(f"null where {what} must be")
    return value


class Writer:
    """Writes fields of a message, one after the other.

    Every method returns the writer, so that a message reads as its fields do. A number
    that its field cannot hold raises `struct.error`.

    Parameters
    ----------
    flexible : bool
        Whether the message's version is flexible.

    Examples
    --------
    >>> Writer().int16(1).string("a").done().hex(" ")
    '00 01 00 01 61'
    >>> Writer(flexible=True).string("a").nullable_string(None).tags().done().hex(" ")
    '02 61 00 00'
    """

    def __init__(self, *, flexible: bool = False) -> None:
        self.flexible = flexible
        self._out = bytearray()

    def done(self) -> bytes:
        """Return what was written."""
        return bytes(self._out)

    def raw(self, data: bytes) -> Self:
        """Write bytes as they are."""
        self._out += data
        return self

    def int8(self, value: int) -> Self:
        """Write a signed number of 1 byte."""
        return self.raw(struct.pack(">b", value))

    def int16(self, value: int) -> Self:
        """Write a signed number of 2 bytes."""
        return self.raw(_INT16.pack(value))

    def int32(self, value: int) -> Self:
        """Write a signed number of 4 bytes."""
        return self.raw(_INT32.pack(value))

    def int64(self, value: int) -> Self:
        """Write a signed number of 8 bytes."""
        return self.raw(_INT64.pack(value))

    def uvarint(self, value: int) -> Self:
        """Write an unsigned varint."""
        while value > 0x7F:
            self._out.append(value & 0x7F | 0x80)
            value >>= 7
        self._out.append(value)
        return self

    def nullable_string(self, value: str | None) -> Self:
        """Write a text, or null."""
        data = None if value is None else value.encode()
        length = -1 if data is None else len(data)
        self.uvarint(length + 1) if self.flexible else self.int16(length)
        return self.raw(data or b"")

    def string(self, value: str) -> Self:
        """Write a text."""
        return self.nullable_string(value)

    def nullable_blob(self, value: bytes | None) -> Self:
        """Write bytes, or null."""
        self._count(-1 if value is None else len(value))
        return self.raw(value or b"")

    def blob(self, value: bytes) -> Self:
        """Write bytes."""
        return self.nullable_blob(value)

    def array(self, values: Iterable[T], write: Callable[[T], object]) -> Self:
        """Write an array; `write` is called with each of its elements."""
        elements = tuple(values)
        self._count(len(elements))
        for element in elements:
            write(element)
        return self

    def tags(self, fields: Mapping[int, bytes] | None = None) -> Self:
        """Write the tagged fields that end a structure; nothing if not flexible."""
        if self.flexible:
            by_tag = sorted((fields or {}).items())
            self.uvarint(len(by_tag))
            for tag, data in by_tag:
                self.uvarint(tag).uvarint(len(data)).raw(data)
        return self

    def within(self) -> "Writer":
        """Return a writer of a field's bytes, of the same version."""
        return Writer(flexible=self.flexible)

    def _count(self, count: int) -> None:
        self.uvarint(count + 1) if self.flexible else self.int32(count)

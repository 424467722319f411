"""The errors kafkasim raises for a user's mistakes.

A validation error names the path of the field, the value it got, what is allowed and
why, and comes before anything runs. Kafka's own error responses in a run
(`NOT_ENOUGH_REPLICAS`) are data in tables, never exceptions; a partition log that is
used by hand raises what its broker would answer.
"""

from kafkasim.catalogue import say


class KafkasimError(Exception):
    """Base of every error that a user can cause and mend."""


class ValidationError(KafkasimError, ValueError):
    """A field of a document has a value that is not allowed.

    Parameters
    ----------
    path : str
        Where the field stands, such as ``system.topics.orders.partitions``.
    value : object
        What it was given.
    allowed : str
        What would be allowed.
    why : str, optional
        The rule behind it, with its source.
    """

    def __init__(self, path: str, value: object, allowed: str, why: str = "") -> None:
        self.path = path
        self.value = value
        self.allowed = allowed
        self.why = why
        text = say(
            "{path}: {value} is not allowed; expected {allowed}",
            path=path,
            value=repr(value),
            allowed=allowed,
        )
        super().__init__(f"{text} ({why})" if why else text)

    def __reduce__(self) -> tuple[type, tuple[str, object, str, str]]:
        return (type(self), (self.path, self.value, self.allowed, self.why))

    def under(self, parent: str) -> "ValidationError":
        """Return the same error with `parent` put before its path."""
        path = f"{parent}.{self.path}" if self.path else parent
        return ValidationError(path, self.value, self.allowed, self.why)


class TraceError(KafkasimError, ValueError):
    """A traffic trace cannot be read; names the row (from 1) and the column."""

    def __init__(self, text: str, *, row: int | None = None, column: str = "") -> None:
        self.text = text
        self.row = row
        self.column = column
        where = [say("row {number}", number=row)] if row is not None else []
        where += [say("column {name}", name=repr(column))] if column else []
        super().__init__(f"{', '.join(where)}: {text}" if where else text)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (_trace_error, (self.text, self.row, self.column))


def _trace_error(text: str, row: int | None, column: str) -> TraceError:
    return TraceError(text, row=row, column=column)


class TableNotRecorded(KafkasimError, LookupError):  # noqa: N818 - reads as what happened
    """A table was asked for that this run did not record."""

    def __init__(self, table: str, why: str) -> None:
        self.table = table
        self.why = why
        text = say("table {name} was not recorded: {why}", name=repr(table), why=why)
        super().__init__(text)

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return (type(self), (self.table, self.why))


class LogError(KafkasimError, ValueError):
    """A partition log refuses what it was asked, or cannot be opened.

    Parameters
    ----------
    code : str
        Kafka's name of the error, such as ``OFFSET_OUT_OF_RANGE``
        (`org.apache.kafka.common.protocol.Errors`).
    text : str
        What was wrong, with the value.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code}: {text}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return (type(self), (self.code, self.text))


class CorruptBatchError(LogError):
    """Bytes are no record batch, or not the one that was written.

    Parameters
    ----------
    text : str
        What is wrong.
    position : int
        Where the batch begins in the bytes that were read.
    """

    def __init__(self, text: str, position: int = 0) -> None:
        self.position = position
        super().__init__("CORRUPT_MESSAGE", text)

    def __reduce__(self) -> tuple[type, tuple[str, int]]:  # type: ignore[override]
        return (type(self), (self.text, self.position))


class ChangedFileError(KafkasimError):
    """A file no longer holds what its recorded digest says."""


class OutputError(KafkasimError, OSError):
    """An output file or folder cannot be written; what was there is untouched."""


class RunError(KafkasimError):
    """A run could not go on; the text says at what simulated time and why."""

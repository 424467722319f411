"""What an engine writes while it runs.

The event loop calls a writer once per row, when the row is final, and the row lands
packed and little-endian in a `bytearray`: no object stays behind and the garbage
collector sees nothing. At the end the bytes become columns. The digest of the result is
over these same bytes, so two runs are equal exactly when they wrote the same rows.
"""

import hashlib
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import numpy as np

from kafkasim.errors import ValidationError
from kafkasim.result.result import Fact, Result
from kafkasim.result.schema import TABLES
from kafkasim.result.table import Array, Table, schema_of
from kafkasim.scenario.plan import Plan, PlanOutline
from kafkasim.scenario.scenario import Scenario

Writer = Callable[..., None]
"""Takes one row's values in column order."""

_STRUCT_CODES: Final = {"<i8": "q", "<i4": "i", "<i2": "h", "<i1": "b", "<f8": "d"}
_PLAIN_CODES: Final = frozenset("bhiqBHIQd")


class Recorder:
    """Append-only rows of one run, and their digests.

    Examples
    --------
    >>> recorder = Recorder()
    >>> write = recorder.writer("links")
    >>> recorder.labels("links", "sender", ("web",))
    >>> recorder.labels("links", "receiver", ("broker:1",))
    >>> write(0, 0, 1, 250, 4_000_000)
    >>> recorder.row_count("links")
    1
    """

    def __init__(self) -> None:
        self._rows: dict[str, bytearray] = {}
        self._formats: dict[str, struct.Struct] = {}
        self._gathered: dict[str, list[int]] = {}
        """Values of rows that are not packed yet."""
        self._array_hashes: dict[str, hashlib._Hash] = {}
        self._labels: dict[str, dict[str, tuple[str, ...]]] = {}
        self._columns: dict[str, dict[str, Array]] = {}

    def writer(self, table: str) -> Writer:
        """Return the function that appends one row to `table`.

        It takes the row's values in the schema's column order: whole numbers, times in
        nanoseconds, labels as codes. The rows go into the digest.

        Raises
        ------
        ValidationError
            An unknown table, or one given whole by `columns`.
        struct.error
            From the writer: a value that its column's dtype cannot hold.
        """
        schema = schema_of(table)
        if table in self._columns:
            raise ValidationError("table", table, "a table not given as columns")
        codes = "".join(_STRUCT_CODES[column.dtype] for column in schema)
        return self._writer(table, f"<{codes}")

    def hashed(self, name: str, row_format: str) -> Writer:
        """Return a writer of rows that only the digest and `rows` see.

        Parameters
        ----------
        name : str
            Its name among the digests; not a table's.
        row_format : str
            `struct` format of a row, such as ``"<iqq"``: little-endian, unpadded.
        """
        if name in TABLES:
            raise ValidationError("name", name, "a name that no table has")
        if row_format[:1] != "<" or not set(row_format[1:]) <= _PLAIN_CODES:
            raise ValidationError(
                "row_format", row_format, "'<' and letters of b h i q B H I Q d"
            )
        return self._writer(name, row_format)

    def _writer(self, name: str, row_format: str) -> Writer:
        form = self._formats.setdefault(name, struct.Struct(row_format))
        if form.format != row_format or name in self._array_hashes:
            raise ValidationError("name", name, "a name with one row format")
        extend = self._rows.setdefault(name, bytearray()).extend
        pack = form.pack

        def write(*values: float) -> None:
            extend(pack(*values))

        return write

    def hash_array(self, name: str, array: Array) -> None:
        """Take an array's bytes into the digest called `name`.

        A second call with the same name continues it, so a column may come in blocks.
        """
        if name in TABLES or name in self._rows:
            raise ValidationError("name", name, "a name that no rows have")
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        running = self._array_hashes.setdefault(name, hashlib.sha256())
        running.update(little.view(np.uint8).data if little.size else b"")

    def labels(self, table: str, column: str, names: Iterable[str]) -> None:
        """Name the codes of a label column; a later call replaces the names."""
        self._labels.setdefault(table, {})[column] = tuple(names)

    def columns(
        self,
        table: str,
        arrays: Mapping[str, Array],
        labels: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """Give a whole table as arrays; they do not go into the digest.

        For per-record columns that are expanded from rows which do.

        Raises
        ------
        ValidationError
            An unknown table, or one that has a writer.
        """
        schema_of(table)
        if table in self._rows:
            raise ValidationError("table", table, "a table without a writer")
        self._columns[table] = dict(arrays)
        self._labels.setdefault(table, {}).update(labels or {})

    def gathered(self, table: str) -> list[int]:
        """Return a list to be extended by the values of rows, whole rows at a time.

        It is the cheapest way to write rows of whole numbers, and the only way to write
        to this table. Whoever extends it calls `pack` before it is long; who looks at
        the rows has it packed.

        Raises
        ------
        ValidationError
            An unknown table, or one given whole by `columns`.
        """
        self.writer(table)
        return self._gathered.setdefault(table, [])

    def pack(self, table: str) -> None:
        """Pack the values that were gathered for a table.

        Raises
        ------
        struct.error
            A value that its column's dtype cannot hold, or rows that are not whole.
        """
        values = self._gathered.get(table)
        if values:
            codes = self._formats[table].format[1:]
            count = -(-len(values) // len(codes))
            self._rows[table] += struct.pack(f"<{codes * count}", *values)
            values.clear()

    def add(self, table: str, rows: Array) -> None:
        """Append rows that are there already: an array of the dtype of `rows`.

        Raises
        ------
        ValidationError
            A table without a writer, or rows of another dtype.
        """
        if table not in self._rows or rows.dtype != self._dtype(table):
            raise ValidationError("rows", rows.dtype, f"rows of the table {table!r}")
        self._rows[table] += rows.tobytes()

    def row_count(self, name: str) -> int:
        """Return the rows written so far under a table's or an extra name."""
        self.pack(name)
        return len(self._rows[name]) // self._formats[name].size

    def rows(self, name: str) -> Array:
        """Return the rows written so far as a structured array (a view).

        Fields have the schema's names; extra rows have `f0, f1, …`. While the view
        lives nothing can be written under this name: a write raises `BufferError`.
        """
        self.pack(name)
        return np.frombuffer(self._rows[name], dtype=self._dtype(name))

    def _dtype(self, name: str) -> "np.dtype[np.void]":
        if name in TABLES:
            return np.dtype([(column.name, column.dtype) for column in TABLES[name]])
        codes = self._formats[name].format.removeprefix("<")
        return np.dtype([(f"f{k}", f"<{code}") for k, code in enumerate(codes)])

    def _digests(self) -> dict[str, str]:
        """Return SHA-256 in hex over each name's packed rows, in name order."""
        hashes = {name: hashlib.sha256(rows) for name, rows in self._rows.items()}
        hashes |= self._array_hashes
        return {name: hashes[name].hexdigest() for name in sorted(hashes)}

    def _tables(self) -> dict[str, Table]:
        """Return what was recorded, checked, in the schema's order of tables."""
        return {name: self._table(name) for name in TABLES if self._has(name)}

    def _has(self, table: str) -> bool:
        return table in self._rows or table in self._columns

    def _table(self, name: str) -> Table:
        arrays = self._columns.get(name)
        if arrays is None:
            rows = self.rows(name)
            # Copied out of the rows: a pass over a strided column costs 4 to 14 times
            # one over a contiguous column, and the copy costs one such pass.
            arrays = {c.name: rows[c.name].copy() for c in TABLES[name]}
        return Table(name, arrays, self._labels.get(name))

    def finish(
        self,
        scenario: Scenario,
        plan: Plan | PlanOutline,
        facts: Mapping[str, Fact],
        not_recorded: Mapping[str, str],
    ) -> Result:
        """Return the result of the run; the recorder is empty then.

        Parameters
        ----------
        scenario : Scenario
            What ran.
        plan : Plan or PlanOutline
            What its traffic was.
        facts : mapping of str to int, float or str
            What the engine says of itself and of the run (`engine`, `end_ns`, …); not
            in the digest.
        not_recorded : mapping of table to reason
            Why a table is missing; read by whoever asks for it.

        Raises
        ------
        ValidationError
            A table that does not fit the schema, labels for a table that was not
            recorded, a fact that is not finite, or a reason for a recorded table.
        """
        for table in self._labels:
            if not self._has(table):
                raise ValidationError(
                    f"labels.{table}", table, "a table that was recorded"
                )
        for table in self._gathered:
            self.pack(table)
        result = Result(
            scenario=scenario,
            plan=plan,
            facts=facts,
            digests=self._digests(),
            tables=self._tables(),
            not_recorded=not_recorded,
        )
        self._let_go()
        return result

    def _let_go(self) -> None:
        """Hold no rows nor columns any more.

        What wrote here may live on in cycles until the garbage collector comes by,
        which does not see how much memory hangs on them.
        """
        self._columns.clear()
        for rows in self._rows.values():
            rows.clear()

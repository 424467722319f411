"""A table's times as whole nanoseconds, read exactly.

Numbers need a unit (`time_unit`), since 1700000000 does not say whether it counts
seconds or milliseconds. Text is ISO 8601 or follows `time_format`. Times are all with a
zone or all without: a clock without a zone cannot be compared with one that has it.
Decimal digits are kept to the nanosecond: `1700000000.123456789` is not squeezed
through a float.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import TraceError, ValidationError
from kafkasim.traces.bad_rows import Problem
from kafkasim.traces.cells import NUMBER, Cells
from kafkasim.units import NS_PER_MS, NS_PER_S, NS_PER_US

TimeUnit = Literal["s", "ms", "us", "ns"]
_UNIT_NS: Final = {"s": NS_PER_S, "ms": NS_PER_MS, "us": NS_PER_US, "ns": 1}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FINER: Final = re.compile(r"[.,]\d{6}(\d{1,3})")
_LIMIT_NS: Final = 2**62
_DIGITS: Final = 19


class Moment(NamedTuple):
    """One time as it was written."""

    time_ns: int
    """Nanoseconds since 1970, of UTC or of the clock that was written down."""
    zone: str
    """`UTC+01:00`; empty for a time without zone."""


class Clock(NamedTuple):
    """How times are written."""

    unit: TimeUnit | None = None
    """Unit of numbers."""
    pattern: str | None = None
    """`datetime.strptime` format of text that is not ISO 8601."""
    utc: bool = False
    """Whether zones may differ, each time being the instant it names."""

    def check(self) -> None:
        """Check the options.

        Raises
        ------
        ValidationError
            When there is no such unit or format, or both are given.
        """
        if self.unit is not None and self.unit not in get_args(TimeUnit):
            allowed = say("one of {names}", names="'s', 'ms', 'us', 'ns'")
            raise ValidationError("time_unit", self.unit, allowed)
        if self.unit is not None and self.pattern is not None:
            why = say("time_unit is for numbers, time_format for text")
            raise ValidationError("time_format", self.pattern, "None", why)
        if self.pattern is not None and (wrong := _wrong_pattern(self.pattern)):
            allowed = say("a format of datetime.strptime")
            raise ValidationError("time_format", self.pattern, allowed, wrong)


def read_times(
    column: str, cells: Cells, clock: Clock
) -> tuple[NDArray[np.int64], list[Problem]]:
    """Read a column of times.

    Parameters
    ----------
    column : str
        Its name, for errors.
    cells : Cells
    clock : Clock

    Returns
    -------
    int64[n], nanoseconds
        Since 1970; 0 for a bad row.
    list of Problem
        Rows with a missing or unparseable time or in another zone.

    Raises
    ------
    TraceError
        When all are numbers and no unit is given.
    """
    if isinstance(cells.distinct, np.ndarray):
        return _of_timestamps(column, cells, clock)
    if clock.unit is None and clock.pattern is None and _all_numbers(cells):
        text = "holds numbers; say their unit: time_unit='s', 'ms', 'us' or 'ns'"
        raise TraceError(text, column=column)
    read = _reader(clock)
    moments = [read(value) for value in cells.distinct]
    times_ns = np.array(
        [*(0 if moment is None else moment.time_ns for moment in moments), 0], np.int64
    )
    unread = cells.rows_of(moment is None for moment in moments)
    problems = [
        Problem("missing time", cells.empty_rows, column),
        Problem("unparseable time", unread, column, _hint(clock), cells),
    ]
    if clock.unit is None:
        problems += _mixed_zones(column, cells, moments, either=clock.utc)
    return times_ns[cells.codes], problems


def _of_timestamps(
    column: str, cells: Cells, clock: Clock
) -> tuple[NDArray[np.int64], list[Problem]]:
    """Read datetime64[ns], which has one zone or none."""
    if clock.unit is not None or clock.pattern is not None:
        text = "holds timestamps; leave out time_unit and time_format"
        raise TraceError(text, column=column)
    values_ns = np.append(np.asarray(cells.distinct).astype(np.int64), 0)
    far = cells.rows_of(np.abs(values_ns[:-1]) >= _LIMIT_NS)
    problems = [
        Problem("missing time", cells.empty_rows, column),
        Problem("unparseable time", far, column, _hint(clock), cells),
    ]
    return values_ns[cells.codes], problems


def _mixed_zones(
    column: str, cells: Cells, moments: list[Moment | None], *, either: bool
) -> list[Problem]:
    """Return the rows whose zone is not that of the first row with a time."""

    def zone(moment: Moment) -> str:
        return "a zone" if either and moment.zone else moment.zone

    places = cells.codes[cells.codes >= 0]
    first = next((moments[place] for place in places if moments[place]), None)
    if first is None:
        return []
    others = [moment is not None and zone(moment) != zone(first) for moment in moments]
    hint = f"the first time has {first.zone or 'no zone'}"
    zones = {moment.zone for moment in moments if moment is not None}
    if "" not in zones and not either:
        hint += "; utc=True takes each time as the instant it names"
    return [Problem("mixed time zones", cells.rows_of(others), column, hint, cells)]


def _reader(clock: Clock) -> Callable[[object], Moment | None]:
    """Return what reads one time, None when it cannot be read."""
    unit_ns = 0 if clock.unit is None else _UNIT_NS[clock.unit]

    def read(value: object) -> Moment | None:
        if unit_ns:
            return _of_number(str(value).strip(), unit_ns)
        if isinstance(value, datetime):
            return _of_datetime(value)
        text = str(value).strip()
        try:
            if clock.pattern is None:
                return _of_iso(text)
            parsed = datetime.strptime(text, clock.pattern)  # noqa: DTZ007 - %z is the user's choice
        except ValueError:
            return None
        return _moment(parsed, 0)

    return read


def _of_number(text: str, unit_ns: int) -> Moment | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if "_" in text or not number.is_finite() or number.adjusted() > _DIGITS:
        return None
    time_ns = int((number * unit_ns).to_integral_value(ROUND_HALF_EVEN))
    return Moment(time_ns, "") if abs(time_ns) < _LIMIT_NS else None


def _of_iso(text: str) -> Moment | None:
    if NUMBER.fullmatch(text):
        return None
    finer = _FINER.search(text)
    finer_ns = int(finer[1].ljust(3, "0")) if finer else 0
    return _moment(datetime.fromisoformat(text), finer_ns)


def _of_datetime(value: datetime) -> Moment | None:
    finer_ns: int = getattr(value, "nanosecond", 0)  # of a pandas Timestamp
    return _moment(datetime.combine(value.date(), value.timetz()), finer_ns)


def _moment(value: datetime, finer_ns: int) -> Moment | None:
    offset = value.utcoffset()
    zoned = value.replace(tzinfo=UTC) if offset is None else value
    time_ns = (zoned - _EPOCH) // _MICROSECOND * NS_PER_US + finer_ns
    if abs(time_ns) >= _LIMIT_NS:
        return None
    return Moment(time_ns, "" if offset is None else str(timezone(offset)))


def _wrong_pattern(pattern: str) -> str:
    """Return what is wrong with a format, empty when it is one."""
    try:
        datetime.strptime("", pattern)  # noqa: DTZ007 - only the format is tried
    except ValueError as error:
        return "" if str(error).startswith("time data") else str(error)
    return ""


def _all_numbers(cells: Cells) -> bool:
    texts = [str(value).strip() for value in cells.distinct]
    return bool(texts) and all(map(NUMBER.fullmatch, texts))


def _hint(clock: Clock) -> str:
    if clock.unit is not None:
        return f"expected a number, for time_unit={clock.unit!r}"
    if clock.pattern is not None:
        return f"expected the format {clock.pattern}"
    return "expected ISO 8601 such as 2026-01-31T08:30:00, years 1824 to 2115"

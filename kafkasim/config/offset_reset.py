"""Where a consumer starts that has no valid committed offset: `auto.offset.reset`.

Source: `org.apache.kafka.clients.consumer.internals.AutoOffsetResetStrategy` and
`java.time.Duration.parse`.
"""

import re
from dataclasses import dataclass
from typing import Final

from kafkasim.config.rules import INT64_MAX, Rule, Whole
from kafkasim.errors import ValidationError

_BY_DURATION: Final = "by_duration:"
_STARTS: Final = ("latest", "earliest", "none")
_DURATION: Final = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<days>[+-]?\d+)D)?"
    r"(?P<time>T(?:(?P<hours>[+-]?\d+)H)?(?:(?P<minutes>[+-]?\d+)M)?"
    r"(?:(?P<seconds>[+-]?\d+)(?:[.,](?P<fraction>\d{0,9}))?S)?)?",
    re.IGNORECASE | re.ASCII,
)
_NS_OF: Final = {
    "days": 86_400_000_000_000,
    "hours": 3_600_000_000_000,
    "minutes": 60_000_000_000,
    "seconds": 1_000_000_000,
}


def reset_duration_ns(reset: str) -> int | None:
    """Return how long ago a consumer starts, in ns; `None` for another way to start.

    Examples
    --------
    >>> reset_duration_ns("by_duration:PT1M30S")
    90000000000
    >>> reset_duration_ns("latest")
    """
    if not reset.startswith(_BY_DURATION):
        return None
    duration = _duration_ns(reset.removeprefix(_BY_DURATION))
    assert duration is not None
    return duration


def _duration_ns(text: str) -> int | None:
    """Return an ISO 8601 duration in ns, `None` if Java would not read it."""
    match = _DURATION.fullmatch(text)
    if match is None or match["time"] == "T":
        return None
    if all(match[part] is None for part in _NS_OF):
        return None
    whole = sum(int(match[part] or 0) * unit for part, unit in _NS_OF.items())
    fraction = int((match["fraction"] or "").ljust(9, "0"))
    if (match["seconds"] or "").startswith("-"):
        fraction = -fraction
    return -(whole + fraction) if match["sign"] == "-" else whole + fraction


@dataclass(frozen=True, slots=True)
class OffsetReset(Rule):
    """One of three words, or `by_duration:` and a duration from 0 to 292 years."""

    @property
    def allowed(self) -> str:
        """Return the words."""
        words = ", ".join(repr(each) for each in _STARTS)
        return (
            f"one of {words}, or 'by_duration:' and an ISO 8601 duration (PnDTnHnMnS)"
        )

    def read(self, value: object) -> str:
        """Return the text as it is."""
        if isinstance(value, str):
            if value in _STARTS:
                return value
            duration = _duration_ns(value.removeprefix(_BY_DURATION))
            by_duration = value.startswith(_BY_DURATION) and duration is not None
            if by_duration and 0 <= (duration or 0) <= INT64_MAX:
                return value
        raise self.reject(value)


@dataclass(frozen=True, slots=True)
class SeekTo(Rule):
    """An offset, `earliest`, `latest`, or `by_duration:` and a duration."""

    @property
    def allowed(self) -> str:
        """Return the words."""
        return (
            "an offset ≥ 0, 'earliest', 'latest', or 'by_duration:' and an ISO 8601 "
            "duration (PnDTnHnMnS)"
        )

    def read(self, value: object) -> int | str:
        """Return an int, or the text as it is."""
        try:
            if not isinstance(value, str):
                return Whole(0).read(value)
            if value != "none":
                return OffsetReset().read(value)
        except ValidationError:
            pass
        raise self.reject(value)

"""Labels, units and numbers as people read them."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import mark, say, say_many, spoken
from kafkasim.plot.nouns import NOUNS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

METRIC_LABELS: Final = MappingProxyType(
    {
        "throughput_per_s": mark("throughput (records/s)"),
        "latency_ms_p50": mark("median latency (ms)"),
        "latency_ms_p99": mark("p99 latency (ms)"),
        "lag_records_max": mark("peak lag (records)"),
        "drain_s": mark("time to drain (s)"),
        "partition_imbalance": mark("fullest partition ÷ mean"),
        "overtaken_share": mark("records overtaken (share)"),
        "duplicated": mark("processed twice (records)"),
        "lost": mark("lost (records)"),
        "records": mark("records"),
        "pending": mark("pending (records)"),
        "order_kept_share": mark("pairs in the order sent (share)"),
        "redelivered": mark("handed out again (times)"),
        "left_to_read": mark("left to read again (records)"),
        "history_share": mark("history a latecomer gets (share)"),
        "latency_ms_p99_others": mark("p99 beside the slowest job (ms)"),
        "blocked_s": mark("sources blocked (s)"),
        "refused": mark("refused (records)"),
    }
)
"""Axis labels of the metric columns, with their units; `metric_label` says them."""

LOG_SPREAD: Final = 50.0
"""Largest ÷ smallest value from which an axis is logarithmic."""


_DUST: Final = 1e-9
"""What is missing from a whole by the rounding of its sums."""


def metric_label(name: str) -> str:
    """Return a metric's label; a column of a user's own is its own label."""
    return say(METRIC_LABELS[name]) if name in METRIC_LABELS else name


def amount(value: float) -> str:
    """Return a number in three significant digits, or as a whole number of thousands.

    Examples
    --------
    >>> [amount(value) for value in (0.0123456, 3.14159, 336776.0, 2.0)]
    ['0.0123', '3.14', '336,776', '2']
    """
    if np.isnan(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def begun(text: str) -> str:
    """Return English text as the beginning of a sentence; `p99` stays as it is written.

    Examples
    --------
    >>> begun("median latency"), begun("p99 latency")
    ('Median latency', 'p99 latency')
    """
    if spoken() != "en" or text[1:2].isdigit():
        return text
    return text[:1].upper() + text[1:]


def inner(text: str) -> str:
    """Return an English sentence as a part of a longer one.

    Examples
    --------
    >>> inner("The hub stops for all")
    'the hub stops for all'
    """
    return text[:1].lower() + text[1:] if spoken() == "en" else text


def multiple(value: float, of: float, noun: str) -> str:
    """Return how many times another a value is, or nothing when that says nothing.

    Examples
    --------
    >>> multiple(42.0, 2.1, "the median"), multiple(4.0, 2.0, "the median")
    ('20 times the median', 'twice the median')
    >>> multiple(2.0, 2.0, "the median"), multiple(2.0, 0.0, "the median")
    ('about the median', '')
    """
    if not (np.isfinite(value) and np.isfinite(of)) or of <= 0:
        return ""
    ratio = value / of
    if ratio < 1.05:
        return say("about {what}", what=noun) if ratio > 0.95 else ""
    if 1.95 <= ratio < 2.05:
        return say("twice {what}", what=noun)
    times = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}"
    return say("{times} times {what}", times=times, what=noun)


def counted(number: float, noun: str) -> str:
    """Return a number and the noun that it counts, in the language that holds.

    Parameters
    ----------
    number : float
        How many.
    noun : str
        In English, one of `NOUNS`.

    Examples
    --------
    >>> [counted(number, "record") for number in (1.0, 0.0, 1_234.0)]
    ['1 record', '0 records', '1,234 records']
    >>> counted(2, "entity")
    '2 entities'
    """
    return say_many(*NOUNS[noun], number, n=amount(number))


def percent(share: float) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> [percent(share) for share in (0.5, 0.0123, 0.0)]
    ['50 %', '1.2 %', '0 %']

    All is said of all only.

    >>> [percent(share) for share in (1.0, 0.9996, 0.994)]
    ['100 %', '99.9 %', '99 %']
    """
    if np.isnan(share):
        return "–"
    if 0.995 <= share < 1.0 - _DUST:
        return f"{np.floor(1_000 * share) / 10:g} %"
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def listed(names: Sequence[str], limit: int = 6) -> str:
    """Return names in a row, and how many more there are.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(["a", "b", "c"], limit=2)
    ('a, b and c', 'a, b and 1 more')
    """
    if len(names) > limit:
        first, more = ", ".join(names[:limit]), len(names) - limit
        return say("{names} and {more} more", names=first, more=more)
    if len(names) < 2:
        return "".join(names)
    return say("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])


def time_unit(span_ms: float) -> tuple[str, float]:
    """Return the unit for times up to `span_ms`, and how many milliseconds it has."""
    return ("ms", 1.0) if span_ms < 5_000 else ("s", 1_000.0)


def spread_out(values: NDArray[np.float64]) -> bool:
    """Tell whether values want a logarithmic axis: all above 0 and far apart."""
    kept = values[np.isfinite(values)]
    if not len(kept) or kept.min() <= 0:
        return False
    return bool(kept.max() / kept.min() >= LOG_SPREAD)


def log_scale(
    ax: "Axes", which: str, values: NDArray[np.float64], across: int = 4
) -> None:
    """Make the axis `which` ("x" or "y") logarithmic, with plain numbers.

    Along x stand at most `across` ticks. Ticks stand at 1, 2 and 5 only along y and
    over few powers of ten: side by side they would run into each other.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    kept = values[np.isfinite(values)]
    axis: Axis = ax.yaxis if which == "y" else ax.xaxis
    (ax.set_yscale if which == "y" else ax.set_xscale)("log")
    near = which == "y" and kept.max() / kept.min() < 1_000
    steps = (1.0, 2.0, 5.0) if near else (1.0,)
    most = across if which == "x" else None
    axis.set_major_locator(LogLocator(subs=steps, numticks=most))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_formatter(NullFormatter())


def plain_numbers(axis: "Axis", ticks: int = 7, *, whole: bool = False) -> None:
    """Put ticks at 1, 2 or 5 times a power of ten, written out: never 2.5 or 1e6.

    Parameters
    ----------
    axis : Axis
    ticks : int
        How many, at most.
    whole : bool
        Whether the axis counts things: no tick stands between two whole numbers.
    """
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10], integer=whole))
    axis.set_major_formatter(FuncFormatter(_plain))


def metric_text(column: str, value: float) -> str:
    """Return a value of a metric: a share as a percentage.

    Examples
    --------
    >>> metric_text("overtaken_share", 0.25), metric_text("drain_s", 0.25)
    ('25 %', '0.25')
    """
    return percent(value) if column.endswith("_share") else amount(value)


def metric_ticks(axis: "Axis", column: str, ticks: int = 7) -> None:
    """Put ticks for a metric, linear: percentages for a share."""
    (percent_ticks if column.endswith("_share") else plain_numbers)(axis, ticks)


def percent_ticks(axis: "Axis", ticks: int = 7) -> None:
    """Write an axis's ticks, which are shares, as percentages."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))


def _plain(value: float, _: Any) -> str:  # noqa: ANN401 - matplotlib's position, unused
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:g}".replace("-", "−")


def caption_of(what: str, scenario: object, *more: str) -> str:
    """Return a caption: what is shown, which scenario it came from if known, and more.

    Examples
    --------
    >>> caption_of("Lag", "Kafka, 1 broker; seed 7"), caption_of("Lag", None)
    ('Lag. Kafka, 1 broker; seed 7.', 'Lag.')
    """
    said = [what, *([str(scenario)] if scenario else []), *more]
    return " ".join(f"{each}." for each in said if each)

"""What a sweep found: where more of a setting makes a metric worse.

Of every line, the best value is compared with the last one, at the largest setting. It
counts as worse when the difference can be seen in the figure (`VISIBLE` of its axis,
which goes from 0 to the largest value) and, of several replications, when the two
intervals are apart.
"""

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.catalogue import mark, say
from kafkasim.plot.words import metric_label, metric_text

if TYPE_CHECKING:
    import pandas as pd

VISIBLE: Final = 0.05
"""Share of the axis from which a difference can be seen."""

_WORSE: Final = MappingProxyType(
    {
        "throughput_per_s": mark("fewer records per second"),
        "latency_ms_p50": mark("later"),
        "latency_ms_p99": mark("later"),
        "lag_records_max": mark("more lag"),
        "drain_s": mark("slower"),
        "partition_imbalance": mark("less even"),
        "overtaken_share": mark("less order"),
    }
)
"""What it is called when a metric is worse; a metric not named here has no finding."""

_LARGER_IS_BETTER: Final = ("throughput_per_s",)


def worsening(
    lines: "dict[str, pd.DataFrame]", column: str, across: str
) -> tuple[str, float, float] | None:
    """Return the line that becomes worse by most, and the settings it does so between.

    Parameters
    ----------
    lines : dict of str to DataFrame
        Rows of each line by its name.
    column : str
        The metric.
    across : str
        Column of the setting: numbers.

    Returns
    -------
    (str, float, float) or None
        Name, setting of the best value, largest setting; None when no line becomes
        visibly worse, or when for this metric nothing is called better.
    """
    if column not in _WORSE:
        return None
    sign = -1.0 if column in _LARGER_IS_BETTER else 1.0
    kept = {name: _by_setting(rows, column, across) for name, rows in lines.items()}
    values = np.array([value for rows in kept.values() for value in rows[column]])
    if not len(values):
        return None
    seen = VISIBLE * float(values.max() - min(0.0, values.min()))
    found: tuple[str, float, float] | None = None
    most = 0.0
    for name, rows in kept.items():
        if len(rows) < 2:
            continue
        best, last = rows.iloc[(sign * rows[column]).argmin()], rows.iloc[-1]
        loss = sign * float(last[column] - best[column])
        if loss > max(most, seen) and _apart(best, last, column, sign):
            most = loss
            found = (name, float(best[across]), float(last[across]))
    return found


def finding(lines: "dict[str, pd.DataFrame]", column: str, across: str) -> str | None:
    """Return `worsening` as a title: *More partitions, slower: …*, or None."""
    found = worsening(lines, column, across)
    if found is None:
        return None
    name, best, last = found
    rows = lines[name]
    before, after = (
        _value(float(rows.loc[rows[across] == at, column].iloc[0]), column)
        for at in (best, last)
    )
    whose = f"{name} " if name else ""
    course = say(
        "{before} at {best:g}, {after} at {last:g}",
        before=before,
        best=best,
        after=after,
        last=last,
    )
    worse, course = say(_WORSE[column]), f"{whose}{course}"
    # A count is more of it; a size or a time (batch_size, linger_ms) is larger.
    if "_" in across:
        return say(
            "Larger {x}, {worse}: {course}", x=across, worse=worse, course=course
        )
    return say("More {x}, {worse}: {course}", x=across, worse=worse, course=course)


def _by_setting(rows: "pd.DataFrame", column: str, across: str) -> "pd.DataFrame":
    finite = np.isfinite(rows[[column, across]].to_numpy(float)).all(axis=1)
    kept: pd.DataFrame = rows[finite].sort_values(across, kind="stable")
    return kept


def _apart(
    best: "pd.Series[float]", last: "pd.Series[float]", column: str, sign: float
) -> bool:
    """Tell whether the intervals of two values are apart; one run has none."""
    low, high = f"{column}_low", f"{column}_high"
    if low not in best or not np.isfinite([best[low], last[low]]).all():
        return True
    if sign > 0:
        return bool(last[low] > best[high])
    return bool(last[high] < best[low])


def _value(value: float, column: str) -> str:
    label = metric_label(column)
    unit = label[label.rindex("(") + 1 : -1] if label.endswith(")") else ""
    text = metric_text(column, value)
    return text if column.endswith("_share") else f"{text} {unit}".rstrip()

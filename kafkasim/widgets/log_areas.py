"""Areas of the log explorer's figure: corners of segments, and of what went unread.

All are lists of corners, shape (n, 2): simulated seconds, offset.
"""

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64
from kafkasim.widgets.log_shown import Segments, Shown


def growing(shown: Shown) -> list[Float64]:
    """Return each segment while it is written: what is below the log's end."""
    of, areas = shown.segments, []
    until = np.minimum(np.minimum(of.rolled_s, of.deleted_s), shown.until_s)
    for row in np.flatnonzero(~of.made).tolist():
        low, high = of.base[row], of.end[row]
        since, end = of.created_s[row], until[row]
        first, last = np.searchsorted(shown.end_at_s, (since, end), side="right")
        times = np.concatenate(([since], shown.end_at_s[first:last], [end]))
        ends = np.clip(shown.log_end[first:last], low, high)
        tops = np.concatenate(([low], ends))
        areas.append(steps(times, np.full(len(tops), low), tops))
    return areas


def closed(of: Segments, which: Bool, until_s: float) -> list[Float64]:
    """Return segments while they stand closed in the log."""
    since, until = of.rolled_s, np.minimum(of.deleted_s, until_s)
    rows = np.flatnonzero(which & (until > since))
    x = np.stack((since[rows], until[rows], until[rows], since[rows]), axis=1)
    y = np.stack((of.base[rows], of.base[rows], of.end[rows], of.end[rows]), axis=1)
    return list(np.stack((x, y), axis=2))


def bars(of: Segments) -> list[Float64]:
    """Return the ends of segments that retention deleted, as upright lines."""
    rows = np.flatnonzero(of.expired & (of.end > of.base))
    x = np.stack((of.deleted_s[rows],) * 2, axis=1)
    y = np.stack((of.base[rows], of.end[rows]), axis=1)
    return list(np.stack((x, y.astype(np.float64)), axis=2))


def gone(shown: Shown) -> tuple[list[Float64], list[Float64]]:
    """Return what deletion took from below the slow reader.

    Returns
    -------
    fetched : list of corners
        What it held already and still worked on.
    unread : list of corners
        What it never had.
    """
    slow = shown.slow
    if slow is None or len(shown.log_start) == 1:
        return [], []
    times = np.unique(np.concatenate((slow.at_s, shown.start_at_s, [shown.until_s])))
    position = slow.position.astype(np.float64)[
        np.searchsorted(slow.at_s, times, side="right") - 1
    ]
    start = shown.start_then(times).astype(np.float64)
    passed = np.searchsorted(slow.jumps[:, 0], times, side="right")
    # Up to where it had records in hand: its position at the next jump, or in the end.
    limit = np.append(slow.jumps[:, 1], position[-1])[passed]
    held = np.minimum(start, limit)
    return _areas(times, position, held), _areas(times, limit, start)


def _areas(times: Float64, low: Float64, high: Float64) -> list[Float64]:
    """Return where `high` is above `low`, cut where it is not; all are steps."""
    above = np.concatenate(([False], high[:-1] > low[:-1], [False]))
    edges = np.flatnonzero(np.diff(above.astype(np.int8)))
    return [
        steps(times[since : until + 1], low[since:until], high[since:until])
        for since, until in edges.reshape(-1, 2).tolist()
    ]


def steps(times: Float64, low: Float64, high: Float64) -> Float64:
    """Return the corners of an area between two lines of steps.

    Parameters
    ----------
    times : array of shape (n + 1,)
        Where steps begin, and the end of the last.
    low, high : arrays of shape (n,)
        The lines from each time to the next.
    """
    x = np.repeat(times, 2)[1:-1]
    up = np.column_stack((x, np.repeat(high, 2)))
    down = np.column_stack((x, np.repeat(low, 2)))
    return np.concatenate((up, down[::-1]))

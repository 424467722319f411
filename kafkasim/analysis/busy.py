"""How busy each part of the hardware was, and which one holds the rest up.

A part is a host's processors, its IO threads, network threads, card in each direction,
or disk; of several servers, such as three network threads, the share is of all of them.
A page cache is not busy but full.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.frames import categorical, frame
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    import pandas as pd

WHOLE: Final = 0.95
"""The share of a second from which a part counts as busy all of it."""


def resources(result: Result) -> "pd.DataFrame":
    """Return how busy each part of the hardware was, second by second.

    Parameters
    ----------
    result : Result
        Of `run(..., resources=True)`, full or streamed.

    Returns
    -------
    pandas.DataFrame
        One row per host, part and second: `resource`, `kind`, `at_ms` (where the second
        begins), `busy_share` (0 to 1; of a page cache how full it was at most),
        `moved_mb_per_s` (10⁶ bytes; of a page cache what was read without the disk),
        `queue_max` (most that waited; of a page cache the bytes that waited for the
        disk). The last second is as long as the run was.

    Raises
    ------
    TableNotRecorded
        When the run did not measure them.
    """
    table = result.columns("resources")
    at_ns = table["at_ns"]
    end_ns = int(result.facts["end_ns"])
    lasted_s = np.clip((end_ns - at_ns) / NS_PER_S, 1 / NS_PER_S, 1.0)
    labels = table.labels
    return frame(
        result,
        {
            "resource": categorical(table["resource"], labels["resource"]),
            "kind": categorical(table["kind"], labels["kind"]),
            "at_ms": at_ns / NS_PER_MS,
            "busy_share": table["busy_share"],
            "moved_mb_per_s": table["moved_bytes"] / 1e6 / lasted_s,
            "queue_max": table["queue_max"],
        },
    )


def busiest(table: "pd.DataFrame") -> tuple[str, str, float, int] | None:
    """Return which part was busy most of the time.

    Parameters
    ----------
    table : DataFrame
        Of `resources`.

    Returns
    -------
    tuple or None
        Host, part, its mean share, and how many seconds it was busy all the time (95 %
        at least); of equals the first. None when nothing was measured. The last second,
        which the run may have ended within, does not count if there are others.
    """
    rows = table[table["kind"] != "page_cache"]
    if not len(rows):
        return None
    last_ms = rows["at_ms"].max()
    if last_ms > 0:
        rows = rows[rows["at_ms"] < last_ms]
    parts = rows.groupby(["resource", "kind"], observed=True)["busy_share"]
    means = parts.mean()
    host, kind = map(str, means.index[int(means.argmax())])
    whole = int((parts.get_group((host, kind)) >= WHOLE).sum())
    return host, kind, float(means.max()), whole

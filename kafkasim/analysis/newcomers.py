"""What it takes that one more subscriber comes: two runs, before it and with it."""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.wired import ENDS, system_of, wired
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd


def onboarding(before: Result, after: Result) -> "pd.DataFrame":
    """Return which components a newcomer touches: who was there and has to talk to it.

    Parameters
    ----------
    before, after : Result
        Runs of a scenario and of the same with one more subscriber (or source), with
        the table `links`.

    Returns
    -------
    pandas.DataFrame
        One row per kind of component (`source`, `subscriber`, `hub`): `kind`,
        `before` (how many there were), `touched` (how many of them have a link after it
        to a system that was not there before), `new_links`. A source that is touched
        needs to be told of the newcomer, by its code or settings, and started again; a
        hub takes it in as one more client.

    Raises
    ------
    TableNotRecorded
        When a run did not record `links`.
    """
    old, new = wired(before), wired(after)
    there = {system_of(node) for node in old.nodes()}
    fresh = new.links() - old.links()
    kinds = (*ENDS, "hub")
    counts = {kind: sum(node.kind == kind for node in there) for kind in kinds}
    touched: dict[str, set[object]] = {kind: set() for kind in kinds}
    links = dict.fromkeys(kinds, 0)
    for pair in fresh:
        for node, other in (pair, pair[::-1]):
            if node in there and other not in there:
                touched[node.kind].add(node)
                links[node.kind] += 1
    return frame(
        after,
        {
            "kind": categorical(np.arange(len(kinds)), kinds),
            "before": [counts[kind] for kind in kinds],
            "touched": [len(touched[kind]) for kind in kinds],
            "new_links": [links[kind] for kind in kinds],
        },
    )

"""Receipts as a table: what became of each record for each subscriber that wants it.

The outcomes are those of `kafkasim.analysis.dealings`.
"""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.dealings import (
    RECEIPT_OUTCOMES,
    dealings,
    joined,
    outcome_codes,
)
from kafkasim.analysis.frames import categorical, frame
from kafkasim.result.result import Result
from kafkasim.result.sent_again import roots_of
from kafkasim.units import ms_from_ns

if TYPE_CHECKING:
    import pandas as pd


def receipts(result: Result) -> "pd.DataFrame":
    """Return one row per record and subscriber that wants it.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.

    Returns
    -------
    pandas.DataFrame
        `record_id`, `subscriber`, `deliveries` (hand-outs), `first_processed_ms` (NaN
        when it never was), `outcome` (see `kafkasim.analysis.dealings`).

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    records = result.columns("records")
    roots = roots_of(records)
    every = dealings(result)
    names = [dealing.want.subscriber for dealing in every]
    sizes = [len(dealing.rows) for dealing in every]
    codes = [outcome_codes(dealing, records) for dealing in every]
    return frame(
        result,
        {
            "record_id": joined([roots[dealing.rows] for dealing in every]),
            "subscriber": categorical(np.repeat(np.arange(len(names)), sizes), names),
            "deliveries": joined([dealing.deliveries for dealing in every]),
            "first_processed_ms": ms_from_ns(
                joined([dealing.first_processed_ns for dealing in every])
            ),
            "outcome": categorical(
                joined([each.astype(np.int64) for each in codes]), RECEIPT_OUTCOMES
            ),
        },
    )

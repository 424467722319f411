"""Frames for eyes: the last step of every analysis function.

Times are float milliseconds (`_ms`), labels are categorical, a missing offset is
`<NA>`. Each frame remembers in `attrs["scenario"]`, as one line of text, which scenario
it came from, so that a figure drawn from it can still say so, and in
`attrs["calendar"]` the scenario's calendar, if it has one.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.provenance import provenance
from kafkasim.result.result import Result
from kafkasim.scenario.calendar import calendar_of

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray

ATTRIBUTE: Final = "scenario"
"""Key of a frame's `attrs` that holds the line of text."""

CALENDAR: Final = "calendar"
"""Key of a frame's `attrs` that holds `Calendar.plain`; not there without one."""


def frame(result: Result, columns: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the columns as a frame that remembers its scenario."""
    import pandas as pd

    made = pd.DataFrame(dict(columns), copy=False)
    made.attrs[ATTRIBUTE] = provenance(result)
    dates = calendar_of(result.scenario)
    if dates is not None:
        made.attrs[CALENDAR] = dates.plain()
    return made


def categorical(codes: NDArray[Any], labels: Sequence[str]) -> "pd.Categorical":
    """Return codes as names; −1 is a missing name."""
    import pandas as pd

    return pd.Categorical.from_codes(codes, pd.Index(list(labels), dtype="str"))


def offsets_column(
    values: NDArray[np.int64], missing: NDArray[np.bool_]
) -> "ExtensionArray":
    """Return offsets as `Int64`, `<NA>` where missing."""
    import pandas as pd

    return pd.arrays.IntegerArray(values.astype(np.int64), missing)

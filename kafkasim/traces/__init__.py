"""Traffic that happened: the bundled departures, and tables of a user's own."""

from kafkasim.scenario.bundled import YEAR_IN_A_MINUTE, flights
from kafkasim.traces.readers import from_csv, from_dataframe, from_parquet

__all__ = [
    "YEAR_IN_A_MINUTE",
    "flights",
    "from_csv",
    "from_dataframe",
    "from_parquet",
]

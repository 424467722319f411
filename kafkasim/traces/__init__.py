"""Traffic that happened: the bundled departures, and tables of a user's own."""

from kafkasim.scenario.bundled import YEAR_IN_A_MINUTE, flights

__all__ = ["YEAR_IN_A_MINUTE", "flights"]

"""When the application behind a consumer commits: the `commit` of a group.

`auto` leaves it to the client (`enable.auto.commit`). `each_poll` calls `commitAsync`
when the work on a poll's records is done, and does not wait. `after_work` calls
`commitSync` then, and `before_work` before the work begins. `manual(every=n)` calls
`commitSync` whenever n records have been processed, with the offsets behind them.
"""

import re
from dataclasses import dataclass
from typing import Final

from kafkasim.catalogue import say
from kafkasim.config.rules import INT32_MAX, Rule

AUTO: Final = "auto"
_WORDS: Final = (AUTO, "each_poll", "before_work", "after_work")
_MANUAL: Final = re.compile(r"manual\(\s*every\s*=\s*(\d+)\s*\)", re.ASCII)


def commit_every(commit: str) -> int:
    """Return after how many records an application commits; 0 if it does not count.

    Examples
    --------
    >>> commit_every("manual(every=10)"), commit_every("after_work")
    (10, 0)
    """
    match = _MANUAL.fullmatch(commit)
    return int(match[1]) if match else 0


@dataclass(frozen=True, slots=True)
class CommitMode(Rule):
    """One of four words, or `manual(every=n)`."""

    @property
    def allowed(self) -> str:
        """Return the words."""
        words = ", ".join(repr(each) for each in _WORDS)
        return say(
            "one of {words}, or 'manual(every=n)' with a whole number n of records",
            words=words,
        )

    def read(self, value: object) -> str:
        """Return the word, or the call without spaces."""
        if isinstance(value, str):
            if value in _WORDS:
                return value
            every = commit_every(value)
            if 1 <= every <= INT32_MAX:
                return f"manual(every={every})"
        raise self.reject(value)

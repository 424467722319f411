"""What happens to a run, in words."""

import re
from types import MappingProxyType
from typing import Final

from kafkasim.catalogue import mark, say

_EVENTS: Final = MappingProxyType(
    {
        "AddMember": mark("add member"),
        "AddPartitions": mark("add partitions"),
        "Crash": mark("crash"),
        "Cut": mark("cut"),
        "Delay": mark("delay"),
        "DeleteRecords": mark("delete records"),
        "FillDisk": mark("fill disk"),
        "Lose": mark("lose"),
        "MoveCoordinator": mark("move coordinator"),
        "Pause": mark("pause"),
        "PausePartitions": mark("pause partitions"),
        "RemoveMember": mark("remove member"),
        "ResetOffsets": mark("reset offsets"),
        "RollingRestart": mark("rolling restart"),
        "Seek": mark("seek"),
        "Slow": mark("slow"),
        "StuckRecord": mark("stuck record"),
    }
)
"""By the class of `kafkasim.scenario` that describes it."""


def event_words(name: str) -> str:
    """Return an event in words; one of somebody's own is its name in small letters.

    Parameters
    ----------
    name : str
        Of its class.

    Examples
    --------
    >>> event_words("FillDisk"), event_words("ReadBackwards")
    ('fill disk', 'read backwards')
    """
    if name in _EVENTS:
        return say(_EVENTS[name])
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()

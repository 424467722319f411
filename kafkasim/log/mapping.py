"""Maps of files, and which of them someone still looks through.

A view of a map keeps the map, also when its store has let it go. To cut such a file in
place would kill the process when the view is next looked at, so all maps of the process
are known here, whichever store made them.
"""

import mmap
import os
from typing import Final
from weakref import WeakSet

_MAPS: Final[dict[tuple[int, int], WeakSet[mmap.mmap]]] = {}
"""By device and inode."""


def map_of(descriptor: int) -> mmap.mmap:
    """Return a map to read a whole file by; the file has at least one byte."""
    state = os.fstat(descriptor)
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
    _MAPS.setdefault((state.st_dev, state.st_ino), WeakSet()).add(mapped)
    return mapped


def is_mapped(state: os.stat_result) -> bool:
    """Say whether the file of which this is the state has a map that is not closed."""
    inode = state.st_dev, state.st_ino
    if any(not mapped.closed for mapped in _MAPS.get(inode, ())):
        return True
    _MAPS.pop(inode, None)
    return False

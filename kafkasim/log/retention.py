"""Which old segments a log deletes, and what becomes of their files.

Whole segments go, the oldest first; a segment with a record that is still needed keeps
all of its records. Files are renamed at once and removed a while later, for whoever is
still reading them.

Source: `UnifiedLog.deleteOldSegments`, `deletableSegments` and
`LocalLog.deleteSegmentFiles` of `org.apache.kafka.storage.internals.log` (4.3).
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Generic, Literal, NamedTuple, TypeVar

from kafkasim.log.checkpoints import DELETED
from kafkasim.log.contents import Files
from kafkasim.log.reading import largest_timestamp_ms
from kafkasim.log.segment import Segment

BatchT = TypeVar("BatchT")

Cause = Literal["start_offset", "size", "time"]
Breach = Callable[[Segment[BatchT], Segment[BatchT] | None], bool]
"""Says of a segment and the next one whether the first has had its time."""


class Removed(NamedTuple, Generic[BatchT]):
    """A segment that was deleted."""

    segment: Segment[BatchT]
    cause: Cause
    """Which limit it was beyond."""


def deletable(
    segments: Sequence[Segment[BatchT]],
    breaches: Breach[BatchT],
    high_watermark: int,
    log_end_offset: int,
) -> list[Segment[BatchT]]:
    """Return the oldest segments that are beyond a limit, up to the first that is not.

    A segment that is not wholly below the high watermark stays (LG-10), and so does an
    empty last one. The active segment may be among them (LG-8).
    """
    found = []
    for number, segment in enumerate(segments):
        following = segments[number + 1] if number + 1 < len(segments) else None
        end_offset = log_end_offset if following is None else following.base_offset
        is_replicated = high_watermark >= end_offset
        is_last_and_empty = following is None and segment.size_bytes == 0
        if is_last_and_empty or not (is_replicated and breaches(segment, following)):
            break
        found.append(segment)
    return found


def below_start(log_start_offset: int) -> Breach[BatchT]:
    """Return the rule for segments that end at the log's start or below (LG-10).

    The active segment never does.
    """

    def breaches(_: Segment[BatchT], following: Segment[BatchT] | None) -> bool:
        return following is not None and following.base_offset <= log_start_offset

    return breaches


def beyond_size(size_bytes: int, retention_bytes: int) -> Breach[BatchT]:
    """Return the rule by size (LG-9): what stays is never below `retention_bytes`.

    Parameters
    ----------
    size_bytes : int
        Of the log.
    retention_bytes : int
        Negative for no limit.
    """
    excess = size_bytes - retention_bytes

    def breaches(segment: Segment[BatchT], _: Segment[BatchT] | None) -> bool:
        nonlocal excess
        if retention_bytes < 0 or excess < segment.size_bytes:
            return False
        excess -= segment.size_bytes
        return True

    return breaches


def beyond_time(now_ms: int, retention_ms: int) -> Breach[BatchT]:
    """Return the rule by time (LG-8): the largest timestamp is older than the limit.

    A timestamp in the future keeps its segment, and all later ones.

    Parameters
    ----------
    now_ms : int
        The broker's time.
    retention_ms : int
        Negative for no limit.
    """

    def breaches(segment: Segment[BatchT], _: Segment[BatchT] | None) -> bool:
        age_ms = now_ms - largest_timestamp_ms(segment)
        return 0 <= retention_ms < age_ms

    return breaches


class DeletedFiles:
    """Files that are renamed already and wait for their removal.

    Parameters
    ----------
    files : Files
        The partition's folder.
    """

    __slots__ = ("_files", "_waiting")

    def __init__(self, files: Files) -> None:
        self._files = files
        self._waiting: list[tuple[int, tuple[str, ...]]] = []

    def add_segment(self, segment: Segment[BatchT], due_ms: int) -> None:
        """Rename a segment's files, to be removed when it is `due_ms`.

        An active segment's index entries are put into its files before, where Kafka's
        are at once.
        """
        segment.index_files.write()
        segment.contents.close()
        segment.change_suffix(DELETED)
        self.add_names(segment.files(), due_ms)

    def add_names(self, names: Iterable[str], due_ms: int) -> None:
        """Remove files, renamed already, when it is `due_ms`."""
        self._waiting.append((due_ms, tuple(names)))

    @property
    def names(self) -> list[str]:
        """Names of the files that wait, as they were given."""
        return [name for _, names in self._waiting for name in names]

    def remove_due(self, now_ms: int) -> list[str]:
        """Remove the files that are due, and return their names."""
        due = [names for due_ms, names in self._waiting if due_ms <= now_ms]
        self._waiting = [one for one in self._waiting if one[0] > now_ms]
        removed = []
        for name in (name for names in due for name in names):
            with suppress(FileNotFoundError):
                self._files.delete(name)
                removed.append(name)
        return removed

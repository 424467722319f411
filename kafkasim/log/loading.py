"""Open a partition's folder, after a clean stop or a crash, as Kafka does.

What a stop or a compaction left half done is undone or finished first. After a clean
stop the rest is believed as it is. After a crash every segment from the recovery point
on is read batch by batch: its indexes are made again, and the log ends before the first
batch whose CRC is wrong.

Kafka accepts much damage without a word, and so does this: a flipped bit in an offset,
an index that lies, a missing segment. `kafkasim.log.fsck` finds them.

Source: `org.apache.kafka.storage.internals.log.LogLoader` and `UnifiedLog.create`
(4.3).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    DELETED,
    LEADER_EPOCHS,
    LOG,
    OFFSET_INDEX,
    TIME_INDEX,
    TRANSACTION_INDEX,
    file_name,
    leader_epochs_text,
    offset_of,
    read_leader_epochs,
)
from kafkasim.log.contents import ByteBatch
from kafkasim.log.leader_epochs import LeaderEpochs
from kafkasim.log.leftovers import finish_swaps
from kafkasim.log.producer_files import ProducerFiles, read_marker
from kafkasim.log.producer_state import ProducerStates
from kafkasim.log.recovery import IndexRefusedError, OffsetOverflowError, recover
from kafkasim.log.segment import Segment
from kafkasim.log.splitting import split
from kafkasim.log.store import Store

ByteSegment = Segment[ByteBatch]
ResultT = TypeVar("ResultT")


class Loaded(NamedTuple):
    """A log as it was found and made whole."""

    segments: list[ByteSegment]
    """Oldest first; at least one."""
    log_start_offset: int
    recovery_point: int
    """Up to which offset all is known to be lasting."""
    log_end_offset: int
    leader_epochs: LeaderEpochs
    producers: ProducerFiles[ByteBatch]
    deleted: list[str]
    """Files that were renamed to be deleted after `file_delete_delay_ms`."""


def load(
    store: Store[ByteBatch],
    config: TopicConfig,
    *,
    now_ms: int = 0,
    clean_shutdown: bool = False,
    recovery_point: int = 0,
    log_start_offset: int = 0,
    states: ProducerStates | None = None,
    draw_jitter: Callable[[], int] = lambda: 0,
) -> Loaded:
    """Open the log that a store holds; an empty store gives an empty log.

    Parameters
    ----------
    store : Store
        The partition's folder; its files are changed.
    config : TopicConfig
        Resolved settings.
    now_ms : int
        The time.
    clean_shutdown : bool
        Whether the log was closed. Kafka's sign is the file `.kafka_cleanshutdown` in
        the log directory, beside the folders of the partitions.
    recovery_point : int
        Offset below which all was synced, as of `recovery-point-offset-checkpoint`.
    log_start_offset : int
        As of `log-start-offset-checkpoint`.
    states : ProducerStates, optional
        An empty one, which is filled; it says when producers expire.
    draw_jitter : callable
        Gives the jitter of each segment in ms; see `rolling.roll_jitter_ms`.

    Raises
    ------
    CorruptBatchError
        After a clean stop, no batch begins where the end of the log is looked for.
    LogError
        The epoch file cannot be read, or a batch lies below its segment, or another
        file is so damaged that Kafka does not open the log either.
    """
    loader = _Loader(
        store,
        config,
        now_ms,
        clean_shutdown=clean_shutdown,
        recovery_point=recovery_point,
        log_start_offset=log_start_offset,
        states=ProducerStates() if states is None else states,
        draw_jitter=draw_jitter,
    )
    return loader.load()


class _Loader:
    """What the steps of `load` share."""

    def __init__(
        self,
        store: Store[ByteBatch],
        config: TopicConfig,
        now_ms: int,
        *,
        clean_shutdown: bool,
        recovery_point: int,
        log_start_offset: int,
        states: ProducerStates,
        draw_jitter: Callable[[], int],
    ) -> None:
        self._store = store
        self._config = config
        self._now_ms = now_ms
        self._clean = clean_shutdown
        self._recovery_point = recovery_point
        self._log_start = log_start_offset
        self._states = states
        self._draw_jitter = draw_jitter
        self._segments: list[ByteSegment] = []
        self._epochs = _read_epochs(store)
        self._deleted: list[str] = []

    def load(self) -> Loaded:
        """Do all steps."""
        finish_swaps(self._store, self._config, self._now_ms)
        self._splitting(self._open_segments)
        recovery_point, log_end = self._splitting(self._recover)
        segments = self._segments
        segments[-1].preallocate_indexes()
        self._epochs.truncate_from_end(log_end)
        self._epochs.truncate_from_start(self._log_start)
        self._write_epochs()
        log_start = max(self._log_start, segments[0].base_offset)
        producers = self._producers(self._states)
        _delete_strays(producers, [segment.base_offset for segment in segments])
        producers.rebuild(
            segments,
            log_start,
            log_end,
            self._now_ms,
            after_clean_stop=self._clean,
        )
        for segment in segments[:-1]:
            segment.contents.seal()
        return Loaded(
            segments,
            log_start,
            max(recovery_point, log_start),
            log_end,
            self._epochs,
            producers,
            self._deleted,
        )

    def _producers(self, states: ProducerStates) -> ProducerFiles[ByteBatch]:
        return ProducerFiles(self._store, states, read_marker)

    # -- segments

    def _open_segments(self) -> None:
        """Open all segments; Kafka looks at their transaction indexes only.

        Source: `LogLoader.loadSegmentFiles`, `LogSegment.sanityCheck`.
        """
        self._segments = []
        names = self._store.names()
        there = set(names)
        for name in names:
            if name.endswith((OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX)):
                if file_name(offset_of(name), LOG) not in there:
                    self._store.delete(name)
            elif name.endswith(LOG):
                base_offset = offset_of(name)
                segment = self._open_segment(base_offset, there)
                if file_name(base_offset, OFFSET_INDEX) not in there:
                    self._recover_segment(segment)
                else:
                    try:
                        segment.transaction_index.check()
                    except LogError:
                        self._recover_segment(segment)
                self._segments.append(segment)

    def _open_segment(self, base_offset: int, there: set[str]) -> ByteSegment:
        time_index = file_name(base_offset, TIME_INDEX)
        if there and time_index not in there:
            self._store.write(time_index, b"")
        return Segment(
            self._store,
            base_offset,
            self._config,
            self._now_ms,
            roll_jitter_ms=self._draw_jitter(),
        )

    def _recover_segment(self, segment: ByteSegment) -> int:
        """Read a segment again; return the bytes that were cut off its end.

        Source: `LogLoader.recoverSegment`. Unlike there its indexes, made anew, are
        synced: below the recovery point nobody makes them again.
        """
        producers = self._producers(ProducerStates(self._states.expiration_ms))
        producers.rebuild(
            self._segments, self._log_start, segment.base_offset, self._now_ms
        )
        cut = recover(segment, producers, self._epochs, self._config)
        producers.take(producers.end_offset)
        segment.flush()
        return cut

    def _recover(self) -> tuple[int, int]:
        """Read again what may not be lasting; return recovery point and log end.

        Source: `LogLoader.recoverLog`.
        """
        if not self._clean:
            self._recover_unflushed()
        log_end = self._end_if_past_start()
        if not self._segments:
            self._segments.append(self._open_segment(self._log_start, set()))
        if self._clean and log_end is not None:
            return log_end, log_end
        if log_end is None:
            log_end = self._segments[-1].next_offset
        return min(self._recovery_point, log_end), log_end

    def _recover_unflushed(self) -> None:
        segments = self._segments
        first = 0
        for number, segment in enumerate(segments):
            if segment.base_offset <= self._recovery_point:
                first = number
        for number in range(first, len(segments)):
            segment = segments[number]
            try:
                cut = self._recover_segment(segment)
            except IndexRefusedError:
                cut = segment.truncate_to(segment.base_offset, self._now_ms)
            if cut > 0:
                self._mark_snapshots(self._delete(segments[number + 1 :]))
                return

    def _end_if_past_start(self) -> int | None:
        """Return the log's end; None, and delete all, if it lies before the start.

        Source: `LogLoader.deleteSegmentsIfLogStartGreaterThanLogEnd`.
        """
        if not self._segments:
            return None
        log_end = self._segments[-1].next_offset
        if log_end >= self._log_start:
            return log_end
        self._delete(list(self._segments))  # no snapshot: they go at once, with all
        self._epochs.clear()
        self._producers(ProducerStates()).start_at(self._log_start)
        return None

    def _delete(self, segments: Sequence[ByteSegment]) -> Sequence[ByteSegment]:
        """Take segments out of the log; their files wait to be deleted.

        Source: `LogLoader.removeAndDeleteSegmentsAsync`.
        """
        for segment in segments:
            self._segments.remove(segment)
            segment.contents.close()
            segment.change_suffix(DELETED)
            self._deleted += segment.files()
        return segments

    def _mark_snapshots(self, segments: Sequence[ByteSegment]) -> None:
        """Let the snapshots of deleted segments wait with them."""
        producers = self._producers(ProducerStates())
        marked = (producers.mark_deleted(one.base_offset) for one in segments)
        self._deleted += [name for name in marked if name is not None]

    def _splitting(self, step: Callable[[], ResultT]) -> ResultT:
        """Do a step; where an offset is too far from its segment's base, split that.

        Source: `LogLoader.retryOnOffsetOverflow`.

        Raises
        ------
        LogError
            The segment cannot be split: it is not its end that is too far.
        """
        while True:
            try:
                return step()
            except OffsetOverflowError as overflow:
                parts = split(overflow.segment, self._store, self._config, self._now_ms)
                self._deleted += overflow.segment.files()
                if overflow.segment in self._segments:
                    at = self._segments.index(overflow.segment)
                    self._segments[at : at + 1] = parts

    # -- epochs

    def _write_epochs(self) -> None:
        text = leader_epochs_text(self._epochs.entries).encode()
        names = self._store.names()
        if LEADER_EPOCHS not in names:
            self._store.write(LEADER_EPOCHS, b"")
        held = bytes(self._store.read(LEADER_EPOCHS))
        if text != held and (len(self._epochs) or held):
            self._store.replace(LEADER_EPOCHS, text)


def _delete_strays(
    producers: ProducerFiles[ByteBatch], base_offsets: Sequence[int]
) -> None:
    """Delete snapshots that are of no segment's base, but for one at the log's end.

    Source: `ProducerStateManager.removeStraySnapshots`.
    """
    strays = [offset for offset in producers.offsets if offset not in base_offsets]
    if strays and strays[-1] > max(base_offsets):
        strays.pop()
    for offset in strays:
        producers.delete(offset)


def _read_epochs(store: Store[ByteBatch]) -> LeaderEpochs:
    """Return what the epoch file says.

    Source: `LeaderEpochFileCache`, `LeaderEpochCheckpointFile`.

    Raises
    ------
    LogError
        It cannot be read, or an entry is negative.
    """
    text = b""
    with suppress(FileNotFoundError):
        text = bytes(store.read(LEADER_EPOCHS))
    try:
        return LeaderEpochs(read_leader_epochs(text.decode("utf-8", "replace")))
    except LogError:
        raise
    except ValueError as error:
        raise LogError("UNKNOWN_SERVER_ERROR", f"{LEADER_EPOCHS}: {error}") from error

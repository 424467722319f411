"""A partition's log: segments in a row, and all that Kafka's broker keeps with them.

The same class serves a log of bytes, in memory or in a folder, and a log of the
simulation, whose batches are made into bytes only when asked. It knows no clock: the
time is an argument, in whole milliseconds.

Source: `org.apache.kafka.storage.internals.log.UnifiedLog` (4.3).
Not here: tiered storage (KIP-405); the check with the coordinator that a transaction is
open (KIP-890); flushing by time, and the checkpoints of a broker's log directory, which
belong to whoever has many logs.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from kafkasim.errors import LogError
from kafkasim.log.appending import (
    Appended,
    check_producer,
    check_transactions,
    together,
)
from kafkasim.log.compacted_log import CompactedLog
from kafkasim.log.contents import ByteBatch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import BatchHeader
from kafkasim.log.reading import (
    EARLIEST_TIMESTAMP,
    LATEST_TIMESTAMP,
    MAX_TIMESTAMP,
    Read,
    TimedOffset,
    Until,
    aborted_in,
    first_record_from,
    newest_record,
    segment_of,
)
from kafkasim.log.record import Record
from kafkasim.log.validation import Origin, fitting, validated

BatchT = TypeVar("BatchT")


class PartitionLog(CompactedLog[BatchT]):
    """One replica's log of one partition, as its broker uses it.

    It is made like a `ReplicaLog`.

    Examples
    --------
    >>> from kafkasim.log.record import Record
    >>> log = PartitionLog()
    >>> log.append([Record(0, b"key", b"one"), Record(5, b"key", b"two")]).last_offset
    1
    >>> [record.value for record in log.read(1).records()]
    [b'two']
    """

    compression_type: str = "producer"
    """The topic's codec; "producer" leaves batches as they come."""

    # -- appending bytes

    def append(
        self,
        records: Iterable[Record],
        *,
        now_ms: int | None = None,
        leader_epoch: int | None = None,
        **options: Any,  # noqa: ANN401 - those of encode_batch
    ) -> Appended:
        """Append records as one batch; of a log of bytes.

        Parameters
        ----------
        records : iterable of Record
            At least one.
        now_ms : int, optional
            The time; the largest timestamp if not given.
        leader_epoch : int, optional
            The leader's epoch; the newest that the log knows, or 0, if not given.
        **options
            Of `encode_batch`, such as ``codec`` or ``producer_id``.

        Raises
        ------
        LogError
            As in `append_as_leader`.
        """
        batch = [*records]
        if now_ms is None:
            now_ms = max((record.timestamp_ms for record in batch), default=0)
        if leader_epoch is None:
            leader_epoch = max(self.leader_epochs.latest, 0)
        data = encode_batch(batch, **options)
        return self.append_as_leader(data, leader_epoch=leader_epoch, now_ms=now_ms)

    def append_as_leader(
        self,
        data: ByteBatch,
        *,
        leader_epoch: int = 0,
        now_ms: int = 0,
        origin: Origin = "client",
        transaction_version: int = 2,
    ) -> Appended:
        """Append a batch that a producer sent; of a log of bytes.

        Parameters
        ----------
        data : bytes-like
            One whole batch, as sent: with base offset 0.
        leader_epoch : int, optional
            The epoch of this leader.
        now_ms : int, optional
            The time.
        origin : {"client", "coordinator"}, optional
            Who sent it; markers come from a coordinator.
        transaction_version : int, optional
            By which a marker's epoch is checked.

        Returns
        -------
        Appended
            Its offsets; those it had the first time if it repeats a batch.

        Raises
        ------
        LogError
            See `validation.validated`, `ProducerStates.check` and `check_marker`;
            RECORD_LIST_TOO_LARGE: it goes into no segment.
        """
        header, batch = validated(
            data,
            self.config,
            base_offset=self.log_end_offset,
            leader_epoch=leader_epoch,
            now_ms=now_ms,
            origin=origin,
            codec=self.compression_type,
        )
        appended = self._prepare([header], now_ms)
        known = check_producer(
            self.producers, header, batch, origin, transaction_version
        )
        if known is not None:
            offsets = known.base_offset, known.last_offset
            return Appended(*offsets, known.max_timestamp_ms, duplicate=True)
        self._append_run([(header, cast("BatchT", batch))], now_ms)
        return appended

    def append_as_follower(
        self, data: ByteBatch, *, leader_epoch: int | None = None, now_ms: int = 0
    ) -> Appended | None:
        """Append batches as a leader sent them, with their offsets; of a log of bytes.

        They are not checked as a producer's are: the leader has done so.

        Parameters
        ----------
        data : bytes-like
            What the leader's log holds from this log's end on; a last batch that is not
            whole is left out.
        leader_epoch : int, optional
            The epoch that the follower follows: batches of a higher one, and all after
            the first of these, are left out (BR-26). Any epoch if not given.
        now_ms : int, optional
            The time.

        Returns
        -------
        Appended or None
            None if there was nothing to append.

        Raises
        ------
        LogError
            See `validation.fitting`; RECORD_LIST_TOO_LARGE: all of it together goes
            into no segment; INVALID_TXN_STATE: a batch is outside of its producer's
            open transaction.
        """
        newest = leader_epoch if leader_epoch is not None else (1 << 31) - 1
        batches = fitting(data, leader_epoch=newest, log_end_offset=self.log_end_offset)
        if not batches:
            return None
        headers = [header for header, _ in batches]
        appended = self._prepare(headers, now_ms)
        check_transactions(self.producers, headers)
        self._append_run(cast("list[tuple[BatchHeader, BatchT]]", batches), now_ms)
        return appended

    def _prepare(self, headers: Sequence[BatchHeader], now_ms: int) -> Appended:
        """Note epochs, and roll if the batches do not go into the active segment.

        As in Kafka this comes before the producers are checked: a batch that is refused
        then may leave a new segment behind.
        """
        for header in headers:
            self._assign_epoch(header)
        run = together(headers)
        if run.size_bytes > self.config.most_segment_bytes:
            text = (
                f"{run.size_bytes} bytes, a segment has "
                f"{self.config.most_segment_bytes}"
            )
            raise LogError("RECORD_LIST_TOO_LARGE", text)
        if self.active.roll_cause(run, self.config, now_ms) is not None:
            self._roll(run.base_offset, now_ms)
        return Appended(run.base_offset, run.last_offset, run.max_timestamp_ms)

    # -- reading

    def read(
        self,
        offset: int,
        most_bytes: int = 1 << 20,
        *,
        until: Until = "log_end",
        at_least_one: bool = True,
    ) -> Read[BatchT]:
        """Return whole batches of one segment, from the one that holds an offset on.

        Parameters
        ----------
        offset : int
            The first that is wanted.
        most_bytes : int, optional
            Most bytes of the batches.
        until : {"log_end", "high_watermark", "last_stable"}, optional
            What they stay below: for a follower, a consumer, and one of read_committed,
            who also gets the aborted transactions.
        at_least_one : bool, optional
            Whether the first batch is given even if it alone is larger (KIP-74).

        Returns
        -------
        Read
            Empty at the end, and above what may be read.

        Raises
        ------
        LogError
            OFFSET_OUT_OF_RANGE: it lies below the log's start or above its end.
        """
        number = segment_of(self.segments, offset)
        if not self.log_start_offset <= offset <= self.log_end_offset or number < 0:
            text = (
                f"offset {offset}, the log has {self.log_start_offset} "
                f"to {self.log_end_offset}"
            )
            raise LogError("OFFSET_OUT_OF_RANGE", text)
        commits = until == "last_stable"
        end_offset = self.end_of(until)
        if offset < end_offset:
            for segment in islice(self.segments, number, None):
                found = segment.read(
                    offset, most_bytes, end_offset, at_least_one=at_least_one
                )
                if found is None:
                    continue
                read = Read(
                    offset,
                    found.next_offset,
                    segment,
                    found.position,
                    found.end_position,
                )
                if commits:
                    aborted = aborted_in(read, self.segments, self.log_end_offset)
                    read = read._replace(aborted=aborted)
                return read
        segment = self.segments[number]
        position = segment.position_of(offset)
        at = segment.size_bytes if position is None else position
        return Read(offset, offset, segment, at, at, () if commits else None)

    def end_of(self, until: Until) -> int:
        """Return the offset that a read stays below."""
        if until == "log_end":
            return self.log_end_offset
        if until == "high_watermark":
            return self.high_watermark
        return self.last_stable_offset

    def offset_for_time(
        self, timestamp_ms: int, *, until: Until = "log_end"
    ) -> TimedOffset | None:
        """Return the first record at a time or later (ListOffsets).

        Parameters
        ----------
        timestamp_ms : int
            The time; or one of `EARLIEST_TIMESTAMP` (where the log starts),
            `LATEST_TIMESTAMP` (where what may be read ends) and `MAX_TIMESTAMP` (the
            record with the largest timestamp).
        until : {"log_end", "high_watermark", "last_stable"}, optional
            What may be read.

        Returns
        -------
        TimedOffset or None
            None if there is none, or the one there is may not be read.
        """
        end_offset = self.end_of(until)
        if timestamp_ms == EARLIEST_TIMESTAMP:
            first = self.leader_epochs.epoch_of(self.log_start_offset)
            return TimedOffset(-1, self.log_start_offset, first)
        if timestamp_ms == LATEST_TIMESTAMP:
            newest = self.leader_epochs.latest
            return TimedOffset(-1, end_offset, newest if newest >= 0 else None)
        if timestamp_ms == MAX_TIMESTAMP:
            found = newest_record(self.segments)
        else:
            found = first_record_from(
                self.segments, timestamp_ms, self.log_start_offset
            )
        if found is None or found.offset >= end_offset:
            return None
        return TimedOffset(*found, self.leader_epochs.epoch_of(found.offset))

"""What is done to a log and to a plain list, step by step, and how they compare."""

from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kafkasim.errors import LogError
from kafkasim.log.appending import Appended
from kafkasim.log.contents import ByteBatch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.fsck import fsck
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.reading import Until
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore
from kafkasim.log.validation import Origin
from tests.log.log_model import (
    CONFIG,
    LEAST_MS,
    NO_DAMAGE,
    RETENTION_BYTES,
    RETENTION_MS,
    Batch,
    Rows,
    newest_ms,
    rows_to_send,
    share,
)
from tests.log.recording_store import RecordingStore


class LogMachine(RuleBasedStateMachine):
    """The log, and the list."""

    def new_store(self) -> RecordingStore | FolderStore:
        raise NotImplementedError

    def crashed_store(self) -> RecordingStore | FolderStore:
        """Return the store with what a crash leaves of it."""
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.now_ms = LEAST_MS
        self.crashed = self.straddled = False
        self.store = self.new_store()
        self.log: PartitionLog[ByteBatch] = PartitionLog(self.store, CONFIG)
        self.batches: list[Batch] = []
        self.start = 0
        self.end = 0
        self.epoch = 0
        self.producer_id = 0

    # -- what is compared

    def rows(self, *, committed: bool = False) -> Rows:
        """Return what the list says can be read; by a reader of commits, if asked."""
        rows = [
            row
            for batch in self.batches
            for row in batch.rows
            if row.offset >= self.start and not (committed and batch.aborted)
        ]
        stable = self.stable() if committed else self.end
        return [row for row in rows if row.offset < stable]

    def stable(self) -> int:
        """Return where the oldest transaction begins whose marker was cut off."""
        return min(self.open_transactions(), default=self.end)

    def open_transactions(self) -> list[int]:
        """Return where those begin whose marker was cut off."""
        ended = {one.producer_id for one in self.batches if one.marker}
        return [
            one.rows[0].offset
            for one in self.batches
            if one.rows and one.producer_id >= 0 and one.producer_id not in ended
        ]

    def read_all(
        self, offset: int, most_bytes: int = 1 << 20, until: Until = "log_end"
    ) -> Rows:
        """Read the log in pieces, as a consumer does."""
        found: Rows = []
        while True:
            read = self.log.read(offset, most_bytes, until=until)
            if read.next_offset <= offset:
                return found
            found += [row for row in read.records() if row.offset >= offset]
            offset = read.next_offset

    @invariant()
    def all_records_are_read(self) -> None:
        assert self.read_all(self.start) == self.rows()
        assert self.log.log_end_offset == self.end
        assert self.log.log_start_offset == self.start

    @invariant()
    def note_what_straddles(self) -> None:
        """Of a transaction that is open and begins below the log's start some logs know
        and some do not: it depends on whether a snapshot has it."""
        if any(first < self.start for first in self.open_transactions()):
            self.straddled = True

    @invariant()
    def segments_follow_each_other(self) -> None:
        segments = self.log.segments
        assert segments[0].base_offset <= max(self.start, segments[0].base_offset)
        for before, after in pairwise(segments):
            assert before.base_offset < after.base_offset
            assert before.next_offset <= after.base_offset

    def offset_at(self, at: float) -> int:
        return self.start + round(at * (self.end - self.start))

    # -- appending

    def numbered(self, sent: list[tuple[bytes, bytes | None, int]]) -> Rows:
        return [
            Record(self.now_ms + later, key, value, offset=self.end + n)
            for n, (key, value, later) in enumerate(sent)
        ]

    def note(self, rows: Rows, *, aborted: bool = False, producer_id: int = -1) -> None:
        """Add a batch to the list; a marker if it has no rows."""
        marker = [] if rows else [Record(self.now_ms, None, None, offset=self.end)]
        self.end += len(rows) or 1
        batch = Batch(self.end - 1, rows, aborted, marker, producer_id)
        self.batches.append(batch)

    @rule(sent=rows_to_send)
    def append(self, sent: list[tuple[bytes, bytes | None, int]]) -> None:
        rows = self.numbered(sent)
        done = self.log.append(rows, now_ms=self.now_ms, leader_epoch=self.epoch)
        assert (done.first_offset, done.last_offset) == (
            rows[0].offset,
            rows[-1].offset,
        )
        self.note(rows)

    def send(self, data: bytes, origin: Origin = "client") -> Appended:
        return self.log.append_as_leader(
            data, leader_epoch=self.epoch, now_ms=self.now_ms, origin=origin
        )

    @rule(sent=rows_to_send)
    def send_twice(self, sent: list[tuple[bytes, bytes | None, int]]) -> None:
        """A new producer sends a batch twice; the second time changes nothing."""
        rows = self.numbered(sent)
        self.producer_id += 1
        data = encode_batch(
            rows, producer_id=self.producer_id, producer_epoch=0, base_sequence=0
        )
        first, again = self.send(data), self.send(data)
        assert not first.duplicate
        assert again == first._replace(duplicate=True)
        self.note(rows)

    @rule(sent=rows_to_send, kind=st.sampled_from(["commit", "abort"]))
    def transaction(
        self,
        sent: list[tuple[bytes, bytes | None, int]],
        kind: Literal["commit", "abort"],
    ) -> None:
        rows = self.numbered(sent)
        self.producer_id += 1
        data = encode_batch(
            rows,
            producer_id=self.producer_id,
            producer_epoch=0,
            base_sequence=0,
            transactional=True,
        )
        self.send(data)
        self.note(rows, aborted=kind == "abort", producer_id=self.producer_id)
        marker = control_batch(
            kind,
            base_offset=0,
            timestamp_ms=self.now_ms,
            producer_id=self.producer_id,
            producer_epoch=1,
        )
        self.send(marker, "coordinator")
        self.note([], producer_id=self.producer_id)

    @rule()
    def a_new_leader_comes(self) -> None:
        self.epoch += 1

    # -- reading

    @rule(at=share, most_bytes=st.integers(1, 500))
    def read(self, at: float, most_bytes: int) -> None:
        offset = self.offset_at(at)
        later = [row for row in self.rows() if row.offset >= offset]
        assert self.read_all(offset, most_bytes) == later

    @rule(most_bytes=st.integers(1, 500))
    def read_committed(self, most_bytes: int) -> None:
        self.log.advance_high_watermark(self.end)
        read = self.read_all(self.start, most_bytes, "last_stable")
        if self.straddled:
            return
        assert read == self.rows(committed=True)

    @rule(at=share)
    def look_up_a_time(self, at: float) -> None:
        """As Kafka, in the first segment that is late enough, and in no other.

        If all that is late in it lies below the log's start, nothing is found
        (`UnifiedLog.searchOffsetInLocalLog`).
        """
        wanted = LEAST_MS + round(at * (self.now_ms - LEAST_MS + 3_000))
        segments = self.log.segments
        late = [one for one in segments if newest_ms(one) >= wanted][:1]
        ends = [one.base_offset for one in segments[1:]] + [self.end]
        offsets = [
            offset
            for offset, timestamp_ms in self.timestamps()
            if timestamp_ms >= wanted and offset >= self.start
            for one in late
            if one.base_offset <= offset < ends[segments.index(one)]
        ]

        found = self.log.offset_for_time(wanted)

        assert (found.offset if found else None) == min(offsets, default=None)

    def timestamps(self) -> list[tuple[int, int]]:
        """Return offset and timestamp of all that is there, markers too."""
        return [
            (row.offset, row.timestamp_ms)
            for batch in self.batches
            for row in batch.rows or batch.marker
        ]

    @rule(outside=st.sampled_from([-1, 1]))
    def read_outside(self, outside: int) -> None:
        offset = self.start - 1 if outside < 0 else self.end + 1
        with pytest.raises(LogError, match="OFFSET_OUT_OF_RANGE"):
            self.log.read(offset)

    # -- what goes

    @rule()
    def roll(self) -> None:
        self.log.roll(self.now_ms)

    @rule(at=share)
    def truncate(self, at: float) -> None:
        self.end = self.offset_at(at)
        self.log.truncate_to(self.end, self.now_ms)
        self.batches = [one for one in self.batches if one.last_offset < self.end]

    @rule(at=share)
    def delete_records(self, at: float) -> None:
        self.log.advance_high_watermark(self.end)
        self.start = self.offset_at(at)
        assert self.log.delete_records(self.start) == self.start

    @rule(later_ms=st.integers(0, 60_000))
    def delete_old_segments(self, later_ms: int) -> None:
        self.now_ms += later_ms
        self.log.advance_high_watermark(self.end)
        before = list(self.log.segments)
        sizes = [segment.size_bytes for segment in before]

        def is_old(number: int) -> bool:
            following = before[number + 1 :]
            too_large = sum(sizes[number + 1 :]) >= RETENTION_BYTES
            age_ms = self.now_ms - newest_ms(before[number])
            unread = bool(following) and following[0].base_offset <= self.start
            return too_large or age_ms > RETENTION_MS or unread

        old = [is_old(number) for number in range(len(before))]
        if not sizes[-1]:
            old[-1] = False
        count = len(self.log.delete_old_segments(self.now_ms))

        assert count == [*old, False].index(False)
        first = self.log.segments[0].base_offset
        self.start = max(self.start, first)
        self.batches = [one for one in self.batches if one.last_offset >= first]
        self.log.delete_expired_files(self.now_ms)

    @rule(later_ms=st.integers(0, 10_000))
    def compact(self, later_ms: int) -> None:
        """Some of the records are left; of every key the newest is among them."""
        self.now_ms += later_ms
        self.log.advance_high_watermark(self.end)
        end = self.log.active.base_offset
        before = self.rows()
        newest = {row.key: row for row in self.rows(committed=True) if row.offset < end}

        self.log.clean(self.now_ms)

        left = self.read_all(self.start)
        kept = {row.offset for row in left}
        assert left == [row for row in before if row.offset in kept]
        for row in before:
            if row.offset not in kept:
                assert row.offset < end
                assert newest.get(row.key) != row or row.value is None
        self.keep(kept)

    def keep(self, kept: set[int]) -> None:
        """Forget the records from the log's start on that are not among these."""
        self.batches = [
            one._replace(
                rows=[r for r in one.rows if r.offset in kept or r.offset < self.start]
            )
            for one in self.batches
        ]

    # -- what stops it

    @rule()
    def flush(self) -> None:
        self.log.flush()
        assert self.log.recovery_point == self.end

    def reopen(self, *, clean: bool) -> None:
        base_offset = self.log.active.base_offset
        cleaned = self.log.first_dirty_offset
        point = self.log.recovery_point
        expected = self.rows()
        self.log = PartitionLog(
            self.store,
            CONFIG,
            now_ms=self.now_ms,
            clean_shutdown=clean,
            recovery_point=point,
            log_start_offset=self.start,
        )
        self.log.first_dirty_offset = cleaned
        left = self.read_all(self.log.log_start_offset)
        assert left == expected[: len(left)]
        missing = expected[len(left) :]
        assert not missing or (not clean and missing[0].offset >= point)
        self.end = self.log.log_end_offset
        self.start = self.log.log_start_offset
        self.batches = [one for one in self.batches if one.last_offset < self.end]
        ends = [one.last_offset + 1 for one in self.batches]
        # After a truncation within a batch the end is forgotten with the process.
        assert self.end in {*ends[-1:], base_offset, self.start}

    def check_files(self) -> None:
        report = fsck(self.store, log_start_offset=self.start)
        # A cut within the first batch that is read leaves a log that ends below its
        # start, and below where its epoch begins: Kafka deletes it all, and begins at
        # the start.
        allowed = set(NO_DAMAGE)
        if not self.rows():
            allowed |= {"log start", "epoch file"}
        if self.crashed:  # one that was not synced; Kafka deletes it when it meets it
            allowed.add("bad snapshot")
        if self.straddled:
            allowed.add("lying transaction index")
        assert report.kinds() <= allowed, str(report)

    @rule()
    def stop_and_open(self) -> None:
        self.log.close()
        self.check_files()
        self.reopen(clean=True)

    @rule()
    def crash_and_open(self) -> None:
        self.store = self.crashed_store()
        self.crashed = True
        self.reopen(clean=False)
        self.check_files()

"""What holds of a compacted log whatever is done to it, against a plain dict."""

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.topic import TopicConfig
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record

RETENTION_MS = 1_000
Log = PartitionLog[Any]


class Put(NamedTuple):
    """Append a batch: of nobody, or of a producer's transaction."""

    pairs: list[tuple[int, bool]]
    """Which key, and whether it has a value."""
    producer: int | None


class End(NamedTuple):
    """End a producer's transaction."""

    producer: int
    commits: bool


class Clean(NamedTuple):
    """Roll, let all be replicated, and compact."""

    most_keys: int


class Wait(NamedTuple):
    ms: int


_pairs = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=4)
puts = st.builds(Put, _pairs, st.none())
in_transactions = st.builds(Put, _pairs, st.integers(0, 1))
ends = st.builds(End, st.integers(0, 1), st.booleans())
cleans = st.builds(Clean, st.sampled_from([1, 2, 4, 1_000]))
waits = st.builds(Wait, st.sampled_from([1, 400, 1_000]))
deeds = st.lists(
    st.one_of(puts, puts, in_transactions, ends, cleans, waits), min_size=4
)
bursts = st.lists(st.lists(st.one_of(puts, cleans), min_size=3, max_size=6))


class Model:
    """A log, and beside it all that was ever written to it."""

    def __init__(self) -> None:
        self.now_ms = 10**12
        self.log: Log = PartitionLog(
            config=TopicConfig(
                cleanup_policy="compact",
                internal_segment_bytes=400,
                segment_index_bytes=1_000,
                index_interval_bytes=100,
                delete_retention_ms=RETENTION_MS,
            )
        )
        self.written: dict[int, Record] = {}
        self.open: dict[int, list[int]] = {0: [], 1: []}
        self.aborted: set[int] = set()
        self._sequences = [0, 0]

    def do(self, deed: Put | End | Clean | Wait) -> None:
        self.now_ms += 1
        match deed:
            case Put():
                self._put(deed)
            case End():
                self._end(deed)
            case Clean():
                self.clean(deed.most_keys)
            case Wait():
                self.now_ms += deed.ms

    def _put(self, put: Put) -> None:
        log, start = self.log, self.log.log_end_offset
        records = [
            Record(
                self.now_ms, b"%d" % key, b"v%d" % (start + at) if has_value else None
            )
            for at, (key, has_value) in enumerate(put.pairs)
        ]
        given: dict[str, Any] = {}
        if put.producer is not None:
            given["producer_id"], given["producer_epoch"] = put.producer, 0
            given["base_sequence"] = self._sequences[put.producer]
            given["transactional"] = True
            self._sequences[put.producer] += len(records)
        log.append_as_leader(encode_batch(records, **given), now_ms=self.now_ms)
        for offset, record in enumerate(records, start):
            self.written[offset] = record._replace(offset=offset)
            if put.producer is not None:
                self.open[put.producer].append(offset)

    def _end(self, end: End) -> None:
        offsets, self.open[end.producer] = self.open[end.producer], []
        if offsets:
            marker = control_batch(
                "commit" if end.commits else "abort",
                base_offset=0,
                timestamp_ms=self.now_ms,
                producer_id=end.producer,
                producer_epoch=0,
            )
            self.log.append_as_leader(
                marker, now_ms=self.now_ms, origin="coordinator", transaction_version=1
            )
            if not end.commits:
                self.aborted |= set(offsets)

    def clean(self, most_keys: int = 1_000) -> None:
        self.log.roll(self.now_ms)
        self.log.advance_high_watermark(self.log.log_end_offset)
        self.log.clean(self.now_ms, most_keys=most_keys)

    @property
    def first_dirty_offset(self) -> int:
        return self.log.first_dirty_offset or 0

    def committed(self) -> dict[bytes | None, Record]:
        """Return the newest record of each key that readers of commits may see."""
        stable = self.log.last_stable_offset
        return {
            record.key: record
            for offset, record in self.written.items()
            if offset < stable and offset not in self.aborted
        }


def read(log: Log, start: int, *, most_bytes: int = 10**6) -> tuple[list[Record], int]:
    """Return what a reader of commits gets of one segment, and where it goes on."""
    found = log.read(start, most_bytes, until="last_stable")
    return found.records(), found.next_offset


def read_all(log: Log) -> list[Record]:
    records: list[Record] = []
    at = 0
    while at < log.last_stable_offset:
        more, after = read(log, at)
        assert after > at, "a compacted log is read to its end"
        records += more
        at = after
    return records


@given(deeds)
def test_a_reader_finds_the_newest_value_of_each_key(done: list[Any]) -> None:
    """LG-17, LG-19, LG-22: or nothing, after a tombstone whose time is over."""
    model = Model()
    for deed in done:
        model.do(deed)
    model.clean()
    found = read_all(model.log)
    clean = [one.key for one in found if one.offset < model.first_dirty_offset]
    assert len(clean) == len(set(clean)), "and no older one where it is clean"
    newest = {record.key: record for record in found}

    for key, record in model.committed().items():
        if record.value is not None or key in newest:
            assert newest.pop(key) == record
    assert newest == {}


@given(deeds)
def test_no_offset_ever_changes(done: list[Any]) -> None:
    """LG-17: what is there has the offset, time, key and value that it was given."""
    model = Model()
    for deed in [*done, Clean(1_000)]:
        model.do(deed)
        if isinstance(deed, Clean):
            found = read_all(model.log)
            assert [model.written[record.offset] for record in found] == found
    there = {
        offset
        for segment in model.log.segments
        for _, header in segment.contents.headers()
        for offset in range(header.base_offset, header.next_offset)
    }
    dirty = {at for at in model.written if at >= model.first_dirty_offset}
    assert dirty <= there, "nothing behind the first dirty offset is gone"


@given(deeds)
def test_cleaning_twice_is_cleaning_once(done: list[Any]) -> None:
    """LG-16: what was compacted is clean; all that is there is as it was."""
    model = Model()
    for deed in done:
        model.do(deed)
    model.clean()
    log = model.log
    before = {name: bytes(log.store.read(name)) for name in log.store.names()}
    again = log.clean(model.now_ms + 10 * RETENTION_MS)

    assert again.segments == ()
    assert before == {name: bytes(log.store.read(name)) for name in before}


@given(bursts)
def test_a_reader_who_is_fast_enough_misses_no_final_state(
    done: list[list[Put | Clean]],
) -> None:
    """LG-22: one that gets from the start to the head within delete.retention.ms.

    It reads a batch between two bursts of deeds, while the log is compacted under it;
    what it has in the end is what was written, deletions and all.
    """
    model = Model()
    for key in range(6):
        model.do(Put([(key, True)], None))
    began_ms = model.now_ms
    state: dict[bytes | None, bytes | None] = {}
    at, rest = 0, iter(done)
    while at < model.log.log_end_offset:
        records, at = read(model.log, at, most_bytes=1)
        state |= {record.key: record.value for record in records}
        for deed in next(rest, []):
            model.do(deed)
        model.log.advance_high_watermark(model.log.log_end_offset)
    left = {key: value for key, value in state.items() if value is not None}
    final = model.committed().items()

    assert model.now_ms < began_ms + RETENTION_MS
    assert left == {key: one.value for key, one in final if one.value is not None}

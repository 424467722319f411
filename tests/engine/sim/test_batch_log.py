"""The partition log against what Kafka says of offsets, reads and limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kafkasim.engine.sim.batch_log import BatchLog


def log_of(*batches: tuple[int, int]) -> BatchLog[str]:
    log: BatchLog[str] = BatchLog()
    for number, (count, size) in enumerate(batches):
        log.append(f"batch {number}", count, size)
    log.advance_high_watermark(log.log_end_offset)
    return log


def test_an_append_takes_the_next_offsets() -> None:
    log: BatchLog[str] = BatchLog()
    assert log.append("a", 3, 100) == 0
    assert log.append("b", 1, 50) == 3
    assert log.log_end_offset == 4
    assert log.size_bytes == 150


def test_an_append_alone_is_not_readable_before_the_high_watermark_passes_it() -> None:
    log: BatchLog[str] = BatchLog()
    log.append("a", 3, 100)
    log.append("b", 2, 100)
    assert log.read(0, 1_000).end_offset == 0
    log.advance_high_watermark(3)
    assert log.read(0, 1_000).end_offset == 3


def test_a_read_from_inside_a_batch_returns_the_whole_batch() -> None:
    log = log_of((3, 100), (4, 100), (2, 100))
    read = log.read(4, 200)
    assert (read.first, read.end) == (1, 3)
    assert (read.start_offset, read.end_offset, read.size_bytes) == (3, 9, 200)


def test_the_first_batch_comes_even_when_it_is_over_the_limit() -> None:
    log = log_of((3, 500), (3, 500))
    assert log.read(0, 100).end_offset == 3
    assert log.read(0, 100, at_least_one=False).end_offset == 0


def test_a_limit_cuts_between_batches() -> None:
    log = log_of((1, 100), (1, 100), (1, 100))
    assert log.read(0, 299).end_offset == 2
    assert log.read(0, 300).end_offset == 3


def test_a_read_at_the_log_end_is_empty() -> None:
    log = log_of((3, 100))
    read = log.read(3, 1_000)
    assert (read.start_offset, read.end_offset, read.size_bytes) == (3, 3, 0)


def test_an_offset_beyond_the_log_end_is_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"offset 4 is out of range \[0, 3\]"):
        log_of((3, 100)).read(4, 1_000)


def test_the_high_watermark_never_goes_back_nor_past_the_log_end() -> None:
    log = log_of((3, 100))
    log.advance_high_watermark(1)
    assert log.high_watermark == 3
    with pytest.raises(ValueError, match="high watermark 4 is beyond log end 3"):
        log.advance_high_watermark(4)


@pytest.mark.parametrize(("count", "size"), [(0, 100), (1, 0), (-1, 5)])
def test_an_empty_batch_is_refused(count: int, size: int) -> None:
    with pytest.raises(ValueError, match="is empty"):
        BatchLog[str]().append("a", count, size)


class LogAgainstAList(RuleBasedStateMachine):
    """The log against a plain list with one entry per record."""

    def __init__(self) -> None:
        super().__init__()
        self.log: BatchLog[int] = BatchLog()
        self.records: list[int] = []
        self.sizes: list[int] = []

    @rule(count=st.integers(1, 9), size=st.integers(1, 400))
    def append(self, count: int, size: int) -> None:
        number = len(self.sizes)
        assert self.log.append(number, count, size) == len(self.records)
        self.records += [number] * count
        self.sizes.append(size)

    @rule(share=st.floats(0, 1))
    def commit(self, share: float) -> None:
        self.log.advance_high_watermark(round(share * len(self.records)))

    @rule(share=st.floats(0, 1), max_bytes=st.integers(1, 1_000))
    def read(self, share: float, max_bytes: int) -> None:
        offset = round(share * self.log.high_watermark)
        read = self.log.read(offset, max_bytes)
        expected = self.scan(offset, max_bytes)
        assert self.log.batches[read.first : read.end] == expected
        assert read.size_bytes == sum(self.sizes[number] for number in expected)

    def scan(self, offset: int, max_bytes: int) -> list[int]:
        """What a read returns, found record by record."""
        expected: list[int] = []
        for number in sorted(set(self.records[offset : self.log.high_watermark])):
            last = max(i for i, n in enumerate(self.records) if n == number)
            used = sum(self.sizes[i] for i in expected)
            whole = last < self.log.high_watermark
            fits = not expected or used + self.sizes[number] <= max_bytes
            if not (whole and fits):
                break
            expected.append(number)
        return expected

    @invariant()
    def the_log_end_counts_the_records(self) -> None:
        assert self.log.log_end_offset == len(self.records)
        assert self.log.size_bytes == sum(self.sizes)


TestLogAgainstAList = LogAgainstAList.TestCase


@given(st.lists(st.integers(1, 5), min_size=1, max_size=30))
def test_every_offset_finds_its_batch(counts: list[int]) -> None:
    log = log_of(*[(count, 10) for count in counts])
    owners = [number for number, count in enumerate(counts) for _ in range(count)]
    assert [log.batch_index(i) for i in range(len(owners))] == owners
    assert log.batch_index(len(owners)) == len(counts)

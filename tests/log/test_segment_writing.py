"""The fast way to append a batch: the same segment as the slow one makes, or a no."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import BatchHeader, unpack_header
from kafkasim.log.index import LARGEST_RELATIVE_OFFSET
from kafkasim.log.record import Record
from kafkasim.log.segment import Segment
from kafkasim.log.store import MemoryStore
from tests.log.segments import ByteSegment, batch, settings


def begun(config: TopicConfig, *times_ms: int, jitter_ms: int = 0) -> ByteSegment:
    """Return a segment with one batch, of a record for each time."""
    segment: ByteSegment = Segment(
        MemoryStore(), 0, config, 0, roll_jitter_ms=jitter_ms
    )
    segment.append(*batch(0, *times_ms))
    return segment


def test_the_first_batch_is_for_the_slow_way() -> None:
    segment: ByteSegment = Segment(MemoryStore(), 0, settings(), 0)

    assert not segment.append_surely(*batch(0, 1000))
    assert segment.size_bytes == 0
    segment.append(*batch(0, 1000))
    assert segment.append_surely(*batch(1, 1000))
    assert segment.next_offset == 2


def test_a_segment_that_was_there_is_asked_first() -> None:
    store = MemoryStore()
    first: ByteSegment = Segment(store, 0, settings(), 0)
    first.append(*batch(0, 1000))
    first.close()

    assert not Segment(store, 0, settings(), 9).append_surely(*batch(1, 1000))


def test_size() -> None:
    size = batch(0, 1000)[0].size_bytes

    assert begun(settings(internal_segment_bytes=2 * size), 0).append_surely(
        *batch(1, 0)
    )
    assert not begun(settings(internal_segment_bytes=2 * size - 1), 0).append_surely(
        *batch(1, 0)
    )


def test_time_from_the_first_batchs_largest_less_the_jitter() -> None:
    segment = begun(settings(segment_ms=1000), 5000, 5400, 4000, jitter_ms=10)

    assert not segment.append_surely(*batch(3, 0, 6391, 1))
    assert segment.append_surely(*batch(3, 0, 6390, 1))


def test_a_first_batch_without_a_time_leaves_it_to_the_slow_way() -> None:
    assert not begun(settings(), -1).append_surely(*batch(1, 1000))


def test_a_distance_of_an_int() -> None:
    segment = begun(settings(), 1000)
    last = LARGEST_RELATIVE_OFFSET

    assert not segment.append_surely(*batch(last, 1000, 1000))
    assert segment.append_surely(*batch(last - 1, 1000, 1000))


def test_places_left_in_the_time_index() -> None:
    # An entry for every batch but the first; 4 places, one of them kept for the roll.
    config = settings(index_interval_bytes=0, segment_index_bytes=48)
    segment = begun(config, 1000)

    done = [segment.append_surely(*batch(n, 1000 + n)) for n in range(1, 5)]

    assert done == [True, True, True, False]
    assert segment.time_index.is_full


def test_places_left_in_the_offset_index() -> None:
    # Equal times make one entry of the time index: 9 places of the other one decide.
    config = settings(index_interval_bytes=0, segment_index_bytes=72)
    segment = begun(config, 1000)

    done = []
    for number in range(1, 11):
        one = batch(number, 1000)
        done.append(segment.append_surely(*one))
        if not done[-1] and segment.roll_cause(one[0], config, 0) is None:
            segment.append(*one)

    # Five after the first; then three after the one that was asked about.
    assert done == [True] * 5 + [False] + [True] * 3 + [False]
    assert segment.offset_index.is_full


def test_an_entry_after_more_than_the_interval() -> None:
    segment = begun(settings(index_interval_bytes=batch(0, 0)[0].size_bytes), 0)

    counts = []
    for number in range(1, 4):
        assert segment.append_surely(*batch(number, number))
        counts.append(segment.offset_index.entry_count)

    assert counts == [0, 1, 1]


def test_a_truncation_that_empties_the_segment_takes_its_clock_along() -> None:
    config = settings(segment_ms=1000)
    segment = begun(config, 5000)
    segment.truncate_to(0, 0)
    assert append(segment, batch(0, 1000), config) is None

    assert append(segment, batch(1, 2001), config) == "time"


def test_a_recovery_that_empties_the_segment_takes_its_clock_along() -> None:
    config = settings(segment_ms=1000)
    segment = begun(config, 5000)
    segment.reset_indexes()
    segment.finish_recovery(0)
    assert append(segment, batch(0, 1000), config) is None

    assert append(segment, batch(1, 2001), config) == "time"


def append(
    segment: ByteSegment, one: tuple[BatchHeader, bytes], config: TopicConfig
) -> str | None:
    """Append as a log does: surely, or after asking; return why not."""
    if segment.append_surely(*one):
        return None
    return append_slowly(segment, one, config)


def append_slowly(
    segment: ByteSegment, one: tuple[BatchHeader, bytes], config: TopicConfig
) -> str | None:
    cause = segment.roll_cause(one[0], config, 0)
    if cause is None:
        segment.append(*one)
    return cause


class Step(NamedTuple):
    """A batch, and perhaps what is done to the segment before it."""

    before: str
    at: float
    """Where it is cut: the share of its offsets that stay."""
    time_ms: int
    size: int
    gap: int
    """Offsets from the last batch's end to this one's."""


SCRIPTS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["", "", "", "", "", "", "truncate", "recover"]),
        st.floats(0, 1),
        st.sampled_from([-1, 1000, 1000, 1001, 1200, 1500, 3000]),
        st.integers(0, 60),
        st.sampled_from([1, 1, 2, 9, 1 << 30]),
    ),
    min_size=2,
    max_size=30,
)
CONFIGS = st.builds(
    settings,
    internal_segment_bytes=st.sampled_from([300, 700, 1 << 20]),
    segment_ms=st.sampled_from([200, 500, 1 << 40]),
    segment_index_bytes=st.sampled_from([24, 48, 72, 1 << 20]),
    index_interval_bytes=st.sampled_from([0, 100, 300]),
)

Way = Callable[[ByteSegment, tuple[BatchHeader, bytes], TopicConfig], str | None]


@given(SCRIPTS, CONFIGS, st.sampled_from([0, 50]))
def test_both_ways_make_the_same_segments(
    script: Sequence[Step], config: TopicConfig, jitter_ms: int
) -> None:
    stories = [story(script, config, jitter_ms, way) for way in (append, append_slowly)]

    assert stories[0] == stories[1]


def story(
    script: Sequence[Step], config: TopicConfig, jitter_ms: int, way: Way
) -> list[tuple[object, ...]]:
    """Act out a script; return what the segment is after each step."""
    told: list[tuple[object, ...]] = []
    segment: ByteSegment = Segment(
        MemoryStore(), 0, config, 0, roll_jitter_ms=jitter_ms
    )
    end = 0
    for step in script:
        if step.before == "truncate":
            base = segment.base_offset
            end = base + round(step.at * (segment.next_offset - base))
            segment.truncate_to(end, 0)
        elif step.before == "recover":
            try:
                recover(segment, step.at)
            except LogError as error:  # see the test of a cut segment below
                return [*told, (str(error), *state(segment))]
            end = segment.next_offset
        one = of_step(step, end)
        cause = way(segment, one, config)
        if cause is not None:
            segment.seal()
            told.append((cause, *state(segment)))
            segment = Segment(MemoryStore(), end, config, 0, roll_jitter_ms=jitter_ms)
            segment.append(*one)
        end += step.gap
        told.append(state(segment))
    return told


def of_step(step: Step, offset: int) -> tuple[BatchHeader, bytes]:
    data = encode_batch(
        [Record(step.time_ms, None, bytes(step.size))],
        base_offset=offset,
        last_offset_delta=step.gap - 1,
    )
    return unpack_header(data, 0), data


def recover(segment: ByteSegment, at: float) -> None:
    """Index a share of the batches anew, and cut the others."""
    found = list(segment.contents.headers())
    segment.reset_indexes()
    valid = 0
    for position, header in found[: round(at * len(found))]:
        segment.index_batch(header, position)
        valid = position + header.size_bytes
    segment.finish_recovery(valid)


def state(segment: ByteSegment) -> tuple[object, ...]:
    return (
        segment.size_bytes,
        segment.next_offset,
        segment.first_timestamp_ms,
        segment.max_timestamp_ms,
        segment.offset_of_max_timestamp,
        segment.offset_index.to_bytes(),
        segment.time_index.to_bytes(),
    )


def test_a_cut_segment_may_hold_more_than_its_indexes_have_room_for_anew() -> None:
    """A cut begins the interval to the next index entry anew, a recovery does not.

    So a recovery may need one entry more than was made before, and a time index that is
    full refuses even a timestamp that it has. `LogSegment.truncateTo` sets
    `bytesSinceLastIndexEntry` to 0; `LogSegment.recover`, `TimeIndex.maybeAppend`.
    """
    config = settings(
        internal_segment_bytes=1 << 20,
        segment_ms=1 << 40,
        segment_index_bytes=24,
        index_interval_bytes=0,
    )
    segment: ByteSegment = Segment(MemoryStore(), 0, config, 0, roll_jitter_ms=0)
    for offset, time_ms in enumerate([-1, -1, 1000, -1]):
        if offset == 2:
            segment.truncate_to(2, 0)
        assert (
            append(segment, of_step(Step("", 0, time_ms, 0, 1), offset), config) is None
        )

    with pytest.raises(LogError, match="the time index is full with 1 entries"):
        recover(segment, 1.0)


@given(SCRIPTS, CONFIGS)
def test_what_is_sure_is_appended_at_once_as_one_by_one(
    script: Sequence[Step], config: TopicConfig
) -> None:
    at_once, one_by_one = begun(config, 1000), begun(config, 1000)
    one_by_one.append_surely(*batch(1, 1000))
    at_once.append_surely(*batch(1, 1000))
    end = at_once.next_offset
    left, most_ms, most, most_end = at_once.sure()
    sure: list[tuple[BatchHeader, bytes]] = []
    for step in script:
        header, data = of_step(step, end)
        end += step.gap
        left -= header.size_bytes
        if left < 0 or header.max_timestamp_ms > most_ms or end > most_end:
            break
        if len(sure) == most:
            break
        sure.append((header, data))

    assert all(one_by_one.append_surely(*each) for each in sure)
    if sure:
        at_once.append_all_surely(sure)
    assert state(at_once) == state(one_by_one)
    assert at_once.sure() == one_by_one.sure()

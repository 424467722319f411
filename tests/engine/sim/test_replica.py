"""A copy's log: what was copied gets into a segment late, and it shows nowhere."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.planned_batches import BatchFacts
from kafkasim.engine.sim.replica import PlannedStore, Replica, contents_of
from kafkasim.log.header import MAGIC, BatchHeader
from kafkasim.log.partition_log import PartitionLog
from kafkasim.protocol.producing.batch import Batch
from tests.log.segments import settings

NO_FACTS = cast("BatchFacts", None)
"""They are asked for headers, and nobody asks here."""


class Step(NamedTuple):
    """A batch that comes; perhaps somebody looks then, and begins a segment."""

    time_ms: int
    records: int
    size_bytes: int
    newer_epoch: bool
    looks: bool


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([-1, 0, 0, 3, 3, 5, 40, 400]),
        st.sampled_from([1, 1, 2, 7]),
        st.sampled_from([80, 90, 500, 3000, 5000]),
        st.sampled_from([False] * 9 + [True]),
        st.sampled_from([False] * 5 + [True]),
    ),
    min_size=1,
    max_size=40,
)
CONFIGS = st.builds(
    TopicConfig,
    segment_ms=st.sampled_from([100, 300, 1 << 40]),
    segment_jitter_ms=st.sampled_from([0, 50]),
    segment_index_bytes=st.sampled_from([24, 1 << 20]),
    flush_messages=st.sampled_from([3, 1 << 60]),
    index_interval_bytes=st.sampled_from([0, 200, 4096]),
    cleanup_policy=st.sampled_from(["delete", "compact"]),
)


PLAIN = [Step(9, 2, 80, newer_epoch=False, looks=False)] * 9
NEWER = Step(9, 2, 80, newer_epoch=True, looks=False)
UNDATED = Step(-1, 2, 80, newer_epoch=False, looks=False)
WITH_A_ROLL = Step(9, 2, 80, newer_epoch=False, looks=True)


@pytest.mark.parametrize(
    ("steps", "config"),
    [
        pytest.param(PLAIN, settings(internal_segment_bytes=300), id="bytes"),
        pytest.param(PLAIN, settings(segment_ms=30), id="time"),
        pytest.param(
            PLAIN,
            settings(segment_index_bytes=24, index_interval_bytes=0),
            id="places in an index",
        ),
        pytest.param(PLAIN, settings(flush_messages=4), id="sync"),
        pytest.param([*PLAIN, NEWER, *PLAIN], settings(), id="epoch"),
        pytest.param([*PLAIN, UNDATED, *PLAIN], settings(), id="no time"),
        pytest.param([*PLAIN, WITH_A_ROLL, *PLAIN], settings(), id="a look"),
        pytest.param(
            [*PLAIN, WITH_A_ROLL, *PLAIN],
            settings(internal_segment_bytes=1000),
            id="a segment begun by who looks",
        ),
    ],
)
def test_what_does_more_than_append_is_done_at_once(
    steps: Sequence[Step], config: TopicConfig
) -> None:
    assert story(steps, config, late=True) == story(steps, config, late=False)


@given(STEPS, CONFIGS)
def test_copies_make_the_log_that_appends_make(
    steps: Sequence[Step], config: TopicConfig
) -> None:
    assert story(steps, config, late=True) == story(steps, config, late=False)


def story(
    steps: Sequence[Step], config: TopicConfig, *, late: bool
) -> list[tuple[object, ...]]:
    """Append batches; return what is seen of the log by who looks, and at the end."""
    config, draws = config.resolve(), iter(range(1000))
    log = PartitionLog(PlannedStore(NO_FACTS), config, draw=draws.__next__)
    replica = Replica(0, 0, config, log)
    told: list[tuple[object, ...]] = []
    end = epoch = clock_ms = 0
    for number, step in enumerate(steps):
        epoch += step.newer_epoch
        clock_ms += max(0, step.time_ms)
        stamp_ms = clock_ms if step.time_ms >= 0 else -1
        header = BatchHeader(
            end, step.size_bytes, epoch, MAGIC, 0, 0, step.records - 1, stamp_ms,
            stamp_ms, number % 2, 0, number // 2, step.records,
        )  # fmt: skip
        batch = Batch(0, 0, end, end + step.records, step.size_bytes, 0)
        append = replica.append_copy if late else replica.append
        append(header, batch, clock_ms * 1_000_000)
        end += step.records
        ends = replica.ends
        told.append(
            (ends.log_end_offset, ends.leader_epochs.entries, ends.recovery_point)
        )
        if step.looks:
            told.append(seen(replica))
            last = replica.log.active
            replica.log.roll(clock_ms)
            replica.note_roll(last, clock_ms * 1_000_000, None)
    return [*told, seen(replica)]


def seen(replica: Replica) -> tuple[object, ...]:
    log = replica.log
    lives = [replica.lives[segment] for segment in log.segments]
    assert replica.active is contents_of(log.active)
    segments = [
        (
            contents_of(segment).base_offsets,
            contents_of(segment).positions,
            contents_of(segment).next_offset,
            contents_of(segment).dense,
            segment.next_offset,
            segment.max_timestamp_ms,
            segment.offset_of_max_timestamp,
            segment.offset_index.to_bytes(),
            segment.time_index.to_bytes(),
        )
        for segment in log.segments
    ]
    known = {
        number: (entry.epoch, list(entry.batches), entry.last_timestamp_ms)
        for number, entry in log.producers.entries.items()
    }
    return repr(segments), lives, known, log.recovery_point

"""What a fetch gets: enough to answer, the limits, and whose turn it is."""

from collections.abc import Sequence

import numpy as np
import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.fetch_session import OUT_OF_RANGE, FetchSession
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import FETCH, Request
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.protocol.producing.batch import Batch
from kafkasim.scenario.hardware import Link
from tests.engine.sim.partitions import partition

PLENTY = 1_000_000


def session_of(
    *logs: Sequence[int],
    min_bytes: int = 1,
    max_partition_bytes: int = PLENTY,
    max_bytes: int = PLENTY,
    config: TopicConfig | None = None,
) -> FetchSession:
    """A session at offset 0 of partitions with batches of these sizes, 10 records."""
    partitions = [partition(index, config) for index in range(len(logs))]
    for each, sizes in zip(partitions, logs, strict=True):
        for number, size_bytes in enumerate(sizes):
            lo = 10 * number
            each.append(Batch(0, each.number, lo, lo + 10, size_bytes, 0), 0)
    settings = PollSettings(
        min_bytes=min_bytes,
        max_wait_ns=500,
        max_partition_bytes=max_partition_bytes,
        max_bytes=max_bytes,
        max_poll_records=500,
        auto_commit_ns=None,
    )
    connection = Hosts(Link(), seed=1).connect("member:a/1", 0, 0)
    session = FetchSession(partitions, connection, settings)
    session.seek(dict.fromkeys(range(len(logs)), 0))
    return session


def read(session: FetchSession) -> dict[int, int]:
    """Partition → end offset of one answer."""
    answer, _, _ = session.read()
    return {each.index: end for each, end, _ in answer}


def test_exactly_fetch_min_bytes_are_enough() -> None:
    assert session_of([100, 100], [100], min_bytes=300).has_enough()
    assert not session_of([100, 100], [100], min_bytes=301).has_enough()


def test_a_fetch_that_asks_for_no_bytes_is_answered_at_once() -> None:
    """`fetch.min.bytes=0` (BR-28)."""
    assert session_of([], min_bytes=0).has_enough()
    assert not session_of([], min_bytes=1).has_enough()


def test_what_was_read_is_not_enough_for_the_next_fetch() -> None:
    session = session_of([100], min_bytes=1)
    assert read(session) == {0: 10}
    assert not session.has_enough()
    assert read(session) == {}


def test_a_fetch_begins_with_the_batch_of_its_position() -> None:
    session = session_of([100, 70, 50])
    session.seek({0: 15})
    answer, size_bytes, batch_count = session.read()
    assert [end for _, end, _ in answer] == [30]
    assert (size_bytes, batch_count) == (120, 2)


def test_fetch_max_bytes_limit_the_whole_answer() -> None:
    session = session_of([100] * 3, [100] * 3, max_bytes=250)
    answer, size_bytes, batch_count = session.read()
    # Two batches of the first partition; the 50 bytes left are too few for a third.
    assert [(each.index, end) for each, end, _ in answer] == [(0, 20)]
    assert (size_bytes, batch_count) == (200, 2)


def test_the_first_partition_gives_a_batch_that_is_over_the_limit() -> None:
    assert read(session_of([100], [100], max_bytes=50)) == {0: 10}


def test_max_partition_fetch_bytes_limit_each_partition() -> None:
    session = session_of([100] * 3, [60] * 3, max_partition_bytes=150)
    assert read(session) == {0: 10, 1: 20}
    assert session.read()[1:] == (160, 2)


def test_partitions_take_turns_when_an_answer_has_room_for_one() -> None:
    session = session_of([100] * 2, [100] * 2, [100] * 2, max_bytes=100)
    answers = [read(session) for _ in range(7)]
    assert answers == [{0: 10}, {1: 10}, {2: 10}, {0: 20}, {1: 20}, {2: 20}, {}]


def test_a_position_in_an_older_segment_is_enough() -> None:
    """`DelayedFetch.tryComplete`, case F; and a read gives batches of one segment."""
    config = TopicConfig(internal_segment_bytes=250)
    session = session_of([100] * 5, min_bytes=PLENTY, config=config)
    assert session.has_enough()
    assert read(session) == {0: 20}
    assert session.has_enough()
    assert read(session) == {0: 40}
    # The next one comes for offset 40, with which the active segment begins.
    assert not session.has_enough()
    assert read(session) == {0: 50}
    assert not session.has_enough()


def test_segments_are_read_one_after_the_other() -> None:
    """As a fetch that may not wait does (`fetch.max.wait.ms=0`)."""
    session = session_of([100] * 5, config=TopicConfig(internal_segment_bytes=250))
    answers = [read(session) for _ in range(4)]
    assert answers == [{0: 20}, {0: 40}, {0: 50}, {}]


@pytest.mark.parametrize("waits", [True, False])
def test_a_roll_answers_the_fetch_that_waits_and_not_the_next(waits: bool) -> None:  # noqa: FBT001
    """`DelayedFetch` holds the segment that was active when it came (case F).

    One that comes later for the same offset finds it in the new segment
    (`LocalLog.read`), and waits there for its least bytes.
    """
    config = TopicConfig(internal_segment_bytes=250)
    session = session_of([100] * 2, min_bytes=101, config=config)
    assert read(session) == {0: 20}
    if waits:
        request = Request(FETCH, session.connection, 0, session, lambda _: None)
        session.parked = request
    (rolled,) = session.partitions
    rolled.append(Batch(0, 0, 20, 30, 100, 0), 0)
    session.advanced(rolled)
    assert session.has_enough() is waits
    assert read(session) == {0: 30}


def test_a_position_out_of_range_is_enough_and_not_read_on_until_it_is_reset() -> None:
    session = session_of([100, 100], [100], min_bytes=PLENTY)
    lost = session.partitions[0]
    session.seek({0: 21, 1: 0})
    assert session.has_enough()
    assert read(session) == {0: OUT_OF_RANGE, 1: 10}

    # A batch comes; the member is still asking where to go on.
    lost.append(Batch(0, 0, 20, 30, 2 * PLENTY, 0), 0)
    session.advanced(lost)
    assert not session.has_enough()
    assert read(session) == {}

    session.seek_one(lost, 20)
    assert session.has_enough()
    assert read(session) == {0: 30}


def test_the_log_end_is_in_range_and_one_more_is_not() -> None:
    session = session_of([100])
    session.seek({0: 10})
    assert read(session) == {}
    session.seek({0: 11})
    assert read(session) == {0: OUT_OF_RANGE}


def test_what_a_read_returns_carries_what_compaction_had_left() -> None:
    session = session_of([100])
    session.partitions[0].survivors = left = Survivors(1, np.array([2]), 5)
    assert session.read()[0] == [(session.partitions[0], 10, left)]


def committed_until(session: FetchSession, high_watermark: int) -> FetchSession:
    """The session, and its first partition's high watermark moved."""
    session.partitions[0].log.high_watermark = high_watermark
    session.seek(session.positions)
    return session


def test_what_is_not_below_the_high_watermark_is_not_there_for_a_fetch() -> None:
    """`Partition.readRecords` with `FetchIsolation.HIGH_WATERMARK` (BR-11, BR-29)."""
    enough = [
        committed_until(session_of([100] * 3, min_bytes=least), 20).has_enough()
        for least in (200, 201)
    ]
    assert enough == [True, False]

    session = committed_until(session_of([100] * 3), 20)
    assert session.read() == ([(session.partitions[0], 20, None)], 200, 2)
    assert not session.has_enough()
    assert read(session) == {}


def test_a_high_watermark_that_advances_lets_a_fetch_go_on() -> None:
    session = committed_until(session_of([100] * 3, min_bytes=100), 10)
    (partition,) = session.partitions
    assert read(session) == {0: 10}
    session.advanced(partition)
    assert not session.ready

    partition.log.high_watermark = 30
    session.advanced(partition)
    assert session.has_enough()
    assert read(session) == {0: 30}


def test_a_position_beyond_the_high_watermark_is_in_range_and_waits() -> None:
    """A new leader's high watermark may lie behind what its predecessor let read."""
    session = committed_until(session_of([100] * 3), 10)
    session.seek({0: 20})
    assert not session.has_enough()
    session.partitions[0].log.high_watermark = 20
    session.advanced(session.partitions[0])
    assert read(session) == {}
    session.partitions[0].log.high_watermark = 30
    session.advanced(session.partitions[0])
    assert read(session) == {0: 30}


def test_a_segment_that_begins_at_the_high_watermark_answers_no_fetch() -> None:
    """`DelayedFetch` looks at the segment of the high watermark, not of the log end."""
    config = TopicConfig(internal_segment_bytes=250)
    session = session_of([100] * 5, min_bytes=PLENTY, config=config)
    committed_until(session, 10)
    assert not session.has_enough()
    assert read(session) == {0: 10}

    session.partitions[0].log.high_watermark = 30
    session.advanced(session.partitions[0])
    assert session.has_enough()
    assert [read(session), read(session)] == [{0: 20}, {0: 30}]

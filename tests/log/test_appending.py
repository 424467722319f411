from kafkasim.config.topic import TopicConfig
from kafkasim.log.appending import surely_follows
from kafkasim.log.encode import stamped
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.producer_state import ProducerStates
from kafkasim.log.record import Record
from tests.log.batch_headers import header
from tests.log.logs import Log, code, decide, marker, numbered, sent

# -- appending as leader


def test_a_leader_gives_offsets_in_order() -> None:
    log: Log = PartitionLog()

    first = log.append_as_leader(sent(5, 9), leader_epoch=2)
    second = log.append_as_leader(sent(7), leader_epoch=3)

    assert (first.first_offset, first.last_offset, first.max_timestamp_ms) == (0, 1, 9)
    assert (second.first_offset, second.last_offset) == (2, 2)
    assert log.leader_epochs.entries == ((2, 0), (3, 2))
    assert bytes(log.store.read("leader-epoch-checkpoint")) == b"0\n2\n2 0\n3 2\n"


def test_records_are_appended_and_read_by_hand() -> None:
    log: Log = PartitionLog()
    log.append([Record(50, None, b"late")], codec="gzip")
    log.append([Record(1, b"k", b"v", (("h", None),))], leader_epoch=4)

    found = log.read(0).records()

    assert [record.value for record in found] == [b"late", b"v"]
    assert found[1] == Record(1, b"k", b"v", (("h", None),), 1)
    assert log.leader_epochs.entries == ((0, 0), (4, 1))


def test_a_batch_sent_twice_is_answered_with_its_first_offset() -> None:
    """ID-8. Source: UnifiedLog.append, maybeDuplicate."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0, 2))
    log.append_as_leader(numbered(2, 3))

    again = log.append_as_leader(numbered(2, 3), leader_epoch=0)

    assert again == (2, 4, 2, True)
    assert log.log_end_offset == 5 and len(log.read(0).headers()) == 2


def test_a_coordinators_batch_is_never_a_duplicate() -> None:
    """Source: UnifiedLog.analyzeAndValidateProducerState, AppendOrigin.CLIENT."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0))

    again = log.append_as_leader(numbered(0), origin="coordinator")

    assert not again.duplicate and again.first_offset == 1


def test_a_gap_in_the_sequence_numbers_is_refused() -> None:
    """ID-9. Source: UnifiedLog.analyzeAndValidateProducerState."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0))

    gap = code(lambda: log.append_as_leader(numbered(2)))

    assert gap == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert log.log_end_offset == 1
    coordinators = log.append_as_leader(numbered(9), origin="coordinator")
    assert coordinators.first_offset == 1


def test_a_refused_batch_has_rolled_the_log_and_begun_its_epoch() -> None:
    """Source: UnifiedLog.append: epochs and maybeRoll come before the producers."""
    log: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=150))
    log.append_as_leader(numbered(0))

    code(lambda: log.append_as_leader(numbered(5), leader_epoch=1))

    assert [segment.base_offset for segment in log.segments] == [0, 1]
    assert log.leader_epochs.entries == ((0, 0), (1, 1))


def test_what_goes_into_no_segment_is_refused() -> None:
    """Source: UnifiedLog.append (RecordBatchTooLargeException)."""
    size = len(sent(0))
    fits: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=size))
    small: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=size - 1))

    assert fits.append_as_leader(sent(0)).first_offset == 0
    assert code(lambda: small.append_as_leader(sent(0))) == "RECORD_LIST_TOO_LARGE"
    follower: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=size))
    two = sent(0) + stamped(sent(0), base_offset=1, leader_epoch=0)
    leaders = stamped(sent(0), base_offset=0, leader_epoch=0) + two[size:]
    assert code(lambda: follower.append_as_follower(leaders)) == "RECORD_LIST_TOO_LARGE"


def test_a_late_marker_is_refused() -> None:
    """Source: ProducerAppendInfo.appendEndTxnMarker."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0, transactional=True))

    same = marker("commit", epoch=0)
    late = code(lambda: log.append_as_leader(same, origin="coordinator"))
    assert late == "INVALID_PRODUCER_EPOCH"
    log.append_as_leader(same, origin="coordinator", transaction_version=1)
    assert log.producers.open_transactions == {}


def test_the_topics_codec() -> None:
    """Source: BrokerCompressionType.targetCompression."""
    log: Log = PartitionLog()
    log.compression_type = "gzip"

    log.append_as_leader(sent(0))

    assert log.read(0).headers()[0].codec == 1


# -- appending as follower


def leaders_log(*sizes: int) -> bytes:
    log: Log = PartitionLog()
    for size in sizes:
        log.append_as_leader(sent(*range(size)))
    return bytes(log.read(0).data)


def test_a_follower_keeps_the_leaders_offsets_and_epochs() -> None:
    """BR-26. Source: UnifiedLog.appendAsFollower."""
    data = stamped(sent(0), base_offset=40, leader_epoch=3)
    data += stamped(sent(0), base_offset=44, leader_epoch=5)
    log: Log = PartitionLog()

    appended = log.append_as_follower(data, leader_epoch=4)

    assert appended is not None and appended.last_offset == 40
    assert log.log_end_offset == 41 and log.leader_epochs.entries == ((3, 40),)
    assert log.append_as_follower(data[len(data) // 2 :], leader_epoch=4) is None
    assert log.append_as_follower(data[len(data) // 2 :]) is not None


def test_what_a_follower_fetches_at_once_goes_into_one_segment() -> None:
    """Source: UnifiedLog.maybeRoll: it is asked for all batches of an append."""
    data = leaders_log(1, 1, 1)
    config = TopicConfig(internal_segment_bytes=len(data))
    log: Log = PartitionLog(config=config)
    log.append_as_follower(data[: len(data) // 3])

    log.append_as_follower(data[len(data) // 3 :])
    assert [segment.base_offset for segment in log.segments] == [0]

    log = PartitionLog(config=config)
    log.append_as_follower(data[: len(data) // 3])
    extra = stamped(sent(0), base_offset=3, leader_epoch=0)
    log.append_as_follower(data[len(data) // 3 :] + extra)
    assert [segment.base_offset for segment in log.segments] == [0, 1]


def test_the_abort_index_of_a_follower_knows_all_that_came_at_once() -> None:
    """The leader, batch by batch, notes that nothing is open after the marker.

    Source: UnifiedLog.append: transactions are completed after all producers.
    """
    leader: Log = PartitionLog()
    leader.append_as_leader(numbered(0, pid=1, transactional=True))
    decide(leader, "abort", pid=1)
    leader.append_as_leader(sent(0))
    leader.append_as_leader(numbered(0, pid=2, transactional=True))
    follower: Log = PartitionLog()
    follower.append_as_follower(bytes(leader.read(0).data))

    (at_leader,) = leader.active.transaction_index.entries
    (at_follower,) = follower.active.transaction_index.entries
    assert at_leader == (1, 0, 1, 2)
    assert at_follower == (1, 0, 1, 3)


def test_a_follower_refuses_a_batch_outside_of_the_open_transaction() -> None:
    """Source: ProducerAppendInfo.appendDataBatch."""
    began = stamped(numbered(0, transactional=True), base_offset=0, leader_epoch=0)
    outside = stamped(numbered(1), base_offset=1, leader_epoch=0)
    ended = stamped(marker("commit"), base_offset=1, leader_epoch=0)
    later = stamped(numbered(0, epoch=1), base_offset=2, leader_epoch=0)
    log: Log = PartitionLog()

    assert code(lambda: log.append_as_follower(began + outside)) == "INVALID_TXN_STATE"
    assert log.log_end_offset == 0
    log.append_as_follower(began)
    assert code(lambda: log.append_as_follower(outside)) == "INVALID_TXN_STATE"
    log.append_as_follower(ended + later)
    assert log.log_end_offset == 3


def test_a_batch_plainly_follows_its_producers_last_one_or_is_looked_at() -> None:
    states = ProducerStates()
    states.add(header(0, 3, producer=(7, 1, 40)))
    for other, follows in (
        (header(3, 2, producer=(7, 1, 43)), True),
        (header(3, 2, producer=(7, 1, 42)), False),
        (header(3, 2, producer=(7, 1, 44)), False),
        (header(0, 3, producer=(7, 1, 40)), False),
        (header(3, 2, producer=(7, 2, 43)), False),
        (header(3, 2, producer=(8, 1, 43)), False),
    ):
        assert surely_follows(states, other) is follows
        if follows:
            assert states.duplicate_of(other) is None
            states.check(other)


def test_in_a_transaction_no_batch_plainly_follows() -> None:
    states = ProducerStates()
    states.add(header(0, 3, producer=(7, 1, 0), transactional=True))

    assert not surely_follows(states, header(3, producer=(7, 1, 3)))

"""Where a member reads on when leaders move, by literal times: 1 ms each way."""

from tests.engine.sim.member_world import MS, World


def test_an_unread_partition_moves_with_the_hint_of_a_fetch() -> None:
    """KIP-951: the answer names the leader, and nobody asks for metadata."""
    world = World()
    world.start()
    world.run(10)
    world.move(1, epoch=1)
    world.run(20)

    assert world.all() == [
        ("Fetch", 0, 0.0, 11.0, "NOT_LEADER_OR_FOLLOWER"),
        ("Fetch", 1, 11.0, None, ""),
    ]
    world.append(3)
    world.run(22)
    assert world.member.positions == {0: 3}


def test_a_position_with_an_epoch_is_validated_before_the_next_fetch() -> None:
    """`SubscriptionState.maybeValidatePosition` (KIP-320)."""
    world = World()
    world.append(2)
    world.start()
    world.run(30)
    assert world.member.positions == {0: 2}

    world.move(1, epoch=1)
    world.run(60)
    assert world.all()[-3:] == [
        ("Fetch", 0, 2.0, 31.0, "NOT_LEADER_OR_FOLLOWER"),
        ("OffsetForLeaderEpoch", 1, 31.0, 33.0, ""),
        ("Fetch", 1, 33.0, None, ""),
    ]
    assert world.resets == []


def test_a_truncated_log_is_read_on_where_the_epoch_ends() -> None:
    """`maybeCompleteValidation`: not at the log end, whatever the reset policy is."""
    world = World(resets_to_end=True)
    world.append(5)
    world.start()
    world.run(60)
    assert world.member.positions == {0: 5}

    # Offsets 3 and 4 were the old leader's alone; epoch 2 has four records from 3 on.
    log = world.partitions[0].log
    log.leader_epochs.assign(2, 3)
    log.log_end_offset = log.high_watermark = 7
    world.move(1, epoch=2)
    world.run(70)
    assert world.resets == [(63.0, 0, 3)]
    assert ("Fetch", 1, 63.0) in [row[:3] for row in world.all()]


def test_a_truncation_ends_an_application_without_a_reset_policy() -> None:
    """LogTruncationException."""
    world = World(resets=False)
    world.append(5)
    world.start()
    world.run(60)
    world.partitions[0].log.leader_epochs.assign(2, 3)
    world.move(1, epoch=2)
    world.run(100)
    assert world.stopped == [63.0]
    assert not world.member.up


def test_what_was_fetched_and_not_returned_is_dropped_when_its_leader_moves() -> None:
    """`FetchCollector`: a position that awaits validation is not fetchable."""
    world = World(max_poll_records=1)
    world.append(3)
    world.start()
    world.run(5)
    assert world.member.positions == {0: 1}

    world.move(1, epoch=1)
    world.member._metadata.take_hints({0: (1, 1)})
    world.run(30)
    # The poll at 12 asks; the answer comes at 14, and the next fetch brings the rest.
    assert world.sent("OffsetForLeaderEpoch") == [(1, 12.0)]
    assert world.sent("Fetch", since=1.0) == [(1, 14.0)]
    world.run(60)
    assert [(r.from_offset, r.started_ns / MS) for r in world.rows] == [
        (0, 2.0),
        (1, 16.0),
        (2, 26.0),
    ]
    assert world.processed == 3


def test_a_partition_joins_a_session_with_its_next_fetch() -> None:
    """CO-3: no new request to a node that has one in flight."""
    world = World([0, 1])
    world.start()
    world.run(10)
    world.move(1, epoch=1)
    world.run(12)
    world.append(3, index=0)
    world.run(400)
    assert world.sent("Fetch") == [(0, 0.0), (1, 0.0)]

    # The parked one, which is not for the partition, is answered after 500 ms.
    world.run(504)
    assert world.sent("Fetch", since=1.0) == [(1, 502.0), (1, 504.0)]
    assert world.member.positions == {0: 3, 1: 0}


def test_a_lost_connection_fails_the_fetch_and_asks_who_leads() -> None:
    world = World()
    world.start()
    world.run(10)
    world.brokers[0].crash()
    world.move(1, epoch=1)
    world.run(20)
    assert world.all() == [
        ("Fetch", 0, 0.0, None, "NETWORK_EXCEPTION"),
        ("Metadata", 1, 11.0, 13.0, ""),
        ("Fetch", 1, 13.0, None, ""),
    ]


def test_no_fetch_is_sent_while_nobody_leads_and_the_old_leader_is_gone() -> None:
    world = World()
    world.start()
    world.run(10)
    world.brokers[0].crash()
    world.move(-1, epoch=1)
    world.run(5_000)
    assert world.sent("Fetch", since=1.0) == []
    assert len(world.sent("Metadata")) > 3

    world.move(1, epoch=2)
    world.run(7_000)
    assert world.sent("Fetch", since=1.0)[0][0] == 1


def test_a_leader_that_comes_back_is_fetched_from_through_a_new_connection() -> None:
    world = World(brokers=2)
    world.append(2)
    world.start()
    world.run(30)
    world.brokers[0].crash()
    world.run(100)
    world.brokers[0].come_back()
    world.append(1)
    world.run(1_500)
    assert world.member.positions == {0: 3}
    assert world.processed == 3
    first, *rest = [row for row in world.all() if row[0] == "Fetch"][1:]
    assert first[3:] == (None, "NETWORK_EXCEPTION")
    assert rest


def test_a_fenced_epoch_is_met_by_the_epoch_that_the_answer_names() -> None:
    world = World()
    world.append(2)
    world.start()
    world.run(30)
    world.move(0, epoch=1)
    world.run(60)
    assert world.all()[-3:] == [
        ("Fetch", 0, 2.0, 31.0, "FENCED_LEADER_EPOCH"),
        ("OffsetForLeaderEpoch", 0, 31.0, 33.0, ""),
        ("Fetch", 0, 33.0, None, ""),
    ]


def test_a_broker_refuses_what_it_does_not_lead() -> None:
    world = World()
    world.move(1, epoch=1)
    world.start()
    world.run(10)
    assert world.all() == [
        ("Fetch", 0, 0.0, 2.0, "NOT_LEADER_OR_FOLLOWER"),
        ("Fetch", 1, 2.0, None, ""),
    ]


def test_a_broker_that_knows_no_leader_makes_it_ask_for_the_metadata() -> None:
    """`FetchCollector.handleInitializeErrors`."""
    world = World()
    world.start()
    world.run(10)
    world.move(1, epoch=1, told=False)
    world.run(12)
    assert [at for _, at in world.sent("Metadata")] == [11.0]


def test_the_epoch_asked_for_is_that_of_the_last_record_read() -> None:
    world = World()
    world.append(2)
    world.start()
    world.run(30)
    world.move(1, epoch=1)
    world.run(60)
    world.move(0, epoch=2)
    world.run(90)
    # Nothing was appended in epoch 1.
    assert world.epochs_asked == [0, 0]


def test_a_position_that_was_committed_has_no_epoch() -> None:
    """The position is as it was committed, and nothing was read since."""
    world = World()
    world.append(2)
    world.start({0: 2})
    world.run(30)
    world.move(1, epoch=1)
    world.run(60)
    assert world.epochs_asked == []
    assert world.sent("Fetch") == [(0, 0.0), (1, 31.0)]


def test_a_position_is_validated_only_when_there_is_a_leader() -> None:
    """What was fetched before can be returned until then."""
    world = World(max_poll_records=1)
    world.append(3)
    world.start()
    world.run(5)
    world.brokers[0].crash()
    world.move(-1, epoch=1)
    world.run(60)
    assert world.sent("Metadata")[0] == (1, 6.0)
    assert [(r.from_offset, r.started_ns / MS) for r in world.rows] == [
        (0, 2.0),
        (1, 12.0),
        (2, 22.0),
    ]
    world.move(1, epoch=2)
    world.run(3_000)
    assert world.epochs_asked == [0]


def test_what_was_fetched_is_kept_when_no_epoch_is_known() -> None:
    """The position stays valid; its new leader counts as one with buffered records."""
    world = World([0, 0], max_poll_records=1)
    world.append(1, 0)
    world.append(2, 1)
    world.start()
    world.run(5)
    world.move(1, epoch=1, index=1)
    world.member._metadata.take_hints({1: (1, 1)})
    world.run(60)
    assert world.epochs_asked == []
    assert world.processed == 3
    assert world.sent("Fetch") == [(0, 0.0), (0, 12.0), (1, 32.0)]


def test_a_fetch_from_before_a_crash_that_comes_late_reads_nothing() -> None:
    world = World()
    world.start()
    world.run(0.5)
    old = world.member.sessions[0].request
    assert old is not None
    world.member.crash()
    world.start()
    world.run(3)
    world.brokers[0]._fetch(old)
    world.append(2)
    world.run(30)
    assert world.processed == 2


def test_a_member_that_is_down_fetches_nothing() -> None:
    """Its work was to end at 22, and its only broker may be fetched from again."""
    world = World()
    world.append(2)
    world.start()
    world.run(6)
    world.brokers[0].crash()
    world.run(10)
    world.member.crash()
    world.brokers[0].come_back()
    world.run(60)
    assert world.sent("Fetch", since=3.0) == []

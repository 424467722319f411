"""What a bad network does: cut, slow and lossy links, as short stories.

DS-4 and so on are the numbers of delivery scenarios. Broker 1 leads in all of them.
"""

import pytest

import kafkasim as ks
from tests.simulation.stories import (
    APART_MS,
    evenly,
    in_log_order,
    records_at,
    story,
    times_read,
    waits_ms,
)

# --- cut --------------------------------------------------------------------------


def test_after_a_short_cut_tcp_brings_what_waited_and_nobody_sends_again() -> None:
    """Packets go again after 0.2, 0.6, 1.4 and 3.0 s; what is behind comes along."""
    cut = ks.Cut("link:shop->broker:1", at_s=5.0, for_s=2.0)

    records = story(evenly(20, 0.01), cut, until_s=10.0).records

    waited = records[(records.created_ms > 5_000) & (records.created_ms < 8_000)]
    assert waited.appended_ms.iloc[0] == pytest.approx(5_010 + 3_000, abs=1)
    assert waited.appended_ms.max() < 8_010 + 10  # all at one time, one by one read
    assert waits_ms(records[records.created_ms > 8_020]).max() < 10
    assert set(records.send_count) == {1}
    assert records.offset.tolist() == list(range(len(records)))


def test_a_cut_longer_than_the_request_timeout_makes_a_client_connect_anew() -> None:
    cut = ks.Cut("link:shop<->broker:1", at_s=5.0, for_s=10.0)

    result = story(
        evenly(20, 0.01),
        cut,
        until_s=20.0,
        request_timeout_ms=2_000,
        delivery_timeout_ms=60_000,
    )

    records = result.records
    assert records.send_count.max() > 1
    assert set(records.outcome) == {"acked"}
    assert set(records.log_copies) == {1}
    assert in_log_order(result) == sorted(in_log_order(result))
    # After 10 s of connecting in vain, and so before TCP would have come through.
    assert 10_000 < waits_ms(records).max() < 14_000


def test_a_follower_that_heartbeats_but_cannot_fetch_stalls_acks_all_longer() -> None:
    """DS-4: 30 to 45 s, until it has left the ISR; what waits 30 s is sent again."""
    cut = ks.Cut("link:broker:3->broker:1", at_s=5.0)

    for_all = story(evenly(20, 0.0), cut, until_s=60.0)
    for_one = story(
        evenly(20, 0.0), cut, until_s=60.0, acks="1", enable_idempotence=False
    )

    (left_ms,) = for_all.replicas.query("cause == 'left the ISR'").at_ms
    assert 35_000 < left_ms < 50_100
    assert 30_000 < waits_ms(for_all.records).max() < 45_100
    timed_out = for_all.requests.query("error == 'REQUEST_TIMED_OUT'")
    assert not timed_out.empty
    assert set(for_all.records.outcome) == {"acked"}
    assert set(for_all.records.log_copies) == {1}
    assert waits_ms(for_one.records).max() < 10


def test_a_follower_gives_up_a_fetch_that_is_not_answered() -> None:
    """After 30 s, and then again; so it is back soon after the cut, and TCP is not."""
    cut = ks.Cut("link:broker:3->broker:1", at_s=5.0, for_s=60.0)

    result = story(evenly(5, 0.0), cut, until_s=100.0, acks="1")

    (joined_ms,) = result.replicas.query("cause == 'joined the ISR'").at_ms
    assert 65_000 < joined_ms < 70_000


def test_an_answer_that_never_comes_fails_a_record_that_is_in_the_log() -> None:
    """DS-12: a cut of 130 s, and 120 s to deliver it: no connection comes about."""
    cut = ks.Cut("link:broker:1->shop", at_s=5.0, for_s=130.0)

    result = story(records_at(5.0), cut, until_s=5.1)

    (record,) = result.records.itertuples()
    assert (record.outcome, record.error) == ("failed", "REQUEST_TIMED_OUT")
    assert record.log_copies == 1
    assert record.send_count == 1  # it waited to be sent again when its time was over
    (request,) = result.requests.query("api == 'Produce'").itertuples()
    assert request.error == "REQUEST_TIMED_OUT"
    assert times_read(result) == {0: 1}


@pytest.mark.parametrize(("acks", "kept"), [("1", False), ("all", True)])
def test_a_leader_that_is_cut_off_still_takes_writes_and_loses_them(
    *, acks: str, kept: bool
) -> None:
    """With acks=1: nobody has crashed, and all was acknowledged.

    The producer reaches it and does not know that another one leads.
    """
    cuts = [
        ks.Cut(f"link:broker:1<->{other}", at_s=5.0, for_s=30.0)
        for other in ("broker:2", "broker:3", "controller")
    ]

    result = story(
        evenly(20, 0.0),
        *cuts,
        until_s=45.0,
        acks=acks,
        enable_idempotence=acks == "all",
    )

    records = result.records
    (elected_ms,) = result.replicas.query("cause == 'elected' and broker == 2").at_ms
    assert 5_000 + 7_000 < elected_ms < 5_000 + 10_300
    assert set(records.outcome) == {"acked"}
    lost = records[records.log_copies == 0]
    if kept:
        assert lost.empty
        assert waits_ms(records).max() > 25_000
    else:
        assert lost.created_ms.min() == pytest.approx(5_000, abs=100)
        assert 35_000 < lost.created_ms.max() < 39_000
        assert waits_ms(lost).max() < 10  # it answered each of them at once
        cut_back = result.replicas.query("cause == 'truncated' and at_ms < 40_000")
        assert cut_back.broker.tolist() == [1]  # when it hears of the other one
    read = times_read(result)
    assert all(read[record] == 0 for record in lost.record_id)


def test_what_a_leader_takes_that_is_cut_off_for_good_is_waited_for_by_nobody() -> None:
    cuts = [
        ks.Cut(f"link:broker:1<->{other}", at_s=5.0)
        for other in ("broker:2", "broker:3", "controller")
    ]

    result = story(
        records_at(1.0, 20.0), *cuts, until_s=21.0, acks="1", enable_idempotence=False
    )

    assert result.records.log_copies.tolist() == [1, 0]
    assert result.facts["drained"]
    assert float(result.facts["end_ns"]) < 22e9


def test_a_broker_that_the_controller_does_not_hear_is_fenced_though_it_works() -> None:
    cut = ks.Cut("link:broker:1->controller", at_s=5.0, for_s=20.0)

    result = story(evenly(20, 0.0), cut, until_s=40.0)

    (elected_ms,) = result.replicas.query("cause == 'elected' and broker == 2").at_ms
    assert 5_000 + 7_000 < elected_ms < 5_000 + 10_300
    back = result.replicas.query("cause == 'joined the ISR' and broker == 1")
    assert back.at_ms.min() > 25_000
    assert set(result.records.log_copies) == {1}


# --- delay ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delay", "longer_ms"),
    [
        (ks.Delay("link:shop<->broker:1", at_s=2.0, for_s=2.0, extra_ms=30), 60),
        (ks.Delay("link:shop->broker:1", at_s=2.0, for_s=2.0, extra_ms=30), 30),
        (ks.Delay("link:shop->broker:1", at_s=2.0, for_s=2.0, factor=7.0), 30),
    ],
    ids=["both ways", "one way", "factor"],
)
def test_a_slow_link_delays_what_is_sent_over_it_meanwhile(
    delay: ks.Delay, longer_ms: float
) -> None:
    records = story(evenly(10, 0.05), delay, until_s=6.0, delay_ms=APART_MS).records

    usual_ms = waits_ms(records[records.created_ms < 2_000]).median()
    during = records[(records.created_ms > 2_000) & (records.created_ms < 3_900)]
    after = records[records.created_ms > 4_100]
    assert waits_ms(during).median() == pytest.approx(usual_ms + longer_ms, abs=0.5)
    assert waits_ms(after).median() == pytest.approx(usual_ms, abs=0.5)


def test_a_slow_follower_makes_all_wait_that_want_all_acknowledged() -> None:
    delay = ks.Delay("link:broker:3<->broker:1", at_s=2.0, for_s=2.0, extra_ms=50)

    for_all = story(evenly(10, 0.05), delay, until_s=5.0).records
    for_one = story(
        evenly(10, 0.05), delay, until_s=5.0, acks="1", enable_idempotence=False
    ).records

    assert waits_ms(for_all).max() > 100
    assert waits_ms(for_one).max() < 10


# --- loss -------------------------------------------------------------------------


@pytest.mark.parametrize(("idempotent", "copies"), [(False, 2), (True, 1)])
def test_a_response_that_is_lost_makes_a_duplicate_unless_sequences_are_checked(
    *, idempotent: bool, copies: int
) -> None:
    """DS-9 and DS-10: the record is in the log, and its producer cannot know."""
    loses = ks.Lose("link:broker:1->shop", at_s=10.0, for_s=0.04)

    result = story(
        records_at(10.0),
        loses,
        until_s=10.1,
        delay_ms=APART_MS,
        enable_idempotence=idempotent,
    )

    (record,) = result.records.itertuples()
    assert (record.outcome, record.send_count) == ("acked", 2)
    assert record.log_copies == copies
    assert record.offset == 0
    assert times_read(result) == {0: copies}
    assert waits_ms(result.records).max() < 200  # it learnt of the loss at once


def test_requests_that_are_lost_are_sent_again_in_order() -> None:
    loses = ks.Lose("link:shop->broker:1", at_s=2.0, for_s=4.0, share=0.3)

    result = story(evenly(50, 0.0), loses, until_s=8.0)

    records = result.records
    again = records[records.send_count > 1]
    assert again.created_ms.between(1_990, 6_000).all()
    assert len(again) > 20
    assert set(records.outcome) == {"acked"}
    assert set(records.log_copies) == {1}
    assert in_log_order(result) == records.record_id.tolist()


def test_acks_0_loses_without_a_word_what_a_link_loses() -> None:
    """DS-1: each request that is lost, and what came behind it on its connection."""
    loses = ks.Lose("link:shop->broker:1", at_s=2.0, for_s=2.0, share=0.5)

    result = story(
        evenly(20, 0.0), loses, until_s=6.0, acks="0", enable_idempotence=False
    )

    records = result.records
    lost = records[records.log_copies == 0]
    assert 5 < len(lost) < 40
    assert lost.created_ms.between(1_990, 4_000).all()
    assert set(records.outcome) == {"unacked"}
    assert set(records.send_count) == {1}


def test_responses_alone_can_be_lost_of_what_goes_both_ways() -> None:
    """The same as a loss on the way back."""
    both = ks.Lose(
        "link:shop<->broker:1", at_s=2.0, for_s=4.0, share=0.3, only="responses"
    )
    back = ks.Lose("link:broker:1->shop", at_s=2.0, for_s=4.0, share=0.3)

    one, other = (
        story(evenly(20, 0.0), event, until_s=8.0).records for event in (both, back)
    )

    assert (one.acked_ms == other.acked_ms).all()
    assert one.send_count.max() > 1


@pytest.mark.parametrize(
    "target", ["link:billing<->broker:1", "link:member:billing/1<->broker:1"]
)
def test_a_reader_over_a_bad_link_reads_all_once(target: str) -> None:
    events = (
        ks.Lose(target, at_s=2.0, for_s=2.0, share=0.3),
        ks.Cut(target, at_s=5.0, for_s=1.0),
    )

    result = story(evenly(50, 0.0), *events, until_s=8.0)

    assert set(times_read(result).values()) == {1}
    late = result.deliveries.started_ms.to_numpy() - result.records.appended_ms
    assert late.max() > 900
    assert result.events.event.tolist() == ["Lose", "Cut"]
    assert result.events.effect.tolist() == [
        "0.3 of messages are lost, each with its connection",
        "no messages arrive; TCP sends them again",
    ]


# --- point to point ---------------------------------------------------------------


def test_point_to_point_a_cut_link_blocks_the_source() -> None:
    traffic = ks.Traffic(
        {"shop": evenly(20, 0.01)},
        {"billing": ks.Subscriber(["orders"]), "audit": ks.Subscriber(["orders"])},
        duration_s=8.0,
    )
    events = [ks.Cut("link:shop->billing", at_s=2.0, for_s=2.0)]

    result = ks.run(ks.Scenario(traffic, ks.PointToPoint(), events=events), check=True)

    records = result.records
    # It was sent at 2.01 s, and TCP came through 3 s later.
    assert (records.created_ms - records.intended_ms).max() > 2_900
    assert result.blocked.until_ms.max() > 5_000
    assert set(times_read(result).values()) == {2}

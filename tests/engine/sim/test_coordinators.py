"""The host of coordinators, with the smallest machine behind it."""

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.engine.sim.group_requests import error_of
from kafkasim.protocol.errors import COORDINATOR_LOAD_IN_PROGRESS, NONE, NOT_COORDINATOR
from kafkasim.protocol.groups.coordinator.coordinator_answers import refusal
from kafkasim.protocol.groups.group_messages import (
    CoordinatorFound,
    FindCoordinator,
    JoinGroup,
    OffsetsFetched,
    WriteFailed,
    Written,
)
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.scenario.events import Crash, Pause
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from tests.engine.sim.coordinated_probe import (
    GROUP,
    Said,
    SmallShard,
    beat,
    commit,
    fetch,
    healthy,
    large_commit,
    probed,
)

_NUMBER = offsets_partition(GROUP)
_QUICK = Hardware(link=Link(delay_ms=0.2), cpu=Cpu(request_ms=0.05))
_OFFSET_MS = 1_767_225_600_000
"""When the run starts, in milliseconds since 1970."""


def _offset(said: list[Said]) -> int:
    (one,) = said
    assert isinstance(one.response, OffsetsFetched)
    return one.response.offsets[0].offset


def test_a_commit_is_a_record_of_the_topic_and_is_answered_when_it_is_there() -> None:
    run = probed(hardware=_QUICK)
    said = run.ask(100, 0, commit(5))
    result = healthy(run.run())
    (row,) = result.offsets_topic.to_dict("records")
    assert (row["partition"], row["offset"], row["leader"]) == (_NUMBER, 0, 1)
    assert (row["group"], row["topic"], row["committed_offset"]) == (GROUP, "orders", 5)
    assert row["at_ms"] == pytest.approx(100.25)
    assert [one.at_ms for one in said] == [pytest.approx(100.45)]
    log = run.by_topic["__consumer_offsets"][_NUMBER].log
    assert log.log_end_offset == log.high_watermark == 1


def test_with_copies_the_answer_waits_for_the_high_watermark() -> None:
    run = probed(3, hardware=_QUICK)
    said = run.ask(100, run.home, commit(5))
    beside = run.ask(100.1, run.home, beat(), way=1)
    healthy(run.run())
    # The followers' fetches bring it and, with the next ones, tell of it.
    assert said[0].at_ms > 100.8
    # A heartbeat that came meanwhile waits for it, too.
    assert beside[0].at_ms == pytest.approx(said[0].at_ms)


def test_a_heartbeat_with_nothing_to_wait_for_is_answered_at_once() -> None:
    run = probed(3, hardware=_QUICK)
    said = run.ask(100, run.home, beat())
    run.run()
    assert said[0].at_ms == pytest.approx(100.45)


def test_every_broker_knows_who_coordinates_and_only_that_one_does() -> None:
    run = probed(3)
    other = (run.home + 1) % 3
    found = run.ask(100, other, FindCoordinator(group=GROUP))
    refused = run.ask(200, other, fetch())
    run.run()
    assert found[0].response == CoordinatorFound(node=run.home)
    assert refused[0].error == "NOT_COORDINATOR"


def test_a_coordinator_whose_broker_dies_is_replayed_by_the_next() -> None:
    run = probed(3, duration_s=40)
    home = run.home
    run = probed(
        3, events=[Crash(f"broker:{home + 1}", 10.0, 5.0)], duration_s=40, check=False
    )
    run.ask(1_000, home, commit(5))
    run.ask(2_000, home, commit(7))
    heir = (home + 1) % 3
    early = run.ask(11_000, heir, fetch())
    found = run.ask(24_000, heir, FindCoordinator(group=GROUP))
    late = run.ask(25_000, heir, fetch())
    run.run()
    first, second = run.shards[_NUMBER]
    assert early[0].error == "NOT_COORDINATOR"
    assert found[0].response == CoordinatorFound(node=heir)
    assert _offset(late) == 7
    assert first.loaded == []
    assert second.loaded is not None
    assert len(second.loaded) == 2


def test_a_coordinator_that_loads_says_so() -> None:
    slow = Hardware(link=Link(delay_ms=0.2), cpu=Cpu(request_ms=0.05, mb_ms=1e7))
    run = probed(3)
    home = run.home
    crash = Crash(f"broker:{home + 1}", 10.0)
    run = probed(3, events=[crash], duration_s=40, hardware=slow, check=False)
    run.ask(1_000, home, commit(5))
    heir = (home + 1) % 3
    answers = [run.ask(15_000 + 100 * n, heir, fetch()) for n in range(100)]
    run.run()
    errors = list(dict.fromkeys(one[0].error for one in answers))
    assert errors == ["NOT_COORDINATOR", "COORDINATOR_LOAD_IN_PROGRESS", ""]


def test_a_write_that_no_copy_confirms_is_given_up_after_five_seconds() -> None:
    run = probed(2)
    home = run.home
    other = 1 - home
    run = probed(2, events=[Pause(f"broker:{other + 1}", 1.0, 20.0)], duration_s=30,
                 check=False)  # fmt: skip
    said = run.ask(2_000, home, commit(5))
    run.run()
    assert said[0].error == "COORDINATOR_NOT_AVAILABLE"
    assert said[0].at_ms == pytest.approx(7_000.45)
    (shard,) = run.shards[_NUMBER]
    failed = [each for each in shard.heard if isinstance(each, WriteFailed)]
    assert [each.appended for each in failed] == [True]
    assert not any(isinstance(each, Written) for each in shard.heard)


def test_with_a_linger_writes_share_a_batch() -> None:
    config = BrokerConfig(group_coordinator_append_linger_ms=20)
    run = probed(hardware=_QUICK, broker_config=config)
    first = run.ask(100, 0, commit(5))
    second = run.ask(110, 0, commit(6, partition=1), way=1)
    result = healthy(run.run())
    assert list(result.offsets_topic["at_ms"]) == [pytest.approx(120.25)] * 2
    assert first[0].at_ms == second[0].at_ms == pytest.approx(120.45)
    log = run.by_topic["__consumer_offsets"][_NUMBER].log
    assert [len(each.contents.batches) for each in log.segments] == [1]  # type: ignore[attr-defined]


def test_a_machine_is_called_on_the_millisecond_it_asked_for() -> None:
    run = probed()
    run.ask(100, 0, fetch())
    shard = SmallShard()
    shard.deadline_ms = _OFFSET_MS + 250
    run.next_shard = shard
    run.run()
    assert shard.fired == [_OFFSET_MS + 250]


def test_partitions_that_keep_no_group_add_nothing_to_the_calendar() -> None:
    few = probed(3, broker_config=BrokerConfig(offsets_topic_num_partitions=3),
                 check=False)  # fmt: skip
    many = probed(3, broker_config=BrokerConfig(offsets_topic_num_partitions=50),
                  check=False)  # fmt: skip
    few.run()
    many.run()
    assert few.calendar.entry_count == many.calendar.entry_count


def test_a_heartbeat_is_told_nothing_of_a_coordinator_that_loads() -> None:
    assert error_of(refusal(beat(), COORDINATOR_LOAD_IN_PROGRESS)) == NONE
    join = JoinGroup(group=GROUP, protocols=())
    told = refusal(join, COORDINATOR_LOAD_IN_PROGRESS)
    assert error_of(told) == COORDINATOR_LOAD_IN_PROGRESS


def test_who_leads_no_more_answers_once_and_appends_nothing_more() -> None:
    """Its leader moves while a commit waits for others that share a batch with it."""
    config = BrokerConfig(group_coordinator_append_linger_ms=160)
    home = probed(3, broker_config=config).home
    leaves = Crash(f"broker:{home + 1}", 1.0, clean=True)
    run = probed(
        3, events=[leaves], duration_s=15, broker_config=config, hardware=_QUICK
    )
    said = run.ask(900, home, commit(5))
    result = healthy(run.run())
    assert [one.error for one in said] == ["NOT_COORDINATOR"]
    assert len(result.offsets_topic) == 0
    first, *_ = run.shards[_NUMBER]
    failed = [each.error for each in first.heard if isinstance(each, WriteFailed)]
    assert failed == [NOT_COORDINATOR]
    assert first.heard[-1] == "unload"


def test_a_write_whose_time_is_over_while_its_broker_stands_still() -> None:
    """It is appended when that goes on, and who waited is told at once."""
    config = BrokerConfig(
        group_coordinator_append_linger_ms=160, offsets_commit_timeout_ms=500
    )
    home = probed(3, broker_config=config).home
    stands = Pause(f"broker:{home + 1}", 1.0, for_s=2.0)
    run = probed(
        3, events=[stands], duration_s=15, broker_config=config, hardware=_QUICK
    )
    said = run.ask(900, home, commit(5))
    result = healthy(run.run())
    assert [one.error for one in said] == ["COORDINATOR_NOT_AVAILABLE"]
    assert said[0].at_ms == pytest.approx(3_000.2, abs=0.1)
    assert result.offsets_topic["committed_offset"].tolist() == [5]


def test_a_write_that_is_larger_than_a_batch_may_be_is_refused() -> None:
    run = probed(hardware=_QUICK)
    said = run.ask(100, 0, large_commit(5, 1_100_000))
    later = run.ask(200, 0, commit(6))
    result = healthy(run.run())
    assert [one.error for one in said] == ["UNKNOWN_SERVER_ERROR"]
    assert [one.error for one in later] == [""]
    assert result.offsets_topic["committed_offset"].tolist() == [6]


def test_a_batch_that_would_be_too_large_goes_before_its_linger_is_over() -> None:
    config = BrokerConfig(group_coordinator_append_linger_ms=50)
    run = probed(hardware=_QUICK, broker_config=config)
    run.ask(100, 0, large_commit(5, 600_000))
    run.ask(120, 0, large_commit(7, 600_000), way=1)
    rows = healthy(run.run()).offsets_topic
    first = rows["committed_offset"] < 7
    assert rows["at_ms"][first].tolist() == pytest.approx([120.25] * 150)
    assert rows["at_ms"][~first].tolist() == pytest.approx([170.25] * 150)

"""Readers that seek, and that let partitions be: as their applications ask for it.

A record every 10 ms; a poll returns what is there, and each record takes 1 ms.
"""

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.scenario.events import Event


def read(
    *events: Event,
    partitions: int = 1,
    count: int = 100,
    work_ms: float = 1.0,
    keys: ks.UniformKeys | None = None,
    check: bool = True,
    **consumer: int | str | bool,
) -> ks.Result:
    """Run a second of records and one reader of all of them."""
    source = ks.Source(
        "orders", ks.Periodic(100, 0.0), value_bytes=100, keys=keys or ks.NoKeys()
    )
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=partitions)},
        producers={"shop": ks.Producer(ks.ProducerConfig(linger_ms=0))},
        groups={"billing": ks.Group(config=ks.ConsumerConfig(**consumer))},  # type: ignore[arg-type]
    )
    traffic = ks.Traffic(
        {"shop": source},
        {"billing": ks.Subscriber(["orders"], work_ms=work_ms)},
        duration_s=count / 100,
    )
    result = ks.run(ks.Scenario(traffic, cluster, events=events), check=check)
    if check:
        assert result.violations.empty
    return result


def handed(result: ks.Result, partition: int = 0) -> list[int]:
    """Offsets in the order in which a member was given them."""
    mine = result.deliveries[result.deliveries.partition == partition]
    return mine.sort_values(["started_ms", "offset"]).offset.tolist()


def test_a_reader_that_seeks_back_is_given_the_records_again() -> None:
    """CO-5: at 0.5 s it goes back to offset 20."""
    result = read(ks.Seek("subscriber:billing", at_s=0.5, to=20))

    assert handed(result) == [*range(50), *range(20, 100)] or handed(result) == [
        *range(51),
        *range(20, 100),
    ]
    assert ks.summary(result)["duplicated"].tolist() in ([30], [31])
    started = result.assignments.start_offset.tolist()
    assert started == [0, 20]


def test_a_reader_may_begin_anew_or_leave_out_what_it_has_not_read() -> None:
    """`seekToBeginning` and `seekToEnd`: the leader is asked where that is."""
    slow = ks.Seek("subscriber:billing", at_s=0.5, to="latest")
    result = read(slow, work_ms=50.0, max_poll_records=1)

    asked = result.requests.query("api == 'ListOffsets'")
    assert len(asked) == 1
    offsets = handed(result)
    (start,) = result.assignments.start_offset.tolist()[1:]
    assert 50 <= start <= 60  # the end of the log then
    assert offsets == [*range(offsets.index(start)), *range(start, 100)]
    skipped = ks.receipts(result).query("outcome == 'skipped'").record_id.tolist()
    assert skipped == list(range(offsets.index(start), start))

    again = handed(read(ks.Seek("subscriber:billing", at_s=0.5, to="earliest")))
    assert again[-100:] == list(range(100))
    assert len(again) in {150, 151}


def test_a_reader_may_go_back_to_a_time() -> None:
    """`offsetsForTimes`: the first record that is as young as that."""
    result = read(ks.Seek("subscriber:billing", at_s=0.5, to="by_duration:PT0.2S"))

    (start,) = result.assignments.start_offset.tolist()[1:]
    assert start == 30


def test_who_is_at_work_seeks_when_that_is_done() -> None:
    """The application's thread works on what a poll returned: ten records, 1 s each."""
    seek = ks.Seek("subscriber:billing", at_s=2.0, to=0)
    result = read(seek, count=20, work_ms=1_000.0, max_poll_records=10, check=True)

    offsets = handed(result)
    at = offsets.index(0, 1)
    assert result.deliveries.query("outcome == 'abandoned'").empty
    (_, since_ms) = result.assignments.since_ms.tolist()
    assert since_ms > 2_000
    assert offsets[at:] == list(range(20))
    assert offsets[:at] == list(range(at))


def test_what_was_fetched_is_dropped_by_a_seek() -> None:
    """CO-5: with one record a poll the buffer holds many; none of them is returned."""
    result = read(
        ks.Seek("subscriber:billing", at_s=1.2, to=0, partition=0),
        work_ms=20.0,
        max_poll_records=1,
    )

    offsets = handed(result)
    turned = offsets.index(0, 1)
    assert offsets[:turned] == list(range(turned))
    assert turned < 80
    assert offsets[turned:] == list(range(100))
    assert result.deliveries.fetched_ms[turned:].min() > 1_200


def test_a_partition_that_is_paused_is_not_read_and_loses_nothing() -> None:
    """CO-5: from 0.3 to 0.7 s only the other partition is."""
    result = read(
        ks.PausePartitions("subscriber:billing", at_s=0.3, for_s=0.4, partition=1),
        partitions=2,
        keys=ks.UniformKeys(50),
    )

    deliveries = result.deliveries
    meanwhile = deliveries.query("320 < started_ms < 700")
    assert set(meanwhile.partition) == {0}
    for partition in (0, 1):
        mine = handed(result, partition)
        assert mine == list(range(len(mine)))
    assert ks.summary(result)["lost"].tolist() == [0]
    assert len(deliveries) == 100
    assert result.events.effect.tolist() == ["paused 1 partition"]


def test_what_was_fetched_of_a_paused_partition_is_kept_and_not_fetched_again() -> None:
    """CO-5: a slow reader has it all in its buffer when it pauses."""
    event = ks.PausePartitions("subscriber:billing", at_s=1.1, for_s=2.0)
    paused = read(event, work_ms=20.0, max_poll_records=1)
    plain = read(work_ms=20.0, max_poll_records=1)

    assert handed(paused) == handed(plain) == list(range(100))
    started = paused.deliveries.started_ms
    assert started[(started > 1_130) & (started < 3_100)].empty
    assert started.max() > plain.deliveries.started_ms.max() + 1_900
    size = "size_bytes"
    fetched = [r.requests.query("api == 'Fetch'")[size].sum() for r in (paused, plain)]
    assert fetched[0] == fetched[1]


def test_a_crash_ends_a_pause_of_partitions() -> None:
    result = read(
        ks.PausePartitions("subscriber:billing", at_s=0.3),
        ks.Crash("subscriber:billing", at_s=0.5, for_s=0.1),
    )

    assert handed(result)[-1] == 99


@pytest.mark.parametrize("kind", [ks.Seek, ks.PausePartitions])
def test_readers_are_asked_for_what_they_read(
    kind: type[ks.Seek] | type[ks.PausePartitions],
) -> None:
    with pytest.raises(ValidationError, match="less than 1") as caught:
        read(kind("subscriber:billing", at_s=0.1, partition=1))
    assert caught.value.path == "events.0.partition"
    with pytest.raises(ValidationError, match="orders") as caught:
        read(kind("subscriber:billing", at_s=0.1, stream="bills"))
    assert caught.value.path == "events.0.stream"
    with pytest.raises(ValidationError, match="subscriber:billing") as caught:
        read(kind("broker:1", at_s=0.1))
    assert caught.value.path == "events.0.target"


@pytest.mark.parametrize("to", ["none", "newest", -1, 1.5])
def test_there_is_no_such_place_to_seek_to(to: int | str) -> None:
    with pytest.raises(ValidationError, match="an offset ≥ 0") as caught:
        ks.Seek("subscriber:billing", at_s=0.1, to=to)
    assert caught.value.path == "to"


def test_an_event_of_a_reader_is_written_and_read_back() -> None:
    scenario = ks.Scenario(
        ks.Traffic(
            {"shop": ks.Source("orders", ks.Periodic(1.0))},
            {"billing": ks.Subscriber(["orders"])},
            duration_s=1.0,
        ),
        events=[
            ks.Seek("subscriber:billing", at_s=0.1, to=7),
            ks.Seek("subscriber:billing", at_s=0.1, to="latest", stream="orders"),
            ks.PausePartitions("subscriber:billing", at_s=0.2, for_s=0.1, partition=0),
        ],
    )

    assert ks.Scenario.from_toml(scenario.to_toml()) == scenario
    assert "Seek(target='subscriber:billing'" in scenario.describe()

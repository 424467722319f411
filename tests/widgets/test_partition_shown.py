import numpy as np
import pytest

import kafkasim as ks
from kafkasim.testing.builders import small_result
from kafkasim.widgets.partition_shown import Shown, shown_of

#        intended, appended, ended (ms; None: never), partition, entity
ROWS = [
    (0.0, 1.0, 2.0, 0, "a"),
    (1.0, 2.0, 9.0, 1, "a"),
    (2.0, 3.0, 4.0, 0, "a"),
    (3.0, 4.0, 8.0, 1, "b"),
    (4.0, 5.0, None, 0, None),
]


def run_of(rows: list[tuple[float, float, float | None, int, str | None]]) -> ks.Result:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(1))},
        {"billing": ks.Subscriber(["orders"])},
        duration_s=1,
    )
    system = ks.Kafka(topics={"orders": ks.Topic(partitions=3)})
    offsets = [0, 0, 0]
    records = []
    for intended, appended, _, partition, entity in rows:
        records.append(
            {
                "intended_ms": intended,
                "appended_ms": appended,
                "acked_ms": appended,
                "topic": "orders",
                "partition": partition,
                "offset": offsets[partition],
                "key": None,
                "entity": entity,
            }
        )
        offsets[partition] += 1
    deliveries = [
        {"record_id": place, "subscriber": "billing", "ended_ms": row[2]}
        for place, row in enumerate(rows)
        if row[2] is not None
    ]
    return small_result(
        records=records, deliveries=deliveries, scenario=ks.Scenario(traffic, system)
    )


def seen(rows: list[tuple[float, float, float | None, int, str | None]]) -> Shown:
    return shown_of(run_of(rows), "orders", "billing")


def test_lag_is_what_was_appended_and_not_yet_processed() -> None:
    shown = seen(ROWS)

    assert shown.lag.max(axis=1).tolist() == [1.0, 2.0, 0.0]
    assert shown.total.max() == 3.0  # from 5 ms, when the fifth came, to 8 ms
    assert shown.total[-1] == 1.0  # the fifth is left
    assert shown.lag[:, -1].tolist() == [1.0, 0.0, 0.0]
    assert shown.at_s[-1] == pytest.approx(0.009)
    assert shown.lag_then.tolist() == [0, 2, 0]  # at 4 ms
    assert shown.sent == 5
    assert shown.sent_until_s == pytest.approx(0.004)


def test_numbers_are_the_metrics_of_the_run() -> None:
    result = run_of(ROWS)

    numbers = shown_of(result, "orders", "billing").numbers

    metrics = ks.analysis.metrics(result)
    for name, value in numbers.items():
        assert value == pytest.approx(metrics[name], nan_ok=True)
    assert numbers["overtaken_share"] == pytest.approx(1 / 4)


def test_the_braid_is_of_processed_records_with_an_entity() -> None:
    braid = seen(ROWS).braid

    assert (braid.entity, braid.records, braid.pairs) == ("a", 3, 1)
    assert braid.places.tolist() == [0, 2, 1]


def test_a_drain_that_did_not_come_is_missing() -> None:
    assert np.isnan(seen(ROWS).times_ms[2])
    assert seen(ROWS[:4]).times_ms[2] == pytest.approx(6.0)


def test_without_an_entity_there_is_no_braid() -> None:
    shown = seen([(0.0, 1.0, 2.0, 0, None)])

    assert shown.braid.entity == ""
    assert shown.times_ms[0] == pytest.approx(2.0)


def test_one_record_is_a_run() -> None:
    shown = seen([(0.0, 1.0, 2.0, 0, "a")])

    assert (shown.sent, shown.total.max()) == (1, 1.0)
    assert shown.braid.records == 1
    assert not shown.built_up
    assert shown.stalled is None


def test_without_a_record_everything_is_empty() -> None:
    shown = seen([])

    assert (shown.sent, shown.partitions, shown.braid.entity) == (0, 3, "")
    assert not shown.total.any()
    assert not shown.built_up
    assert np.isnan(shown.times_ms[:2]).all()


@pytest.mark.parametrize(
    ("lag_then", "built_up", "stalled"),
    [
        ([9, 0], False, None),  # below a tenth of the 100 sent
        ([10, 0], True, 0),
        ([0, 10], True, 1),
        ([10, 5], True, None),  # two thirds, and no more
        ([11, 5], True, 0),
        ([10, 10], True, None),
        ([50], True, None),  # the only partition stalls alone by itself
    ],
)
def test_a_partition_stalls_with_over_two_thirds_of_a_lag_that_built_up(
    lag_then: list[int],
    built_up: bool,  # noqa: FBT001 - a column of the table above
    stalled: int | None,
) -> None:
    shown = Shown(
        at_s=np.array([0.0, 1.0]),
        lag=np.zeros((len(lag_then), 2)),
        total=np.zeros(2),
        sent=100,
        sent_until_s=2.0,
        lag_then=np.array(lag_then),
        numbers={},
        braid=seen([]).braid,
    )

    assert shown.built_up is built_up
    assert shown.stalled == stalled
    assert shown.climbs_per_s == (sum(lag_then) / 2.0 if built_up else 0.0)


def test_lag_is_exact_in_every_bin() -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Poisson(2_000), keys=ks.UniformKeys(50))},
        {"billing": ks.Subscriber(["orders"], work_ms=ks.Exponential(0.4))},
        duration_s=1,
    )
    system = ks.Kafka(topics={"orders": ks.Topic(partitions=3)})
    result = ks.run(ks.Scenario(traffic, system))

    shown = shown_of(result, "orders", "billing")

    peaks = ks.analysis.lag(result, by="partition").groupby("partition")
    assert shown.lag.max(axis=1).tolist() == peaks["lag_records_max"].max().tolist()
    assert shown.total.max() == ks.analysis.metrics(result)["lag_records_max"]
    assert (shown.total <= shown.lag.sum(axis=0)).all()
    assert (shown.total >= shown.lag.max(axis=0)).all()

import numpy as np

import kafkasim as ks
from kafkasim.widgets.picture import Picture, Shown, alt_text, shown_of


def shown(lag: list[float], counts: list[float]) -> Shown:
    return Shown(np.arange(float(len(lag))), np.array(lag), np.array(counts), {})


def test_the_artists_stay_and_their_data_moves() -> None:
    picture = Picture()
    first, second = shown([0, 4, 2], [6]), shown([0, 1, 0], [1, 5, 0])

    picture.update(first, None)
    line, stairs = picture.lag_line, picture.stairs
    picture.update(second, first)

    assert picture.lag_line is line
    assert picture.stairs is stairs
    assert np.asarray(line.get_ydata()).tolist() == [0, 1, 0]
    assert np.asarray(picture.before_line.get_ydata()).tolist() == [0, 4, 2]
    assert stairs.get_data().values.tolist() == [1, 5, 0]
    assert picture.lag_axes.get_ylim()[1] > 4
    assert picture.partition_axes.get_xlim() == (-0.6, 2.6)


def test_the_same_picture_has_the_same_bytes() -> None:
    picture = Picture()
    picture.update(shown([0, 1], [2, 3]), None)

    assert picture.png() == picture.png()
    assert picture.png()[:8] == b"\x89PNG\r\n\x1a\n"


def test_a_run_without_records_is_an_empty_picture() -> None:
    picture = Picture()

    picture.update(shown([], [0, 0]), None)

    assert alt_text(shown([], [0, 0])) == (
        "Lag over 0 s: at most 0 records. 2 partitions, 2 of them "
        "without a record; the fullest got 0 records, the mean is 0."
    )
    assert picture.png()


def test_what_is_shown_comes_from_the_tables() -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(10), keys=ks.UniformKeys(5))},
        {"billing": ks.Subscriber(["orders"], work_ms=1.0)},
        duration_s=1,
    )
    system = ks.Kafka(topics={"orders": ks.Topic(partitions=4)})
    result = ks.run(ks.Scenario(traffic, system))

    seen = shown_of(result, "orders", "billing")

    assert seen.partition_records.sum() == 10
    assert len(seen.partition_records) == 4
    assert seen.lag_records.max() == seen.metrics["lag_records_max"]
    assert seen.lag_records[-1] == 0
    assert seen.at_s[-1] * 1e9 == result.facts["end_ns"]

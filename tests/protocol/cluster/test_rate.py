import pytest

from kafkasim.protocol.cluster.rate import Rate, TokenBucket, java_round


def test_a_first_value_counts_over_all_windows_but_one() -> None:
    rate = Rate(11, 1_000)

    rate.record(5_000, 0)

    assert rate.elapsed_ms(0) == 10_000
    assert rate.per_second(0) == 500.0
    assert rate.elapsed_ms(300) == 10_300


def test_a_window_begins_with_the_first_value_after_the_last_is_over() -> None:
    rate = Rate(3, 1_000)

    rate.record(1, 0)
    rate.record(1, 999)
    rate.record(1, 2_500)

    assert rate.per_second(2_500) == pytest.approx(3 / 2.5)


def test_a_window_is_over_once_it_is_as_long_as_it_may_be() -> None:
    rate = Rate(3, 1_000)
    rate.record(6, 0)
    rate.record(1, 1_000)

    assert rate.per_second(3_000) == 1 / 2.0  # the window of 0 is too old, with its 6


def test_one_window_more_than_asked_for_is_kept() -> None:
    rate = Rate(3, 1_000)
    for now_ms in (0, 900, 1_000, 2_000, 3_000):
        rate.record(1, now_ms)

    assert rate.per_second(3_000) == 5 / 3.0


def test_the_oldest_window_counts_until_its_last_value_is_too_old() -> None:
    """It began before the time that is looked at, and overlaps it."""
    rate = Rate(3, 1_000)
    rate.record(6, 0)
    rate.record(6, 900)
    rate.record(1, 3_000)

    assert rate.per_second(3_899) == pytest.approx(13 / 3.899)
    # At 3,900 the window of 0 is 3 s past its last value: it begins anew, empty.
    assert rate.per_second(3_900) == pytest.approx(1 / 2.9)


def test_a_rate_over_no_time_is_over_one_millisecond() -> None:
    rate = Rate(1, 1_000)

    rate.record(2, 7)

    assert rate.elapsed_ms(7) == 1
    assert rate.per_second(7) == 2_000.0


def test_nothing_recorded_is_no_rate() -> None:
    assert Rate(11, 1_000).per_second(50) == 0.0


def test_a_bucket_holds_no_more_than_its_burst_and_may_owe() -> None:
    bucket = TokenBucket(10, 1_000)

    assert bucket.left(2.0, 100) == 20.0
    bucket.take(25, 2.0, 100)
    assert bucket.left(2.0, 100) == -5.0
    assert bucket.left(2.0, 3_100) == 1.0
    assert bucket.left(2.0, 999_999) == 20.0


def test_a_half_is_rounded_up() -> None:
    assert [java_round(each) for each in (0.5, 1.5, -0.5, 2.49)] == [1, 2, 0, 2]
    assert java_round(2.0**60) == 2**60

import numpy as np
import pytest

from kafkasim.units import MISSING_NS, ms_from_ns, ns_from_ms, ns_from_s


@pytest.mark.parametrize(
    ("milliseconds", "nanoseconds"),
    [
        (0.2, 200_000),
        (5, 5_000_000),
        (1e-6, 1),
        (0.5e-6, 0),  # half to even
        (1.5e-6, 2),
    ],
)
def test_a_time_in_milliseconds_is_rounded_once_to_whole_nanoseconds(
    milliseconds: float, nanoseconds: int
) -> None:
    assert ns_from_ms(milliseconds) == nanoseconds


def test_a_time_in_seconds_is_whole_nanoseconds() -> None:
    assert ns_from_s(1.25) == 1_250_000_000


def test_a_time_that_never_came_is_shown_as_nan() -> None:
    shown = ms_from_ns(np.array([0, MISSING_NS, 2_500_000], np.int64))

    np.testing.assert_array_equal(shown, [0.0, np.nan, 2.5])

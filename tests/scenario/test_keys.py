import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kafkasim.errors import ValidationError
from kafkasim.scenario.keys import HotKey, Inverse, UniformKeys, ZipfKeys
from kafkasim.scenario.streams import stream

COUNT = 100_000


def assert_frequencies(ids: NDArray[np.int32], expected: NDArray[np.float64]) -> None:
    """Every key's share is within four standard errors of its probability."""
    share = np.bincount(ids, minlength=len(expected)) / len(ids)
    error = np.sqrt(expected * (1 - expected) / len(ids))
    assert len(share) == len(expected)
    assert (np.abs(share - expected) <= 4 * error).all()


def test_uniform_keys_are_equally_frequent() -> None:
    ids = UniformKeys(20).drawer()(stream(1, "a"), COUNT)

    assert ids.dtype == np.int32
    assert_frequencies(ids, np.full(20, 1 / 20))


@pytest.mark.parametrize("exponent", [0.0, 0.7, 1.0, 2.5])
def test_zipf_keys_have_the_weights_of_their_rank(exponent: float) -> None:
    ids = ZipfKeys(50, exponent=exponent).drawer()(stream(1, "a"), COUNT)

    weights = np.array([1 / rank**exponent for rank in range(1, 51)])
    assert ids.dtype == np.int32
    assert_frequencies(ids, weights / weights.sum())


def test_a_hot_key_has_its_share_and_the_others_the_rest() -> None:
    ids = HotKey(5, hot_share=0.6).drawer()(stream(1, "a"), COUNT)

    assert ids.dtype == np.int32
    assert_frequencies(ids, np.array([0.6, 0.1, 0.1, 0.1, 0.1]))


@pytest.mark.parametrize(("count", "hot_share"), [(1, 0.3), (5, 1.0)])
def test_a_hot_key_may_be_the_only_one(count: int, hot_share: float) -> None:
    assert set(HotKey(count, hot_share).drawer()(stream(1, "a"), 100).tolist()) == {0}


def test_a_hot_key_may_never_come() -> None:
    ids = HotKey(3, 0.0).drawer()(stream(1, "a"), 1_000)

    assert set(ids.tolist()) == {1, 2}


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=50),
    st.lists(st.floats(0.0, 1.0, exclude_max=True), max_size=50),
)
def test_the_guide_table_answers_as_a_search_does(
    weights: list[float], uniform: list[float]
) -> None:
    cumulative = np.cumsum(np.array(weights) + 1e-9)
    cumulative /= cumulative[-1]
    uniform_at_steps = np.array([*uniform, *cumulative[:-1], 0.0])

    found = Inverse(cumulative)(uniform_at_steps)

    searched = np.searchsorted(cumulative, uniform_at_steps, side="right")
    assert (found == searched).all()


def test_a_million_zipf_keys_are_drawn_like_a_few() -> None:
    ids = ZipfKeys(1_000_000).drawer()(stream(1, "a"), COUNT)

    harmonic = math.log(1_000_000) + 0.5772156649
    share = (ids == 0).mean()
    assert abs(share - 1 / harmonic) < 4 * math.sqrt(1 / harmonic / COUNT)
    assert ids.max() > 900_000


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: UniformKeys(0), "count"),
        (lambda: UniformKeys(1, null_share=1.1), "null_share"),
        (lambda: HotKey(2, -0.1), "hot_share"),
        (lambda: ZipfKeys(2, exponent=-1), "exponent"),
        (lambda: ZipfKeys(2.5), "count"),  # type: ignore[arg-type]
    ],
    ids=["none", "above one", "negative", "exponent", "half"],
)
def test_a_law_of_keys_that_is_none_is_refused(make, path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(ValidationError) as caught:
        make()

    assert caught.value.path == path

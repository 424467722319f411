"""Values that say which record they are of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.payload import payload


def plainly(record_id: int, size: int) -> bytes | None:
    name = f"record {record_id:09}"
    if size < 0:
        return None
    if size <= len(name):
        return name[len(name) - size :].encode()
    return f"{name} ".ljust(size, ".").encode()


@given(
    st.lists(
        st.tuples(st.integers(0, 10**9 - 1), st.integers(-1, 20) | st.just(100)),
        max_size=30,
    )
)
def test_a_value_names_its_record_and_has_its_size(
    pairs: list[tuple[int, int]],
) -> None:
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)

    values = payload(columns[:, 0], columns[:, 1])

    assert values.tolist() == [plainly(*pair) for pair in pairs]


@pytest.mark.parametrize("record_id", [-1, 10**9])
def test_a_number_that_does_not_fit_is_refused(record_id: int) -> None:
    with pytest.raises(ValueError, match="nine digits"):
        payload(np.array([record_id]), np.array([30]))

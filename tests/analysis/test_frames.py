"""Frames remember which scenario they came from."""

import numpy as np

from kafkasim.analysis.frames import ATTRIBUTE, categorical, frame, offsets_column
from kafkasim.testing.builders import small_result


def test_a_frame_remembers_its_scenario_through_a_selection() -> None:
    made = frame(small_result(), {"a": [1, 2]})
    assert made.attrs[ATTRIBUTE].startswith("Kafka, 1 broker")
    assert made[made["a"] > 1].attrs == made.attrs


def test_no_label_is_missing() -> None:
    names = categorical(np.array([1, -1]), ["a", "b"])
    assert names.isna().tolist() == [False, True]
    assert names[0] == "b"


def test_a_missing_offset_is_missing_and_the_rest_stay_whole() -> None:
    column = offsets_column(np.array([-1, 5]), np.array([True, False]))
    assert str(column.dtype) == "Int64"
    assert column[1] == 5
    assert column.isna().tolist() == [True, False]

import pickle

import pytest

from kafkasim.errors import (
    KafkasimError,
    TableNotRecorded,
    TraceError,
    ValidationError,
)


def test_a_validation_error_names_path_value_what_is_allowed_and_why() -> None:
    error = ValidationError("linger_ms", -1, "0 or more", "producer config")

    assert str(error) == (
        "linger_ms: -1 is not allowed; expected 0 or more (producer config)"
    )


def test_a_validation_error_can_be_put_under_its_parent() -> None:
    error = ValidationError("linger_ms", -1, "0 or more").under("producers.web.config")

    assert error.path == "producers.web.config.linger_ms"
    assert error.under("system").path == "system.producers.web.config.linger_ms"


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        (3, "time", "row 3, column 'time': no time"),
        (3, "", "row 3: no time"),
        (None, "time", "column 'time': no time"),
        (None, "", "no time"),
    ],
)
def test_a_trace_error_says_where_in_the_table(
    row: int | None, column: str, text: str
) -> None:
    assert str(TraceError("no time", row=row, column=column)) == text


@pytest.mark.parametrize(
    "error",
    [
        ValidationError("seed", -1, "0 or more", "it names a stream"),
        TraceError("no time", row=3, column="time"),
        TableNotRecorded("links", "point to point has none"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_equal_from_another_process(error: KafkasimError) -> None:
    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))

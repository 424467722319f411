import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.paths import join_path, one_of, split_path, suggestion
from kafkasim.errors import ValidationError


def test_names_are_joined_by_dots() -> None:
    assert split_path("events.0.at_s") == ("events", "0", "at_s")


def test_a_dotted_name_is_quoted() -> None:
    path = 'system.topics."orders.v1".partitions'

    assert split_path(path) == ("system", "topics", "orders.v1", "partitions")
    assert join_path(split_path(path)) == path


def test_single_quotes_hold_a_name_as_it_is() -> None:
    assert split_path(r"topics.'a\b'") == ("topics", r"a\b")


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1))
def test_splitting_undoes_joining(parts: list[str]) -> None:
    assert split_path(join_path(parts)) == tuple(parts)


@pytest.mark.parametrize("path", ["", "a.", ".a", "a..b", 'a."b', "a b", '"a"b', "a\\"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        split_path(path)


def test_the_nearest_name_is_suggested_and_nothing_when_none_is_near() -> None:
    assert suggestion("order", ["web", "orders"]) == "did you mean orders?"
    assert suggestion("xyz", ["web", "orders"]) == ""


def test_allowed_names_read_as_a_phrase() -> None:
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b.c"]) == 'one of a, "b.c"'
    assert one_of([]) == "nothing here"

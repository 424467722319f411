"""Texts in English, with their values, and what a language is asked for."""

import pytest

from kafkasim.catalogue import say, say_many


def test_english_is_the_text_itself_with_its_values() -> None:
    assert say("records") == "records"
    assert say("a {brace} stays without values") == "a {brace} stays without values"
    assert (
        say("{share:.1%} of {topic}", share=0.25, topic="orders") == "25.0% of orders"
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 records"), (1, "1 record"), (1.0, "1.0 record"), (1.5, "1.5 records")],
)
def test_one_is_one_and_all_else_is_many(number: float, said: str) -> None:
    assert say_many("{n} record", "{n} records", number) == said


def test_the_number_may_be_written_in_another_way() -> None:
    assert say_many("{n} record", "{n} records", 1_234, n="1,234") == "1,234 records"

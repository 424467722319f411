"""What the offset explorer says: a finding, numbers, and what is seen."""

from dataclasses import replace

import numpy as np
import pytest

from kafkasim.widgets.offset_shown import Shown, shown_of
from kafkasim.widgets.offset_words import alt_text, note, numbers, title, which
from tests.widgets.test_offset_shown import by_hand


@pytest.fixture(scope="module")
def shown() -> Shown:
    return shown_of(by_hand(), "billing", "audit")


def test_the_title_says_what_is_worst(shown: Shown) -> None:
    assert title(shown) == "Record 2 is never done"
    twice = replace(shown, first=np.array([3, 3, 3]), second=np.array([0, 3, 3]))
    assert title(twice) == "Records 1 and 2 are done twice, none is missing"
    once = replace(shown, first=np.array([3, 3, 0]), second=np.array([0, 0, 3]))
    assert title(once) == "Each record is done once, in spite of the crash"
    calm = shown_of(by_hand(crash=False), "billing", "audit")
    assert title(calm) == "Without a crash each of 3 records is done once"


def test_the_note_says_when_it_dies_and_how_it_goes_on(shown: Shown) -> None:
    said = "It dies at 0.35 s; 0.54 s later the next process goes on at offset 0"
    assert note(shown) == said
    assert note(replace(shown, begins_s=np.nan)).endswith("and nobody goes on")
    assert note(replace(shown, crash_s=np.nan)) == "1 commit stored"


def test_offsets_side_by_side_are_named_by_their_ends() -> None:
    assert which(np.array([True, True, True])) == "Records 0 to 2"


def test_the_numbers_are_those_of_the_run(shown: Shown) -> None:
    assert numbers(shown) == {
        "records done once": "1",
        "records done twice": "1",
        "records never done": "1",
        "handed out and not finished at the crash": "2",
        "the next process goes on at offset": "0",
        "from the crash until then": "0.54 s",
        "commits stored": "1",
        "records of __consumer_offsets": "4",
        "of these, still of use": "3",
        "done once by the other group": "2",
    }


def test_the_alternative_text_says_who_did_what(shown: Shown) -> None:
    words = alt_text(shown)

    assert "The first process does 1 records, the next one 2." in words
    assert words.endswith("has 4 records, of which 3 are the newest of their key.")

"""What the queue explorer says: a finding, numbers, and what is seen."""

from dataclasses import replace

import numpy as np
import pytest

from kafkasim.widgets.queue_shown import Shown, shown_of
from kafkasim.widgets.queue_words import (
    LOG,
    QUEUE,
    alt_text,
    most_held,
    note,
    numbers,
    title,
)
from tests.widgets.test_queue_shown import by_hand


@pytest.fixture(scope="module")
def shown() -> Shown:
    return shown_of(by_hand(log=False), by_hand(log=True), "billing", "audit")


def test_the_title_says_what_is_left_and_what_the_late_one_got(shown: Shown) -> None:
    said = "In the end the queue holds 1, the log 3; audit, who comes at 1 s, "
    assert title(shown) == f"{said}gets 1 and 1"


def test_the_note_says_what_else_happened(shown: Shown) -> None:
    died = "Billing dies: the queue hands 1 out again, the log 1"
    back = "it reads 0 again from the queue, 1 from the log"
    assert note(shown) == f"{died}; billing goes back: {back}"
    assert note(replace(shown, dies_s=np.nan)) == f"Billing goes back: {back}"
    assert note(replace(shown, replay_s=np.nan)) == died
    calm = replace(shown, dies_s=np.nan, replay_s=np.nan)
    assert note(calm).startswith("A bar is a record")


def test_what_is_held_at_most_counts_those_that_are_there_at_once(shown: Shown) -> None:
    assert (most_held(shown.queue), most_held(shown.log)) == (2, 3)
    late = replace(shown.queue, since_s=np.full(3, np.nan))
    assert most_held(late) == 0


def test_the_numbers_of_both_stand_side_by_side(shown: Shown) -> None:
    labels = [
        "records that came in",
        "held in the end",
        "held at most",
        "done by billing",
        "of these, more than once",
        "left in the work, and handed out again",
        "done by audit",
    ]
    assert numbers(shown) == {
        QUEUE: dict(zip(labels, "3123011", strict=True)),
        LOG: dict(zip(labels, "3333111", strict=True)),
    }


def test_the_alternative_text_says_both(shown: Shown) -> None:
    words = alt_text(shown)

    assert title(shown) in words
    assert "The queue holds 2 at most, and 1 stay; billing does 3, 0 of them" in words
    assert "The log holds 3 at most, and all stay; billing does 3, 1 of them" in words

"""What the replication explorer says: a finding, numbers, and what is seen."""

from dataclasses import replace

from kafkasim.widgets.replication_shown import Shown, shown_of
from kafkasim.widgets.replication_words import alt_text, note, numbers, title
from tests.analysis.test_copies import by_hand, leader_dies, leader_is_lost, start
from tests.plot.test_replicating import followers_die


def lost() -> Shown:
    shown = shown_of(leader_is_lost(), "orders")
    return replace(shown, sent=50, acked=50, read=30, ack_ms=1.25)


def test_the_title_is_the_worst_that_befell_records() -> None:
    assert title(lost()).startswith("20 acknowledged records are lost")
    assert title(shown_of(leader_dies(), "orders")).startswith("No record is")


def test_the_note_says_who_led_and_what_was_refused() -> None:
    assert note(shown_of(leader_dies(), "orders")) == (
        "Broker 1 led and broker 2 from 12.9 s on"
    )
    refused = shown_of(followers_die(acked=False), "orders")
    assert note(refused) == "Broker 1 led; 108 requests refused: NOT_ENOUGH_REPLICAS"


def test_the_numbers_are_those_of_the_run() -> None:
    assert numbers(lost()) == {
        "records sent": "50",
        "acknowledged": "50",
        "acknowledged, and lost": "20",
        "given up by the producer": "0",
        "read by the subscriber": "30",
        "median time to the acknowledgement": "1.25 ms",
        "longest time without one": "3.99 s",
        "longest time acknowledged and not readable": "3.99 s",
        "produce requests refused": "0",
        "times the leader changed": "1",
    }


def test_what_there_was_not_is_a_dash() -> None:
    silent = by_hand(2.0, replicas=start(), appends=[], batches=[])
    said = numbers(shown_of(silent, "orders"))

    assert said["median time to the acknowledgement"] == "–"
    assert said["longest time acknowledged and not readable"] == "–"


def test_the_alternative_text_says_what_happens_and_what_became_of_records() -> None:
    words = alt_text(shown_of(leader_dies(), "orders"))

    assert "What happens: broker 1: crash at 4 s and broker 1: back at 14 s." in words
    assert alt_text(lost()).endswith(
        "Of 50 records 50 are acknowledged, 20 of them lost, and 30 are read."
    )

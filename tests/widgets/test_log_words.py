from dataclasses import replace

import numpy as np

from kafkasim.widgets.log_words import (
    alt_text,
    found_note,
    found_title,
    log_note,
    log_title,
    numbers,
)
from tests.widgets.test_log_areas import FOUND, SEGMENTS, SHOWN, SLOW

NONE = replace(SEGMENTS, expired=np.zeros(3, dtype=np.bool_))
MADE = np.array([False, True, False])
COMPACTED = replace(
    SHOWN,
    policy="compact",
    newest_stay=True,
    segments=replace(NONE, made=MADE, records=np.array([4, 1, 0])),
)


def test_who_was_overtaken_is_the_finding_and_else_what_went() -> None:
    assert log_title(SHOWN) == "Deletion overtakes the slow reader: 2 gone unread"
    assert log_note(SHOWN) == (
        "1 segment went, each whole; OFFSET_OUT_OF_RANGE reset it once"
    )
    alone = replace(SHOWN, slow=None)
    assert log_title(alone) == "1 segment went, each whole; no record went alone"
    assert log_note(alone).endswith("the oldest that went was 4.5 s old")
    kept_up = replace(SHOWN, slow=replace(SLOW, missed=0, errors=0))
    assert log_title(kept_up) == log_title(alone)


def test_that_nothing_went_is_said() -> None:
    still = replace(SHOWN, segments=NONE)
    assert log_title(still) == "Nothing was deleted"
    assert log_note(still) == "no segment was old enough"


def test_the_newest_of_each_key_is_named_only_when_it_is_so() -> None:
    title = "Compaction keeps 1 of 2 records, the newest of each key"
    assert log_title(COMPACTED) == title
    other = replace(COMPACTED, newest_stay=False)
    assert log_title(other) == "Compaction keeps 1 of 2 records"
    assert log_note(COMPACTED) == (
        "1 merge of closed segments; the slow reader missed 2, with 1 error"
    )
    quiet = replace(COMPACTED, slow=replace(SLOW, errors=0))
    assert log_note(quiet).endswith("the slow reader missed 2, with no error")
    assert log_note(replace(COMPACTED, slow=None)) == "1 merge of closed segments"
    none = replace(COMPACTED, segments=NONE)
    assert log_title(none) == "Nothing was compacted: no segment was closed"


def test_what_the_late_reader_is_given_is_counted() -> None:
    found = replace(
        FOUND,
        written=2_000,
        keys=3,
        offsets=np.array([7, 1_998, 1_999]),
        newest=np.array([False, True, True]),
    )
    assert found_title(found) == "Late reader: 3 of 2,000"
    assert found_note(found) == "given, with the newest of 2 of 3 keys"


def test_numbers_below_have_a_dash_where_there_is_none() -> None:
    shown = numbers(SHOWN)
    assert shown["segments deleted"] == "1"
    keyed = numbers(replace(SHOWN, found=replace(FOUND, keys=3, known=8)))
    assert keyed["keys that were written when the late one comes"] == "3 of 8"
    assert shown["most records in the log at once"] == "6"
    assert shown["records that the slow reader missed"] == "2"
    alone = numbers(replace(SHOWN, slow=None, oldest_s=0.0))
    assert list(alone) == list(shown)
    assert [label for label, text in alone.items() if text == "–"] == [
        "oldest record that was deleted",
        "records that the slow reader missed",
        "its fetches refused, OFFSET_OUT_OF_RANGE",
    ]


def test_alt_text_tells_the_figure() -> None:
    assert alt_text(SHOWN) == (
        "Deletion overtakes the slow reader: 2 gone unread; 1 segment went, each "
        "whole; OFFSET_OUT_OF_RANGE reset it once. Offsets 0 to 5 over 8 s, in "
        "segments. The log's start jumps to 4 at 5 s. The slow reader goes on from 2 "
        "to 4 at 7 s. At 1 s a late reader comes: of 0 records written it is given 0, "
        "with the newest of 0 of 0 keys."
    )
    assert "goes on" not in alt_text(COMPACTED)

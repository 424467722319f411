"""Silences of a pair on bare arrays."""

import numpy as np

from kafkasim.analysis.silences import FOREVER, silences, unusual, usual_ns
from kafkasim.units import MISSING_NS


def array(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_a_silence_begins_when_a_record_waits_and_nothing_is_delivered() -> None:
    # Wanted at 0, 10, 12 and 50; the third is done long after the second.
    found = silences(array(0, 10, 12, 50), array(2, 15, 40, 51), 50)

    assert found.since_ns.tolist() == [0, 10, 15, 50]
    assert found.until_ns.tolist() == [2, 15, 40, 51]
    assert not found.endless.any()
    assert found.lengths_ns.tolist() == [2, 5, 25, 1]


def test_what_is_never_processed_waits_until_one_of_its_pair_is() -> None:
    lost = silences(array(0, 10, 20, 30), array(1, MISSING_NS, MISSING_NS, 31), 30)

    # From 10, when the first of the lost was wanted, until 31.
    assert lost.since_ns.tolist() == [0, 10]
    assert lost.until_ns.tolist() == [1, 31]

    passed = silences(array(0, 10, 20, 30), array(1, MISSING_NS, 21, 31), 30)
    assert passed.since_ns.tolist() == [0, 10, 30]


def test_a_silence_that_never_ends_counts_until_the_last_record_is_wanted() -> None:
    found = silences(array(0, 10, 20), array(1, MISSING_NS, MISSING_NS), 90)

    assert found.since_ns.tolist() == [0, 10]
    assert found.until_ns.tolist() == [1, 90]
    assert found.endless.tolist() == [False, True]


def test_a_pair_that_got_all_it_wanted_is_not_silent_afterwards() -> None:
    assert len(silences(array(0), array(5), 1_000).since_ns) == 1
    assert len(silences(array(), array(), 1_000).since_ns) == 0


def test_the_usual_silence_is_the_longest_before_or_else_the_median() -> None:
    found = silences(array(0, 10, 20, 100), array(2, 15, 21, 190), 100)

    assert usual_ns(found, 20) == 5
    assert usual_ns(found, FOREVER) == 90
    assert usual_ns(found, 0) == 2
    assert usual_ns(silences(array(), array(), 0), 0) == 0
    gone = silences(array(0, 10, 20), array(1, MISSING_NS, MISSING_NS), 20)
    assert usual_ns(gone, 100) == 1  # what never ends is not usual


def test_an_event_brings_the_silences_that_became_unusual_after_it_began() -> None:
    #                                          usual: 2; limit 3 × 2
    found = silences(array(0, 10, 20, 100), array(2, 12, 40, 130), 100)

    rows, events = unusual(found, array(15, 15, 50, 106, 107), 3.0)

    assert rows.tolist() == [2, 3]
    # Of two events at one moment the first; 106 is when the last became unusual.
    assert events.tolist() == [0, 3]
    assert unusual(found, array(), 3.0)[0].tolist() == []
    assert unusual(found, array(30), 20.0)[0].tolist() == []

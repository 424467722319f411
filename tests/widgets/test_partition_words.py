from dataclasses import replace

import numpy as np
import pytest

from kafkasim.widgets.braided import NO_BRAID, Braid
from kafkasim.widgets.partition_shown import Shown
from kafkasim.widgets.partition_words import (
    alt_text,
    braid_note,
    braid_title,
    lag_title,
    latency_title,
    table,
)

NAN = float("nan")
QUIET = Shown(
    at_s=np.array([0.0, 1.0, 2.0]),
    lag=np.array([[0.0, 3.0, 0.0], [0.0, 5.0, 0.0]]),
    total=np.array([0.0, 7.0, 0.0]),
    sent=1_000,
    sent_until_s=2.0,
    lag_then=np.array([0, 1]),
    numbers={"latency_ms_p50": 6.58, "latency_ms_p99": 1_530.0, "drain_s": 0.0071},
    braid=NO_BRAID,
)


def braid(places: list[int], **more: int | str) -> Braid:
    plain = Braid("key-7", len(places), 0, 0, 0, np.array(places, dtype=np.int64))
    return replace(plain, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "title"),
    [
        ({}, "Lag stays flat: at most 7 records wait"),
        ({"total": np.array([0.0, 1.0, 0.0])}, "Lag stays flat: at most 1 record wait"),
        (
            {"lag_then": np.array([2_000, 2_072]), "sent": 6_000},
            "Lag climbs by 2,000 records a second",
        ),
        (
            {"lag_then": np.array([4, 2_610]), "sent": 6_000},
            "Partition 1 stalls: lag climbs by 1,300 a second",
        ),
        (
            {"total": np.array([0.0, 400.0, 0.0])},
            "Lag peaks at 400 records and goes down again",
        ),
        ({"sent": 0}, "No record was appended"),
    ],
)
def test_the_title_says_what_lag_does(changed: dict[str, object], title: str) -> None:
    assert lag_title(replace(QUIET, **changed)) == title  # type: ignore[arg-type]


def test_latency_is_told_in_readable_units() -> None:
    assert latency_title(QUIET) == "Half take at most 6.58 ms, 99 % at most 1.53 s"
    none = dict.fromkeys(QUIET.numbers, NAN)
    assert latency_title(replace(QUIET, numbers=none)) == "No record was processed"


@pytest.mark.parametrize(
    ("made", "title", "note"),
    [
        (NO_BRAID, "No record of an entity", ""),
        (braid([0]), "key-7: one record", ""),
        (braid([0, 1]), "key-7: 2 records, in order", ""),
        (
            braid([1, 0], overtaken=1),
            "key-7: 1 of 2 overtaken",
            "thick: overtaken; ×: overtaken pair",
        ),
        (
            braid([0, 1], records=5_000, overtaken=3, first=9),
            "key-7: 3 of 5,000 overtaken",
            "records 10 to 11 are drawn",
        ),
        (
            braid([0, 1], entity="N14228-and-longer", records=30_000, overtaken=20_000),
            "N14228-and-lo…:\n20,000 of 30,000 overtaken",
            "records 1 to 2 are drawn",
        ),
    ],
)
def test_the_braid_says_how_many_were_overtaken(
    made: Braid, title: str, note: str
) -> None:
    assert braid_title(made) == title
    assert braid_note(made) == note


def test_alt_text_holds_the_findings_of_all_panels() -> None:
    made = braid([1, 0, 2], overtaken=1, pairs=1)

    assert alt_text(replace(QUIET, braid=made)) == (
        "Lag stays flat: at most 7 records wait. Lines of records waiting over 2 s in "
        "2 partitions, at their peaks: partition 1 5, partition 0 3; at most 7 in all. "
        "Half take at most 6.58 ms, 99 % at most 1.53 s; the last is processed 7.1 ms "
        "after the last was wanted. Braid of 3 records of key-7, from the order "
        "produced to the order processed: 1 of those drawn are overtaken; "
        "1 overtaken pair in all."
    )


def test_alt_text_says_what_is_missing() -> None:
    numbers = {**QUIET.numbers, "drain_s": NAN}

    text = alt_text(replace(QUIET, numbers=numbers))

    assert "records are left that were not processed" in text
    assert text.endswith("so there is no braid.")


def test_the_table_has_the_run_before_beside_it() -> None:
    now = {"latency_ms_p50": 6.58, "overtaken_share": 0.25}

    alone = table(now, None)
    both = table(now, {"latency_ms_p50": NAN, "overtaken_share": 0.0})

    assert "run before" not in alone
    assert ">median latency (ms)<" in alone and ">6.58" in alone and ">25 %" in alone
    assert "run before" in both and ">–" in both and ">0 %" in both

import hashlib
from importlib.resources import files

import numpy as np

from kafkasim.data.flights import FILE, read_departures

SHA256 = "e38932ea6f0d5fc41f6bb24a6196687d0ab916dcf462ca821a12811187a7d44f"
HOUR = 60
DAY = 24 * HOUR


def test_the_file_is_the_one_that_the_provenance_describes() -> None:
    resource = files("kafkasim.data").joinpath(FILE)
    body = resource.read_bytes()
    provenance = files("kafkasim.data").joinpath("PROVENANCE.md").read_text("utf-8")

    assert hashlib.sha256(body).hexdigest() == SHA256
    assert SHA256 in provenance
    assert len(body) == 1_072_578
    assert f"{len(body):,} bytes" in provenance


def test_the_year_has_the_counts_of_the_source() -> None:
    year = read_departures()
    distinct = {name: len(labels) for name, (_, labels) in year.columns.items()}
    missing = {
        name: int(np.count_nonzero(codes < 0))
        for name, (codes, _) in year.columns.items()
    }

    assert len(year.minutes) == 336_776
    assert distinct == {"tail": 4043, "carrier": 16, "origin": 3, "destination": 105}
    assert missing == {"tail": 2512, "carrier": 0, "origin": 0, "destination": 0}
    assert year.columns["origin"][1] == ("EWR", "JFK", "LGA")


def test_the_first_rows_are_those_of_new_years_morning_in_the_order_of_the_source() -> (
    None
):
    year = read_departures()

    first = [
        tuple(labels[codes[row]] for codes, labels in year.columns.values())
        for row in range(4)
    ]

    assert year.minutes[:4].tolist() == [
        5 * HOUR + 15,
        5 * HOUR + 29,
        5 * HOUR + 40,
        5 * HOUR + 45,
    ]
    assert first == [
        ("N14228", "UA", "EWR", "IAH"),
        ("N24211", "UA", "LGA", "IAH"),
        ("N619AA", "AA", "JFK", "MIA"),
        ("N804JB", "B6", "JFK", "BQN"),
    ]


def test_82_in_a_hundred_rows_share_their_minute() -> None:
    minutes, sharing = np.unique(read_departures().minutes, return_counts=True)
    shared = int(sharing[sharing > 1].sum())

    assert (minutes[0], minutes[-1], len(minutes)) == (315, 525_599, 127_328)
    assert shared == 275_432
    assert round(shared / 336_776, 4) == 0.8178
    assert sharing.max() == 28


def test_the_months_add_up_to_the_year() -> None:
    rows = [len(read_departures(month).minutes) for month in range(1, 13)]

    assert rows[:6] == [27_004, 24_951, 28_834, 28_330, 28_796, 28_243]
    assert rows[6:] == [29_425, 29_327, 27_574, 28_889, 27_268, 28_135]
    assert sum(rows) == 336_776


def test_a_month_counts_from_its_own_midnight_in_daylight_saving_too() -> None:
    year, july = read_departures(), read_departures(7)
    days_before_july = 31 + 28 + 31 + 30 + 31 + 30
    in_july = slice(*np.searchsorted(year.minutes, [260_580, 305_220]))

    assert days_before_july * DAY - HOUR == 260_580
    assert 260_580 + 31 * DAY == 305_220
    assert july.minutes.tolist() == (year.minutes[in_july] - 260_580).tolist()


def test_a_month_has_the_labels_of_its_own_rows_only() -> None:
    codes, labels = read_departures(2).columns["tail"]

    assert sorted(set(codes.tolist()) - {-1}) == list(range(len(labels)))
    assert len(labels) < 4043
    assert list(labels) == sorted(labels)


def test_every_row_keeps_its_value_when_labels_are_left_out() -> None:
    year, march = read_departures(), read_departures(3)
    start = 27_004 + 24_951
    rows = slice(start, start + 28_834)
    codes, labels = year.columns["tail"]
    march_codes, march_labels = march.columns["tail"]

    assert np.array([*labels, "none"])[codes[rows]].tolist() == (
        np.array([*march_labels, "none"])[march_codes].tolist()
    )

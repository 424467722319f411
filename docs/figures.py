"""Make the figures that README shows, and the numbers of its captions.

    .venv/bin/python docs/figures.py            the pictures, a few seconds
    .venv/bin/python docs/figures.py --sweep    the year's sweep before that

*More partitions* is the demo's: the table of its sweep is kept beside the picture,
which is drawn in Korean as well. *The braid* and *Tangle and star* are the gallery's. A
test draws all again and compares them byte for byte.
"""

import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import kafkasim as ks
from kafkasim.cli import demo

STATIC = Path(__file__).parent / "_static"
TABLE = STATIC / "more-partitions.csv"
COLUMNS = ["keys", "partitions", "drain_s", "overtaken_share"]
RENAMINGS = 1_000


def swept() -> pd.DataFrame:
    """Return what the demo's sweep of the year says of time and order."""
    return demo.swept(demo.one_group(), demo.PARTITIONS, workers=None)[COLUMNS]


def gallery(name: str) -> Axes:
    """Return the figure of a script of the gallery."""
    ax: Axes = runpy.run_path(str(Path(__file__).parent / "gallery" / name))["ax"]
    return ax


def figures() -> dict[str, Axes]:
    """Return README's figures by file name, drawn anew."""
    table = pd.read_csv(TABLE)
    return {
        "more-partitions.png": demo.more_partitions(table),
        "braid.png": gallery("02-the-braid.py"),
        "when-one-dies.png": gallery("28-tangle-and-star-when-one-dies.py"),
    }


def korean() -> dict[str, Axes]:
    """Return the figures of README in Korean, drawn anew in that language."""
    before = ks.language()
    ks.language("ko")
    try:
        return {"more-partitions.ko.png": demo.more_partitions(pd.read_csv(TABLE))}
    finally:
        ks.language(before)


def busiest(names: list[str], flights: np.ndarray, partitions: int) -> int:
    """Return how many flights the busiest member has, keyed by these carriers."""
    members = [f"member-{number}" for number in range(demo.MEMBERS)]
    assigned = ks.assign("range", members=members, topics={"flights": partitions})
    owner = dict(zip(assigned["partition"], assigned["member"], strict=True))
    owners = [owner[ks.partition_for_key(name, partitions)] for name in names]
    return int(pd.Series(flights).groupby(owners).sum().max())


def carriers() -> tuple[list[str], np.ndarray]:
    """Return the carriers of the year and how many flights each has."""
    codes = ks.traces.flights().codes("carrier")
    return list(codes.labels), np.bincount(codes.codes)


def luck() -> dict[int, np.ndarray]:
    """Return the busiest member's flights for 8 and 16 partitions, name after name.

    The carriers are the same, and so are their flights; only their names change, and
    with them their hashes.
    """
    names, flights = carriers()
    return {
        partitions: np.array(
            [
                busiest([f"{name}-{number}" for name in names], flights, partitions)
                for number in range(RENAMINGS)
            ]
        )
        for partitions in (8, 16)
    }


def main() -> None:
    """Write tables and pictures, and print what stands in the captions."""
    if "--sweep" in sys.argv[1:]:
        swept().to_csv(TABLE, index=False, lineterminator="\n")
    for name, ax in (figures() | korean()).items():
        ks.export.figure(ax, STATIC / name)
        print(f"{name}\n{ks.plot.alt_text(ax)}\n{ks.plot.caption(ax)}\n")
    eight, sixteen = luck().values()
    total = carriers()[1].sum()
    print(f"16 partitions: busier in {(sixteen > eight).sum()}, less in", end=" ")
    print(
        f"{(sixteen < eight).sum()}; on average {eight.mean() / total:.1%} and", end=""
    )
    print(
        f" {sixteen.mean() / total:.1%}; the largest {carriers()[1].max() / total:.1%}"
    )


if __name__ == "__main__":
    main()

"""The tables in the page of benchmarks: written from the figures, never by hand.

The page's own text stands around pairs of marks, one pair for each benchmark::

    <!-- figures: calendar -->
    <!-- end of figures -->

What lies between two marks is replaced by the benchmark's table and by what it was
taken on.
"""

import datetime as dt
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

Figure = dict[str, object]

ROOT = Path(__file__).parents[1]
_FIRST = ("figure", "ratio", "bar", "holds", "at_least")
_END = "<!-- end of figures -->"


class NoPlaceError(Exception):
    """The page has no marks for a benchmark."""


def update(page: Path, name: str, figures: Iterable[Figure]) -> None:
    """Replace a benchmark's table in the page.

    Parameters
    ----------
    page : Path
        The page, in Markdown.
    name : str
        The benchmark.
    figures : iterable of Figure
        What it measured.

    Raises
    ------
    NoPlaceError
        The page has no marks for this benchmark.
    """
    text = page.read_text(encoding="utf-8")
    begin = f"<!-- figures: {name} -->"
    place = re.compile(f"{re.escape(begin)}.*?{re.escape(_END)}", re.DOTALL)
    table = f"{begin}\n\n{table_of(figures)}\n\n{taken_on()}\n\n{_END}"
    text, count = place.subn(lambda _: table, text)
    if count != 1:
        raise NoPlaceError(f"{page.name} has {count} places for {name}, not one")
    page.write_text(text, encoding="utf-8")


def table_of(figures: Iterable[Figure]) -> str:
    """Return figures as a table in Markdown."""
    lines = ["| figure | measured | bar | holds | beside it |", "|---|---|---|---|---|"]
    for figure in figures:
        relation = "at least" if figure["at_least"] else "at most"
        cells = (
            figure["figure"],
            _number(figure["ratio"]),
            f"{relation} {_number(figure['bar'])}",
            verdict(figure),
            beside(figure),
        )
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


def verdict(figure: Mapping[str, object]) -> str:
    """Return whether a figure holds, and by how much not."""
    if figure["holds"]:
        return "yes"
    ratio, bar = float(str(figure["ratio"])), float(str(figure["bar"]))
    short = "short of" if figure["at_least"] else "over"
    return f"**no**: {abs(ratio - bar) / bar:.0%} {short} the bar"


def beside(figure: Mapping[str, object]) -> str:
    """Return what else was measured, in words."""
    return in_words({k: v for k, v in figure.items() if k not in _FIRST})


def in_words(values: Mapping[str, object]) -> str:
    """Return names and values; a mapping within stands in brackets."""
    words = []
    for name, value in values.items():
        said = re.sub(r"\bus\b", "µs", name.replace("_", " "))
        if isinstance(value, Mapping):
            words.append(f"{said} ({in_words(value)})")
        else:
            words.append(f"{said} {_number(value)}")
    return "; ".join(words)


def _number(value: object) -> str:
    """Return a number to read: whole, or with three digits that say something."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def taken_on() -> str:
    """Return a sentence on machine, versions, commit and day."""
    cores = os.cpu_count()
    today = dt.datetime.now(tz=dt.UTC).date()
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "simpy"))
    return (
        f"Taken on {today} at {_commit()}: {platform.system()} on "
        f"{platform.machine()}, {cores} cores, Python {platform.python_version()}, "
        f"{packages}."
    )


def _commit() -> str:
    """Return the commit of the working tree, and whether it was changed since."""
    head = _git("rev-parse", "--short", "HEAD")
    if not head:
        return "an unknown commit"
    changed = _git("status", "--porcelain", "--", "kafkasim", "benchmarks")
    return f"commit {head}{' with changes' if changed else ''}"


def _git(*arguments: str) -> str:
    """Return what git says, nothing when it is missing or this is no repository."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

"""Run the benchmarks: `python3 run.py bench [--page] [NAME ...]`.

Each `bench_NAME.py` holds functions `figures_…` that yield figures, dicts with at least

- `figure`: what was measured, in words;
- `ratio`: the median of it over the median of what it is held against;
- `bar`: what the ratio must not exceed, or, with `at_least`, must reach;
- `holds`: whether it does.

One JSON line is printed per figure. A ratio of two things measured in turn, in seconds
of this process's own computing, survives a busy machine; absolute seconds are printed
beside it for the curious. With `--page` the
figures also go into the tables of the page of benchmarks in `docs`.
"""

import gc
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.page import Figure, update
from kafkasim.scenario.scenario import Scenario, load

__all__ = [
    "Figure",
    "cpu_seconds",
    "figure",
    "interleaved",
    "medians",
    "scenario",
    "seconds",
]

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "explanation" / "benchmarks.md"


def scenario(name: str) -> Scenario:
    """Return the committed scenario of that name."""
    return load(HERE / "scenarios" / f"{name}.toml")


def seconds(action: Callable[[], object]) -> float:
    """Return how long one call takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def cpu_seconds(action: Callable[[], object]) -> float:
    """Return how long this process computes during one call, waiting left out.

    Garbage of the calls before is collected first.
    """
    gc.collect()
    began = time.process_time()
    action()
    return time.process_time() - began


def medians(*actions: Callable[[], object], rounds: int = 5) -> list[float]:
    """Return each action's median CPU seconds, called in turn, round after round.

    One unmeasured round comes first. What an action gives to other processes is not
    counted; take `seconds` for that.
    """
    for action in actions:
        action()
    taken = [[cpu_seconds(action) for action in actions] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def interleaved(
    one: Callable[[], object], other: Callable[[], object], rounds: int = 5
) -> tuple[float, float]:
    """Return the `medians` of two actions."""
    median_one, median_other = medians(one, other, rounds=rounds)
    return median_one, median_other


def figure(
    name: str, ratio: float, bar: float, *, at_least: bool = False, **more: object
) -> Figure:
    """Return a figure that holds when `ratio` is at most `bar`, or at least `bar`.

    Parameters
    ----------
    name : str
        What was measured, in words.
    ratio : float
        The measured value; it is held against the bar before it is rounded.
    bar : float
        The limit.
    at_least : bool
        The ratio must reach the bar; otherwise it must not exceed it.
    **more
        Further values to print beside it.
    """
    return {
        "figure": name,
        "ratio": round(ratio, 3),
        "bar": bar,
        "holds": ratio >= bar if at_least else ratio <= bar,
        "at_least": at_least,
        **{k: round(v, 4) if isinstance(v, float) else v for k, v in more.items()},
    }


def figures(name: str) -> Iterator[Figure]:
    """Yield what every `figures_…` function of `bench_NAME.py` yields."""
    module = importlib.import_module(f"benchmarks.bench_{name}")
    for name_inside, function in list(vars(module).items()):
        if name_inside.startswith("figures_"):
            yield from function()


def names() -> list[str]:
    """Return the names of all benchmarks, sorted."""
    return sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))


def main(arguments: list[str]) -> int:
    """Print the figures of the benchmarks; 1 when one does not hold."""
    there_are = names()
    if {"-h", "--help"} & set(arguments):
        print(f"{__doc__}\nThere are {', '.join(there_are)}.")
        return 0
    to_page = "--page" in arguments
    asked = [name for name in arguments if name != "--page"]
    if unknown := [name for name in asked if name not in there_are]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(there_are)}")
        return 2
    held = True
    for name in asked or there_are:
        found = []
        for one in figures(name):
            print(json.dumps(one), flush=True)
            found.append(one)
        held &= all(one["holds"] for one in found)
        if to_page and found:
            update(PAGE, name, found)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

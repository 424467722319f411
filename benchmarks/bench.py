"""Run the benchmarks: `python3 run.py bench [NAME]`.

Each `bench_NAME.py` holds functions `figures_…` that yield figures, dicts with at least

- `figure`: what was measured, in words;
- `ratio`: the median of it over the median of what it is held against;
- `bar`: what the ratio must not exceed, or, with `at_least`, must reach;
- `holds`: whether it does.

One JSON line is printed per figure. A ratio of two things measured in turn survives a
busy machine; absolute seconds are printed beside it for the curious.
"""

import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Figure = dict[str, object]


def seconds(action: Callable[[], object]) -> float:
    """Return how long one call takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def interleaved(
    one: Callable[[], object], other: Callable[[], object], rounds: int = 5
) -> tuple[float, float]:
    """Return the median seconds of both, called in turn; one unmeasured round first."""
    one(), other()
    pairs = [(seconds(one), seconds(other)) for _ in range(rounds)]
    ones, others = zip(*pairs, strict=True)
    return statistics.median(ones), statistics.median(others)


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


def main(arguments: list[str]) -> int:
    """Print the figures of the benchmarks; 1 when one does not hold."""
    here = Path(__file__).parent
    names = sorted(p.stem.removeprefix("bench_") for p in here.glob("bench_*.py"))
    if unknown := [name for name in arguments if name not in names]:
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
        return 2
    held = True
    for name in arguments or names:
        for found in figures(name):
            print(json.dumps(found), flush=True)
            held &= bool(found["holds"])
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

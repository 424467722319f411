"""From a key on a slider to the new figure, in JupyterLab and a real browser.

It takes the set `browser`, which `python3 run.py bench browser` brings, and a Chromium.
Among all benchmarks it is left out where one of them is missing.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Figure, figure
from tests.browser.chromium import chromium, lacking, watched
from tests.browser.lab import LESSONS, Explorer, Lesson, lab, label_of

BAR_MS = 250.0
"""What an eye takes for an answer to the key."""
PRESSES = 12


def figures_visible() -> Iterator[Figure]:
    """Yield the median of twelve key presses for the first explorer of each lesson."""
    if lacks := lacking():
        print(f"left out, missing: {lacks}", file=sys.stderr)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        lab(Path(folder)) as server,
        chromium() as browser,
    ):
        for path in LESSONS:
            with watched(browser) as (page, _):
                lesson = Lesson(page, server.of(path.name))
                for explorer in lesson.explorers[:1]:
                    yield measured(path.stem, explorer)


def measured(lesson: str, explorer: Explorer) -> Figure:
    """Return the figure of one explorer: its first slider, forth and back."""
    slider = explorer.sliders[0]
    taken = [
        explorer.visible_after_ms(slider, ("ArrowRight", "ArrowLeft")[press % 2])
        for press in range(PRESSES)
    ]
    median = statistics.median(taken)
    return figure(
        f"{lesson}: key on {label_of(slider)} to figure on screen, in {BAR_MS:.0f} ms",
        median / BAR_MS,
        1.0,
        median_ms=median,
        least_ms=min(taken),
        most_ms=max(taken),
    )

"""What `import kafkasim` adds to the start of Python: at most 0.15 s."""

import statistics
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.bench import Figure, figure, seconds

BUDGET_S = 0.15

SCENARIO = """
import kafkasim as ks
ks.Scenario, ks.Traffic, ks.Source, ks.Subscriber, ks.Kafka, ks.Poisson
"""


def _start(code: str) -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def figures_of_the_import() -> Iterator[Figure]:
    numpy, root, document = "import numpy", "import kafkasim", SCENARIO
    rounds = [[_start(code) for code in ("", numpy, root, document)] for _ in range(9)]
    bare, with_numpy, with_root, with_document = map(
        statistics.median, zip(*rounds, strict=True)
    )
    added = with_root - bare
    yield figure(
        "import kafkasim over a bare start, as a share of 0.15 s",
        added / BUDGET_S,
        1.0,
        seconds=added,
        bare_start_seconds=bare,
    )
    yield figure(
        "import kafkasim and name a scenario's classes, over import numpy",
        with_document / with_numpy,
        2.0,
        seconds=with_document - bare,
        numpy_seconds=with_numpy - bare,
    )

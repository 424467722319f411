"""The memory of a run: 10 million records, 100 a batch, one subscriber.

Each run has a fresh process. There the resident memory after all imports is the
baseline, and the largest resident memory up to the end of the run, while its result is
held and before any frame is built, is the peak. A figure is bytes a record between the
two, so its bar is in bytes. Memory does not vary with the load of the machine: one run
each.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from benchmarks.bench import Figure, figure, scenario
from kafkasim.analysis.measures import metrics
from kafkasim.experiments.running import run

Kind = Literal["full", "streamed"]
BARS: dict[Kind, float] = {"full": 280.0, "streamed": 80.0}
WORDS: dict[Kind, str] = {
    "full": "all tables held: peak bytes a record above the import baseline",
    "streamed": "streamed: peak bytes a record above the import baseline",
}


def resident_bytes(*, peak: bool) -> int:
    """Return this process's resident memory now, or the most it ever was.

    From Linux's account of the process; `getrusage` would count its parent's, too.
    """
    field = "VmHWM:" if peak else "VmRSS:"
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def measure(kind: Kind) -> tuple[int, int]:
    """Run once; return the bytes above the baseline and the number of records."""
    # What the end of a run imports is imported before it begins.
    chosen = scenario("memory")
    run(chosen.where({"traffic.duration_s": 0.1}), result=kind, progress=False)
    before = resident_bytes(peak=False)
    result = run(chosen, result=kind, progress=False)
    above = resident_bytes(peak=True) - before
    return above, int(metrics(result)["records"])


def figures_of_memory() -> Iterator[Figure]:
    for kind, bar in BARS.items():
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_memory", kind],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        above, records = map(int, done.stdout.split())
        yield figure(
            WORDS[kind], above / records, bar, records=records, peak_mb=above / 1e6
        )


if __name__ == "__main__":
    asked: Kind = "streamed" if "streamed" in sys.argv else "full"
    print(*measure(asked))

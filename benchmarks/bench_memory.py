"""The memory of a run: 10 million records, 100 a batch, one subscriber.

And, streamed, of one ten times as long, with the time it takes.

Each run has a fresh process. There the resident memory after all imports is the
baseline, and the largest resident memory up to the end of the run, while its result is
held and before any frame is built, is the peak. A figure is bytes a record between the
two, so its bar is in bytes. Memory does not vary with the load of the machine: one run
each.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from benchmarks.bench import Figure, figure, scenario
from kafkasim.analysis.measures import metrics
from kafkasim.experiments.running import run

Kind = Literal["full", "streamed"]
MEASURED: tuple[tuple[str, Kind, int, float], ...] = (
    ("10 million records, all tables held", "full", 1, 280.0),
    ("10 million records, streamed", "streamed", 1, 80.0),
    ("100 million records, streamed", "streamed", 10, 80.0),
)
"""What, how it is kept, times the scenario's duration, and the bar."""


def resident_bytes(*, peak: bool) -> int:
    """Return this process's resident memory now, or the most it ever was.

    From Linux's account of the process; `getrusage` would count its parent's, too.
    """
    field = "VmHWM:" if peak else "VmRSS:"
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def measure(kind: Kind, times: int) -> tuple[int, int, float]:
    """Run once; return bytes above the baseline, number of records, and seconds."""
    # What the end of a run imports is imported before it begins.
    chosen = scenario("memory")
    duration_s = chosen.traffic.duration_s * times
    run(chosen.where({"traffic.duration_s": 0.1}), result=kind, progress=False)
    before = resident_bytes(peak=False)
    began = time.perf_counter()
    result = run(
        chosen.where({"traffic.duration_s": duration_s}), result=kind, progress=False
    )
    took = time.perf_counter() - began
    above = resident_bytes(peak=True) - before
    return above, int(metrics(result)["records"]), took


def figures_of_memory() -> Iterator[Figure]:
    for name, kind, times, bar in MEASURED:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench_memory", kind, str(times)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        above, records, took = map(float, done.stdout.split())
        yield figure(
            f"{name}: peak bytes a record above the import baseline",
            above / records,
            bar,
            records=int(records),
            peak_mb=above / 1e6,
            seconds=took,
        )


if __name__ == "__main__":
    asked: Kind = "streamed" if "streamed" in sys.argv else "full"
    print(*measure(asked, int(sys.argv[-1])))

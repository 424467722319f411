"""A run that is killed, or out of disk or memory: one line and no half result."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from kafkasim.cli.main import main
from kafkasim.result.folder import check_sums, new_folder
from kafkasim.scenario.scenario import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it has no signals")

BIG = """
kafkasim = 1

[traffic]
duration_s = 3.0

[traffic.sources.web]
stream = "orders"
arrivals = {kind = "periodic", rate_per_s = 200_000}
value_bytes = 10

[traffic.subscribers.billing]
streams = ["orders"]
"""
"""Quick to run, for batches are full; long to save: 600,000 records."""

STOPPED = "kafkasim: stopped; nothing half written is left\n"


@pytest.fixture
def big_file(tmp_path: Path) -> Path:
    file = tmp_path / "big.toml"
    file.write_text(BIG, encoding="utf-8")
    return file


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return where to write, with something of an earlier run in it."""
    with new_folder(tmp_path / "out") as folder:
        (folder / "a.txt").write_text("old", encoding="utf-8")
    return tmp_path / "out"


def untouched(out: Path) -> bool:
    """Whether the earlier run's folder is there as it was."""
    return check_sums(out) == {path.name for path in out.iterdir()} - {"SHA256SUMS"}


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


@contextmanager
def started(arguments: Sequence[object]) -> Iterator[subprocess.Popen[str]]:
    """Start kafkasim as at a terminal, where no signal is ignored."""
    with subprocess.Popen(
        [sys.executable, "-m", "kafkasim", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_take_signals,  # noqa: PLW1509 - no threads, and one call
    ) as process:
        yield process


def _take_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def until(reached: Callable[[], object]) -> None:
    for _ in range(6_000):
        if reached():
            return
        time.sleep(0.005)
    pytest.fail("not within 30 s")


def stop(
    big_file: Path, out: Path, moment: str, signals: Sequence[int]
) -> tuple[int, str, str]:
    """Stop a run while it runs or while its result is saved; return how it ended."""
    begun = {"running": ".out.partial-*", "saving": ".out.partial-*/.result.partial-*"}
    with started(["run", big_file, "--out", out, "--force"]) as process:
        until(lambda: list(out.parent.glob(begun[moment])))
        for number in signals:
            process.send_signal(number)
        said, complained = process.communicate(timeout=60)
    return process.returncode, said, complained


@pytest.mark.parametrize("moment", ["running", "saving"])
def test_a_killed_run_leaves_what_was_there_and_the_next_one_tidies_up(
    big_file: Path, out: Path, scenario_file: Path, moment: str
) -> None:
    code, *_ = stop(big_file, out, moment, [signal.SIGKILL])
    assert code == -signal.SIGKILL
    assert untouched(out)
    (left,) = hidden(out.parent)
    assert left.name.startswith(".out.partial-")
    assert main(["run", str(scenario_file), "--out", str(out), "--force"]) == 0
    assert load(out / "scenario.toml") == load(scenario_file)
    assert hidden(out.parent) == []


@pytest.mark.parametrize(
    ("moment", "signals", "code"),
    [
        ("running", [signal.SIGTERM], 143),
        ("saving", [signal.SIGINT], 130),
        ("saving", [signal.SIGTERM, signal.SIGTERM], 143),
    ],
    ids=["while running", "while saving", "twice"],
)
def test_a_stopped_run_says_so_in_one_line_and_leaves_what_was_there(
    big_file: Path, out: Path, moment: str, signals: list[int], code: int
) -> None:
    assert stop(big_file, out, moment, signals) == (code, "", STOPPED)
    assert untouched(out)
    assert hidden(out.parent) == []


def test_a_third_signal_ends_a_run_that_does_not_stop() -> None:
    stuck = "import signal, time\n"
    stuck += "from kafkasim.cli.main import _signals_as_ctrl_c\n"
    stuck += "with _signals_as_ctrl_c():\n"
    for _ in range(3):
        stuck += "    try:\n        signal.raise_signal(signal.SIGTERM)\n"
        stuck += "        print('waited', flush=True)\n"
        stuck += "    except KeyboardInterrupt:\n        print('raised', flush=True)\n"
    done = subprocess.run(
        [sys.executable, "-c", stuck],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_take_signals,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "raised\nwaited\n")


def test_workers_of_a_killed_sweep_end_by_themselves(
    big_file: Path, tmp_path: Path
) -> None:
    seeds = ["--set", "seed=" + ",".join(map(str, range(100)))]
    arguments = ["sweep", big_file, *seeds, "--workers", 2, "--out", tmp_path / "new"]
    with started(arguments) as process:
        until(lambda: hidden(tmp_path))
        time.sleep(2.0)  # the workers have started
        process.kill()
        process.communicate(timeout=60)  # each of them holds stderr until it ends
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "new").exists()


def at_most(limit_bytes: int) -> Callable[[], None]:
    """Return what makes every write beyond so many bytes of a file fail."""
    import resource

    limits = (limit_bytes, limit_bytes)
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    ("limit_bytes", "named"),
    [(100, "scenario.toml"), (2_000, "result")],
)
def test_a_full_disk_is_one_line_that_says_where_and_how_much(
    scenario_file: Path, out: Path, limit_bytes: int, named: str
) -> None:
    command = [sys.executable, "-m", "kafkasim", "run", str(scenario_file)]
    done = subprocess.run(
        [*command, "--out", str(out), "--force"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=at_most(limit_bytes),
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("kafkasim: cannot write ")
    assert f"{out}/{named}" in line
    words, _, needed = line.rpartition("; it needs more than ")
    assert words and int(needed.removesuffix(" bytes").replace(",", "")) >= limit_bytes
    assert untouched(out)
    assert hidden(out.parent) == []


def test_a_full_disk_under_stdout_is_one_line(
    scenario_file: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "kafkasim", "describe", str(scenario_file)]
    with (tmp_path / "description").open("w") as description:
        done = subprocess.run(
            command,
            stdout=description,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            preexec_fn=at_most(20),
        )
    said = "kafkasim: cannot write to stdout: File too large\n"
    assert (done.returncode, done.stderr) == (1, said)


LITTLE_MEMORY = """
import sys
import matplotlib.backends.backend_agg, matplotlib.backends.backend_svg
import matplotlib.figure, pandas, pyarrow.parquet
from kafkasim.cli import commands, main
from kafkasim.engine.sim import run as engine
from kafkasim.scenario.scenario import load

if sys.platform == "linux":
    import resource
    with open("/proc/self/statm") as sizes:
        now = int(sizes.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 90 * 2**20,) * 2)
else:  # no system beside Linux keeps to such a limit
    whole = engine.run
    def limited(*arguments, result="full", **named):
        if result == "full":
            raise MemoryError
        return whole(*arguments, result=result, **named)
    engine.run = limited

plan = load(sys.argv[2]).plan()
print("planned", sum(map(len, plan.sources.values())), flush=True)
del plan
sys.exit(main.main(sys.argv[1:]))
"""
"""The command with 90 MB more than it has when all is imported."""


def with_little_memory(*arguments: object) -> tuple[int, list[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", LITTLE_MEMORY, *map(str, arguments)],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_tables_that_do_not_fit_into_memory_are_one_line_with_the_way_out(
    big_file: Path, out: Path
) -> None:
    run = ["run", big_file, "--out", out, "--force"]
    code, said, complained = with_little_memory(*run)
    assert (code, said) == (1, ["planned 600000"])
    assert complained == (
        "kafkasim: not enough memory: 600,000 records were asked for; "
        'result="streamed" (--streamed) keeps counts, not a row of each\n'
    )
    assert untouched(out)
    assert hidden(out.parent) == []

    code, said, complained = with_little_memory(*run, "--streamed")
    assert (code, said[0], complained) == (0, "planned 600000", "")
    assert (out / "result").exists()

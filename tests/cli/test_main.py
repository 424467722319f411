import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kafkasim.cli.main import main
from kafkasim.errors import ChangedFileError, RunError
from kafkasim.experiments import running

Captured = pytest.CaptureFixture[str]
PARTITIONS = "system.topics.orders.partitions"


def test_help_and_version_end_well(capsys: Captured) -> None:
    assert main(["--help"]) == 0
    assert "demo" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("kafkasim ")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "COMMAND"),
        (["swep"], "invalid choice: 'swep'"),
        (["run"], "SCENARIO.toml"),
        (["run", "a.toml", "--ou", "b"], "--out"),
        (["sweep", "a.toml", "--set", "seed=1", "--out", "b", "--workers", "0"], "'0'"),
        (["demo", "--workers", "two"], "expected a whole number, 1 or more"),
    ],
)
def test_a_command_that_is_not_understood_ends_with_2(
    capsys: Captured, arguments: list[str], named: str
) -> None:
    assert main(arguments) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RunError("at 3 s: nothing moves"), 1),
        (ChangedFileError("flights.trace.npz is not what it was"), 2),
        (KeyboardInterrupt(), 130),
        (MemoryError(), 1),
    ],
)
def test_each_way_to_end_has_its_exit_code_and_one_line(
    scenario_file: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    def ends(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(running, "run", ends)
    out = scenario_file.parent / "out"
    assert main(["run", str(scenario_file), "--out", str(out)]) == code
    assert capsys.readouterr().err.count("\n") == 1
    assert sorted(scenario_file.parent.iterdir()) == [scenario_file]


def test_a_bug_shows_its_traceback(
    scenario_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(running, "run", broken)
    with pytest.raises(ZeroDivisionError):
        main(["run", str(scenario_file), "--out", str(tmp_path / "out")])


def test_the_module_is_the_command(scenario_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kafkasim", "describe", str(scenario_file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("Scenario")
    assert done.stderr == ""


def test_a_reader_that_stops_reading_gets_no_traceback(scenario_file: Path) -> None:
    command = [sys.executable, "-m", "kafkasim", "describe", str(scenario_file)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


@pytest.mark.skipif(sys.platform == "win32", reason="it has no process groups")
@pytest.mark.parametrize(
    ("workers", "name", "whole_group", "code"),
    [
        ("1", "SIGINT", True, 130),
        ("2", "SIGINT", True, 130),
        ("2", "SIGTERM", False, 143),
        ("1", "SIGHUP", True, 129),
    ],
)
def test_a_signal_in_a_sweep_ends_its_workers_and_leaves_nothing(
    scenario_file: Path,
    tmp_path: Path,
    *,
    workers: str,
    name: str,
    whole_group: bool,
    code: int,
) -> None:
    seeds = ",".join(str(seed) for seed in range(200))
    command = [
        *(sys.executable, "-m", "kafkasim", "sweep", str(scenario_file)),
        *("--set", f"seed={seeds}", "--set", "traffic.duration_s=300"),
        *("--workers", workers),
        *("--out", str(tmp_path / "out")),
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_as_at_a_terminal,  # noqa: PLW1509 - no threads, and one call
    ) as process:
        _until(lambda: len(list(tmp_path.iterdir())) == 2)
        time.sleep(2.0 if workers == "2" else 0.5)
        send = os.killpg if whole_group else os.kill
        send(process.pid, getattr(signal, name))
        out, err = process.communicate(timeout=30)
    stopped = "kafkasim: stopped; nothing half written is left\n"
    assert (process.returncode, out, err) == (code, "", stopped)
    assert sorted(tmp_path.iterdir()) == [scenario_file]
    _until(lambda: not _is_alive(process.pid))


def _as_at_a_terminal() -> None:
    """Take signals as at a terminal; a program in the background ignores some."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_DFL)


def _until(reached: Callable[[], bool]) -> None:
    for _ in range(400):
        if reached():
            return
        time.sleep(0.05)
    pytest.fail("not within 20 s")


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_signals_have_their_own_handlers_again_after_a_command(
    scenario_file: Path,
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert main(["describe", str(scenario_file)]) == 0
    assert signal.getsignal(signal.SIGTERM) is before

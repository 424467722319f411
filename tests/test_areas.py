"""Every test has an area, and a run says what each area took."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests import areas as areas_module
from tests.areas import (
    FAR,
    NOBODY,
    Account,
    Meter,
    area_of,
    areas,
    is_complete,
    used_s,
)
from tests.tiers import ROOT, TIERS

Kept = dict[str, Any]


def files_with_tests() -> set[str]:
    """Return every file that holds tests: test files, modules, notebooks."""
    patterns = ["tests/**/test_*.py", "kafkasim/**/*.py", "notebooks/**/*.ipynb"]
    files = {file for pattern in patterns for file in ROOT.glob(pattern)}
    return {file.relative_to(ROOT).as_posix() for file in files}


def test_every_file_with_tests_is_in_an_area() -> None:
    assert {file for file in files_with_tests() if area_of(file) == NOBODY} == set()


def test_every_entry_is_of_one_area_and_names_something() -> None:
    entries = Counter(place for area in areas().values() for place in area.holds)
    assert [place for place, count in entries.items() if count > 1] == []
    assert [place for place in entries if not (ROOT / place).exists()] == []


def test_a_module_and_its_tests_are_in_the_same_area() -> None:
    apart = []
    for file in ROOT.glob("kafkasim/**/*.py"):
        module = file.relative_to(ROOT).as_posix()
        folder, _, name = module.replace("kafkasim", "tests", 1).rpartition("/")
        mirror = f"{folder}/test_{name}"
        if (ROOT / mirror).exists() and area_of(module) != area_of(mirror):
            apart.append(module)
    assert apart == []


def test_the_caps_add_up_to_the_quick_tiers_budget() -> None:
    assert sum(area.cap_s for area in areas().values()) == TIERS["quick"].budget_s


def test_the_longest_entry_decides_and_a_likeness_of_names_does_not() -> None:
    assert area_of("tests/simulation/test_random_runs.py") == "systems"
    assert area_of("tests/simulation/test_reference_producer.py") == "data path"
    assert area_of("kafkasim/logs.py") == NOBODY


def configuration(
    tier: str = "quick", *, narrowed: str = "", workers: int = 2
) -> pytest.Config:
    """Return what the account reads of pytest's configuration."""
    marks = {"quick": "not slow", "thorough": ""}
    option = SimpleNamespace(
        keyword=narrowed,
        deselect=None,
        ignore=None,
        maxfail=0,
        markexpr=marks[tier],
        numprocesses=workers,
        hypothesis_profile=tier,
        hypothesis_seed=None,
    )
    return cast(
        pytest.Config,
        SimpleNamespace(
            option=option,
            args_source=pytest.Config.ArgsSource.TESTPATHS,
            getoption=lambda _: tier,
        ),
    )


def report(
    nodeid: str,
    duration: float,
    *,
    when: str = "call",
    outcome: str = "passed",
    processor_s: float = 0.0,
) -> pytest.TestReport:
    return cast(
        pytest.TestReport,
        SimpleNamespace(
            nodeid=nodeid,
            duration=duration,
            when=when,
            outcome=outcome,
            start=1_800_000_000.0,
            stop=1_800_000_000.0 + duration,
            processor_s=processor_s,
        ),
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep what is kept in `tmp_path`, of commit abc without changes."""
    said = {"rev-parse": "abc", "status": ""}
    monkeypatch.setattr(areas_module, "CACHE", tmp_path)
    monkeypatch.setattr(areas_module, "git", lambda command, *_: said[command])
    return tmp_path


def finish(account: Account, code: pytest.ExitCode = pytest.ExitCode.OK) -> int:
    session = SimpleNamespace(exitstatus=code)
    account.pytest_sessionfinish(cast(pytest.Session, session))
    return int(session.exitstatus)


FAR_S = 2 * (FAR - 1) * areas()["log"].cap_s
"""What two workers may use beyond the cap of the log."""


@pytest.mark.parametrize(
    ("seconds", "processor_s", "marked", "code"),
    [
        (-1, -10, "", 0),
        (450, 1, ": above its cap", 0),
        (450, FAR_S - 1, ": above its cap", 0),
        (450, FAR_S + 1, ": far above its cap, which fails the run", 1),
    ],
)
def test_an_area_above_its_cap_is_marked_and_far_above_fails_by_its_processor_time(
    cache: Path, seconds: float, processor_s: float, marked: str, code: int
) -> None:
    """Seconds beyond those of two workers within the cap."""
    cap_s = areas()["log"].cap_s
    seconds, processor_s = 2 * cap_s + seconds, 2 * cap_s + processor_s
    account = Account(configuration())
    test = "tests/log/test_partition_log.py::test"
    account.pytest_runtest_logreport(report(test, 1, when="setup", processor_s=1))
    last = report(test, seconds - 1, processor_s=processor_s - 1)
    account.pytest_runtest_logreport(last)
    assert finish(account) == code
    said = (
        f"log             1 tests{seconds / 2:>8.1f} s of {cap_s}, "
        f"{processor_s / 2:.1f} s"
    )
    assert account.lines()[0] == f"{said} of processor{marked}"
    assert json.loads((cache / "quick.json").read_text())["passed"] == (code == 0)


def test_a_report_holds_the_processor_time_since_the_one_before() -> None:
    used = iter([1.0, 5.0, 7.5, 8.0])
    meter = Meter(lambda: next(used))
    meter.pytest_collection_finish()
    noted = []
    for _ in range(2):
        wrapper = meter.pytest_runtest_makereport()
        next(wrapper)
        with pytest.raises(StopIteration) as ended:
            wrapper.send(report("tests/log/test_x.py::test", 9))
        noted.append(ended.value.value.processor_s)
    assert noted == [2.5, 0.5]


def test_processor_time_is_that_of_this_process_and_of_its_children() -> None:
    before = used_s()
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert 0.25 < used_s() - before < 5


def test_a_part_of_the_tests_and_the_thorough_tier_have_no_caps(cache: Path) -> None:
    for config in (configuration(narrowed="lag"), configuration("thorough")):
        account = Account(config)
        account.pytest_runtest_logreport(report("tests/log/test_x.py::test", 1e3))
        assert finish(account) == 0
        assert account.lines()[0].startswith("log             1 tests   500.0 s, ")
    assert [path.name for path in cache.iterdir()] == ["thorough.json"]


def test_what_ran_is_kept_with_commit_seeds_counts_and_seconds(cache: Path) -> None:
    account = Account(configuration("thorough"))
    for part in (
        report("tests/log/test_x.py::a", 4, processor_s=2),
        report("tests/log/test_x.py::b", 2, when="setup", outcome="skipped"),
        report("notebooks/01.ipynb::Cell 0", 3, outcome="failed"),
        report("elsewhere/test_x.py::c", 1),
    ):
        account.pytest_runtest_logreport(part)
    assert finish(account, pytest.ExitCode.TESTS_FAILED) == 1
    kept: Kept = json.loads((cache / "thorough.json").read_text())
    assert (kept["commit"], kept["changed"], kept["passed"]) == ("abc", False, False)
    assert (kept["date"], kept["wall_s"]) == ("2027-01-15", 4.0)
    assert kept["seeds"] == list(TIERS["thorough"].seeds)
    assert kept["areas"] == {
        "log": {"seconds": 3.0, "processor_seconds": 1.0, "passed": 1, "skipped": 1},
        "notebooks": {"seconds": 1.5, "processor_seconds": 0.0, "failed": 1},
        NOBODY: {"seconds": 0.5, "processor_seconds": 0.0, "passed": 1},
    }


@pytest.mark.usefixtures("cache")
def test_a_commit_that_changed_meanwhile_is_said(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(configuration())
    account.pytest_runtest_logreport(report("tests/log/test_x.py::a", 4))
    monkeypatch.setattr(
        areas_module, "git", lambda command, *_: command[:6] and "other"
    )
    finish(account)
    assert json.loads((cache / "quick.json").read_text())["changed"]


def test_an_interrupted_run_is_not_kept(cache: Path) -> None:
    account = Account(configuration())
    account.pytest_runtest_logreport(report("tests/log/test_x.py::a", 1e3))
    assert finish(account, pytest.ExitCode.INTERRUPTED) == 2
    assert list(cache.iterdir()) == []


def test_only_all_tests_of_a_tier_are_complete() -> None:
    assert is_complete(configuration())
    assert is_complete(configuration("thorough"))
    assert not is_complete(configuration(narrowed="lag"))
    config = configuration()
    config.option.markexpr = "slow"
    assert not is_complete(config)
    config = configuration()
    config.args_source = pytest.Config.ArgsSource.ARGS
    assert not is_complete(config)

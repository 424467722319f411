"""Which area a test belongs to, and the seconds each area takes beside its cap.

`areas.toml` is the table. After a run each area's tests and seconds are shown, and a
complete run writes them to `.cache/<tier>.json`. An area's seconds are those of the
set-up, call and tear-down of its tests in all workers, divided by the workers: its
share of the wall time. Caps are for the whole quick tier. An area above its cap is
marked; it fails the run when its processor time alone is three times the cap, which
neither a busy machine nor a slow one brings about: docs/decisions/0005-test-tiers.md.
"""

import json
import os
import platform
import tomllib
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import pytest

from tests.tiers import ROOT, git, tier_of

TABLE = Path(__file__).with_name("areas.toml")
CACHE = ROOT / ".cache"
NOBODY = "no area"
FAR = 3.0
"""From how many times its cap an area's processor time fails a run."""


@dataclass(frozen=True, slots=True)
class Area:
    """Some tests, and the seconds of wall time they may take on two workers."""

    name: str
    cap_s: int
    holds: tuple[str, ...]


@dataclass(slots=True)
class Spent:
    """What the tests of an area took in all workers, and how many ended how."""

    worker_s: float = 0.0
    processor_s: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)


@cache
def areas() -> dict[str, Area]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        name: Area(name, entry["cap_s"], tuple(entry["holds"]))
        for name, entry in table.items()
    }


def area_of(path: str) -> str:
    """Return the area with the longest entry that a path below the root lies in."""
    holders = {place: area.name for area in areas().values() for place in area.holds}
    while path and path not in holders:
        path = path.rpartition("/")[0]
    return holders.get(path, NOBODY)


def is_complete(config: pytest.Config) -> bool:
    """Whether every test of the tier is asked for."""
    option = config.option
    narrowed = (option.keyword, option.deselect, option.ignore, option.maxfail)
    marks = {"quick": "not slow", "thorough": ""}
    return (
        config.args_source == pytest.Config.ArgsSource.TESTPATHS
        and not any(narrowed)
        and option.markexpr == marks[tier_of(config).name]
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Meter(), "meter")
    if not hasattr(config, "workerinput"):  # the process that starts the workers
        config.pluginmanager.register(Account(config), "account")


def used_s() -> float:
    """Return the processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


class Meter:
    """Notes in each report the processor time since the one before."""

    def __init__(self, used: Callable[[], float] = used_s) -> None:
        self.used = used
        self.before_s = used()

    def pytest_collection_finish(self) -> None:
        self.before_s = self.used()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self,
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now_s = self.used()
        vars(report)["processor_s"] = now_s - self.before_s
        self.before_s = now_s
        return report


class Account:
    """Adds up the reports of a run."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.tier = tier_of(config)
        self.workers = int(getattr(config.option, "numprocesses", None) or 1)
        self.complete = is_complete(config)
        self.commit = git("rev-parse", "HEAD")
        self.changed = bool(git("status", "--porcelain"))
        self.spent: dict[str, Spent] = {}
        self.first_start = float("inf")
        self.last_stop = 0.0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = area_of(report.nodeid.partition("::")[0])
        spent = self.spent.setdefault(name, Spent())
        spent.worker_s += report.duration
        spent.processor_s += vars(report).get("processor_s", 0.0)
        if report.when == "call" or report.outcome != "passed":
            spent.outcomes[report.outcome] += 1
        self.first_start = min(self.first_start, report.start)
        self.last_stop = max(self.last_stop, report.stop)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a complete quick run when an area costs too much; keep what it took.

        A run that was interrupted or broke is not kept.
        """
        passed = session.exitstatus == pytest.ExitCode.OK
        if passed and self.far_above():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self.complete &= passed or session.exitstatus == pytest.ExitCode.TESTS_FAILED
        if self.complete and self.spent:
            kept = self.summary(passed=session.exitstatus == pytest.ExitCode.OK)
            CACHE.mkdir(exist_ok=True)
            (CACHE / f"{self.tier.name}.json").write_text(
                json.dumps(kept, indent=1) + "\n", encoding="utf-8"
            )

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        if self.spent:
            terminalreporter.section("areas")
        for line in self.lines():
            terminalreporter.write_line(line)
        if self.complete and self.tier.name == "thorough":
            terminalreporter.write_line("as evidence: python3 -m tests.evidence")

    @property
    def wall_s(self) -> float:
        return max(0.0, self.last_stop - self.first_start)

    def seconds(self, name: str) -> float:
        """Return an area's share of the wall time."""
        return self.spent[name].worker_s / self.workers

    def processor_seconds(self, name: str) -> float:
        """Return its share when no test waits for anything or anybody."""
        return self.spent[name].processor_s / self.workers

    def cap_s(self, name: str) -> float:
        """Return an area's cap: infinite in a part of the tests, or the other tier."""
        capped = self.complete and self.tier.name == "quick" and name in areas()
        return areas()[name].cap_s if capped else inf

    def far_above(self) -> list[str]:
        """Return the areas whose processor time alone is far above their cap."""
        spent = self.spent
        return [n for n in spent if self.processor_seconds(n) > FAR * self.cap_s(n)]

    def lines(self) -> list[str]:
        """Return a line for each area that ran, and one for all."""
        said = {}
        for name, spent in self.spent.items():
            tests, seconds = spent.outcomes.total(), self.seconds(name)
            cap_s = self.cap_s(name)
            said[name] = f"{name:<10}{tests:>7,} tests{seconds:>8.1f} s"
            said[name] += f" of {cap_s}" * (cap_s < inf)
            said[name] += f", {self.processor_seconds(name):.1f} s of processor"
            if name in self.far_above():
                said[name] += ": far above its cap, which fails the run"
            elif seconds > cap_s:
                said[name] += ": above its cap"
        tests = sum(spent.outcomes.total() for spent in self.spent.values())
        budget = f" of {self.tier.budget_s:,}" if self.complete else ""
        last = f"{'all':<10}{tests:>7,} tests{self.wall_s:>8.1f} s{budget}"
        last += f", {self.workers} worker{'s' * (self.workers > 1)}"
        return [said[name] for name in (*areas(), NOBODY) if name in said] + [last]

    def summary(self, *, passed: bool) -> dict[str, Any]:
        """Return what ran and how it ended."""
        same = git("rev-parse", "HEAD") == self.commit
        changed = self.changed or not same or bool(git("status", "--porcelain"))
        return {
            "tier": self.tier.name,
            "date": datetime.fromtimestamp(self.last_stop, UTC).date().isoformat(),
            "commit": self.commit,
            "changed": changed,
            "passed": passed,
            "python": platform.python_version(),
            "workers": self.workers,
            "wall_s": round(self.wall_s, 1),
            "records": self.tier.records,
            "seeds": list(self.tier.seeds),
            "hypothesis_profile": self.config.option.hypothesis_profile,
            "hypothesis_seed": self.config.option.hypothesis_seed,
            "areas": {
                name: {
                    "seconds": round(self.seconds(name), 1),
                    "processor_seconds": round(self.processor_seconds(name), 1),
                    **dict(sorted(self.spent[name].outcomes.items())),
                }
                for name in (*areas(), NOBODY)
                if name in self.spent
            },
        }

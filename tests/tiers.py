"""The two tiers of tests: quick, in minutes on every change, and thorough, in an hour.

    python3 run.py test                quick
    python3 run.py test --thorough     thorough

A test that asks for `tier` learns how many records its run may have; one that asks for
`tier_seed` runs once for each seed of the tier. Those seeds are the same at every
commit: a law that is true misses four standard errors once in 16,000 comparisons, and
seeds that nobody chose would make of that a red run that nobody can mend. What holds
exactly has no such luck: in the thorough tier Hypothesis draws its examples from the
commit, other ones at each commit and the same ones at the same.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]
REPEATED = 10
"""Failures for which the command that repeats them is printed."""


@dataclass(frozen=True, slots=True)
class Tier:
    """How much is asked of the machine.

    Parameters
    ----------
    name : str
        Also the name of its Hypothesis profile.
    records : int
        About how many records a run has that is held against theory.
    seeds : sequence of int
        Seeds of such runs.
    examples : int
        Hypothesis' examples of each property.
    dear : int
        The same where each example is a run, or several.
    budget_s : int
        Seconds that all tests together may take on two cores.
    """

    name: str
    records: int
    seeds: Sequence[int]
    examples: int
    dear: int
    budget_s: int


TIERS = {
    tier.name: tier
    for tier in (
        Tier("quick", 100_000, range(1, 2), 25, 10, 5 * 60),
        Tier("thorough", 1_000_000, range(1, 11), 1_000, 400, 60 * 60),
    )
}

for _tier in TIERS.values():
    settings.register_profile(
        _tier.name,
        max_examples=_tier.examples,
        derandomize=_tier.name == "quick",  # the same examples at every commit
        deadline=None,  # a busy machine is no failure
        print_blob=True,  # the seed gives an example again only with the same modules
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("quick")


def dear() -> settings:
    """Return settings of a property whose examples are runs: fewer than of others.

    They are read where a test is defined, when Hypothesis' profile is that of the tier.
    """
    of_quick = settings().max_examples == TIERS["quick"].examples
    return settings(max_examples=TIERS["quick" if of_quick else "thorough"].dear)


def tier_of(config: pytest.Config) -> Tier:
    return TIERS[config.getoption("--tier")]


def git(*arguments: str) -> str:
    """Return what git says of this checkout; nothing where there is none."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def seed_of(commit: str) -> int:
    """Return the seed of Hypothesis at a commit, 0 without one."""
    return int(commit[:8] or "0", 16)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--tier",
        choices=sorted(TIERS),
        default="quick",
        help="records, seeds and examples; thorough takes up to an hour",
    )


@pytest.hookimpl(tryfirst=True)  # before Hypothesis reads its options
def pytest_configure(config: pytest.Config) -> None:
    tier = tier_of(config)
    option = config.option
    if option.hypothesis_profile is None:
        option.hypothesis_profile = tier.name
    if option.hypothesis_seed is None and tier.name == "thorough":
        option.hypothesis_seed = str(seed_of(git("rev-parse", "HEAD")))


DEAR_LESSONS = ("02-", "03-", "04-", "09-", "10-")
"""Lessons that nbval runs in the thorough tier: each takes six seconds or more, and
`.ci/run` executes all of them at every change and compares every byte. So do those in
other languages, whose code is the English one's."""


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        dear = item.path.name.startswith(DEAR_LESSONS)
        translated = item.path.parent.name != "notebooks"
        if item.path.suffix == ".ipynb" and (dear or translated):
            item.add_marker(pytest.mark.slow)
        made = getattr(item, "callspec", None)
        if made is not None and made.params.get("size") == "print":
            item.add_marker(pytest.mark.slow)  # between a notebook's and a slide's


def pytest_report_header(config: pytest.Config) -> str:
    tier = tier_of(config)
    seeds = f"{tier.seeds[0]} to {tier.seeds[-1]}"
    hypothesis = config.option.hypothesis_seed or "of each test"
    return (
        f"tier: {tier.name}; {tier.records:,} records; seeds {seeds}; Hypothesis: "
        f"profile {config.option.hypothesis_profile}, seed {hypothesis}"
    )


@pytest.fixture(scope="session")
def tier(request: pytest.FixtureRequest) -> Tier:
    """Return the tier that runs: `tier.records`, `tier.name`."""
    return tier_of(request.config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `tier_seed` once for each; a module's go seed by seed.

    So a module that keeps its last run for the next test simulates each seed once.
    """
    if "tier_seed" in metafunc.fixturenames:
        seeds = tier_of(metafunc.config).seeds
        ids = [f"seed{seed}" for seed in seeds]
        metafunc.parametrize("tier_seed", seeds, ids=ids, scope="module")


def repeating(config: pytest.Config, nodeid: str) -> str:
    """Return the one-line command that runs a test again as it was run."""
    words = ["python3", "run.py", "test"]
    if tier_of(config).name == "thorough":
        words += ["--thorough", "--hypothesis-seed", str(config.option.hypothesis_seed)]
    return " ".join(quote(word) for word in [*words, nodeid])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how to repeat each of the first failures."""
    stats = terminalreporter.stats
    failed = [*stats.get("failed", []), *stats.get("error", [])]
    nodeids = list(dict.fromkeys(report.nodeid for report in failed))
    if nodeids:
        terminalreporter.section("to repeat")
    for nodeid in nodeids[:REPEATED]:
        terminalreporter.write_line(repeating(config, nodeid))

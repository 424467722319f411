"""What a tier gives to a test, and what a failure says of how to repeat it."""

import os
import subprocess
import sys

import pytest

from tests.tiers import ROOT, TIERS, Tier, git, seed_of

INNER = """
from hypothesis import settings

def test_of_the_tier(tier):
    assert tier.records == {records}
    assert settings.default.max_examples == {examples}

def test_of_a_seed(tier_seed):
    assert tier_seed != 1

def test_of_the_same_seed(tier_seed):
    assert tier_seed > 0
"""


@pytest.fixture(scope="module", params=sorted(TIERS))
def ran(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tier, list[str]]:
    """Return a tier and the lines that pytest printed for the tests above."""
    tier = TIERS[request.param]
    folder = tmp_path_factory.mktemp("inner")
    inner = folder / "test_inner.py"
    inner.write_text(INNER.format(records=tier.records, examples=tier.examples))
    command = [sys.executable, "-m", "pytest", "-v", "--tier", tier.name]
    command += ["-p", "tests.tiers", "-p", "tests.areas", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-c", os.devnull, f"--rootdir={folder}", str(inner)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return tier, done.stdout.splitlines()


def test_a_test_runs_once_for_each_seed_and_a_module_seed_by_seed(
    ran: tuple[Tier, list[str]],
) -> None:
    tier, lines = ran
    results = [line.split("::")[1].split()[:2] for line in lines if "%]" in line]
    assert results[0] == ["test_of_the_tier", "PASSED"]
    assert [name for name, _ in results[1:]] == [
        f"{test}[seed{seed}]"
        for seed in tier.seeds
        for test in ("test_of_a_seed", "test_of_the_same_seed")
    ]
    failed = [name for name, result in results if result == "FAILED"]
    assert failed == ["test_of_a_seed[seed1]"]


def test_a_failure_says_the_command_that_repeats_it(
    ran: tuple[Tier, list[str]],
) -> None:
    tier, lines = ran
    heading = next(line for line in lines if line.startswith("tier: "))
    assert heading.startswith(f"tier: {tier.name}; {tier.records:,} records; seeds 1")
    seed = heading.rpartition(" ")[2]
    more = f"--thorough --hypothesis-seed {seed} " if tier.name == "thorough" else ""
    command = f"python3 run.py test {more}'test_inner.py::test_of_a_seed[seed1]'"
    assert command in lines
    if tier.name == "thorough":  # others may commit while the tests run
        recent = git("log", "-3", "--format=%H").split() or [""]
        assert int(seed) in [seed_of(commit) for commit in recent]


def test_the_seed_of_hypothesis_is_the_head_of_the_commit() -> None:
    assert seed_of("46d0705a" + 32 * "0") == 0x46D0705A
    assert seed_of("") == 0

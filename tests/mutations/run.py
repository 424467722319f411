"""Break the package one line at a time and see that the named tests notice.

    python tests/mutations/run.py [LIST ...]

Each list (`tests/mutations/*.toml`) holds mutations: the rule, a file, a piece of text
that occurs once in it, what to put in its place, and the tests that must fail then. The
package and the tests are copied to a temporary folder for it; nothing here is changed.
The lists are read by `tests/mutations/lists.py`; the documents show them.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # when it is run as a file

from tests.mutations import lists  # noqa: E402

NO_SHRINKING = """
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "no_shrinking",
    max_examples=50,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
"""
"""A failing example is enough; nobody reads it."""
PYTEST = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
PYTEST += ["-p", "no:nbval"]  # its imports take longer than most of the tests
PYTEST += ["-p", "no_shrinking", "--hypothesis-profile=no_shrinking"]

HANGS_S = 600
"""A test that takes so long has noticed a mutation, too."""


def fails(mutation: lists.Mutation | None, tests: tuple[str, ...]) -> tuple[bool, str]:
    """Run the tests on a copy with the mutation; return whether a test failed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__", "data", ".*")
        shutil.copytree(ROOT / "kafkasim", copy / "kafkasim", ignore=ignored)
        for name in ("kafkasim/data", "tests"):
            if (ROOT / name).exists():
                shutil.copytree(ROOT / name, copy / name, dirs_exist_ok=True)
        shutil.copy(ROOT / "pyproject.toml", copy)
        if mutation is not None:
            file = copy / mutation.file
            text = file.read_text(encoding="utf-8")
            file.write_text(lists.mutated(text, mutation), encoding="utf-8")
        (copy / "no_shrinking.py").write_text(NO_SHRINKING, encoding="utf-8")
        try:
            done = subprocess.run(
                [*PYTEST, *tests],
                cwd=copy,
                capture_output=True,
                text=True,
                check=False,
                timeout=None if mutation is None else HANGS_S,
            )
        except subprocess.TimeoutExpired:
            return True, "it hangs"
        if done.returncode not in (0, 1):  # 1: tests were run and some failed
            raise RuntimeError(f"{mutation}\n{done.stdout}\n{done.stderr}")
        return done.returncode == 1, done.stdout


def caught(mutations: lists.MutationList) -> Iterator[tuple[lists.Mutation, bool]]:
    """Yield each mutation and whether every one of its tests fails with it."""
    tests = tuple(sorted({test for m in mutations.mutations for test in m.tests}))
    failed, output = fails(None, tests)
    if failed:
        raise RuntimeError(f"the tests fail on the package as it is\n{output}")

    def noticed(mutation: lists.Mutation) -> bool:
        return all(fails(mutation, (test,))[0] for test in mutation.tests)

    with ThreadPoolExecutor(2) as pool:
        results = pool.map(noticed, mutations.mutations)
        yield from zip(mutations.mutations, results, strict=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("lists", nargs="*", help="lists to run; all when none is named")
    arguments = parser.parse_args()
    names = arguments.lists or [path.stem for path in lists.FILES]
    survivors = 0
    for name in names:
        mutations = lists.read_list(lists.FOLDER / f"{name}.toml")
        for mutation, noticed in caught(mutations):
            survivors += not noticed
            print(f"{'caught  ' if noticed else 'SURVIVED'}  {mutation.rule}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

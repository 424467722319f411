"""Break the package one line at a time and see that the named tests notice.

    python tests/mutations/run.py [--write] [LIST ...]

Each list (`tests/mutations/*.toml`) holds mutations: the rule, a file, a piece of text
that occurs once in it, what to put in its place, and the tests that must fail then. The
package and the tests are copied to a temporary folder for it; nothing here is changed.
With `--write` the table goes to `docs/evidence/<list>-mutations.md`.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent
EVIDENCE = ROOT / "docs" / "evidence"

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


@dataclass(frozen=True)
class Mutation:
    """One line to break."""

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class MutationList:
    """What one file lists."""

    name: str
    title: str
    intro: str
    mutations: tuple[Mutation, ...]


def read_list(path: Path) -> MutationList:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    mutations = tuple(
        Mutation(
            rule=entry["rule"],
            file=entry["file"],
            old=entry["old"],
            new=entry["new"],
            tests=tuple(entry["tests"]),
        )
        for entry in document["mutation"]
    )
    return MutationList(path.stem, document["title"], document["intro"], mutations)


def mutated(text: str, mutation: Mutation) -> str:
    """Return the file's text with the mutation made.

    Raises
    ------
    ValueError
        When the old text does not occur exactly once.
    """
    count = text.count(mutation.old)
    if count != 1:
        raise ValueError(
            f"{mutation.file}: {mutation.old!r} occurs {count} times, not once"
        )
    return text.replace(mutation.old, mutation.new)


def fails(mutation: Mutation | None, tests: tuple[str, ...]) -> tuple[bool, str]:
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
            file.write_text(mutated(text, mutation), encoding="utf-8")
        (copy / "no_shrinking.py").write_text(NO_SHRINKING, encoding="utf-8")
        done = subprocess.run(
            [*PYTEST, *tests], cwd=copy, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1):  # 1: tests were run and some failed
            raise RuntimeError(f"{mutation}\n{done.stdout}\n{done.stderr}")
        return done.returncode == 1, done.stdout


def caught(mutations: MutationList) -> Iterator[tuple[Mutation, bool]]:
    """Yield each mutation and whether every one of its tests fails with it."""
    tests = tuple(sorted({test for m in mutations.mutations for test in m.tests}))
    failed, output = fails(None, tests)
    if failed:
        raise RuntimeError(f"the tests fail on the package as it is\n{output}")

    def noticed(mutation: Mutation) -> bool:
        return all(fails(mutation, (test,))[0] for test in mutation.tests)

    with ThreadPoolExecutor(2) as pool:
        results = pool.map(noticed, mutations.mutations)
        yield from zip(mutations.mutations, results, strict=True)


def table(mutations: MutationList) -> str:
    """Return the evidence page."""
    command = f"python tests/mutations/run.py {mutations.name}"
    lines = [
        f"# {mutations.title}",
        "",
        mutations.intro.strip(),
        "",
        f"`{command}` makes each change in a copy of the package",
        "and runs the named tests there; every one of them must fail.",
        "",
        "| rule | test | in | is | becomes |",
        "| --- | --- | --- | --- | --- |",
    ]
    for mutation in mutations.mutations:
        names = "<br>".join(
            f"`{test.removeprefix('tests/')}`" for test in mutation.tests
        )
        file = mutation.file.removeprefix("kafkasim/")
        lines.append(
            f"| {mutation.rule} | {names} | `{file}` | {_code(mutation.old)} "
            f"| {_code(mutation.new)} |"
        )
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    lines = [line.strip().replace("|", "\\|") for line in text.strip().splitlines()]
    return "<br>".join(f"`{line}`" for line in lines) or "(nothing)"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write docs/evidence")
    parser.add_argument("lists", nargs="*", help="lists to run; all when none is named")
    arguments = parser.parse_args()
    names = arguments.lists or sorted(path.stem for path in LISTS.glob("*.toml"))
    survivors = 0
    for name in names:
        mutations = read_list(LISTS / f"{name}.toml")
        for mutation, noticed in caught(mutations):
            survivors += not noticed
            print(f"{'caught  ' if noticed else 'SURVIVED'}  {mutation.rule}")
        if arguments.write:
            page = EVIDENCE / f"{name}-mutations.md"
            page.write_text(table(mutations), encoding="utf-8")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

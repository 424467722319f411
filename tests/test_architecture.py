"""What the house must look like, checked on its files: sizes, mirrors, dead modules.

Each exception is listed by name with its reason; an exception that is no longer needed
fails too.
"""

import ast
import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import kafkasim

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kafkasim"
MODULES = sorted(PACKAGE.rglob("*.py"))
CODE = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), ROOT / "run.py"]
CODE += sorted((ROOT / "benchmarks").glob("*.py"))

MODULE_LINES = 400
FUNCTION_LINES = 50

LONG_FUNCTIONS: dict[str, str] = {}
"""`path::function` → why it may be longer than a screen."""

TESTED_IN: dict[str, str] = {
    module: test
    for test, modules in tomllib.loads(
        (ROOT / "tests" / "tested_in.toml").read_text(encoding="utf-8")
    ).items()
    for module in modules
}
"""Module → the test file that covers it, where that is not its mirror."""

ENTRY_POINTS = {
    "kafkasim.__main__": "python -m kafkasim",
    "kafkasim.engine.sim.systems.rabbitmq.lifecycle": "who checks a run of RabbitMQ",
    "kafkasim.protocol.groups.coordinator.consumer_groups": (
        "whoever holds a partition of offsets"
    ),
    "kafkasim.protocol.groups.member.consumer_member": "who runs a member",
    "kafkasim.testing.group_conversation": "the transcripts of the documents",
    "kafkasim.testing.builders": "tests of analysis and figures, and those of others",
}
"""Module → who starts it, where no module imports it."""

COMMITTED = ["*.md", "*.toml", "*.yaml", "LICENSE", "run.py", ".ci/*"]
COMMITTED += [
    f"{folder}/**/*.{suffix}"
    for folder in (
        *("benchmarks", "docs", "kafkasim", "notebooks", "requirements", "tests"),
    )
    for suffix in ("cfg", "ipynb", "java", "json", "md", "py", "toml", "txt", "xml")
]
GENERATED = {"docs/_build", "docs/reference/api"}


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(_tree(file)) if isinstance(node, kinds)]


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without those of its docstring."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module))
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _committed() -> list[Path]:
    files = {file for pattern in COMMITTED for file in ROOT.glob(pattern)}
    return sorted(
        file
        for file in files
        if not any(_path(file).startswith(folder) for folder in GENERATED)
    )


@pytest.mark.parametrize("file", CODE, ids=_path)
def test_a_module_has_at_most_400_lines(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())

    assert lines <= MODULE_LINES


def test_a_function_fits_on_a_screen() -> None:
    long = {
        f"{_path(file)}::{function.name}"
        for file in CODE
        for function in _functions(file)
        if _length(function) > FUNCTION_LINES
    }

    assert long == set(LONG_FUNCTIONS)


def test_every_module_is_imported_or_is_where_a_public_name_lives() -> None:
    imported = set().union(*(_imported(file) for file in MODULES))
    homes = set(kafkasim._HOME.values())
    public = {f"kafkasim.{name}" for name in kafkasim.__all__}

    unused = {
        _module_name(file)
        for file in MODULES
        if file.name != "__init__.py"
        and _module_name(file) not in imported | homes | public | set(ENTRY_POINTS)
    }

    assert unused == set()


def test_every_module_with_behaviour_has_a_test_file_in_its_mirror() -> None:
    untested = set()
    for file in MODULES:
        inside = file.relative_to(PACKAGE)
        mirror = ROOT / "tests" / inside.parent / f"test_{inside.stem.lstrip('_')}.py"
        exempt = file.name in {"__init__.py", "__main__.py"} or not _functions(file)
        if not exempt and not mirror.exists():
            untested.add(_path(file))

    assert untested == set(TESTED_IN)
    assert [test for test in TESTED_IN.values() if not (ROOT / test).exists()] == []


def test_imports_are_absolute_and_take_only_packages_from_the_root() -> None:
    packages = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    wrong = []
    for file in set(MODULES) - {PACKAGE / "__init__.py"}:
        for node in ast.walk(_tree(file)):
            names: set[str] = set()
            if isinstance(node, ast.ImportFrom) and node.module == "kafkasim":
                names = {alias.name for alias in node.names} - packages
            elif isinstance(node, ast.ImportFrom) and node.level > 0:
                names = {"." * node.level}
            elif isinstance(node, ast.Import):
                names = {a.name for a in node.names if a.name == "kafkasim"}
            wrong += [f"{_path(file)}: {name}" for name in sorted(names)]

    assert wrong == []


def test_a_notebook_shows_ideas_and_leaves_machinery_to_the_package() -> None:
    defined = []
    for file in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells):
            if cell["cell_type"] != "code":
                continue
            text = "".join(cell["source"])
            long = re.search(
                r"^(class |def (?:.*\n(?: .*\n?|\n){11,}))", text, re.MULTILINE
            )
            defined += [f"{_path(file)} cell {number}"] * (long is not None)
    assert defined == []


def test_no_file_names_a_machine_or_a_registry() -> None:
    machines = ["/" + name + "/" for name in ("work", "root")]
    machines += [".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"))]
    machines += [".".join(host) for host in (("npmjs", "org"), ("crates", "io"))]

    named = [
        f"{_path(file)}: {machine}"
        for file in _committed()
        for machine in machines
        if machine in file.read_text(encoding="utf-8")
    ]
    assert named == []

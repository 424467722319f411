"""The public names of the log: one table, fetched when asked for."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import kafkasim.log

FILE = Path(kafkasim.log.__file__)


@pytest.mark.parametrize("name", kafkasim.log.__all__)
def test_every_name_is_what_its_module_defines(name: str) -> None:
    value = getattr(kafkasim.log, name)
    assert not isinstance(value, ModuleType)
    assert value.__name__ == name
    assert value.__module__ == f"kafkasim.log.{kafkasim.log._HOME[name]}"


def test_the_names_for_type_checkers_equal_the_table() -> None:
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {
        alias.name: str(node.module).removeprefix("kafkasim.log.")
        for node in imports
        for alias in node.names
    }
    assert homes == kafkasim.log._HOME
    assert set(dir(kafkasim.log)) == set(kafkasim.log.__all__) == set(homes)


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_name_is_the_function_also_when_its_module_came_first() -> None:
    _run(
        "import kafkasim.log.fsck, kafkasim as ks\n"
        "from kafkasim.log.fsck import fsck\n"
        "assert ks.log.fsck is fsck\n"
        "assert ks.log.store.MemoryStore is ks.log.MemoryStore\n"
    )


def test_the_package_alone_loads_none_of_its_modules() -> None:
    _run(
        "import sys, kafkasim.log\n"
        "assert not [m for m in sys.modules if m.startswith('kafkasim.log.')]\n"
        "assert 'numpy' not in sys.modules\n"
    )


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Rekord'"):
        _ = kafkasim.log.Rekord

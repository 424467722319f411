"""The root: one table of names, and nothing heavy until a name is asked for."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import kafkasim

ROOT = Path(__file__).parents[1]
HEAVY = {"ipywidgets", "joblib", "matplotlib", "networkx", "pandas", "pyarrow", "simpy"}


def _modules_after(code: str) -> set[str]:
    """Return the names of the modules that a fresh interpreter holds after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def _typing_block() -> dict[str, str]:
    tree = ast.parse((ROOT / "kafkasim" / "__init__.py").read_text(encoding="utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    )
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


@pytest.mark.parametrize("name", kafkasim.__all__)
def test_every_public_name_resolves_and_is_kept(name: str) -> None:
    value = getattr(kafkasim, name)

    assert vars(kafkasim)[name] is value


def test_the_names_for_type_checkers_equal_the_table() -> None:
    assert _typing_block() == kafkasim._HOME


def test_a_star_import_and_dir_offer_the_table() -> None:
    assert kafkasim.__all__ == list(kafkasim._HOME)
    assert set(kafkasim.__all__) <= set(dir(kafkasim))


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Trafic'"):
        _ = kafkasim.Trafic


def test_the_version_is_the_installed_one() -> None:
    assert kafkasim.__version__ == "0.1.0"


def test_importing_kafkasim_loads_no_module_of_its_own_and_nothing_heavy() -> None:
    bare = _modules_after("")

    loaded = _modules_after("import kafkasim") - bare

    assert {name for name in loaded if name.startswith("kafkasim")} == {"kafkasim"}
    assert not loaded & (HEAVY | {"numpy"})


def test_naming_a_scenarios_classes_loads_only_what_they_are_made_of() -> None:
    named = "ks.Scenario, ks.Traffic, ks.Source, ks.Subscriber, ks.Kafka, ks.Poisson"
    later = {"numpy.random", "hashlib", "difflib", "tomli_w", "kafkasim.scenario.plan"}

    loaded = _modules_after(f"import kafkasim as ks\n{named}")

    assert not loaded & (HEAVY | later)


def test_writing_and_planning_a_scenario_loads_nothing_heavy() -> None:
    code = """
import kafkasim as ks
web = ks.Source(stream="orders", arrivals=ks.Poisson(rate_per_s=50))
billing = ks.Subscriber(streams=["orders"], work_ms=ks.Exponential(1.0))
traffic = ks.Traffic({"web": web}, {"billing": billing}, duration_s=1)
scenario = ks.Scenario(traffic, system=ks.Kafka(), seed=7)
scenario.to_toml(), scenario.plan().digest
"""

    assert not _modules_after(code) & HEAVY


def test_the_reference_lists_every_public_name_once() -> None:
    pages = [p.read_text("utf-8") for p in (ROOT / "docs" / "reference").glob("*.md")]
    lines = [line.strip() for page in pages for line in page.splitlines()]

    listed = {name: lines.count(f"~kafkasim.{name}") for name in kafkasim.__all__}
    assert {name for name, count in listed.items() if count != 1} == set()

"""`run.py`: what it says when it cannot go on, and what it starts when it can."""

import ast
import importlib.util
import json
import runpy
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from venv import EnvBuilder

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return `run.py` as a module whose environment would lie in `tmp_path`."""
    spec = importlib.util.spec_from_file_location("run", ROOT / "run.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / "venv")
    monkeypatch.setattr(module, "PYTHON", tmp_path / "venv" / "python")
    return module


def test_an_old_python_can_read_the_file_and_is_told_what_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ast.parse((ROOT / "run.py").read_text(encoding="utf-8"), feature_version=(3, 8))
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "run.py"))

    assert ended.value.code == 2
    assert "needs Python 3.11 to 3.14; this is Python 3.10" in capsys.readouterr().err


def test_a_python_without_ensurepip_is_told_which_package_brings_it(
    run: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda _: None)

    with pytest.raises(SystemExit) as ended:
        run.make_environment(uv=None)

    assert ended.value.code == 2
    assert "python3-venv" in capsys.readouterr().err
    assert not run.VENV.exists()


@pytest.mark.parametrize("own", [True, False], ids=["its own", "another"])
def test_an_environment_without_pip_is_made_anew_unless_this_python_runs_from_it(
    run: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    own: bool,  # noqa: FBT001 - a case of the test
) -> None:
    started: list[tuple[object, ...]] = []

    def start(*command: object) -> int:
        started.append(command)
        return 0

    EnvBuilder(symlinks=True).create(run.VENV)
    monkeypatch.setattr(run, "PYTHON", run.VENV / run.BIN.name / "python")
    monkeypatch.setattr(run, "start", start)
    if own:
        monkeypatch.setattr(sys, "prefix", str(run.VENV))

    assert run.works(uv="uv") and not run.works(uv=None)
    run.make_environment(uv="uv")
    assert not started
    run.make_environment(uv=None)

    assert run.VENV.exists() == own
    made = ("ensurepip",) if own else ("venv", run.VENV)
    assert started == [(sys.executable, "-m", *made)]
    assert capfd.readouterr() == ("", "")


def test_packages_are_of_the_environment_whatever_is_set_for_others(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("PIP_USER", "1")

    given = run.environment()

    assert {name for name, value in given.items() if value == "elsewhere"} == {
        "PIP_INDEX_URL"
    }
    assert given["PIP_USER"] == "0"


def test_what_cannot_be_started_is_no_environment(run: ModuleType) -> None:
    assert not run.works(uv=None)
    run.VENV.mkdir()
    run.PYTHON.write_bytes(b"of another machine")
    assert not run.works(uv="uv")


def test_an_unknown_command_is_named_with_the_nearest_and_ends_with_2(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["tets"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("run.py: no command 'tets'; did you mean test? There ")


def test_without_a_command_the_commands_are_shown(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main([]) == 0
    assert "python3 run.py test" in capsys.readouterr().out


def test_a_command_of_kafkasim_is_told_how_it_was_typed(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def start(*_: object, folder: Path, **variables: str) -> int:
        assert folder == Path.cwd()
        told.append(variables["KAFKASIM_COMMAND"])
        return 0

    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "set_up", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["run.py", "demo"])
    assert run.main(["demo", "--quick"]) == 0
    assert told == ["python3 run.py"]


@pytest.mark.parametrize("changed", [0, 1], ids=["all copied", "one kept"])
def test_lab_opens_the_first_lesson_as_a_copy(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: int
) -> None:
    started: list[tuple[str, ...]] = []

    def start(*command: object, **_: object) -> int:
        started.append(tuple(map(str, command)))
        (tmp_path / "lessons").mkdir(exist_ok=True)
        for name in ("03-keys.ipynb", "01-start.ipynb", "glossary.md"):
            (tmp_path / "lessons" / name).touch()
        return changed if "kafkasim" in started[-1] else 0

    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "set_up", lambda _: None)

    assert run.main(["lab", "--no-browser"]) == 0

    copied, opened = (command[1:] for command in started)
    assert copied == ("-m", "kafkasim", "lessons", "lessons", "--solutions")
    places = (
        "--ServerApp.root_dir=lessons",
        "--LabApp.default_url=/lab/tree/01-start.ipynb",
    )
    assert opened == (*run.COMMANDS["lab"], *places, "--no-browser")
    assert opened[:2] == ("-m", "jupyterlab")  # no script, which knows its old place
    (page,) = (tmp_path / ".cache").rglob("page_config.json")
    assert any(json.loads(page.read_text())["disabledExtensions"].values())


def test_lab_stops_when_the_lessons_cannot_be_copied(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[object, ...]] = []

    def start(*command: object, **_: object) -> int:
        started.append(command)
        return 2

    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "set_up", lambda _: None)

    assert run.main(["lab"]) == 2
    assert len(started) == 1


def test_an_unknown_check_is_named_before_anything_is_installed(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(["check", "rufff"]) == 2
    assert "no check 'rufff'; did you mean ruff? There" in capsys.readouterr().err


@pytest.mark.parametrize("has_uv", [True, False], ids=["uv", "pip"])
def test_a_set_is_installed_once_until_its_requirements_change(
    run: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    has_uv: bool,  # noqa: FBT001 - a case of the test
) -> None:
    started: list[tuple[str, ...]] = []

    def start(*command: object, **_: object) -> int:
        started.append(tuple(map(str, command)))
        return 0

    run.VENV.mkdir()
    run.PYTHON.touch()
    monkeypatch.setattr(run, "works", lambda _: True)
    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run.shutil, "which", lambda _: "uv" if has_uv else None)

    run.set_up("runtime")
    first = list(started)
    run.set_up("runtime")

    assert started == first
    assert [c[0] for c in first] == ["uv" if has_uv else str(run.PYTHON)] * 2
    requirements = str(ROOT / "requirements" / "runtime.txt")
    assert ("--require-hashes", "-r", requirements) == first[0][-3:]
    assert first[1][-3:] == ("--no-build-isolation", "-e", str(ROOT))


def test_thorough_adds_the_slow_tests_and_keeps_other_arguments(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, ...]] = []

    def start(*command: object, **_: object) -> int:
        started.append(tuple(map(str, command)))
        return 0

    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "set_up", lambda _: None)

    assert run.main(["test", "--thorough", "-k", "lag"]) == 0

    pairs = set(pairwise(started[0]))
    assert {("-m", ""), ("--tier", "thorough")} <= pairs
    assert started[0][-2:] == ("-k", "lag")


def test_in_the_command_browser_a_missing_browser_is_a_failure(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, str]] = []

    def start(*_: object, **variables: str) -> int:
        told.append(variables)
        return 0

    sets: list[str] = []
    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "set_up", sets.append)

    assert run.main(["browser", "-k", "site"]) == 0
    assert run.main(["bench", "browser"]) == 0
    assert run.main(["bench", "import"]) == 0
    assert run.main(["bench", "import", "log"]) == 0
    assert run.main(["bench", "log", "browser"]) == 0

    assert told[0]["KAFKASIM_BROWSER"] == "required"
    assert sets == ["browser", "browser", "runtime", "dev", "browser"]


def test_in_the_command_cluster_what_kafka_needs_must_be_there(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, str]] = []
    started: list[tuple[str, ...]] = []

    def start(*command: object, **variables: str) -> int:
        started.append(tuple(map(str, command)))
        told.append(variables)
        return 0

    monkeypatch.setattr(run, "start", start)
    monkeypatch.setattr(run, "set_up", lambda _: None)

    assert run.main(["cluster", "-k", "dump"]) == 0

    assert told[0]["KAFKASIM_CLUSTER"] == "required"
    assert "tests/cluster" in started[0] and started[0][-2:] == ("-k", "dump")


def test_the_sets_pin_one_version_of_each_package_with_hashes_and_no_address() -> None:
    pins: dict[str, set[str]] = {}
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        for requirement in file.read_text("utf-8").replace("\\\n", " ").splitlines():
            pin, *hashes = requirement.split("--hash=sha256:")
            name, version = pin.partition(";")[0].split("==")
            pins.setdefault(name, set()).add(version.strip())
            assert hashes, f"{file.name}: {pin}"
            assert "//" not in requirement

    assert {name for name, versions in pins.items() if len(versions) > 1} == set()

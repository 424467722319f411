"""Set up kafkasim in `.venv` and run one of its commands; needs only Python 3.11+.

    python3 run.py demo                 a year of flights, and what partitions change
    python3 run.py run FILE.toml ...    one scenario                (run --help)
    python3 run.py sweep FILE.toml ...  a what-if                   (sweep --help)
    python3 run.py describe FILE.toml   what a scenario holds
    python3 run.py dump FOLDER          the files of a partition    (dump --help)
    python3 run.py fsck FOLDER          damage in them, and a repaired copy
    python3 run.py lessons DIR          copies of the lessons       (lessons --help)
    python3 run.py test [--thorough] [pytest's arguments]
    python3 run.py browser              the lessons and the built site in a real browser
    python3 run.py cluster              the log beside Apache Kafka's own classes
    python3 run.py check [ruff|format|types|imports|docstrings|spelling]
    python3 run.py bench [--page] [NAME]  speed, each figure with the bar it must hold
    python3 run.py lab                  JupyterLab on the first lesson (a copy of it)
    python3 run.py docs                 the documentation, into docs/_build/html
    python3 run.py words                the catalogues of other languages, from the code
    python3 run.py wheel                the package for others, into dist

Packages come from requirements/*.txt, each pinned with its hashes, by uv when it is on
the PATH and by pip otherwise. Nothing outside this folder is written but the caches and
temporary files of those two. A stamp in `.venv` makes a second start skip all of this.
"""

import sys

if not (3, 11) <= sys.version_info < (3, 15):
    found = ".".join(map(str, sys.version_info[:2]))
    sys.stderr.write(f"kafkasim needs Python 3.11 to 3.14; this is Python {found}.\n")
    sys.exit(2)

import difflib
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")

OWN = {
    name: ["-m", "kafkasim", name]
    for name in ("demo", "run", "sweep", "describe", "dump", "fsck", "lessons")
}
COMMANDS = OWN | {
    "browser": [],
    "bench": ["-m", "benchmarks.bench"],
    "check": [],
    "cluster": [],
    "docs": [
        *("-m", "sphinx", "-W", "--keep-going", "-q", "-j", "auto"),
        *("docs", "docs/_build/html"),
    ],
    "lab": [
        *("-m", "jupyterlab"),  # `jupyter lab` is lost when the folder is moved
        "--LabApp.news_url=None",  # it asks no other machine for anything
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ],
    "test": [
        *("-m", "pytest", "-n", "2", "--dist", "loadfile"),
        *("--nbval", "--nbval-current-env"),
        *("--nbval-sanitize-with", "tests/nbval_sanitize.cfg"),
        *("-p", "tests.tiers", "-p", "tests.areas"),
    ],
    "words": ["-m", "tests.words"],
    "wheel": ["-m", "hatchling", "build", "-t", "wheel"],
}
SETS = {
    "browser": "browser",
    "check": "dev",
    "cluster": "dev",
    "docs": "docs",
    "lab": "lab",
    "test": "dev",
    "words": "dev",
}
BENCH_SETS = {"browser": "browser", "log": "dev"}
"""Benchmarks that take more than the package; the first of them brings the others."""
CHECKS = {
    "ruff": ["ruff", "check"],
    "format": ["ruff", "format", "--check"],
    "types": ["mypy"],
    "imports": ["lint-imports"],
    "docstrings": ["numpydoc", "lint", *map(str, ROOT.glob("kafkasim/**/*.py"))],
    "spelling": ["codespell"],
}


def environment() -> dict[str, str]:
    """Return the environment of every command: its small files go into `.cache`.

    Packages come from `.venv` alone, and pip installs into it whatever its owner has
    set. Python may keep what it compiles: every test process and every kernel would
    compile all packages anew.
    """
    cache = ROOT / ".cache"
    variables = os.environ | {
        "VIRTUAL_ENV": str(VENV),
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "MPLCONFIGDIR": str(cache / "matplotlib"),
        "IPYTHONDIR": str(cache / "ipython"),
        "JUPYTER_CONFIG_DIR": str(cache / "jupyter"),
        "JUPYTER_DATA_DIR": str(cache / "jupyter"),
        "UV_PYTHON_DOWNLOADS": "never",
        "PIP_USER": "0",
    }
    unwanted = {"MPLBACKEND", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    unwanted |= {"PIP_TARGET", "PIP_PREFIX"}
    return {k: v for k, v in variables.items() if k not in unwanted}


def start(*command: str | Path, folder: Path = ROOT, **variables: str) -> int:
    """Run a command and return its exit code."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment() | variables,
        check=False,
    )
    return done.returncode


def need(*command: str | Path) -> None:
    """Run a command of the set-up; end here when it fails."""
    if code := start(*command):
        print(f"set-up stopped: {command[0]} failed (exit {code})", file=sys.stderr)
        sys.exit(code)


def works(uv: str | None) -> bool:
    """Return whether there is a `.venv` to install into: by its pip, when uv is not."""
    probe = ["-c", ""] if uv else ["-m", "pip", "--version"]
    try:
        done = subprocess.run(
            [PYTHON, *probe], env=environment(), check=False, capture_output=True
        )
    except OSError:  # none there, or one of another machine
        return False
    return done.returncode == 0


def make_environment(uv: str | None) -> None:
    """Make `.venv` unless a working one is there.

    The one that this very Python runs from is never removed; it gets the pip it lacks.
    """
    if works(uv):
        return
    runs_from_it = Path(sys.prefix).resolve() == VENV.resolve()
    if not runs_from_it:
        shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        need(uv, "venv", "--quiet", "--python", sys.executable, VENV)
        return
    if importlib.util.find_spec("ensurepip") is None:
        print(
            "This Python comes without ensurepip, so it cannot make an environment.\n"
            "On Debian and Ubuntu the package python3-venv brings it:\n"
            "    sudo apt install python3-venv\n"
            "Or install uv, which needs no ensurepip. Then start this again.",
            file=sys.stderr,
        )
        sys.exit(2)
    need(sys.executable, "-m", *(["ensurepip"] if runs_from_it else ["venv", VENV]))


def set_up(name: str) -> None:
    """Install the set `name` and kafkasim itself, once for each change of either."""
    requirements = ROOT / "requirements" / f"{name}.txt"
    content = requirements.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    digest = hashlib.sha256(content + str(ROOT).encode()).hexdigest()
    stamp = VENV / f"kafkasim-{name}.stamp"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == digest:
        return
    uv = shutil.which("uv")
    print(f"setting up .venv ({name}, by {'uv' if uv else 'pip'}) ...", file=sys.stderr)
    make_environment(uv)
    install: list[str | Path] = [PYTHON, "-m", "pip", "install", "--quiet"]
    install += ["--disable-pip-version-check", "--no-warn-script-location"]
    install += ["--no-compile"]  # only what is imported is compiled, when it is
    if uv:
        install = [uv, "pip", "install", "--quiet", "--python", PYTHON]
    need(*install, "--require-hashes", "-r", requirements)
    need(*install, "--no-deps", "--no-build-isolation", "-e", ROOT)
    stamp.write_text(digest)


def run_tests(arguments: list[str]) -> int:
    """Run every test on two processes, the cells of the notebooks included."""
    thorough = ["--tier", "thorough", "-m", ""]
    if "--thorough" in arguments:
        arguments = [*thorough, *(a for a in arguments if a != "--thorough")]
    return start(PYTHON, *COMMANDS["test"], *arguments, PYTHONHASHSEED="0")


def run_browser(arguments: list[str]) -> int:
    """Run the tests in a real browser; what they lack is a failure here."""
    command = ["-m", "pytest", "tests/browser", "-n", "2", *arguments]
    return start(PYTHON, *command, KAFKASIM_BROWSER="required", PYTHONHASHSEED="0")


def run_cluster(arguments: list[str]) -> int:
    """Run the tests that need Kafka's classes; what they lack is a failure here."""
    command = ["-m", "pytest", "tests/cluster", "-m", "", *arguments]
    return start(PYTHON, *command, KAFKASIM_CLUSTER="required", PYTHONHASHSEED="0")


def run_lab(arguments: list[str]) -> int:
    """Copy the lessons into `lessons`, which git ignores, and open the first copy."""
    copied = [*OWN["lessons"], "lessons", "--solutions"]
    if (code := start(PYTHON, *copied)) not in {0, 1}:  # 1: what was changed is kept
        return code
    ask_nothing()
    first = min((ROOT / "lessons").glob("[0-9]*.ipynb")).name
    # As an address and not as a file: so the addresses that are printed, for who opens
    # the browser by hand, lead to it too.
    opened = ["--ServerApp.root_dir=lessons", f"--LabApp.default_url=/lab/tree/{first}"]
    return start(PYTHON, *COMMANDS["lab"], *opened, *arguments)


def ask_nothing() -> None:
    """Switch off JupyterLab's question for news, unless something is set there."""
    page = ROOT / ".cache" / "jupyter" / "labconfig" / "page_config.json"
    if not page.exists():
        page.parent.mkdir(parents=True, exist_ok=True)
        asks = "@jupyterlab/apputils-extension:announcements"
        page.write_text(f'{{"disabledExtensions": {{"{asks}": true}}}}\n')


def run_checks(names: list[str]) -> int:
    """Run the named checks, or all, and return 1 when one of them failed."""
    failed = []
    for name in names or CHECKS:
        print(f"== {name}", flush=True)
        program, *arguments = CHECKS[name]
        if start(BIN / program, *arguments):
            failed.append(name)
    print(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))


RUNNERS = {
    "browser": run_browser,
    "check": run_checks,
    "cluster": run_cluster,
    "lab": run_lab,
    "test": run_tests,
}


def unknown(what: str, name: str, names: Iterable[str]) -> int:
    """Say that there is no such name, and the nearest; return the exit code."""
    near = difflib.get_close_matches(name, list(names), n=1)
    guess = f"; did you mean {near[0]}?" if near else "."
    listed = ", ".join(sorted(names))
    print(f"run.py: no {what} {name!r}{guess} There are {listed}.", file=sys.stderr)
    return 2


def set_of(command: str, arguments: list[str]) -> str:
    """Return the set of packages that a command takes."""
    if command == "bench":
        for name, packages in BENCH_SETS.items():
            if name in arguments:
                return packages
    return SETS.get(command, "runtime")


def main(arguments: list[str]) -> int:
    """Set up what the command needs, then run it."""
    command, *rest = arguments or ["--help"]
    if command in {"-h", "--help"}:
        print(__doc__)
        return 0
    if command not in COMMANDS:
        return unknown("command", command, COMMANDS)
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if command == "check" and (strange := sorted(set(rest) - set(CHECKS))):
        return unknown("check", strange[0], CHECKS)
    set_up(set_of(command, rest))
    if command in RUNNERS:
        return RUNNERS[command](rest)
    if command not in OWN:
        return start(PYTHON, *COMMANDS[command], *rest)
    typed = shlex.join(["python3", sys.argv[0]])
    variables = {"KAFKASIM_COMMAND": typed}
    return start(PYTHON, *COMMANDS[command], *rest, folder=Path.cwd(), **variables)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

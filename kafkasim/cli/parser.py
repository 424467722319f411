"""What can be typed after `kafkasim`; `docs/reference/cli.md` shows it."""

import argparse
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from kafkasim.cli.commands import describe, run, sweep
from kafkasim.cli.demo import demo
from kafkasim.cli.dumping import dump, fsck
from kafkasim.cli.lessons import lessons

_EPILOG: Final = (
    "Exit codes: 0 done; 1 the run failed, its output could not be written, or fsck "
    "found damage; 2 the command, the scenario or a value is not allowed; 130 stopped "
    "with Ctrl-C, 143 with SIGTERM, 129 with SIGHUP."
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="kafkasim",
        description="Simulate Apache Kafka: run a scenario, change it, compare.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action=_ShowVersion)
    commands = whole.add_subparsers(metavar="COMMAND", required=True)
    _demo(_command(commands, "demo", demo))
    _run(_command(commands, "run", run))
    _sweep(_command(commands, "sweep", sweep))
    _describe(_command(commands, "describe", describe))
    _dump(_command(commands, "dump", dump))
    _fsck(_command(commands, "fsck", fsck))
    _lessons(_command(commands, "lessons", lessons))
    return whole


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    function: Callable[..., None],
) -> argparse.ArgumentParser:
    """Add a command; its help is the first line of its function's docstring."""
    line = (function.__doc__ or "").partition("\n")[0]
    added = commands.add_parser(name, help=line, description=line, allow_abbrev=False)
    added.set_defaults(command=function)
    return added


def _demo(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder to write; kafkasim-demo, with a number when that exists",
    )
    _add_workers(command)
    command.add_argument(
        "--quick",
        action="store_true",
        help="one month instead of the year, and two numbers of partitions",
    )


def _run(command: argparse.ArgumentParser) -> None:
    _add_scenario(command)
    _add_set(command, "set a value of the scenario, such as seed=7")
    _add_out(command)
    command.add_argument(
        "--check",
        action="store_true",
        help="check the engine's invariants after every event; slower",
    )
    command.add_argument(
        "--logs",
        action="store_true",
        help="write the brokers' logs too, into DIR/logs, as files that Kafka reads",
    )
    _add_streamed(command)


def _sweep(command: argparse.ArgumentParser) -> None:
    _add_scenario(command)
    _add_set(
        command,
        "values to try, such as system.topics.orders.partitions=1,2,4; "
        "several --set give every combination",
        required=True,
    )
    command.add_argument(
        "--replications",
        type=_count,
        default=1,
        metavar="N",
        help="runs of each combination, with seeds that count up; default 1",
    )
    _add_workers(command)
    _add_out(command)
    _add_streamed(command)


def _describe(command: argparse.ArgumentParser) -> None:
    _add_scenario(command)
    command.add_argument(
        "--resolved",
        action="store_true",
        help="print the scenario as TOML with every field filled in",
    )


def _dump(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "path", type=Path, metavar="PATH", help="a partition's folder, or a file of it"
    )
    command.add_argument(
        "--print-data-log",
        action="store_true",
        help="print each record below its batch, key and value as text",
    )
    command.add_argument(
        "--offsets-decoder",
        action="store_true",
        help="the same, of a partition of __consumer_offsets: what its records say",
    )
    command.add_argument(
        "--anatomy",
        action="store_true",
        help="print one batch byte by byte: place, hexadecimal, field, what it says",
    )
    command.add_argument(
        "--batch",
        type=_number,
        metavar="N",
        help="which batch of the log, from 0; for --anatomy, 0 when not given",
    )


def _fsck(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "folder", type=Path, metavar="FOLDER", help="a partition's folder"
    )
    command.add_argument(
        "--repair-to",
        type=Path,
        metavar="NEW",
        help="folder to write a repaired copy to; FOLDER is never changed",
    )


def _lessons(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, metavar="DIR", help="folder to write")
    command.add_argument(
        "names",
        nargs="*",
        default=(),  # without it argparse says that one is required
        metavar="LESSON",
        help="which ones, by number or name; all when none is named",
    )
    command.add_argument(
        "--solutions", action="store_true", help="with the exercises' solutions, folded"
    )


def _add_scenario(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "scenario_file", type=Path, metavar="SCENARIO.toml", help="scenario to read"
    )


def _add_set(
    command: argparse.ArgumentParser, text: str, *, required: bool = False
) -> None:
    command.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        required=required,
        metavar="PATH=VALUE",
        help=text,
    )


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write"
    )
    command.add_argument(
        "--force",
        action="store_true",
        help="replace DIR when it holds only what kafkasim wrote",
    )


def _add_workers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="processes to use; as many as there are cores when not given",
    )


def _add_streamed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--streamed",
        action="store_true",
        help="keep counts in place of a row per record: for very many records",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        why = f"{text!r} is not allowed; expected a whole number, 1 or more"
        raise argparse.ArgumentTypeError(why)
    return int(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        why = f"{text!r} is not allowed; expected a whole number, 0 or more"
        raise argparse.ArgumentTypeError(why)
    return int(text)


class _ShowVersion(argparse.Action):
    """Print the version and end."""

    def __init__(self, option_strings: Sequence[str], **_: object) -> None:
        super().__init__(
            option_strings, argparse.SUPPRESS, 0, help="print the version and end"
        )

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,  # noqa: ARG002 - argparse calls it so
        values: object,  # noqa: ARG002
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        try:
            number = version("kafkasim")
        except PackageNotFoundError:
            number = "(not installed)"
        print(f"kafkasim {number}")
        parser.exit()

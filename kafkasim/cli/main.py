"""The `kafkasim` command: what can be typed, and what its exit code says.

0: done. 1: the run failed, or its output could not be written. 2: the command, the
scenario or a value is not allowed; stderr names it, what is allowed, and why. 130, 143,
129: stopped with Ctrl-C, SIGTERM, SIGHUP. A user's mistake is one message on stderr; a
traceback is a bug.
"""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from types import FrameType
from typing import Final

from kafkasim.errors import KafkasimError, OutputError, RunError

FAILED: Final = 1
NOT_ALLOWED: Final = 2
STOPPED: Final = 130


class _Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP came: what tidies up after Ctrl-C does so after these."""

    def __init__(self, number: int) -> None:
        self.code = 128 + number
        super().__init__()


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process when not given.
    """
    try:
        with _signals_as_ctrl_c():
            _run(argv)
            sys.stdout.flush()
    except SystemExit as end:  # argparse ends so: 0 after --help, 2 for a usage error
        return end.code if isinstance(end.code, int) else NOT_ALLOWED
    except KeyboardInterrupt as stopped:
        code = stopped.code if isinstance(stopped, _Ended) else STOPPED
        return _complain("stopped; nothing half written is left", code)
    except BrokenPipeError:  # the reader, such as head, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OutputError, RunError) as error:
        return _complain(error, FAILED)
    except KafkasimError as error:
        return _complain(error, NOT_ALLOWED)
    return 0


@contextmanager
def _signals_as_ctrl_c() -> Iterator[None]:
    """Raise on SIGTERM and SIGHUP; one that is ignored (nohup) or handled stays so."""
    if current_thread() is not main_thread():
        yield
        return
    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    mine = [
        number
        for number in (getattr(signal, name) for name in names)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in mine:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, _: FrameType | None) -> None:
    raise _Ended(number)


def _run(argv: Sequence[str] | None) -> None:
    """Read the command line and do what it says; imports wait, for Ctrl-C may come."""
    from kafkasim.cli.parser import parser

    arguments = vars(parser().parse_args(argv))
    command = arguments.pop("command")
    try:
        command(**arguments)
    except MemoryError:
        raise RunError("not enough memory for what was asked for") from None


def _complain(what: object, code: int) -> int:
    with suppress(OSError):  # the terminal may be gone
        print(f"kafkasim: {what}", file=sys.stderr)
    return code

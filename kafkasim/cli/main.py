"""The `kafkasim` command: what can be typed, and what its exit code says.

0: done. 1: the run failed, its output could not be written, or fsck found damage. 2:
the command, the scenario or a value is not allowed; stderr names it, what is allowed,
and why. 130, 143, 129: stopped with Ctrl-C, SIGTERM, SIGHUP. A user's mistake is one
message on stderr; a traceback is a bug.

A second Ctrl-C does not disturb the tidying up after the first; a third ends at once.
"""

import errno
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
    """A signal came: what tidies up after Ctrl-C does so after every one of these."""

    def __init__(self, number: int) -> None:
        self.code = 128 + number
        super().__init__()


class _End:
    """Raises at the first signal, waits at the second, ends at once at the third."""

    def __init__(self) -> None:
        self.signals = 0

    def __call__(self, number: int, _: FrameType | None) -> None:
        self.signals += 1
        if self.signals == 1:
            raise _Ended(number)
        if self.signals > 2:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


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
    except (OutputError, RunError) as error:
        return _complain(error, FAILED)
    except KafkasimError as error:
        return _complain(error, NOT_ALLOWED)
    except OSError as error:
        return _output_failed(error)
    return 0


def _output_failed(error: OSError) -> int:
    """Say that stdout takes no more, and let the rest go nowhere.

    Raises
    ------
    OSError
        The error, when it is another.
    """
    if error.errno not in {errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EIO}:
        raise error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:  # the reader, such as head, has what it wanted
        return FAILED
    what = error.filename or "to stdout"
    return _complain(f"cannot write {what}: {error.strerror}", FAILED)


@contextmanager
def _signals_as_ctrl_c() -> Iterator[None]:
    """Raise on these signals; one that is ignored (nohup) or handled stays so."""
    if current_thread() is not main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    unhandled = (signal.SIG_DFL, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in numbers}
    mine = {number: old for number, old in before.items() if old in unhandled}
    end = _End()
    for number in mine:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, old in mine.items():
            signal.signal(number, old)


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

"""The `kafkasim` command: what can be typed, and what its exit code says.

0: done. 1: the run failed, or its output could not be written. 2: the command, the
scenario or a value is not allowed; stderr names it, what is allowed, and why. 130:
stopped with Ctrl-C. A user's mistake is one message on stderr; a traceback is a bug.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final

from kafkasim.errors import KafkasimError, OutputError, RunError

FAILED: Final = 1
NOT_ALLOWED: Final = 2
STOPPED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says and return the exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process when not given.
    """
    try:
        _run(argv)
        sys.stdout.flush()
    except SystemExit as end:  # argparse ends so: 0 after --help, 2 for a usage error
        return end.code if isinstance(end.code, int) else NOT_ALLOWED
    except KeyboardInterrupt:
        return _complain("stopped; nothing half written is left", STOPPED)
    except BrokenPipeError:  # the reader, such as head, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (OutputError, RunError) as error:
        return _complain(error, FAILED)
    except KafkasimError as error:
        return _complain(error, NOT_ALLOWED)
    return 0


def _run(argv: Sequence[str] | None) -> None:
    """Read the command line and do what it says; imports wait, for Ctrl-C may come."""
    from kafkasim.cli.parser import parser

    arguments = vars(parser().parse_args(argv))
    command = arguments.pop("command")
    command(**arguments)


def _complain(what: object, code: int) -> int:
    print(f"kafkasim: {what}", file=sys.stderr)
    return code

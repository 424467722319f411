"""The same function over many arguments, in this process or in several.

A simulation holds Python's interpreter lock, so threads do not help; processes do
(joblib's loky starts fresh interpreters, on every platform alike). Results come back in
the order of the arguments, whoever finished first, so a table is the same under any
number of workers. The progress bar is on stderr, where it disturbs no output.

Ctrl-C ends the workers and raises KeyboardInterrupt here; a worker ignores the signal
itself, since a terminal sends it to every process of the group. When this process is
killed, each worker notices within a second and ends.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing import current_process
from threading import Event, Thread, current_thread, main_thread
from typing import Any, TypeVar

from kafkasim.errors import RunError

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")


def over(
    function: Callable[[ArgumentT], ResultT],
    arguments: Sequence[ArgumentT],
    *,
    workers: int,
    progress: bool | None,
) -> list[ResultT]:
    """Return `function` of each argument, in their order.

    Parameters
    ----------
    function : callable
        Of one argument; picklable when there are several workers.
    arguments : sequence
        What it is called with.
    workers : int
        Processes; 1 stays in this one.
    progress : bool or None
        Whether to draw a bar on stderr; None draws it when stderr is a terminal.

    Raises
    ------
    RunError
        When a worker was ended by something else, such as a system out of memory.
    """
    from tqdm import tqdm

    hidden = None if progress is None else not progress
    with tqdm(total=len(arguments), unit="run", disable=hidden, leave=False) as bar:
        if workers == 1:
            return _counted(map(function, arguments), bar.update)
        with (
            _ended_is_an_error(),
            closing(_in_processes(function, arguments, workers)) as finished,
        ):
            numbered = dict(_counted(finished, bar.update))
    return [numbered[number] for number in range(len(arguments))]


def _counted(
    results: Iterable[ResultT], count: Callable[[int], object]
) -> list[ResultT]:
    gathered = []
    for result in results:
        gathered.append(result)
        count(1)
    return gathered


def _in_processes(
    function: Callable[[ArgumentT], ResultT],
    arguments: Sequence[ArgumentT],
    workers: int,
) -> Generator[tuple[int, ResultT]]:
    from joblib import Parallel, delayed

    parallel: Any = Parallel(
        n_jobs=workers,
        return_as="generator_unordered",
        initializer=_end_with,
        initargs=(os.getpid(),),
    )
    calls = (
        delayed(_numbered)(function, number, argument)
        for number, argument in enumerate(arguments)
    )
    with _interrupt_ignored():
        finished: Generator[tuple[int, ResultT]] = parallel(calls)
    return finished


def _end_with(parent: int) -> None:
    """Let this worker end when its parent has: nobody waits for what it computes.

    A thread, or a worker that something else started (Dask's), is left alone.
    """

    def watch() -> None:
        while os.getppid() == parent:  # on Windows always
            Event().wait(1.0)
        os._exit(1)

    if current_process().name.startswith("LokyProcess"):
        Thread(target=watch, daemon=True).start()


def _numbered(
    function: Callable[[ArgumentT], ResultT], number: int, argument: ArgumentT
) -> tuple[int, ResultT]:
    return number, function(argument)


@contextmanager
def _ended_is_an_error() -> Iterator[None]:
    from joblib.externals.loky import (  # type: ignore[import-untyped]
        process_executor,
    )

    try:
        yield
    except process_executor.TerminatedWorkerError:
        text = "a worker was ended from outside (out of memory?)"
        raise RunError(text) from None


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Ignore Ctrl-C while workers are started: they inherit it through exec."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def affordable(runs: int) -> int:
    """Return how many workers are worth starting for `runs` runs."""
    from joblib import cpu_count

    return int(max(1, min(cpu_count(), runs)))

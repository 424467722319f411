import os
import signal
import sys
import threading

import joblib
import pytest

from kafkasim.errors import RunError
from kafkasim.experiments.workers import over


def square(number: int) -> int:
    return number * number


def refuse(number: int) -> int:
    raise ValueError(f"no {number}")


def process(number: int) -> int:  # noqa: ARG001
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_are_in_the_order_of_the_arguments(workers: int) -> None:
    assert over(square, [5, 3, 4, 1], workers=workers, progress=False) == [25, 9, 16, 1]


def test_one_worker_is_this_process_and_two_are_others() -> None:
    assert over(process, [1], workers=1, progress=False) == [os.getpid()]
    assert os.getpid() not in over(process, [1, 2], workers=2, progress=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_out_as_it_was_raised(workers: int) -> None:
    with pytest.raises(ValueError, match="no 7"):
        over(refuse, [7, 7], workers=workers, progress=False)


def test_a_bar_is_drawn_on_stderr_only_when_asked_for_or_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    over(square, [1, 2], workers=1, progress=None)
    assert capsys.readouterr() == ("", "")
    over(square, [1, 2], workers=1, progress=True)
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "0/2" in seen.err


def test_workers_can_be_started_from_another_thread() -> None:
    results: list[int] = []
    thread = threading.Thread(
        target=lambda: results.extend(over(square, [2, 3], workers=2, progress=False))
    )
    thread.start()
    thread.join()
    assert results == [4, 9]


@pytest.mark.parametrize("backend", ["threading", "sequential"])
def test_joblibs_own_backends_give_the_same(backend: str) -> None:
    with joblib.parallel_config(backend=backend):
        assert over(square, [2, 3], workers=2, progress=False) == [4, 9]


def end_itself(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_a_worker_that_is_ended_from_outside_is_one_error_and_the_next_call_works() -> (
    None
):
    with pytest.raises(RunError, match=r"^a worker was ended from outside"):
        over(end_itself, [1, 2, 3, 4], workers=2, progress=False)
    assert over(square, [1, 2], workers=2, progress=False) == [1, 4]

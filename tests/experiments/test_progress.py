"""The bar in simulated time."""

import pytest

from kafkasim.experiments.progress import bar_in_simulated_time
from kafkasim.units import NS_PER_S

Captured = pytest.CaptureFixture[str]


def drawn(capsys: Captured, *told: tuple[float, int]) -> str:
    """Return the last bar drawn after these times (s) and receipts were told."""
    with bar_in_simulated_time(20.0, progress=True) as report:
        assert report is not None
        for at_s, unsettled in told:
            report(round(at_s * NS_PER_S), unsettled)
    seen = capsys.readouterr()
    assert seen.out == ""
    return [bar for bar in seen.err.split("\r") if bar.strip()][-1]


def test_the_bar_stands_where_simulated_time_does(capsys: Captured) -> None:
    with bar_in_simulated_time(20.0, progress=True) as report:
        assert report is not None
        report(5 * NS_PER_S, 100)
        report(15 * NS_PER_S, 100)
        capsys.readouterr()
        report(20 * NS_PER_S, 100)
        report(20 * NS_PER_S + 1, 3)
    assert "20/20 s simulated" in capsys.readouterr().err


def test_after_the_last_record_it_says_that_the_run_drains(capsys: Captured) -> None:
    shown = drawn(capsys, (20.0, 9_000), (25.5, 7_654))
    assert shown.startswith("draining: 100%")
    assert "at 25.5 s, 7,654 receipts to settle" in shown


def test_before_that_it_does_not(capsys: Captured) -> None:
    assert "draining" not in drawn(capsys, (1.0, 9_000), (20.0, 9_000))


@pytest.mark.parametrize("progress", [False, None])
def test_no_bar_asks_for_no_reports(capsys: Captured, *, progress: bool | None) -> None:
    with bar_in_simulated_time(20.0, progress=progress) as report:
        assert report is None
    assert capsys.readouterr() == ("", "")

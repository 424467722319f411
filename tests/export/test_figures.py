import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kafkasim.errors import OutputError, ValidationError
from kafkasim.export.figures import figure

_HEADS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}

_SCRIPT = """
import sys
from matplotlib.figure import Figure
from kafkasim.export.figures import figure
axes = Figure(layout="constrained").add_subplot()
axes.plot([1, 2, 3], label="p99")
axes.fill_between([0, 1], [0, 1], hatch="/")
axes.legend()
for path in sys.argv[1:]:
    figure(axes, path)
"""


def _axes() -> Axes:
    axes = Figure().add_subplot()
    axes.plot([1, 2, 3])
    axes.set_title("latency")
    return axes


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_the_suffix_chooses_the_format(tmp_path: Path, suffix: str) -> None:
    path = figure(_axes(), tmp_path / f"latency{suffix}")
    assert path == tmp_path / f"latency{suffix}"
    assert path.read_bytes().startswith(_HEADS[suffix.lower()])


def test_bytes_are_equal_in_two_processes(tmp_path: Path) -> None:
    def drawn(hash_seed: str) -> list[bytes]:
        paths = [tmp_path / f"{hash_seed}{suffix}" for suffix in _HEADS]
        subprocess.run(
            [sys.executable, "-c", _SCRIPT, *map(str, paths)],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        )
        return [path.read_bytes() for path in paths]

    first = drawn("1")
    assert first == drawn("2")
    assert not any(b"Matplotlib" in content for content in first)


def test_the_whole_figure_is_written_from_any_of_its_axes(tmp_path: Path) -> None:
    whole = Figure()
    grid = whole.add_gridspec(1, 2)
    axes = whole.add_subfigure(grid[0]).add_subplot()
    whole.add_subfigure(grid[1]).add_subplot().set_title("beside")
    from_axes = figure(axes, tmp_path / "axes.svg").read_bytes()
    from_figure = figure(whole, tmp_path / "figure.svg").read_bytes()
    assert from_axes == from_figure
    assert b"<!-- beside -->" in from_axes


def test_dpi_sets_the_size_of_a_png(tmp_path: Path) -> None:
    path = figure(Figure(figsize=(2, 1)), tmp_path / "a.png", dpi=50)
    width, height = path.read_bytes()[16:20], path.read_bytes()[20:24]
    assert (int.from_bytes(width), int.from_bytes(height)) == (100, 50)


@pytest.mark.parametrize("name", ["latency.gif", "latency"])
def test_another_suffix_is_refused_with_those_there_are(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(
        ValidationError, match=r"expected a name in \.png, \.svg, \.pdf"
    ):
        figure(_axes(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_settings_of_the_notebook_stay_as_they_were(tmp_path: Path) -> None:
    before = mpl.rcParams["svg.hashsalt"]
    figure(_axes(), tmp_path / "a.svg")
    assert mpl.rcParams["svg.hashsalt"] == before


def test_what_was_there_is_untouched_when_drawing_fails(tmp_path: Path) -> None:
    path = figure(_axes(), tmp_path / "a.png")
    before = path.read_bytes()
    broken = _axes()
    broken.set_title("$no \\mathtext$")
    with pytest.raises(ValueError, match="mathtext"):
        figure(broken, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*a\.png"):
        figure(_axes(), tmp_path / "file" / "a.png")


def test_what_is_no_figure_is_a_clear_message(tmp_path: Path) -> None:
    ax = Figure().subplots()
    ax.remove()
    things: list[Any] = ["lag", ax]
    for thing in things:
        with pytest.raises(ValidationError, match="a figure, or axes in one"):
            figure(thing, tmp_path / "a.png")

"""Hangul in figures, without a font installed and without touching settings."""

import hashlib
import logging
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

from kafkasim import export
from kafkasim.plot.fonts import BOLD_FILE, FILE, HANGUL, families
from kafkasim.plot.headings import headline
from kafkasim.plot.style import canvas, style

MIXED = "결제 서비스의 lag −12 records — p99 42 ms"
"""Korean, Latin, a minus sign and a dash."""
SHA256 = {
    FILE: "60f79f3d669e2a048d5f4516a395b6508a02e835b5a14db20516aa2ae6de6147",
    BOLD_FILE: "c290040a8bf1ce9dffd253c7364159e4dac8e663139a4788bff3b002de86ada7",
}
BOTH = [("normal", FILE), ("bold", BOLD_FILE)]


def body(file: str) -> bytes:
    return files("kafkasim.data").joinpath(file).read_bytes()


def whole(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


@pytest.mark.parametrize("file", SHA256)
def test_the_file_is_the_one_that_the_provenance_describes(file: str) -> None:
    folder = files("kafkasim.data")
    provenance = folder.joinpath("PROVENANCE.md").read_text("utf-8")
    licence = folder.joinpath("kafkasim-hangul-OFL.txt").read_text("utf-8")
    assert hashlib.sha256(body(file)).hexdigest() == SHA256[file]
    assert SHA256[file] in provenance
    assert f"{len(body(file)):,} bytes" in provenance
    assert "SIL OPEN FONT LICENSE" in licence
    assert licence.startswith("Copyright (c) 2010, NAVER Corporation")


@pytest.mark.parametrize(("weight", "file"), BOTH)
def test_it_holds_the_2350_syllables_of_ks_x_1001_under_a_name_of_its_own(
    weight: str, file: str
) -> None:
    families()
    path = findfont(FontProperties(family=HANGUL, weight=weight))
    assert Path(path).name == file
    font = FT2Font(path)
    held = set(font.get_charmap())
    wanted = {c for c in range(0xAC00, 0xD7A4) if len(chr(c).encode("euc_kr")) == 2}
    assert len(wanted) == 2350
    assert wanted <= held
    names = {value.decode("utf-16-be", "ignore") for value in font.get_sfnt().values()}
    assert font.family_name == HANGUL
    assert not any("anum" in name for name in names if "http" not in name)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_korean_latin_and_minus_are_drawn_without_a_missing_glyph(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    # Warnings are errors here, and matplotlib warns of a glyph that no font has.
    with style():
        ax = canvas(None)
        ax.bar(["주문", "배송", "audit"], [-1.0, 2.0, 3.0], label="결제 (billing)")
        ax.set_xlabel(MIXED)
        ax.legend(title="구독자")
        headline(ax, MIXED)
    with caplog.at_level(logging.WARNING, "matplotlib"):
        export.figure(ax, tmp_path / f"hangul.{suffix}")
    assert not caplog.messages


def test_a_glyph_that_no_font_has_would_be_noticed() -> None:
    with style():
        ax = canvas(None)
        ax.set_title("\N{CJK UNIFIED IDEOGRAPH-9F98}")
    FigureCanvasAgg(whole(ax))
    with pytest.warns(UserWarning, match="missing from font"):
        whole(ax).draw_without_rendering()


def test_nothing_is_registered_or_set_before_a_figure_is_drawn() -> None:
    script = (
        "import kafkasim as ks, matplotlib as mpl\n"
        "from matplotlib.font_manager import fontManager\n"
        "before = dict(mpl.rcParams)\n"
        "names = lambda: {each.name for each in fontManager.ttflist}\n"
        "ks.plot.lag\n"
        f"assert {HANGUL!r} not in names()\n"
        "from kafkasim.plot.style import canvas, style\n"
        "with style(): canvas(None)\n"
        f"assert {HANGUL!r} in names()\n"
        "assert dict(mpl.rcParams) == before\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env=dict(os.environ))


def test_settings_of_the_notebook_stay_as_they_were() -> None:
    before = dict(mpl.rcParams)
    assert families() == ("DejaVu Sans", HANGUL)
    assert dict(mpl.rcParams) == before

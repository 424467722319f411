"""README's figures are drawn again and compared, and its captions counted again."""

import re
import runpy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kafkasim as ks
from kafkasim.cli import demo
from kafkasim.export.figures import figure

ROOT = Path(__file__).parents[1]
STATIC = ROOT / "docs" / "_static"
README = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
MADE: dict[str, Any] = runpy.run_path(str(ROOT / "docs" / "figures.py"))
PINNED = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def pictures(readme: str) -> dict[str, str]:
    """Return alternative texts in README, by file name."""
    found = re.findall(r"!\[([^]]*)\]\(docs/_static/([^)]*)\)", readme)
    return {name: in_one_line(alt) for alt, name in found}


@pytest.mark.parametrize(
    ("readme", "made"), [(README, "figures"), (KOREAN, "korean")], ids=["en", "ko"]
)
def test_figures_are_those_the_demo_and_the_gallery_draw(
    tmp_path: Path, readme: str, made: str
) -> None:
    drawn = MADE[made]()
    assert ks.language() == "en"
    assert list(pictures(readme)) == list(drawn)
    same = f"matplotlib=={version('matplotlib')} " in PINNED
    for name, ax in drawn.items():
        assert pictures(readme)[name] == ks.plot.alt_text(ax)
        again = figure(ax, tmp_path / name).read_bytes()
        # Another version of matplotlib draws the same data with other pixels.
        assert not same or again == (STATIC / name).read_bytes(), name


def test_the_title_is_what_the_year_gives() -> None:
    table = pd.read_csv(MADE["TABLE"]).query("keys == 'carrier'")
    kept = table.set_index("partitions")
    year = demo.one_group()
    for partitions in (8, 32):
        run = ks.run(year.where({"system.topics.flights.partitions": partitions}))
        numbers = ks.analysis.metrics(run)
        for column in ("drain_s", "overtaken_share"):
            assert numbers[column] == kept[column].loc[partitions]


@pytest.mark.slow
def test_the_table_is_what_the_demo_sweeps() -> None:
    pd.testing.assert_frame_equal(MADE["swept"](), pd.read_csv(MADE["TABLE"]))


def test_what_the_caption_calls_luck_is_counted() -> None:
    eight, sixteen = MADE["luck"]().values()
    flights = MADE["carriers"]()[1]
    text = in_one_line(README)
    more, fewer = (sixteen > eight).sum(), (sixteen < eight).sum()
    assert f"over 8 in {more} cases and fewer in {fewer}." in text
    means = [
        f"{100 * loads.mean() / flights.sum():.1f} %" for loads in (eight, sixteen)
    ]
    assert f"over 8 partitions ({means[0]}) and over 16 ({means[1]})" in text


def test_the_model_of_luck_gives_the_flights_the_demo_s_members_had() -> None:
    names, flights = MADE["carriers"]()
    scenario = demo.one_group().where({"system.topics.flights.partitions": 16})
    members = ks.run(scenario).columns("deliveries")["member"]
    busiest = pd.Series(members).value_counts().max()
    assert MADE["busiest"](names, flights, 16) == busiest

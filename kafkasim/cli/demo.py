"""The main job: the year's flights from New York through Kafka, in a minute.

What does the key decide, and what do more partitions bring? The same 336,776 departures
are keyed by carrier, by tail number and not at all, over 1 to 32 partitions, and worked
on by a group of 8 members. Whose order matters is always the aircraft. Then the same
flights go to three subscribers, one of them slow, through Kafka and point to point.

Everything here is made of public parts: a scenario, `run`, `sweep`, `compare`, tables
of analysis, figures of plot.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.measures import metrics
from kafkasim.analysis.order import ordering
from kafkasim.analysis.producing import batching, skew
from kafkasim.catalogue import mark, say
from kafkasim.cli import demo_text
from kafkasim.cli.output import numbered, save_figure, save_table, unused
from kafkasim.experiments.comparison import compare
from kafkasim.experiments.running import run
from kafkasim.experiments.sweeping import sweep
from kafkasim.plot import comparing, lagging, over_time, sweeps
from kafkasim.result.folder import new_folder
from kafkasim.result.result import Result
from kafkasim.scenario.bundled import YEAR_IN_A_MINUTE, flights
from kafkasim.scenario.keys import Keys, NoKeys, TraceColumn
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, System, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MEMBERS: Final = 8
SEED: Final = 2013
KEYS: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        "carrier": TraceColumn("carrier"),
        "tail number": TraceColumn("tail"),
        "none": NoKeys(),
    }
)
"""What a flight is keyed by, as the tables call it."""
LINES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "carrier": mark("by carrier"),
        "tail number": mark("by tail number"),
        "none": mark("no key"),
    }
)
"""The same as names of lines."""
PARTITIONS: Final = (1, 2, 4, 8, 16, 32)
QUICK_PARTITIONS: Final = (2, 8)
SHOWN: Final = (
    "throughput_per_s",
    "latency_ms_p99",
    "lag_records_max",
    "drain_s",
    "partition_imbalance",
    "overtaken_share",
)
"""Metrics in the figure of keys and partitions."""
COMPARED: Final = ("throughput_per_s", "latency_ms_p99", "drain_s")
"""Metrics in the figure of Kafka and point to point."""


def demo(*, out: Path | None, workers: int | None, quick: bool) -> None:
    """Run a year of flights in a minute and say what keys and partitions decide."""
    folder = numbered("kafkasim-demo") if out is None else unused(out)
    one = one_group(month=1 if quick else None)
    print(demo_text.opening(one, MEMBERS), flush=True)
    one_run(one, folder / "1-one-run")
    partitions = QUICK_PARTITIONS if quick else PARTITIONS
    keys_and_partitions(one, partitions, workers, folder / "2-keys-and-partitions")
    point_to_point(three_subscribers(one), folder / "3-point-to-point")
    print(demo_text.closing(folder))


def one_group(month: int | None = None) -> Scenario:
    """Return flights keyed by carrier, 8 partitions, 1 ms of work, 8 members."""
    departures = Source(
        stream="flights",
        arrivals=flights(month, speedup=YEAR_IN_A_MINUTE),
        keys=KEYS["carrier"],
        entity=TraceColumn("tail"),
    )
    board = Subscriber(streams=["flights"], work_ms=1.0)
    return Scenario(
        Traffic(sources={"departures": departures}, subscribers={"board": board}),
        system=Kafka(
            topics={"flights": Topic(partitions=MEMBERS)},
            groups={"board": Group(members=MEMBERS)},
        ),
        seed=SEED,
        name="flights",
    )


def three_subscribers(scenario: Scenario) -> Traffic:
    """Return the scenario's flights for three subscribers, the last one slow."""
    return Traffic(
        sources=scenario.traffic.sources,
        subscribers={
            "board": Subscriber(streams=["flights"], work_ms=0.1),
            "crew": Subscriber(streams=["flights"], work_ms=0.1),
            "billing": Subscriber(streams=["flights"], work_ms=1.0),
        },
    )


def one_run(scenario: Scenario, folder: Path) -> None:
    """Run once and draw what happened, before anything that takes longer."""
    with new_folder(folder) as writing:
        result = run(scenario)
        scenario.save(writing / "scenario.toml")
        save_figure(lagging.lag(result, by="partition"), writing / "lag")
        save_figure(over_time.throughput(result), writing / "throughput")
        save_table(skew(result), writing / "partitions")
    print(demo_text.one_run(result, folder), flush=True)


def keys_and_partitions(
    scenario: Scenario, partitions: tuple[int, ...], workers: int | None, folder: Path
) -> None:
    """Run every key with every number of partitions; say what was learnt."""
    with new_folder(folder) as writing:
        table = swept(scenario, partitions, workers)
        save_table(table, writing / "sweep")
        save_figure(sweeps.sweep(table, y=SHOWN, hue="keys"), writing / "sweep")
        save_figure(more_partitions(table), writing / "more-partitions")
        text = demo_text.keys_and_partitions(table, MEMBERS)
        (writing / "learnt.txt").write_text(text + "\n", encoding="utf-8")
    print(text, flush=True)


def swept(
    scenario: Scenario, partitions: tuple[int, ...], workers: int | None
) -> "pd.DataFrame":
    """Return every key with every number of partitions, a row each."""
    grid = {
        "traffic.sources.departures.keys": KEYS,
        "system.topics.flights.partitions": partitions,
    }
    return sweep(scenario, grid, workers=workers, measure=measures)


def more_partitions(table: "pd.DataFrame") -> "Axes":
    """Draw what more partitions do to the time it takes, and to order."""
    across = say("partitions")
    lines = {keys: say(name) for keys, name in LINES.items()}
    named = table.assign(keys=table["keys"].map(lines))
    return sweeps.sweep(
        named.rename(columns={"partitions": across}),
        y="drain_s",
        x=across,
        hue="keys",
        label="overtaken_share",
        y_scale="linear",
    )


def measures(result: Result) -> Mapping[str, float]:
    """Return the metrics, and who got what: partitions, members, runs, aircraft."""
    partitions, aircraft = skew(result), ordering(result, per="entity")
    fullest = int(partitions["records"].to_numpy().argmax())
    member_records = np.bincount(result.columns("deliveries")["member"])
    return metrics(result) | {
        "key_count": float(partitions["keys"].sum()),
        "fullest_keys": float(partitions["keys"].iloc[fullest]),
        "fullest_share": float(partitions["records_share"].iloc[fullest]),
        "member_share": float(member_records.max() / member_records.sum()),
        "records_per_run": float(batching(result)["records_per_run"].iloc[0]),
        "aircraft": float(len(aircraft)),
        "aircraft_overtaken": float((aircraft["overtaken"] > 0).sum()),
    }


def point_to_point(traffic: Traffic, folder: Path) -> None:
    """Send the same flights through Kafka and point to point."""
    systems: dict[str, System] = {"Kafka": Kafka(), "point to point": PointToPoint()}
    with new_folder(folder) as writing:
        table = compare(traffic, systems, seed=SEED)
        save_table(table, writing / "comparison")
        save_figure(comparing.comparison(table, y=COMPARED), writing / "comparison")
        text = demo_text.point_to_point(table, slow="billing")
        (writing / "learnt.txt").write_text(text + "\n", encoding="utf-8")
    print(text, flush=True)

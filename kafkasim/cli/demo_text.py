"""What the demo says: sentences computed from its tables, never written beforehand."""

import os
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.measures import metrics
from kafkasim.analysis.producing import skew
from kafkasim.cli.text import aligned
from kafkasim.plot.words import amount, percent
from kafkasim.result.result import Result
from kafkasim.scenario.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

WIDTH: Final = 88
_SWEPT: Final = (
    "keys",
    "partitions",
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "lag_records_max",
    "drain_s",
    "partition_imbalance",
    "overtaken_share",
)
_COMPARED: Final = (
    "system",
    "subscriber",
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "drain_s",
)


def opening(scenario: Scenario, members: int) -> str:
    """Say what flies in, how fast, and what is missing."""
    (trace,) = scenario.traces.values()
    seconds = trace.duration_ns / 1e9
    unknown = int(np.count_nonzero(trace.codes("tail").codes < 0))
    return _paragraphs(
        f"{len(trace):,} departures scheduled from New York in 2013 arrive within "
        f"{seconds:g} s: {amount(len(trace) / seconds)} records/s on average. Each is "
        f"1 ms of work, and {members} members share it: at most {members * 1_000:,} "
        "records/s. With fewer partitions than members, the surplus members are idle.",
        "Whose order matters is the aircraft. Times have whole minutes; each flight is "
        f"spread within its minute at random (seed {scenario.seed}). {unknown:,} have "
        "no tail number: keyed by it their key is null, and they count in the order of "
        "no aircraft.",
    )


def one_run(result: Result, folder: Path) -> str:
    """Say how the first run went, and where its figures are."""
    numbers = metrics(result)
    shares = skew(result)["records_share"]
    return "\n" + _paragraphs(
        f"One run first, keyed by carrier over {len(shares)} partitions: the fullest "
        f"holds {percent(shares.max())} of the records; "
        f"{amount(numbers['throughput_per_s'])} records/s were processed, and up to "
        f"{amount(numbers['lag_records_max'])} records waited. Its figures are in "
        f"{folder}."
    )


def keys_and_partitions(table: "pd.DataFrame", members: int) -> str:
    """Return the table of the sweep and the three sentences of what was learnt."""
    counts = [int(number) for number in table["partitions"]]
    wide = members if members in counts else max(counts)
    learnt = [parallel(table, wide), sticky(table, wide), order(table, wide)]
    numbered = [f"{number}. {text}" for number, text in enumerate(learnt, start=1)]
    return f"\n{aligned(table[list(_SWEPT)])}\n\n{_paragraphs(*numbered)}"


def parallel(table: "pd.DataFrame", partitions: int) -> str:
    """Say how the keys of the fullest partition limit what members can share."""
    carrier = _row(table, "carrier", partitions)
    tail = _row(table, "tail number", partitions)
    most = _row(table, "carrier", int(table["partitions"].max()))
    text = (
        "The key decides who can help: keyed by carrier the fullest of "
        f"{partitions} partitions holds {_holds(carrier)}, and the group processes "
        f"{_rate(carrier)}; keyed by tail number it holds {_holds(tail)}, and the "
        f"group processes {_rate(tail)}"
    )
    if most["partitions"] == partitions:
        return f"{text}."
    return (
        f"{text}; with {amount(most['partitions'])} partitions keyed by carrier one "
        f"member is assigned {percent(most['member_share'])} of the records, and the "
        f"group processes {_rate(most)}."
    )


def sticky(table: "pd.DataFrame", partitions: int) -> str:
    """Say what the sticky partitioner's runs cost, in milliseconds of work."""
    none = _row(table, "none", partitions)
    tail = _row(table, "tail number", partitions)
    run = amount(none["records_per_run"])
    return (
        "Without keys the producer stays with a partition until it has sent it "
        f"batch.size bytes, {run} records in a row on average, {run} ms of work for "
        f"one member: over {partitions} partitions the median latency is "
        f"{_ms(none, 50)} and the 99th percentile {_ms(none, 99)}, keyed by tail "
        f"number {_ms(tail, 50)} and {_ms(tail, 99)}."
    )


def order(table: "pd.DataFrame", partitions: int) -> str:
    """Say how many flights and aircraft lost their order."""
    rows = [_row(table, key, partitions) for key in ("none", "carrier", "tail number")]
    none, carrier, tail = (percent(row["overtaken_share"]) for row in rows)
    lost, by_carrier, by_tail = (amount(row["aircraft_overtaken"]) for row in rows)
    return (
        "Order holds within a partition, so for a key, and nowhere else: over "
        f"{partitions} partitions {none} of the flights without keys were overtaken by "
        f"a later flight of the same aircraft ({lost} of {amount(rows[0]['aircraft'])} "
        f"aircraft), {carrier} keyed by carrier ({by_carrier} aircraft) and {tail} "
        f"keyed by tail number ({by_tail})."
    )


def point_to_point(table: "pd.DataFrame", slow: str) -> str:
    """Return the table of the comparison and what the slow one does to the others."""
    others = table[table["subscriber"] != slow].groupby("system", sort=False)
    worst = others["latency_ms_p99"].max()
    drained = table[table["subscriber"] == slow].set_index("system")["drain_s"]
    heading = (
        f"The same flights for three subscribers, {slow} being slow: through Kafka "
        "with one partition, and point to point."
    )
    learnt = (
        f"Through Kafka {slow} is done {amount(drained['Kafka'])} s after the last "
        "flight, and the 99th percentile of the others' latency is "
        f"{amount(worst['Kafka'])} ms; point to point {slow} is done after "
        f"{amount(drained['point to point'])} s and the others' is "
        f"{amount(worst['point to point'])} ms. This point to point is the synchronous "
        "kind: a source sends to all three and waits for every answer before it sends "
        "the next, so all go at the pace of the slowest; sending asynchronously "
        "narrows the gap."
    )
    shown = aligned(table[list(_COMPARED)])
    return f"\n{_paragraphs(heading)}\n\n{shown}\n\n{_paragraphs(learnt)}"


def closing(folder: Path) -> str:
    """Say where everything is and how to change it and run again.

    The command is named as it was typed: `KAFKASIM_COMMAND` says what `run.py` was.
    """
    scenario = folder / "1-one-run" / "scenario.toml"
    command = os.environ.get("KAFKASIM_COMMAND", "kafkasim")
    return (
        f"\nCharts, tables and the scenario are in {folder}. Change it and run again:\n"
        f"  {command} run {scenario} "
        "--set system.topics.flights.partitions=16 --out DIR"
    )


def _paragraphs(*texts: str) -> str:
    """Return the texts filled, no line beginning with a per cent sign."""
    whole = (fill(text.replace(" %", "\N{NO-BREAK SPACE}%"), WIDTH) for text in texts)
    return "\n".join(whole).replace("\N{NO-BREAK SPACE}", " ")


def _row(table: "pd.DataFrame", key: str, partitions: int) -> "pd.Series[float]":
    found = table[(table["keys"] == key) & (table["partitions"] == partitions)]
    row: pd.Series[float] = found.iloc[0]
    return row


def _holds(row: "pd.Series[float]") -> str:
    keys = f"{amount(row['fullest_keys'])} of {amount(row['key_count'])} keys"
    return f"{keys} and {percent(row['fullest_share'])} of the records"


def _rate(row: "pd.Series[float]") -> str:
    return f"{amount(row['throughput_per_s'])} records/s"


def _ms(row: "pd.Series[float]", quantile: int) -> str:
    return f"{amount(row[f'latency_ms_p{quantile}'])} ms"

"""What the partition explorer says of a run: titles that are findings, and alt text."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from kafkasim.plot.words import METRIC_LABELS, amount, counted, percent
from kafkasim.widgets.braided import Braid
from kafkasim.widgets.compared import compared
from kafkasim.widgets.partition_shown import BUILT_UP, Shown

_ENTITY_LETTERS: Final = 14
"""Letters of an entity's name in a title, at most."""

_TITLE_LETTERS: Final = 30
"""Letters of a braid's title on one line, at most."""

_NAMED: Final = 3
"""Partitions that the alt text names, at most."""


def about(value: float) -> str:
    """Return a number in two significant digits.

    >>> about(2_036.0), about(41.3), about(0.0)
    ('2,000', '41', '0')
    """
    return f"{float(f'{value:.2g}'):,.10g}"


def duration(ms: float) -> str:
    """Return a span of time in milliseconds or seconds.

    >>> duration(6.5799), duration(3_066.05), duration(0.0), duration(float("nan"))
    ('6.58 ms', '3.07 s', '0 ms', '–')
    """
    if np.isnan(ms):
        return "–"
    return f"{amount(ms)} ms" if ms < 999.5 else f"{amount(ms / 1_000)} s"


def lag_title(shown: Shown) -> str:
    """Return what happens to lag while records are sent."""
    if not shown.sent:
        return "No record was appended"
    if shown.stalled is not None:
        own = float(shown.lag_then[shown.stalled]) / shown.sent_until_s
        return f"Partition {shown.stalled} stalls: lag climbs by {about(own)} a second"
    if shown.built_up:
        return f"Lag climbs by {about(shown.climbs_per_s)} records a second"
    peak = float(shown.total.max(initial=0.0))
    if peak >= BUILT_UP * shown.sent:
        return f"Lag peaks at {amount(peak)} records and goes down again"
    return f"Lag stays flat: at most {counted(int(peak), 'record')} wait"


def latency_title(shown: Shown) -> str:
    """Return how long records take."""
    p50, p99, _ = shown.times_ms.tolist()
    if np.isnan(p50):
        return "No record was processed"
    return f"Half take at most {duration(p50)}, 99 % at most {duration(p99)}"


def braid_title(braid: Braid) -> str:
    """Return what became of the order of one entity's records."""
    if not braid.entity:
        return "No record of an entity"
    name = braid.entity
    if len(name) > _ENTITY_LETTERS:
        name = f"{name[: _ENTITY_LETTERS - 1]}…"
    found = f"{braid.records:,} records, in order"
    if braid.overtaken:
        found = f"{braid.overtaken:,} of {braid.records:,} overtaken"
    elif braid.records == 1:
        found = "one record"
    gap = "\n" if len(name) + len(found) > _TITLE_LETTERS else " "
    return f"{name}:{gap}{found}"


def braid_note(braid: Braid) -> str:
    """Return which records are drawn and what their strands mean."""
    drawn = len(braid.places)
    span = f"records {braid.first + 1:,} to {braid.first + drawn:,} are drawn"
    lines = [span] if drawn < braid.records else []
    if braid.crossed.any():
        lines.append("thick: overtaken; ×: overtaken pair")
    return "\n".join(lines)


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    return " ".join((_alt_lag(shown), _alt_times(shown), _alt_braid(shown.braid)))


def _alt_lag(shown: Shown) -> str:
    peaks = shown.lag.max(axis=1, initial=0.0)
    by_peak = np.argsort(-peaks, kind="stable")[:_NAMED].tolist()
    named = ", ".join(f"partition {each} {amount(peaks[each])}" for each in by_peak)
    more = "; the highest are" if shown.partitions > _NAMED else ":"
    return (
        f"{lag_title(shown)}. Lines of records waiting over "
        f"{amount(float(shown.at_s[-1]))} s in {counted(shown.partitions, 'partition')}"
        f"{', at their peaks' if shown.partitions > 1 else ', at its peak'}{more} "
        f"{named}; at most {amount(float(shown.total.max(initial=0.0)))} in all."
    )


def _alt_times(shown: Shown) -> str:
    drain_ms = float(shown.times_ms[2])
    end = (
        "records are left that were not processed"
        if np.isnan(drain_ms)
        else f"the last is processed {duration(drain_ms)} after the last was wanted"
    )
    return f"{latency_title(shown)}; {end}."


def _alt_braid(braid: Braid) -> str:
    if not braid.entity:
        return "No record of an entity was processed, so there is no braid."
    drawn, total = len(braid.places), counted(braid.records, "record")
    which = f"{drawn} of {total}" if drawn < braid.records else total
    crossings = (
        f"{int(braid.crossed.sum())} of those drawn are overtaken"
        if braid.crossed.any()
        else "no two strands cross"
    )
    return (
        f"Braid of {which} of {braid.entity}, from the order produced to the order "
        f"processed: {crossings}; {counted(braid.pairs, 'overtaken pair')} in all."
    )


def table(now: Mapping[str, float], before: Mapping[str, float] | None) -> str:
    """Return metrics as an HTML table, those of the run before beside them."""
    return compared(_texts(now), _texts(before) if before else None)


def _texts(numbers: Mapping[str, float]) -> dict[str, str]:
    return {METRIC_LABELS[name]: _cell(name, value) for name, value in numbers.items()}


def _cell(name: str, value: float) -> str:
    return percent(value) if name.endswith("_share") else amount(value)

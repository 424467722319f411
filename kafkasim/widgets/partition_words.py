"""What the partition explorer says of a run: titles that are findings, and alt text."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from kafkasim.catalogue import mark, say
from kafkasim.plot.words import amount, counted, metric_label, percent
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
        return say("No record was appended")
    if shown.stalled is not None:
        own = float(shown.lag_then[shown.stalled]) / shown.sent_until_s
        return say(
            "Partition {partition} stalls: lag climbs by {rate} a second",
            partition=shown.stalled,
            rate=about(own),
        )
    if shown.built_up:
        rate = about(shown.climbs_per_s)
        return say("Lag climbs by {rate} records a second", rate=rate)
    peak = float(shown.total.max(initial=0.0))
    if peak >= BUILT_UP * shown.sent:
        records = amount(peak)
        return say(
            "Lag peaks at {records} records and goes down again", records=records
        )
    records = counted(int(peak), "record")
    return say("Lag stays flat: at most {records} wait", records=records)


def latency_title(shown: Shown) -> str:
    """Return how long records take."""
    p50, p99, _ = shown.times_ms.tolist()
    if np.isnan(p50):
        return say("No record was processed")
    return say(
        "Half take at most {p50}, 99 % at most {p99}",
        p50=duration(p50),
        p99=duration(p99),
    )


def braid_title(braid: Braid) -> str:
    """Return what became of the order of one entity's records."""
    if not braid.entity:
        return say("No record of an entity")
    name = braid.entity
    if len(name) > _ENTITY_LETTERS:
        name = f"{name[: _ENTITY_LETTERS - 1]}…"
    records = f"{braid.records:,}"
    found = say("{records} records, in order", records=records)
    if braid.overtaken:
        late = f"{braid.overtaken:,}"
        found = say("{late} of {records} overtaken", late=late, records=records)
    elif braid.records == 1:
        found = say("one record")
    gap = "\n" if len(name) + len(found) > _TITLE_LETTERS else " "
    return f"{name}:{gap}{found}"


def braid_note(braid: Braid) -> str:
    """Return which records are drawn and what their strands mean."""
    drawn = len(braid.places)
    span = say(
        "records {first} to {last} are drawn",
        first=f"{braid.first + 1:,}",
        last=f"{braid.first + drawn:,}",
    )
    lines = [span] if drawn < braid.records else []
    if braid.crossed.any():
        lines.append(say("thick: overtaken; ×: overtaken pair"))
    return "\n".join(lines)


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    return " ".join((_alt_lag(shown), _alt_times(shown), _alt_braid(shown.braid)))


def _alt_lag(shown: Shown) -> str:
    peaks = shown.lag.max(axis=1, initial=0.0)
    by_peak = np.argsort(-peaks, kind="stable")[:_NAMED].tolist()
    named = ", ".join(
        say("partition {partition} {peak}", partition=each, peak=amount(peaks[each]))
        for each in by_peak
    )
    lines = mark("{seconds} s in {partitions}, at their peaks: {named}")
    if shown.partitions > _NAMED:
        lines = mark(
            "{seconds} s in {partitions}, at their peaks; the highest are {named}"
        )
    elif shown.partitions == 1:
        lines = mark("{seconds} s in {partitions}, at its peak: {named}")
    seen = say(
        lines,
        seconds=amount(float(shown.at_s[-1])),
        partitions=counted(shown.partitions, "partition"),
        named=named,
    )
    return say(
        "{finding}. Lines of records waiting over {lines}; at most {most} in all.",
        finding=lag_title(shown),
        lines=seen,
        most=amount(float(shown.total.max(initial=0.0))),
    )


def _alt_times(shown: Shown) -> str:
    drain_ms = float(shown.times_ms[2])
    end = (
        say("records are left that were not processed")
        if np.isnan(drain_ms)
        else say(
            "the last is processed {time} after the last was wanted",
            time=duration(drain_ms),
        )
    )
    return f"{latency_title(shown)}; {end}."


def _alt_braid(braid: Braid) -> str:
    if not braid.entity:
        return say("No record of an entity was processed, so there is no braid.")
    drawn, total = len(braid.places), counted(braid.records, "record")
    which = total
    if drawn < braid.records:
        which = say("{drawn} of {records}", drawn=drawn, records=total)
    crossings = (
        say("{late} of those drawn are overtaken", late=int(braid.crossed.sum()))
        if braid.crossed.any()
        else say("no two strands cross")
    )
    return say(
        "Braid of {records} of {entity}, from the order produced to the order "
        "processed: {crossings}; {pairs} in all.",
        records=which,
        entity=braid.entity,
        crossings=crossings,
        pairs=counted(braid.pairs, "overtaken pair"),
    )


def table(now: Mapping[str, float], before: Mapping[str, float] | None) -> str:
    """Return metrics as an HTML table, those of the run before beside them."""
    return compared(_texts(now), _texts(before) if before else None)


def _texts(numbers: Mapping[str, float]) -> dict[str, str]:
    return {metric_label(name): _cell(name, value) for name, value in numbers.items()}


def _cell(name: str, value: float) -> str:
    return percent(value) if name.endswith("_share") else amount(value)

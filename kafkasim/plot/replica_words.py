"""What is said of a partition's copies: the finding, and what is seen."""

from itertools import pairwise
from typing import Final

from kafkasim.analysis.copies import Copies, State
from kafkasim.plot.event_lines import told
from kafkasim.plot.words import amount, counted, listed, time_unit
from kafkasim.result.result import Result
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S

NAMED_NS: Final = NS_PER_S
"""A pause from which the title speaks of it."""

_MOST: Final = 6


def finding(copies: Copies) -> str:
    """Return what the figure finds: the worst that befell records, first."""
    if not len(copies.log_end.at_ns):
        return "Nothing was written to this partition"
    if copies.acked_lost:
        verb = "is" if copies.acked_lost == 1 else "are"
        last = [loss for loss in copies.losses if loss.acked_records][-1]
        lost = counted(copies.acked_lost, "acknowledged record")
        return f"{lost} {verb} lost: broker {last.leader} leads without them"
    since, until, hidden = copies.longest_hidden()
    if until - since >= NAMED_NS:
        records = counted(hidden, "acknowledged record")
        return f"{records} that nobody may read, for {span(until - since)}"
    return _pause(copies)


def _pause(copies: Copies) -> str:
    """Return for how long the producers were told nothing good."""
    since, until = copies.longest_without_ack()
    if until - since < NAMED_NS:
        return "The high watermark keeps up with the log end"
    if not len(copies.acks_ns):
        return "No record is acknowledged at all"
    if copies.acks_ns[-1] <= since:
        return f"No record is acknowledged from {span(since)} on"
    return f"No record is acknowledged for {span(until - since)}, then all goes on"


def leaders(copies: Copies) -> str:
    """Return who led, in a line."""
    led = copies.leaders
    if not led:
        return "no leader"
    said = [f"broker {led[0].broker} led"]
    said += [
        f"broker {each.broker} from {span(each.since_ns)} on"
        for before, each in pairwise(led)
        if each.broker != before.broker or each.since_ns > before.until_ns
    ]
    return listed(said, _MOST)


def in_words(copies: Copies) -> str:
    """Return what is drawn, for those who cannot see it."""
    if not len(copies.log_end.at_ns):
        return ""
    lines = (
        ("Log end", copies.log_end),
        ("high watermark", copies.high_watermark),
        ("acknowledged", copies.acked),
    )
    ends = [
        f"{name} up to {amount(steps.value[-1]) if len(steps.value) else 0}"
        for name, steps in lines
    ]
    said = [f"{', '.join(ends)} in the end.", f"{_upper(leaders(copies))}."]
    groups: dict[str, tuple[State, ...]] = {
        "Down": ("down", "down, in sync"),
        "Not in the ISR": ("behind", "down"),
    }
    for name, states in groups.items():
        times = _times(copies, states)
        if times:
            said.append(f"{name}: {listed(times, _MOST)}.")
    for loss in copies.losses:
        count = counted(loss.to_offset - loss.from_offset, "offset")
        told = counted(loss.acked_records, "record")
        said.append(
            f"At {span(loss.at_ns)} {count} above {loss.from_offset:,} are given up, "
            f"{told} of them acknowledged."
        )
    if len(copies.refused_ns):
        count = counted(len(copies.refused_ns), "request")
        said.append(f"Refused: {count}, with {listed(copies.refused_with)}.")
    return " ".join(said)


def _times(copies: Copies, states: tuple[State, ...]) -> list[str]:
    """Say which broker was in one of these states, and from when to when."""
    found: list[tuple[int, int, int]] = []
    for each in copies.spans:
        if each.state not in states:
            continue
        since = each.since_ns
        if found and found[-1][0] == each.broker and found[-1][2] == since:
            since = found.pop()[1]
        found.append((each.broker, since, each.until_ns))
    return [
        f"broker {broker} from {span(since)} "
        + ("on" if until >= copies.until_ns else f"to {span(until)}")
        for broker, since, until in found
    ]


def broker_events(result: Result) -> list[tuple[int, str]]:
    """Return what was done to brokers and to the controller, in order of time.

    Returns
    -------
    list of (int, str)
        Nanoseconds, and words such as ``broker 1: crash``.
    """
    said = []
    for each in told(result, ("broker", "controller")):
        who = f"{each.kind} {each.name}".strip()
        clean = "shutdown" in each.effect
        said.append((each.at_ns, f"{who}: {'stop' if clean else each.event}"))
        if each.until_ns != MISSING_NS:
            said.append((each.until_ns, f"{who}: back"))
    return sorted(said)


def span(ns: float) -> str:
    """Return a time with its unit.

    >>> span(8_900_000_000), span(12_300_000)
    ('8.9 s', '12.3 ms')
    """
    unit, scale = time_unit(ns / NS_PER_MS)
    if unit == "ms" and ns >= NS_PER_S:
        unit, scale = "s", 1_000.0
    return f"{amount(ns / NS_PER_MS / scale)} {unit}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]

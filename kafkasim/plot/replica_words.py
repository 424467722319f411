"""What is said of a partition's copies: the finding, and what is seen."""

from itertools import pairwise
from typing import Final

from kafkasim.analysis.copies import Copies, State
from kafkasim.analysis.event_words import event_words
from kafkasim.catalogue import say, say_many, spoken
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
        return say("Nothing was written to this partition")
    if copies.acked_lost:
        last = [loss for loss in copies.losses if loss.acked_records][-1]
        return say_many(
            "{records} is lost: broker {broker} leads without them",
            "{records} are lost: broker {broker} leads without them",
            copies.acked_lost,
            records=counted(copies.acked_lost, "acknowledged record"),
            broker=last.leader,
        )
    since, until, hidden = copies.longest_hidden()
    if until - since >= NAMED_NS:
        records = counted(hidden, "acknowledged record")
        return say(
            "{records} that nobody may read, for {span}",
            records=records,
            span=span(until - since),
        )
    return _pause(copies)


def _pause(copies: Copies) -> str:
    """Return for how long the producers were told nothing good."""
    since, until = copies.longest_without_ack()
    if until - since < NAMED_NS:
        return say("The high watermark keeps up with the log end")
    if not len(copies.acks_ns):
        return say("No record is acknowledged at all")
    if copies.acks_ns[-1] <= since:
        return say("No record is acknowledged from {since} on", since=span(since))
    return say(
        "No record is acknowledged for {span}, then all goes on",
        span=span(until - since),
    )


def leaders(copies: Copies) -> str:
    """Return who led, in a line."""
    led = copies.leaders
    if not led:
        return say("no leader")
    said = [say("broker {broker} led", broker=led[0].broker)]
    said += [
        say(
            "broker {broker} from {since} on",
            broker=each.broker,
            since=span(each.since_ns),
        )
        for before, each in pairwise(led)
        if each.broker != before.broker or each.since_ns > before.until_ns
    ]
    return listed(said, _MOST)


def in_words(copies: Copies) -> str:
    """Return what is drawn, for those who cannot see it."""
    if not len(copies.log_end.at_ns):
        return ""
    lines = (
        (say("Log end"), copies.log_end),
        (say("high watermark"), copies.high_watermark),
        (say("acknowledged"), copies.acked),
    )
    ends = [
        say(
            "{line} up to {end}",
            line=name,
            end=amount(steps.value[-1]) if len(steps.value) else 0,
        )
        for name, steps in lines
    ]
    said = [
        say("{lines} in the end.", lines=", ".join(ends)),
        f"{_upper(leaders(copies))}.",
    ]
    groups: dict[str, tuple[State, ...]] = {
        say("Down"): ("down", "down, in sync"),
        say("Not in the ISR"): ("behind", "down"),
    }
    for name, states in groups.items():
        times = _times(copies, states)
        if times:
            said.append(f"{name}: {listed(times, _MOST)}.")
    for loss in copies.losses:
        count = counted(loss.to_offset - loss.from_offset, "offset")
        told = counted(loss.acked_records, "record")
        said.append(
            say(
                "At {moment} {offsets} above {offset:,} are given up, {records} of "
                "them acknowledged.",
                moment=span(loss.at_ns),
                offsets=count,
                offset=loss.from_offset,
                records=told,
            )
        )
    if len(copies.refused_ns):
        count = counted(len(copies.refused_ns), "request")
        why = listed(copies.refused_with)
        said.append(say("Refused: {requests}, with {why}.", requests=count, why=why))
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
        say("broker {broker} from {since} on", broker=broker, since=span(since))
        if until >= copies.until_ns
        else say(
            "broker {broker} from {since} to {until}",
            broker=broker,
            since=span(since),
            until=span(until),
        )
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
        who = say("controller")
        if each.kind == "broker":
            who = say("broker {broker}", broker=each.name)
        clean = "shutdown" in each.effect
        event = say("stop") if clean else event_words(each.event)
        said.append((each.at_ns, f"{who}: {event}"))
        if each.until_ns != MISSING_NS:
            said.append((each.until_ns, f"{who}: {say('back')}"))
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
    return text[:1].upper() + text[1:] if spoken() == "en" else text

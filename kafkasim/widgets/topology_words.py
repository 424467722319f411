"""What the topology explorer says of two runs: a title, a table, alternative text."""

from collections.abc import Callable

from kafkasim.catalogue import mark, say, say_many
from kafkasim.plot.words import amount, begun, counted, percent
from kafkasim.widgets.topology_shown import Shown, Side
from kafkasim.widgets.topology_traffic import (
    CRASH_S,
    DEAD_S,
    HUB,
    NOBODY,
    newcomer,
    victim,
)


def title(shown: Shown) -> str:
    """Return what both have, or who is hurt by what happens."""
    if shown.values.crash != NOBODY:
        return _death(shown)
    if shown.values.one_more:
        return say(
            "One more subscriber: {links} point to point, {hub} with a hub",
            links=counted(len(shown.tangle.new), "new link"),
            hub=len(shown.star.new),
        )
    alone, hub = shown.tangle.links, shown.star.links
    said = mark("{links} point to point, {hub} with a hub: as many either way")
    if hub < alone:
        said = mark("{links} point to point, {hub} with a hub: fewer with a hub")
    elif hub > alone:
        said = mark("{links} point to point, {hub} with a hub: more with a hub")
    return say(said, links=counted(alone, "link"), hub=hub)


def _death(shown: Shown) -> str:
    tangle, star = map(stops, shown.sides)
    if shown.values.crash == HUB:
        return say(
            "The hub dies: {stopped}; point to point has no such point", stopped=star
        )
    if tangle == star:
        return say("A subscriber dies: {stopped} either way", stopped=tangle)
    return say(
        "A subscriber dies: {stopped} point to point, {hub} with a hub",
        stopped=tangle,
        hub=shown.star.pairs_hurt,
    )


def stops(side: Side) -> str:
    """Return how many pairs were interrupted, in words."""
    if side.pairs == side.pairs_hurt == 1:
        return say("the only pair stops")
    if not side.pairs_hurt:
        return say("none of {pairs} stops", pairs=counted(side.pairs, "pair"))
    if side.pairs_hurt == side.pairs:
        return say("all {count} pairs stop", count=side.pairs)
    return say_many(
        "{hurt} of {count} pairs stops",
        "{hurt} of {count} pairs stop",
        side.pairs_hurt,
        hurt=side.pairs_hurt,
        count=side.pairs,
    )


def note(shown: Shown) -> str:
    """Return how many pairs are wanted, and what else happens."""
    values, side = shown.values, shown.tangle
    possible = values.sources * values.subscribers
    said = [
        say(
            "{wanted} of {pairs} wanted",
            wanted=side.pairs,
            pairs=counted(possible, "pair"),
        )
    ]
    if values.one_more and values.crash != NOBODY:
        said.append(
            say(
                "one more subscriber: {links} against {hub}",
                links=counted(len(side.new), "new link"),
                hub=len(shown.star.new),
            )
        )
    said.append(
        say(
            "bytes per record over all links: {bytes}",
            bytes=against(shown, lambda each: each.per_record("total_bytes")),
        )
    )
    return "; ".join(said)


def against(shown: Shown, number: Callable[[Side], float]) -> str:
    """Return a number of both systems, first without a hub."""
    alone, hub = (amount(number(side)) for side in shown.sides)
    return _against(alone, hub)


def _against(alone: str, hub: str) -> str:
    return say("{alone} against {hub}", alone=alone, hub=hub)


def heading(name: str, side: Side, shown: Shown) -> tuple[str, str]:
    """Return what stands above a net: system and links, and below it what stopped."""
    links = counted(side.links, "link")
    if side.new:
        links += f" + {len(side.new)}"
    first = f"{name}: {links}"
    if shown.values.crash == NOBODY:
        return first, ""
    if side.no_such_point:
        return first, say("no such point: nothing stops")
    if not side.pairs_hurt:
        return first, stops(side)
    longest = f"{side.longest_s:.1f}"
    return first, say("{pairs}, up to {seconds} s", pairs=stops(side), seconds=longest)


def names(shown: Shown) -> tuple[str, str]:
    """Return what both systems are called."""
    machines = counted(shown.star.made["hub_nodes"], "broker")
    alone = say("{mode} point to point", mode=say(shown.values.mode))
    return alone, f"Kafka, {machines}"


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label; first without a hub."""
    of = {
        say("links between systems"): lambda each: each.links,
        say("connections of sources and subscribers"): lambda each: each.made[
            "sockets"
        ],
        say("machines of a hub"): lambda each: each.made["hub_nodes"],
        say("sends of a record by its source"): lambda each: each.made[
            "sends_per_record"
        ],
        say("bytes out of its source, per record"): (
            lambda each: each.per_record("source_bytes")
        ),
        say("bytes over all links, per record"): (
            lambda each: each.per_record("total_bytes")
        ),
        say("median latency (ms)"): lambda each: each.p50_ms,
    }
    rows = {label: against(shown, number) for label, number in of.items()}
    if shown.values.crash != NOBODY:
        rows[say("pairs interrupted")] = against(shown, lambda each: each.pairs_hurt)
        rows[say("longest of these times (s)")] = against(
            shown, lambda each: each.longest_s
        )
    if shown.values.one_more:
        rows[say("one more subscriber: new links")] = against(
            shown, lambda each: len(each.new)
        )
        rows[say("sources that have to know it")] = against(
            shown, lambda each: each.touched
        )
        rows[say("what was sent before it came, and it gets")] = _against(
            *(percent(side.made["replayed_share"]) for side in shown.sides)
        )
    return rows


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    values = shown.values
    said = [
        f"{title(shown)}. {begun(note(shown))}.",
    ]
    ends = counted(values.sources, "source"), counted(values.subscribers, "subscriber")
    said.append(f"{', '.join(ends)}.")
    for name, side in zip(names(shown), shown.sides, strict=True):
        first, second = heading(name, side, shown)
        said.append(f"{begun(first)}{second and f'; {second}'}.")
    if values.crash != NOBODY:
        said.append(
            say(
                "Crossed out: {who}, dead from {since} s to {until} s.",
                who=say(HUB) if values.crash == HUB else victim(values),
                since=amount(CRASH_S),
                until=amount(CRASH_S + DEAD_S),
            )
        )
    if values.one_more:
        said.append(
            say(
                "{name} comes later and has links of its own colour.",
                name=newcomer(values),
            )
        )
    for name, side in zip(names(shown), shown.sides, strict=True):
        counts = side.line[1]
        silent = int((counts[:-1] == 0).sum())
        said.append(
            say(
                "{name}: at most {most} delivered in a second, nothing in {seconds}.",
                name=begun(name),
                most=f"{counts.max():,.0f}",
                seconds=counted(silent, "second"),
            )
        )
    return " ".join(said)

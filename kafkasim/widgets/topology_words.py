"""What the topology explorer says of two runs: a title, a table, alternative text."""

from collections.abc import Callable

from kafkasim.plot.words import amount, counted, percent
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
        return (
            f"One more subscriber: {counted(len(shown.tangle.new), 'new link')} "
            f"point to point, {len(shown.star.new)} with a hub"
        )
    alone, hub = shown.tangle.links, shown.star.links
    said = f"{counted(alone, 'link')} point to point, {hub} with a hub"
    if alone == hub:
        return f"{said}: as many either way"
    return f"{said}: {'fewer' if hub < alone else 'more'} with a hub"


def _death(shown: Shown) -> str:
    tangle, star = map(stops, shown.sides)
    dies = shown.values.crash
    begun = dies[:1].upper() + dies[1:]
    if dies == HUB:
        return f"{begun} dies: {star}; point to point has no such point"
    if tangle == star:
        return f"{begun} dies: {tangle} either way"
    return f"{begun} dies: {tangle} point to point, {shown.star.pairs_hurt} with a hub"


def stops(side: Side) -> str:
    """Return how many pairs were interrupted, in words."""
    if side.pairs == side.pairs_hurt == 1:
        return "the only pair stops"
    if not side.pairs_hurt:
        return f"none of {counted(side.pairs, 'pair')} stops"
    if side.pairs_hurt == side.pairs:
        return f"all {side.pairs} pairs stop"
    one = side.pairs_hurt == 1
    return f"{side.pairs_hurt} of {side.pairs} pairs {'stops' if one else 'stop'}"


def note(shown: Shown) -> str:
    """Return how many pairs are wanted, and what else happens."""
    values, side = shown.values, shown.tangle
    possible = values.sources * values.subscribers
    said = [f"{side.pairs} of {counted(possible, 'pair')} wanted"]
    if values.one_more and values.crash != NOBODY:
        said.append(
            f"one more subscriber: {counted(len(side.new), 'new link')} "
            f"against {len(shown.star.new)}"
        )
    said.append(
        f"bytes per record over all links: "
        f"{against(shown, lambda each: each.per_record('total_bytes'))}"
    )
    return "; ".join(said)


def against(shown: Shown, number: Callable[[Side], float]) -> str:
    """Return a number of both systems, first without a hub."""
    return " against ".join(amount(number(side)) for side in shown.sides)


def heading(name: str, side: Side, shown: Shown) -> tuple[str, str]:
    """Return what stands above a net: system and links, and below it what stopped."""
    links = counted(side.links, "link")
    if side.new:
        links += f" + {len(side.new)}"
    first = f"{name}: {links}"
    if shown.values.crash == NOBODY:
        return first, ""
    if side.no_such_point:
        return first, "no such point: nothing stops"
    if not side.pairs_hurt:
        return first, stops(side)
    return first, f"{stops(side)}, up to {side.longest_s:.1f} s"


def names(shown: Shown) -> tuple[str, str]:
    """Return what both systems are called."""
    machines = counted(shown.star.made["hub_nodes"], "broker")
    return f"{shown.values.mode} point to point", f"Kafka, {machines}"


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label; first without a hub."""
    of = {
        "links between systems": lambda each: each.links,
        "connections of sources and subscribers": lambda each: each.made["sockets"],
        "machines of a hub": lambda each: each.made["hub_nodes"],
        "sends of a record by its source": lambda each: each.made["sends_per_record"],
        "bytes out of its source, per record": (
            lambda each: each.per_record("source_bytes")
        ),
        "bytes over all links, per record": lambda each: each.per_record("total_bytes"),
        "median latency (ms)": lambda each: each.p50_ms,
    }
    rows = {label: against(shown, number) for label, number in of.items()}
    if shown.values.crash != NOBODY:
        rows["pairs interrupted"] = against(shown, lambda each: each.pairs_hurt)
        rows["longest of these times (s)"] = against(shown, lambda each: each.longest_s)
    if shown.values.one_more:
        rows["one more subscriber: new links"] = against(
            shown, lambda each: len(each.new)
        )
        rows["sources that have to know it"] = against(shown, lambda each: each.touched)
        rows["what was sent before it came, and it gets"] = " against ".join(
            percent(side.made["replayed_share"]) for side in shown.sides
        )
    return rows


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    values = shown.values
    said = [
        f"{title(shown)}. {note(shown)[:1].upper()}{note(shown)[1:]}.",
    ]
    ends = counted(values.sources, "source"), counted(values.subscribers, "subscriber")
    said.append(f"{', '.join(ends)}.")
    for name, side in zip(names(shown), shown.sides, strict=True):
        first, second = heading(name, side, shown)
        said.append(f"{first[:1].upper()}{first[1:]}{second and f'; {second}'}.")
    if values.crash != NOBODY:
        who = "the hub" if values.crash == HUB else victim(values)
        said.append(f"Crossed out: {who}, dead from {amount(CRASH_S)} s")
        said[-1] += f" to {amount(CRASH_S + DEAD_S)} s."
    if values.one_more:
        said.append(f"{newcomer(values)} comes later and has links of its own colour.")
    for name, side in zip(names(shown), shown.sides, strict=True):
        counts = side.line[1]
        silent = int((counts[:-1] == 0).sum())
        said.append(
            f"{name[:1].upper()}{name[1:]}: at most {counts.max():,.0f} delivered in "
            f"a second, nothing in {counted(silent, 'second')}."
        )
    return " ".join(said)

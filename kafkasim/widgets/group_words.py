"""What the group explorer says of a run: a title, a table, alternative text."""

from collections.abc import Sequence

from kafkasim.plot.replica_words import span
from kafkasim.plot.words import amount, counted, listed
from kafkasim.units import NS_PER_S
from kafkasim.widgets.group_shown import Shown
from kafkasim.widgets.group_traffic import ADD, CRASH, EVENT_S, LEAVE, victim


def happens(shown: Shown) -> str:
    """Return what happens to whom, without a full stop."""
    values = shown.values
    if values.event == ADD:
        return f"member {values.members + 1} comes"
    said = {LEAVE: "leaves", CRASH: "crashes"}.get(values.event, "restarts")
    return f"member {victim(values)} {said}"


def title(shown: Shown) -> str:
    """Return what happened, and for how long partitions had no reader."""
    what, hurt = happens(shown), {gap.lane for gap in shown.after}
    what = what[:1].upper() + what[1:]
    if not hurt:
        return f"{what}: every partition is read all the time"
    count = counted(shown.values.partitions, "partition")
    if not _ends(shown):
        return f"{what}: {len(hurt)} of {count} without a reader to the end"
    return f"{what}: {len(hurt)} of {count} without a reader, up to {_longest(shown)}"


def note(shown: Shown) -> str:
    """Return what moved, and who has nothing to do."""
    moved, rebalances = shown.moved, shown.rebalances
    said = [
        f"{counted(rebalances, 'rebalance')}, {counted(moved, 'change')} of hands"
        if rebalances
        else "No rebalance"
    ]
    if shown.idle_at_last:
        said.append(f"{_numbered(shown.idle_at_last)} without a partition")
    return "; ".join(said)


def _numbered(members: Sequence[int]) -> str:
    noun = "member" if len(members) == 1 else "members"
    return f"{noun} {listed([str(each) for each in members], 8)}"


def _ends(shown: Shown) -> bool:
    """Return whether all that stood still after the event is read in the end."""
    return all(gap.until_s < shown.until_s for gap in shown.after)


def _longest(shown: Shown) -> str:
    longest_s = max((gap.until_s - gap.since_s for gap in shown.after), default=0.0)
    return span(longest_s * NS_PER_S)


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    unread_s = sum(gap.until_s - gap.since_s for gap in shown.after)
    first_s = min((bar.since_s for bar in shown.owned), default=shown.until_s)
    return {
        "first partition read after": span(first_s * NS_PER_S),
        "partitions that lost their reader for a while": (
            f"{len({gap.lane for gap in shown.after})}"
        ),
        "longest time without one": _longest(shown) if shown.after else "–",
        "such times of all partitions together": span(unread_s * NS_PER_S),
        "changes of hands": f"{shown.moved}",
        "rebalances": f"{shown.rebalances}",
        "members without a partition": f"{len(shown.idle_at_last)}",
        "records worked on": f"{shown.processed:,}",
        "of them again": f"{shown.twice:,}",
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    values = shown.values
    happening = f"at {amount(EVENT_S)} s {happens(shown)}"
    said = [
        f"{title(shown)}. {note(shown)}.",
        f"{counted(values.members, 'member')}, {values.protocol}; {happening}.",
    ]
    last = {bar.lane: bar for bar in shown.owned}
    owners: dict[int, list[str]] = {}
    for lane, bar in last.items():
        if bar.until_s >= shown.until_s:
            owners.setdefault(bar.member, []).append(str(lane))
    if owners:
        each = [
            f"member {member} reads {listed(lanes, 12)}"
            for member, lanes in sorted(owners.items())
        ]
        said.append(f"In the end {listed(each, 9)}.")
    said.append(
        f"{counted(shown.processed, 'record')} are worked on, {shown.twice:,} again."
    )
    return " ".join(said)

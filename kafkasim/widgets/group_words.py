"""What the group explorer says of a run: a title, a table, alternative text."""

from collections.abc import Sequence
from typing import Final

from kafkasim.catalogue import mark, say, say_many
from kafkasim.plot.replica_words import span
from kafkasim.plot.words import amount, begun, counted, listed
from kafkasim.units import NS_PER_S
from kafkasim.widgets.group_shown import Shown
from kafkasim.widgets.group_traffic import (
    ADD,
    CRASH,
    EVENT_S,
    LEAVE,
    RESTART,
    victim,
)

_HAPPENS: Final = {
    LEAVE: mark("member {number} leaves"),
    CRASH: mark("member {number} crashes"),
    RESTART: mark("member {number} restarts"),
}


def happens(shown: Shown) -> str:
    """Return what happens to whom, without a full stop."""
    values = shown.values
    if values.event == ADD:
        return say("member {number} comes", number=values.members + 1)
    return say(_HAPPENS[values.event], number=victim(values))


def title(shown: Shown) -> str:
    """Return what happened, and for how long partitions had no reader."""
    what, hurt = happens(shown), {gap.lane for gap in shown.after}
    what = begun(what)
    if not hurt:
        return say("{event}: every partition is read all the time", event=what)
    count = counted(shown.values.partitions, "partition")
    if not _ends(shown):
        return say(
            "{event}: {hurt} of {partitions} without a reader to the end",
            event=what,
            hurt=len(hurt),
            partitions=count,
        )
    return say(
        "{event}: {hurt} of {partitions} without a reader, up to {time}",
        event=what,
        hurt=len(hurt),
        partitions=count,
        time=_longest(shown),
    )


def note(shown: Shown) -> str:
    """Return what moved, and who has nothing to do."""
    moved, rebalances = shown.moved, shown.rebalances
    said = [say("No rebalance")]
    if rebalances:
        changes = say_many(
            "{rebalances}, {changes} change of hands",
            "{rebalances}, {changes} changes of hands",
            moved,
            rebalances=counted(rebalances, "rebalance"),
            changes=f"{moved:,}",
        )
        said = [changes]
    if shown.idle_at_last:
        said.append(_idle(shown.idle_at_last))
    return "; ".join(said)


def _idle(members: Sequence[int]) -> str:
    return say_many(
        "member {members} without a partition",
        "members {members} without a partition",
        len(members),
        members=listed([str(each) for each in members], 8),
    )


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
        say("first partition read after"): span(first_s * NS_PER_S),
        say("partitions that lost their reader for a while"): (
            f"{len({gap.lane for gap in shown.after})}"
        ),
        say("longest time without one"): _longest(shown) if shown.after else "–",
        say("such times of all partitions together"): span(unread_s * NS_PER_S),
        say("changes of hands"): f"{shown.moved}",
        say("rebalances"): f"{shown.rebalances}",
        say("members without a partition"): f"{len(shown.idle_at_last)}",
        say("records worked on"): f"{shown.processed:,}",
        say("of them again"): f"{shown.twice:,}",
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    values = shown.values
    said = [
        f"{title(shown)}. {note(shown)}.",
        say(
            "{members}, {protocol}; at {seconds} s {event}.",
            members=counted(values.members, "member"),
            protocol=values.protocol,
            seconds=amount(EVENT_S),
            event=happens(shown),
        ),
    ]
    last = {bar.lane: bar for bar in shown.owned}
    owners: dict[int, list[str]] = {}
    for lane, bar in last.items():
        if bar.until_s >= shown.until_s:
            owners.setdefault(bar.member, []).append(str(lane))
    if owners:
        each = [
            say(
                "member {number} reads {partitions}",
                number=member,
                partitions=listed(lanes, 12),
            )
            for member, lanes in sorted(owners.items())
        ]
        said.append(say("In the end {readers}.", readers=listed(each, 9)))
    said.append(
        say(
            "{records} are worked on, {twice} again.",
            records=counted(shown.processed, "record"),
            twice=f"{shown.twice:,}",
        )
    )
    return " ".join(said)

"""Why a group went from one state to another, in words."""

from typing import Final

from kafkasim.catalogue import mark, say

CAUSES: Final = frozenset(
    {
        # Of the classic protocol, as `classic_group.Cause` has them.
        mark("member joined"),
        mark("member left"),
        mark("session expired"),
        mark("leader rejoined"),
        mark("subscription changed"),
        mark("static member came back"),
        mark("no sync in time"),
        mark("assignment could not be stored"),
        mark("group is too large"),
        mark("all have joined"),
        mark("initial delay is over"),
        mark("rebalance timeout is over"),
        mark("nobody is left"),
        mark("assignment stored"),
        mark("coordinator moved"),
        # Of the consumer protocol: what a run tells, and the table of its ways.
        mark("member moved on"),
        mark("revocation took too long"),
        mark("static member left"),
        mark("static member returned"),
        mark("target computed"),
        mark("topics changed"),
        mark("its first member joined and got all there is"),
        mark("a member joined soon after the last target was computed"),
        mark("its offsets expired, or it was deleted"),
        mark("a target was computed"),
        mark("a target was computed, and all have it already"),
        mark("its last member is gone"),
        mark("all members have what they are to have"),
        mark("members or topics changed"),
        mark("members or topics changed, and a target was computed"),
    }
)
"""Texts of tables and runs; they stay as they are there, and are said when shown."""


def cause_words(text: str) -> str:
    """Return a cause, or several in a row, in the language that holds.

    Examples
    --------
    >>> cause_words("member joined, session expired")
    'member joined, session expired'
    """
    if text in CAUSES:
        return say(text)
    parts = text.split(", ")
    return ", ".join(say(each) if each in CAUSES else each for each in parts)

"""What the replication explorer says of a run: a title, a table, alternative text."""

from kafkasim.catalogue import say
from kafkasim.plot.replica_words import finding, in_words, leaders, span
from kafkasim.plot.words import amount, begun, counted, listed
from kafkasim.widgets.replication_shown import Shown


def title(shown: Shown) -> str:
    """Return the worst that befell records."""
    return finding(shown.copies)


def note(shown: Shown) -> str:
    """Return who led, and what producers were told in place of yes."""
    led = leaders(shown.copies)
    said = [begun(led)]
    if len(shown.copies.refused_ns):
        said.append(
            say(
                "{requests} refused: {errors}",
                requests=counted(len(shown.copies.refused_ns), "request"),
                errors=listed(shown.copies.refused_with, 2),
            )
        )
    return "; ".join(said)


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    copies = shown.copies
    quiet, hidden = copies.longest_without_ack(), copies.longest_hidden()
    return {
        say("records sent"): f"{shown.sent:,}",
        say("acknowledged"): f"{shown.acked:,}",
        say("acknowledged, and lost"): f"{copies.acked_lost:,}",
        say("given up by the producer"): f"{shown.failed:,}",
        say("read by the subscriber"): f"{shown.read:,}",
        say("median time to the acknowledgement"): (
            f"{amount(shown.ack_ms)} ms" if shown.acked else "–"
        ),
        say("longest time without one"): span(quiet[1] - quiet[0]),
        say("longest time acknowledged and not readable"): (
            span(hidden[1] - hidden[0]) if hidden[2] else "–"
        ),
        say("produce requests refused"): f"{len(copies.refused_ns):,}",
        say("times the leader changed"): f"{shown.elections:,}",
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    done = [
        say("{event} at {seconds} s", event=text, seconds=amount(at_s))
        for at_s, text in shown.events
    ]
    said = [f"{title(shown)}.", in_words(shown.copies)]
    if done:
        said.append(say("What happens: {events}.", events=listed(done, 8)))
    said.append(
        say(
            "Of {records} {acked} are acknowledged, {lost} of them lost, and {read} "
            "are read.",
            records=counted(shown.sent, "record"),
            acked=f"{shown.acked:,}",
            lost=f"{shown.copies.acked_lost:,}",
            read=f"{shown.read:,}",
        )
    )
    return " ".join(each for each in said if each)

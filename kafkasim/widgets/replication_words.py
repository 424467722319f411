"""What the replication explorer says of a run: a title, a table, alternative text."""

from kafkasim.plot.replica_words import finding, in_words, leaders, span
from kafkasim.plot.words import amount, counted, listed
from kafkasim.widgets.replication_shown import Shown


def title(shown: Shown) -> str:
    """Return the worst that befell records."""
    return finding(shown.copies)


def note(shown: Shown) -> str:
    """Return who led, and what producers were told in place of yes."""
    led = leaders(shown.copies)
    said = [led[:1].upper() + led[1:]]
    if len(shown.copies.refused_ns):
        count = counted(len(shown.copies.refused_ns), "request")
        said.append(f"{count} refused: {listed(shown.copies.refused_with, 2)}")
    return "; ".join(said)


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    copies = shown.copies
    quiet, hidden = copies.longest_without_ack(), copies.longest_hidden()
    return {
        "records sent": f"{shown.sent:,}",
        "acknowledged": f"{shown.acked:,}",
        "acknowledged, and lost": f"{copies.acked_lost:,}",
        "given up by the producer": f"{shown.failed:,}",
        "read by the subscriber": f"{shown.read:,}",
        "median time to the acknowledgement": (
            f"{amount(shown.ack_ms)} ms" if shown.acked else "–"
        ),
        "longest time without one": span(quiet[1] - quiet[0]),
        "longest time acknowledged and not readable": (
            span(hidden[1] - hidden[0]) if hidden[2] else "–"
        ),
        "produce requests refused": f"{len(copies.refused_ns):,}",
        "times the leader changed": f"{shown.elections:,}",
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    done = [f"{text} at {amount(at_s)} s" for at_s, text in shown.events]
    said = [f"{title(shown)}.", in_words(shown.copies)]
    if done:
        said.append(f"What happens: {listed(done, 8)}.")
    said.append(
        f"Of {counted(shown.sent, 'record')} {shown.acked:,} are acknowledged, "
        f"{shown.copies.acked_lost:,} of them lost, and {shown.read:,} are read."
    )
    return " ".join(each for each in said if each)

"""What the batching explorer says of a run: titles that are findings, and a table."""

from typing import Final

from kafkasim.plot.words import amount, counted, listed, percent
from kafkasim.result.schema import CLOSED_BY
from kafkasim.widgets.batching_shown import STEPS, Shown

SAID: Final = {
    "full": "full",
    "linger": "linger over",
    "drained": "drained along",
    "cut": "cut by the end",
}
"""Cause → what is said of a batch that it closed."""
_ENDED: Final = {
    "full": "were full",
    "linger": "ended by linger",
    "drained": "drained along",
    "cut": "cut by the end",
}
_NEARLY: Final = 0.95
"""Share from which it is nearly all."""


def queue_title(shown: Shown) -> str:
    """Return how many records batches held, and what ended most of them."""
    if not shown.batches:
        return "No batch was sent"
    cause = CLOSED_BY[int(shown.causes.argmax())]
    share = shown.shares[cause]
    often = "nearly all" if share >= _NEARLY else percent(share)
    often = "all" if share == 1 else often
    ended = _ENDED[cause]
    if cause == "linger" and shown.linger_ms == 0:
        ended = "sent at once"
    return f"{_of(shown.per_batch, 'record')} a batch; {often} {ended}"


def request_title(shown: Shown) -> str:
    """Return how many records share a request, and with how many batches."""
    per_request = shown.batches / max(1, shown.requests)
    return f"A request: {_of(per_request, 'batch')}, {_of(shown.per_request, 'record')}"


def _of(mean: float, noun: str) -> str:
    """Return a mean in two digits, with its noun.

    >>> _of(5.2604, "record"), _of(1.0, "batch")
    ('5.3 records', '1 batch')
    """
    return counted(float(f"{mean:.2g}"), noun)


def latency_title(shown: Shown) -> str:
    """Return how much of the latency is waiting at the producer."""
    total = float(shown.steps_ms.sum())
    if not total > 0:
        return "No record was processed"
    share = percent(float(shown.steps_ms[0]) / total)
    return f"{share} of {amount(total)} ms pass at the producer"


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    p50, p99 = shown.latency_ms
    return {
        "records sent": f"{shown.records:,}",
        "records processed in a second": amount(shown.throughput_per_s),
        "produce requests in a second": amount(shown.requests / shown.sent_for_s),
        "records in a batch": amount(shown.per_batch),
        "records in a request": amount(shown.per_request),
        "bytes sent for each record": amount(shown.size_bytes / max(1, shown.records)),
        "longest that a batch was open, in ms": amount(shown.longest_ms),
        "p50 of latency in ms": amount(p50),
        "p99 of latency in ms": amount(p99),
        "time of a broker's thread for each record, in µs": amount(shown.thread_us),
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    piece = shown.piece
    causes = [
        f"{percent(share)} {SAID[cause]}"
        for cause, share in shown.shares.items()
        if share > 0
    ]
    steps = [
        f"{amount(took)} ms {step}"
        for step, took in zip(STEPS, shown.steps_ms.tolist(), strict=True)
    ]
    p50, p99 = shown.latency_ms
    span, rows = piece.until_ms - piece.from_ms, len(piece.partitions)
    return (
        f"{queue_title(shown)}. Batches of {counted(rows, 'partition')} as bars over "
        f"{amount(span)} ms, "
        f"{counted(len(piece.row), 'bar')}; of all batches {listed(causes) or 'none'}. "
        f"{request_title(shown)}. {latency_title(shown)}: on average "
        f"{listed(steps)}; half of the records take at most {amount(p50)} ms, 99 % at "
        f"most {amount(p99)} ms."
    )

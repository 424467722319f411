"""What the batching explorer says of a run: titles that are findings, and a table."""

from typing import Final

from kafkasim.catalogue import mark, say
from kafkasim.plot.words import amount, counted, listed, percent
from kafkasim.result.schema import CLOSED_BY
from kafkasim.widgets.batching_shown import STEPS, Shown

SAID: Final = {
    "full": mark("full"),
    "linger": mark("linger over"),
    "drained": mark("drained along"),
    "cut": mark("cut by the end"),
}
"""Cause → what is said of a batch that it closed."""
_ENDED: Final = {
    "full": mark("{per_batch} a batch; {often} were full"),
    "linger": mark("{per_batch} a batch; {often} ended by linger"),
    "drained": mark("{per_batch} a batch; {often} drained along"),
    "cut": mark("{per_batch} a batch; {often} cut by the end"),
}
_NEARLY: Final = 0.95
"""Share from which it is nearly all."""


def queue_title(shown: Shown) -> str:
    """Return how many records batches held, and what ended most of them."""
    if not shown.batches:
        return say("No batch was sent")
    cause = CLOSED_BY[int(shown.causes.argmax())]
    share = shown.shares[cause]
    often = say("nearly all") if share >= _NEARLY else percent(share)
    often = say("all") if share == 1 else often
    ended = _ENDED[cause]
    if cause == "linger" and shown.linger_ms == 0:
        ended = mark("{per_batch} a batch; {often} sent at once")
    return say(ended, per_batch=_records(shown.per_batch), often=often)


def request_title(shown: Shown) -> str:
    """Return how many records share a request, and with how many batches."""
    per_request = shown.batches / max(1, shown.requests)
    return say(
        "A request: {batches}, {records}",
        batches=counted(float(f"{per_request:.2g}"), "batch"),
        records=_records(shown.per_request),
    )


def _records(mean: float) -> str:
    """Return a mean in two digits, with its noun.

    >>> _records(5.2604), _records(1.0)
    ('5.3 records', '1 record')
    """
    return counted(float(f"{mean:.2g}"), "record")


def latency_title(shown: Shown) -> str:
    """Return how much of the latency is waiting at the producer."""
    total = float(shown.steps_ms.sum())
    if not total > 0:
        return say("No record was processed")
    share = percent(float(shown.steps_ms[0]) / total)
    return say(
        "{share} of {total} ms pass at the producer", share=share, total=amount(total)
    )


def numbers(shown: Shown) -> dict[str, str]:
    """Return what stands below the figure, by label."""
    p50, p99 = shown.latency_ms
    return {
        say("records sent"): f"{shown.records:,}",
        say("records processed in a second"): amount(shown.throughput_per_s),
        say("produce requests in a second"): amount(shown.requests / shown.sent_for_s),
        say("records in a batch"): amount(shown.per_batch),
        say("records in a request"): amount(shown.per_request),
        say("bytes sent for each record"): amount(
            shown.size_bytes / max(1, shown.records)
        ),
        say("longest that a batch was open, in ms"): amount(shown.longest_ms),
        say("p50 of latency in ms"): amount(p50),
        say("p99 of latency in ms"): amount(p99),
        say("time of a broker's thread for each record, in µs"): amount(
            shown.thread_us
        ),
    }


def alt_text(shown: Shown) -> str:
    """Return what the figure shows, for those who cannot see it."""
    piece = shown.piece
    causes = [
        say("{share} {ended}", share=percent(share), ended=say(SAID[cause]))
        for cause, share in shown.shares.items()
        if share > 0
    ]
    steps = [
        say("{time} ms {step}", time=amount(took), step=say(step))
        for step, took in zip(STEPS, shown.steps_ms.tolist(), strict=True)
    ]
    p50, p99 = shown.latency_ms
    span, rows = piece.until_ms - piece.from_ms, len(piece.partitions)
    return say(
        "{queues}. Batches of {partitions} as bars over {span} ms, {bars}; of all "
        "batches {causes}. {requests}. {waits}: on average {steps}; half of the "
        "records take at most {p50} ms, 99 % at most {p99} ms.",
        queues=queue_title(shown),
        partitions=counted(rows, "partition"),
        span=amount(span),
        bars=counted(len(piece.row), "bar"),
        causes=listed(causes) or say("none"),
        requests=request_title(shown),
        waits=latency_title(shown),
        steps=listed(steps),
        p50=amount(p50),
        p99=amount(p99),
    )

from dataclasses import replace

import numpy as np

from kafkasim.widgets.batching_shown import Piece, Shown
from kafkasim.widgets.batching_words import (
    alt_text,
    latency_title,
    numbers,
    queue_title,
    request_title,
)

PIECE = Piece(
    from_ms=100.0,
    until_ms=120.0,
    partitions=np.array([0, 2, 1]),
    leaders=np.array([1, 1, 2]),
    row=np.array([0, 1, 2, 0]),
    opened_ms=np.array([99.0, 101.0, 102.0, 110.0]),
    closed_ms=np.array([104.0, 104.0, 107.0, 110.0]),
    sent_ms=np.array([104.0, 104.0, 109.0, 110.0]),
    cause=np.array([1, 2, 0, 1]),
    records_ms=np.array([101.0, 103.0, 102.0, 110.0]),
    records_row=np.array([1, 0, 2, 0]),
)
SHOWN = Shown(
    linger_ms=5.0,
    records=520,
    batches=100,
    requests=40,
    sent_for_s=0.5,
    causes=np.array([2, 28, 70, 0]),
    size_bytes=130_000,
    longest_ms=5.0,
    steps_ms=np.array([3.0, 0.75, 0.25]),
    latency_ms=(3.5, 6.25),
    throughput_per_s=1_040.0,
    thread_us=10.0,
    piece=PIECE,
)
NOTHING = replace(
    SHOWN,
    records=0,
    batches=0,
    requests=0,
    causes=np.zeros(4, dtype=np.int64),
    size_bytes=0,
    steps_ms=np.zeros(3),
    latency_ms=(float("nan"), float("nan")),
    throughput_per_s=0.0,
)


def ended(*causes: int, linger_ms: float = 5.0) -> str:
    shown = replace(SHOWN, causes=np.array(causes), linger_ms=linger_ms)
    return queue_title(shown).partition("; ")[2]


def test_what_ended_most_batches_is_the_finding() -> None:
    assert queue_title(SHOWN) == "5.2 records a batch; 70 % drained along"
    assert ended(0, 100, 0, 0) == "all ended by linger"
    assert ended(3, 97, 0, 0) == "nearly all ended by linger"
    assert ended(60, 40, 0, 0) == "60 % were full"
    assert ended(0, 100, 0, 0, linger_ms=0) == "all sent at once"
    assert ended(100, 0, 0, 0, linger_ms=0) == "all were full"
    assert queue_title(NOTHING) == "No batch was sent"


def test_a_request_is_told_by_its_batches_and_records() -> None:
    assert request_title(SHOWN) == "A request: 2.5 batches, 13 records"
    alone = replace(SHOWN, records=40, batches=40)
    assert request_title(alone) == "A request: 1 batch, 1 record"


def test_how_much_of_the_latency_is_waiting_is_said() -> None:
    assert latency_title(SHOWN) == "75 % of 4 ms pass at the producer"
    assert latency_title(NOTHING) == "No record was processed"


def test_numbers_are_means_over_records_batches_and_seconds() -> None:
    assert numbers(SHOWN) == {
        "records sent": "520",
        "records processed in a second": "1,040",
        "produce requests in a second": "80",
        "records in a batch": "5.2",
        "records in a request": "13",
        "bytes sent for each record": "250",
        "longest that a batch was open, in ms": "5",
        "p50 of latency in ms": "3.5",
        "p99 of latency in ms": "6.25",
        "time of a broker's thread for each record, in µs": "10",
    }
    assert list(numbers(NOTHING)) == list(numbers(SHOWN))


def test_alt_text_tells_the_figure() -> None:
    assert alt_text(SHOWN) == (
        "5.2 records a batch; 70 % drained along. Batches of 3 partitions as bars over "
        "20 ms, 4 bars; of all batches 2 % full, 28 % linger over and 70 % drained "
        "along. A request: 2.5 batches, 13 records. 75 % of 4 ms pass at the producer: "
        "on average 3 ms at the producer, 0.75 ms to the log and 0.25 ms to the "
        "reader; half of the records take at most 3.5 ms, 99 % at most 6.25 ms."
    )
    assert alt_text(NOTHING).startswith("No batch was sent.")

"""The codec of the log against those of other clients, in whole logs of many batches.

Peers are the builder and the reader of aiokafka, in C, and the builder of kafka-python,
in plain Python. They take and give one record a call, as Python objects that are made
beforehand; the encoder gathers columns and the decoder gives columns, whose values stay
where they are in the log. All check or compute the CRC. Keys have 8 bytes; timestamps
are of records that arrive at random, ten a millisecond. Each is done several times.

It takes the set `dev`, which `python3 run.py bench log` brings; among all benchmarks it
is left out without it.
"""

import importlib.util
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.bench import Figure, figure, medians
from kafkasim.log.columns import Blob, Columns
from kafkasim.log.encode import encode_batch
from kafkasim.log.encode_any import encode_plainly
from kafkasim.log.gather import Arena, encode_batches
from kafkasim.log.header import COVERED_AT
from kafkasim.log.record import Record
from kafkasim.log.scan import decode_columns

RECORDS = 40_000
COUNTS = (10, 100, 1_000)
UNEQUAL = (10, 40)
"""Records of batches that are not equal, from and up to."""
KEY_BYTES = 8
PER_MS = 10
ROUNDS = 5
TIMES = 2
SMALL_TIMES = 500
_ROOM = 1 << 30
_NEEDED = ("aiokafka", "kafka")

FIXED_OVER_AIOKAFKA = 4.0
FIXED_OVER_KAFKA_PYTHON = 25.0
UNLIKE_OVER_AIOKAFKA = 2.0
SMALL_OVER_AIOKAFKA = 0.5
SMALL_OVER_KAFKA_PYTHON = 2.5
DECODED_OVER_AIOKAFKA = 3.0


Class = Callable[..., Any]
"""A class of another client."""


class Peers(NamedTuple):
    """Classes of the other clients."""

    aiokafka_builder: Class
    aiokafka_reader: Class
    kafka_python_builder: Class


def peers() -> Peers | None:
    """Return the other clients' classes; None, and say so, where one is missing."""
    lacks = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if lacks:
        print(f"left out, missing: {', '.join(lacks)}", file=sys.stderr)
        return None
    from aiokafka.record import default_records as aiokafka

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from kafka.record import default_records as kafka_python
    return Peers(
        aiokafka.DefaultRecordBatchBuilder,
        aiokafka.DefaultRecordBatch,
        kafka_python.DefaultRecordBatchBuilder,
    )


class Log(NamedTuple):
    """A log's records as columns, and as lists of objects."""

    columns: Columns
    timestamps: list[int]
    keys: list[bytes | None]
    values: list[bytes | None]
    edges: list[int]


def log_of(counts: NDArray[np.int64], value_bytes: int, *, unlike: bool) -> Log:
    """Return a log of batches of so many records, all values of one size or unlike.

    Unlike ones have from half to one and a half times as many bytes.
    """
    rng = np.random.default_rng(1)
    records = int(counts.sum())
    sizes = np.full(records, value_bytes)
    if unlike:
        sizes = rng.integers(value_bytes // 2, value_bytes * 3 // 2, records)
    times = np.cumsum(rng.exponential(1 / PER_MS, records)).astype(np.int64)
    columns = Columns(
        times + 1_700_000_000_000,
        Blob.packed(rng.bytes(KEY_BYTES * records), np.full(records, KEY_BYTES)),
        Blob.packed(rng.bytes(int(sizes.sum())), sizes),
        np.append(0, np.cumsum(counts)),
    )
    return Log(
        columns,
        columns.timestamps_ms.tolist(),
        columns.keys.tolist(),
        columns.values.tolist(),
        columns.batch_starts.tolist(),
    )


def built(builder: Class, log: Log) -> list[bytes]:
    """Return the batches that another client builds of a log, record by record."""
    timestamps, keys, values = log.timestamps, log.keys, log.values
    batches = []
    for first, last in pairwise(log.edges):
        batch = builder(
            magic=2,
            compression_type=0,
            is_transactional=False,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=-1,
            batch_size=_ROOM,
        )
        append = batch.append
        for at in range(first, last):
            append(at - first, timestamps[at], keys[at], values[at], [])
        batches.append(batch.build())
    return batches


def read(reader: Class, batches: list[bytes]) -> None:
    """Read all records of some batches, field by field, and check their CRCs."""
    for data in batches:
        batch = reader(data)
        assert batch.validate_crc()
        for record in batch:
            _ = record.offset, record.timestamp, record.key, record.value


def rates(log: Log, *actions: Callable[[], object], times: int = TIMES) -> list[float]:
    """Return millions of records a second of each action, measured in turn."""
    repeated = [partial(again, action, times) for action in actions]
    records = log.columns.record_count * times
    return [records / taken / 1e6 for taken in medians(*repeated, rounds=ROUNDS)]


def again(action: Callable[[], object], times: int) -> None:
    """Do it some times on end."""
    for _ in range(times):
        action()


def same_bytes(ours: list[bytes], theirs: list[bytes]) -> bool:
    """Return whether batches are equal from where the CRC covers them."""
    return [b[COVERED_AT:] for b in ours] == [bytes(b[COVERED_AT:]) for b in theirs]


def figures_of_gathered_encoding() -> Iterator[Figure]:
    there_are = peers()
    if there_are is None:
        return
    rng = np.random.default_rng(2)
    kinds = [(f"{count} a batch", np.full(RECORDS // count, count)) for count in COUNTS]
    unequal = rng.integers(*UNEQUAL, RECORDS // (sum(UNEQUAL) // 2))
    kinds.append((f"{UNEQUAL[0]} to {UNEQUAL[1] - 1} a batch", unequal))
    for unlike in (False, True):
        for value_bytes in (10, 100):
            for name, counts in kinds:
                log = log_of(counts, value_bytes, unlike=unlike)
                what = f"about {value_bytes}" if unlike else f"{value_bytes}"
                yield from encoded(there_are, log, f"{what} B, {name}", unlike=unlike)


def encoded(there_are: Peers, log: Log, name: str, *, unlike: bool) -> Iterator[Figure]:
    """Yield how fast a log is encoded, as a multiple of the other clients' rates."""
    arena = Arena()
    peer_actions = [partial(built, there_are.aiokafka_builder, log)]
    if not unlike:
        peer_actions.append(partial(built, there_are.kafka_python_builder, log))
    data, positions = encode_batches(log.columns, out=arena)
    ours = [data[lo:hi].tobytes() for lo, hi in pairwise(positions.tolist())]
    assert all(same_bytes(ours, action()) for action in peer_actions)
    encoding = partial(encode_batches, log.columns, out=arena)
    rate, *others = rates(log, encoding, *peer_actions)
    bars = (
        ("aiokafka's C", UNLIKE_OVER_AIOKAFKA if unlike else FIXED_OVER_AIOKAFKA),
        ("kafka-python", FIXED_OVER_KAFKA_PYTHON),
    )
    for other, (peer, bar) in zip(others, bars, strict=False):
        yield figure(
            f"values of {name}: gathered encoding over {peer}",
            rate / other,
            bar,
            at_least=True,
            millions_per_second=rate,
            peer_millions_per_second=other,
        )


def figures_of_one_small_batch() -> Iterator[Figure]:
    there_are = peers()
    if there_are is None:
        return
    for count in (1, 10, 100):
        log = log_of(np.array([count]), 100, unlike=False)
        fields = log.timestamps, log.keys, log.values
        records = [Record(*each) for each in zip(*fields, strict=True)]
        assert encode_plainly(log.columns) == [encode_batch(records)]
        rate, *others = rates(
            log,
            partial(encode_batch, records),
            partial(built, there_are.aiokafka_builder, log),
            partial(built, there_are.kafka_python_builder, log),
            times=SMALL_TIMES,
        )
        for other, (peer, bar) in zip(
            others,
            (
                ("aiokafka's C", SMALL_OVER_AIOKAFKA),
                ("kafka-python", SMALL_OVER_KAFKA_PYTHON),
            ),
            strict=True,
        ):
            yield figure(
                f"one batch of {count}, values of 100 B: plain encoding over {peer}",
                rate / other,
                bar,
                at_least=True,
                millions_per_second=rate,
                peer_millions_per_second=other,
            )


def figures_of_decoding() -> Iterator[Figure]:
    there_are = peers()
    if there_are is None:
        return
    for unlike in (False, True):
        for count in COUNTS:
            log = log_of(np.full(RECORDS // count, count), 100, unlike=unlike)
            data, positions = encode_batches(log.columns)
            batches = [data[a:b].tobytes() for a, b in pairwise(positions.tolist())]
            found = decode_columns(data)
            assert found.values.tolist() == log.values
            rate, other = rates(
                log,
                partial(decode_columns, data),
                partial(read, there_are.aiokafka_reader, batches),
            )
            what = "about 100" if unlike else "100"
            yield figure(
                f"values of {what} B, {count} a batch: decoding to columns over"
                " aiokafka's C",
                rate / other,
                DECODED_OVER_AIOKAFKA,
                at_least=True,
                millions_per_second=rate,
                peer_millions_per_second=other,
            )

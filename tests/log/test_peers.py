"""Batches are byte for byte those of Kafka's other clients, and each reads the other's.

Neither of the two shares code with kafkasim. Kafka's own builder is asked by
`tests/cluster/test_batches.py`.
"""

import pytest

from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.encode import encode_batch, stamped
from kafkasim.log.header import CODECS
from tests.cluster.batches import Draws
from tests.log.peers import (
    BUILDERS,
    CODECS_OF,
    LEADER_EPOCHS,
    READERS,
    built_by,
    read_by,
    some_producer,
    some_records,
)

SEED = 20_261_127
both_ways = pytest.mark.parametrize(
    ("peer", "codec"), [(p, codec) for p in CODECS_OF for codec in CODECS_OF[p]]
)


def same_bytes(batches: int, seed: int) -> None:
    draws = Draws(seed)
    for _ in range(batches):
        records, producer = some_records(draws), some_producer(draws)
        own = encode_batch(records, **producer)
        for peer in BUILDERS:
            theirs = built_by(peer, records, **producer)
            epoch = LEADER_EPOCHS[peer]
            assert stamped(own, base_offset=0, leader_epoch=epoch) == theirs, peer
        read = [record._replace(offset=at) for at, record in enumerate(records)]
        assert decode_batch(own) == read


def test_random_batches_are_byte_for_byte_those_of_both_clients() -> None:
    """The leader's epoch aside, which each of them leaves open in its own way."""
    same_bytes(1_000, SEED)


@pytest.mark.slow
def test_ten_thousand_batches_are_byte_for_byte_those_of_both_clients() -> None:
    same_bytes(10_000, SEED + 1)


@both_ways
def test_a_client_reads_what_kafkasim_wrote(peer: str, codec: str) -> None:
    draws = Draws(SEED + 2)
    for _ in range(60):
        records, producer = some_records(draws), some_producer(draws)
        batch = encode_batch(records, base_offset=2**40, codec=codec, **producer)

        read = read_by(peer, batch)

        assert read == decode_batch(batch)
        assert [record._replace(offset=-1) for record in read] == records


@both_ways
def test_kafkasim_reads_what_a_client_wrote(peer: str, codec: str) -> None:
    draws = Draws(SEED + 3)
    for _ in range(60):
        records = some_records(draws)
        batch = built_by(peer, records, codec)

        assert CODECS[check_batch(batch, 0).codec] in {codec, "none"}
        read = decode_batch(batch)

        assert [record._replace(offset=-1) for record in read] == records
        assert [record.offset for record in read] == list(range(len(records)))


@pytest.mark.parametrize("peer", READERS)
def test_a_client_takes_gaps_and_the_brokers_time_as_kafkasim_does(peer: str) -> None:
    """What no client can build, both read: compacted batches and LogAppendTime."""
    draws = Draws(SEED + 4)
    for _ in range(60):
        records = some_records(draws)
        deltas = [7 * at + 3 for at in range(len(records))]
        compacted = encode_batch(records, offset_deltas=deltas, last_offset_delta=9_999)
        late = encode_batch(records, log_append_time_ms=1_800_000_000_000)

        assert read_by(peer, compacted) == decode_batch(compacted)
        assert read_by(peer, late) == decode_batch(late)
        assert {r.timestamp_ms for r in decode_batch(late)} == {1_800_000_000_000}

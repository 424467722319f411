import struct

from kafkasim.log.header import HEADER_BYTES, BatchHeader, unpack_header

PLAIN = bytes.fromhex(
    "0000000000000000000000730000000002"
    "1faf13490000000000020000018bcfe568000000018bcfe56802ffffffffffffffffffffffffffff"
    "00000003"
)
"""First batch of the topic `plain` of a broker of Kafka 4.3.1, header only."""


def test_a_header_of_a_real_broker_is_read_and_written() -> None:
    header = unpack_header(b"xx" + PLAIN, 2)

    assert header.base_offset == 0 and header.size_bytes == 0x73 + 12
    assert header.record_count == 3 and header.last_offset_delta == 2
    assert header.next_offset == 3
    assert header.base_timestamp_ms == 1_700_000_000_000
    assert header.producer_id == header.last_sequence == -1
    assert header.pack() == PLAIN and len(PLAIN) == HEADER_BYTES


def test_sequences_wrap_after_the_largest_int() -> None:
    """Source: DefaultRecordBatch.incrementSequence."""
    header = unpack_header(PLAIN, 0)._replace(base_sequence=2**31 - 2)

    assert header.last_offset_delta == 2
    assert header.last_sequence == 0


def test_bits_of_the_attributes() -> None:
    """Source: the comment of DefaultRecordBatch."""

    def having(bits: int) -> BatchHeader:
        return unpack_header(PLAIN, 0)._replace(attributes=bits)

    assert having(0b0100).codec == 4
    assert having(0b1000).is_log_append_time
    assert having(1 << 4).is_transactional and not having(1 << 4).is_control
    assert having(1 << 5).is_control
    assert having(1 << 6).delete_horizon_ms == 1_700_000_000_000
    assert having(0).delete_horizon_ms is None


def test_too_few_bytes_are_an_error() -> None:
    try:
        unpack_header(PLAIN, 1)
    except struct.error:
        return
    raise AssertionError

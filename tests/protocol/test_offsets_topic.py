"""Which partition keeps a group: vectors of the real classes (4.3.1)."""

import pytest

from kafkasim.protocol.offsets_topic import java_hash, offsets_partition


@pytest.mark.parametrize(
    ("group", "hash_code", "partition"),
    [
        ("my-group", -1906497762, 12),
        ("test", 3556498, 48),
        ("orders", -1008770331, 31),
        ("a", 97, 47),
        ("polygenelubricants", -2147483648, 0),
    ],
)
def test_the_group_is_kept_where_kafka_keeps_it(
    group: str, hash_code: int, partition: int
) -> None:
    assert java_hash(group) == hash_code
    assert offsets_partition(group) == partition


def test_a_character_beyond_the_basic_plane_counts_as_two_units() -> None:
    high, low = 0xD83D, 0xDE00
    assert java_hash("\U0001f600") == 31 * high + low

"""What a leader refuses, batch by batch, and in which order it looks."""

from typing import TYPE_CHECKING, cast

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.admission import Admission
from kafkasim.protocol.errors import (
    INVALID_RECORD,
    INVALID_TIMESTAMP,
    MESSAGE_TOO_LARGE,
    NONE,
    RECORD_LIST_TOO_LARGE,
)
from kafkasim.protocol.producing.batch import Batch
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    from kafkasim.engine.sim.producer import ProducerClient

NOW_NS = 5_000 * NS_PER_MS


class Records:
    """A producer whose record at position p was created at p ms."""

    @property
    def accumulator(self) -> "Records":
        return self

    def created_ns_of(self, partition: int, position: int) -> int:
        assert partition == 0
        return position * NS_PER_MS + 999_999  # within that millisecond


def verdict(
    *, lo: int = 0, size_bytes: int = 100, keyless: int | None = None, **config: object
) -> int:
    """What becomes of ten records, at 5 s."""
    resolved = TopicConfig(**config).resolve()  # type: ignore[arg-type]
    admits = Admission(
        resolved,
        {0: cast("ProducerClient", Records())},
        {} if keyless is None else {0: lambda _, count: min(keyless, count)},
    )
    return admits(Batch(0, 0, lo, lo + 10, size_bytes, 0), NOW_NS)


@pytest.mark.parametrize(("size_bytes", "error"), [(900, NONE), (901, 10)])
def test_a_batch_may_be_as_large_as_max_message_bytes(
    size_bytes: int, error: int
) -> None:
    found = verdict(size_bytes=size_bytes, max_message_bytes=900)

    assert found == (NONE if error == NONE else MESSAGE_TOO_LARGE)


@pytest.mark.parametrize(("size_bytes", "refused"), [(900, False), (901, True)])
def test_a_batch_must_go_into_a_segment(size_bytes: int, refused: bool) -> None:  # noqa: FBT001
    found = verdict(size_bytes=size_bytes, internal_segment_bytes=900)

    assert found == (RECORD_LIST_TOO_LARGE if refused else NONE)


def test_the_oldest_record_of_a_batch_tells_whether_it_is_too_old() -> None:
    """At 5,000 ms, 4,000 ms back reach to the record of 1,000 ms."""
    assert verdict(lo=1_000, message_timestamp_before_max_ms=4_000) == NONE
    assert verdict(lo=999, message_timestamp_before_max_ms=4_000) == INVALID_TIMESTAMP


def test_a_time_of_the_broker_is_never_too_old() -> None:
    found = verdict(
        message_timestamp_before_max_ms=1, message_timestamp_type="LogAppendTime"
    )

    assert found == NONE


def test_one_record_without_a_key_is_too_many_for_a_compacted_topic() -> None:
    assert verdict(cleanup_policy="compact", keyless=1) == INVALID_RECORD
    assert verdict(cleanup_policy="compact", keyless=0) == NONE
    assert verdict(keyless=10) == NONE


def test_a_batch_that_is_wrong_in_every_way_is_too_large_first_of_all() -> None:
    """The order of `UnifiedLog.append` and `LogValidator.validateRecord`."""
    wrong = {
        "size_bytes": 2_000,
        "keyless": 1,
        "max_message_bytes": 1_500,
        "message_timestamp_before_max_ms": 1,
        "internal_segment_bytes": 1_000,
        "cleanup_policy": "compact",
    }

    def found() -> int:
        return verdict(**wrong)  # type: ignore[arg-type]

    assert found() == MESSAGE_TOO_LARGE
    wrong["max_message_bytes"] = 2_000
    assert found() == INVALID_RECORD
    wrong["keyless"] = 0
    assert found() == INVALID_TIMESTAMP
    wrong["message_timestamp_before_max_ms"] = 5_000
    assert found() == RECORD_LIST_TOO_LARGE

"""Records of `__consumer_offsets` in the very words of Kafka's own tool."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from kafkasim.protocol.groups.record_json import DELETE, key_text, value_text
from tests.protocol.groups.coordinator_data import WRITTEN, logged

PRINTED: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "printed_records.json").read_text("utf-8")
)
OTHER_GROUPS = ("ShareGroupMetadata", "StreamsGroupMetadata")


@pytest.mark.parametrize("name", [each for each in WRITTEN if each not in OTHER_GROUPS])
def test_a_record_is_printed_as_the_real_tool_prints_it(name: str) -> None:
    key, value = WRITTEN[name]
    assert [key_text(key), value_text(key, value)] == PRINTED["records"][name]


@pytest.mark.parametrize("partition", [1, 2, 3])
def test_a_broker_s_log_is_printed_as_the_real_tool_prints_it(partition: int) -> None:
    told = [
        [key_text(each.key or b""), value_text(each.key or b"", each.value)]
        for each in logged(partition)
    ]
    assert told == PRINTED["log"][str(partition)]


@pytest.mark.parametrize("name", OTHER_GROUPS)
def test_other_kinds_of_groups_are_not_read(name: str) -> None:
    key, value = WRITTEN[name]
    assert (key_text(key), value_text(key, value)) == (None, None)


def test_what_cannot_be_read_is_not_made_up() -> None:
    key, value = WRITTEN["OffsetCommit v4"]
    assert value is not None
    assert key_text(key[:-1]) is None
    assert key_text(b"") is None
    assert value_text(key, b"") is None
    assert value_text(key, b"\x00\x05" + value[2:]) is None
    assert value_text(key, value[:-5]) is None
    assert value_text(key, None) == DELETE

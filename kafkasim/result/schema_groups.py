"""What a run records of groups and of what they commit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kafkasim.result.schema_columns import (
    PARTITION,
    TOPIC,
    Column,
    label,
    number,
    offset,
    time,
)

COMMIT_OUTCOMES: Final = ("ok",)
"""Labels of `commits.outcome`; a run with coordinators names Kafka's errors behind."""

COMMIT_KINDS: Final = ("auto", "sync", "async", "rebalance", "close")
"""Labels of `commits.kind`: by `enable.auto.commit`, `commitSync`, `commitAsync`; and
automatically before partitions are given up, and when the consumer is closed."""

GROUP_STATES: Final = (
    "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead",
    "Assigning", "Reconciling",
)  # fmt: skip
"""Labels of `group_states.state`: of classic groups, and of those of KIP-848."""

OFFSETS_TOPIC: Final = "__consumer_offsets"
"""Its name (OF-1)."""

OFFSETS_TOPIC_KINDS: Final = (
    "OffsetCommit", "GroupMetadata", "ConsumerGroupMetadata",
    "ConsumerGroupPartitionMetadata", "ConsumerGroupMemberMetadata",
    "ConsumerGroupTargetAssignmentMetadata", "ConsumerGroupTargetAssignmentMember",
    "ConsumerGroupCurrentMemberAssignment", "ConsumerGroupRegularExpression",
)  # fmt: skip
"""Labels of `offsets_topic.kind`: Kafka's names (`CoordinatorRecordType`)."""

GROUP_TABLES: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "commits": (
            label("group", "consumer group"),
            label("member", "member that committed", "<i4"),
            TOPIC,
            PARTITION,
            offset("offset", "next offset to read (last processed + 1)"),
            time("at_ns", "when the coordinator stored it"),
            label("kind", "auto, sync, async, rebalance or close", "<i1"),
            label("outcome", "ok, or Kafka's error name", "<i1"),
        ),
        "assignments": (
            label("group", "consumer group"),
            number("epoch", "<i4", "generation or epoch of the assignment"),
            label("member", "owner", "<i4"),
            TOPIC,
            PARTITION,
            time("since_ns", "when it began to read the partition"),
            time("until_ns", "when it stopped; missing when it never did"),
            offset("start_offset", "offset at which it began"),
        ),
        "group_states": (
            label("group", "consumer group"),
            label("state", "as Kafka prints it, such as PreparingRebalance", "<i1"),
            number("epoch", "<i4", "generation, or group epoch"),
            number("members", "<i4", "members it has"),
            time("at_ns", "when the coordinator came to it"),
            label("cause", "why, in a few words"),
        ),
        "offsets_topic": (
            number("partition", "<i4", "partition of `__consumer_offsets`"),
            offset("offset", "the record's offset in it"),
            number("leader", "<i4", "broker that coordinated, and appended it"),
            number("leader_epoch", "<i4", "its leader epoch"),
            time("at_ns", "when it was appended there"),
            label("kind", "Kafka's name of the record's type", "<i1"),
            label("group", "whose: part of every key", "<i4"),
            label("topic", "topic of an offset commit's key; none in other keys"),
            number("topic_partition", "<i4", "partition of its key; -1 in other keys"),
            label("member", "member id, or regular expression, of its key", "<i4"),
            offset("committed_offset", "next offset to read, of an offset commit"),
            number(
                "epoch",
                "<i4",
                "leader epoch of an offset commit; generation, group, assignment or "
                "member epoch of others; -1 without",
            ),
            label("text", "what else its value says", "<i4"),
            number("key_bytes", "<i4", "size of the key"),
            number("value_bytes", "<i4", "size of the value; -1: a tombstone"),
        ),
    }
)
"""Columns of each table, in the order in which rows are written."""

ONE_GROUP_ROW_PER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "commits": "offset commit",
        "assignments": "interval in which a member owned a partition",
        "group_states": "change of a group that its coordinator tells of",
        "offsets_topic": "record that a coordinator wrote to `__consumer_offsets`",
    }
)
"""What a row of each table stands for."""

GROUP_LABELS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("commits", "outcome"): COMMIT_OUTCOMES,
        ("commits", "kind"): COMMIT_KINDS,
        ("group_states", "state"): GROUP_STATES,
        ("offsets_topic", "kind"): OFFSETS_TOPIC_KINDS,
    }
)
"""(table, column) → names, where Kafka or kafkasim fixes the values."""

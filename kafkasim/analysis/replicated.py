"""What replication did to each partition: pauses, what was hidden, what was lost."""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import Int64
from kafkasim.analysis.copies import Copies
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.replica_rows import copies_of
from kafkasim.analysis.world import world_of
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd


def replication(result: Result) -> "pd.DataFrame":
    """Return what became of each partition's copies.

    Parameters
    ----------
    result : Result
        With the tables `records`, `appends` and `batches`. One that did not record its
        replicas had one copy of each partition.

    Returns
    -------
    pandas.DataFrame
        One row per topic and partition: `topic`, `partition`; `log_end` and
        `high_watermark` in the end; `leader_changes`; `silent_ms`, the longest time
        without an acknowledgement, from the first one to when the last record was
        wanted; `hidden_ms` and `hidden_records`, the longest time in which the high
        watermark stood still below what was acknowledged, and how much that was in the
        end; `acked_lost`, records that were acknowledged and that a new leader did not
        have; `refused`, produce requests answered with an error (0 unless the topic is
        the only one and has one partition). No rows for a system without partitions.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    counts = world_of(result).partition_counts
    every = [
        copies_of(result, topic, number)
        for topic, count in counts.items()
        for number in range(count)
    ]
    topics = list(counts)
    return frame(
        result,
        {
            "topic": categorical(
                np.array([topics.index(each.topic) for each in every], np.int64),
                topics,
            ),
            "partition": [each.partition for each in every],
            "log_end": [_last(each.log_end.value) for each in every],
            "high_watermark": [_last(each.high_watermark.value) for each in every],
            "leader_changes": [max(0, len(each.leaders) - 1) for each in every],
            "silent_ms": [_silent_ms(each) for each in every],
            "hidden_ms": [_hidden(each)[0] for each in every],
            "hidden_records": [_hidden(each)[1] for each in every],
            "acked_lost": [each.acked_lost for each in every],
            "refused": [len(each.refused_ns) for each in every],
        },
    )


def _last(values: Int64) -> int:
    return int(values[-1]) if len(values) else 0


def _silent_ms(copies: Copies) -> float:
    since, until = copies.longest_without_ack()
    return (until - since) / NS_PER_MS


def _hidden(copies: Copies) -> tuple[float, int]:
    since, until, records = copies.longest_hidden()
    return (until - since) / NS_PER_MS, records

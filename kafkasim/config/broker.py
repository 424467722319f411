"""The broker's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.server.config` and `SocketServerConfigs` (4.3). What is not
modelled yet has no field; `from_properties` names such a key instead of dropping it.
"""

from typing import Annotated, ClassVar

from kafkasim.catalogue import say
from kafkasim.config.document import document, effective, setting
from kafkasim.config.known import Kind
from kafkasim.config.rules import (
    INT32_MAX,
    INT64_MAX,
    Bytes,
    Count,
    Milliseconds,
    Number,
    Whole,
)
from kafkasim.config.settings import Settings
from kafkasim.errors import ValidationError


@document
class BrokerConfig(Settings):
    """Settings of every broker; what is not said has Kafka's default once resolved.

    Examples
    --------
    >>> BrokerConfig().resolve().num_io_threads
    8
    """

    kind: ClassVar[Kind] = "broker"

    num_io_threads: Count = setting(8)
    """Threads that serve requests from the queue; default 8."""
    num_network_threads: Count = setting(3)
    """Threads that read requests and send answers, each for its share of the
    connections; default 3 (`SocketServer.Processor`)."""
    queued_max_requests: Count = setting(500)
    """Requests that wait for a thread to serve them; with as many a network thread that
    has read one stands still; default 500 (`RequestChannel`)."""
    log_flush_scheduler_interval_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(
        INT64_MAX
    )
    """Whole ms between two looks for logs that were not flushed for their `flush.ms`;
    default never (`ServerLogConfigs`). Of effect where the hardware has a disk."""
    log_retention_check_interval_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(
        300_000
    )
    """Whole ms between two looks for segments to delete; default 5 minutes."""
    log_initial_task_delay_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(30_000)
    """Whole ms from the start to the first of them; default 30 s."""
    log_cleaner_enable: bool = setting(default=True)
    """Compact topics that ask for it; default true."""
    log_cleaner_backoff_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(15_000)
    """Whole ms that the cleaner waits when no log needs it; default 15 s."""
    log_cleaner_dedupe_buffer_size: Annotated[int, Whole(1_048_576, INT64_MAX)] = (
        setting(134_217_728)
    )
    """Bytes of the cleaner's map of keys, 24 for each key; default 128 MiB."""
    log_cleaner_io_buffer_load_factor: Annotated[float, Number(0.0, 1.0)] = setting(0.9)
    """The share of that map that one pass fills; default 0.9."""
    replica_lag_time_max_ms: Annotated[int, Whole(2, INT64_MAX)] = setting(30_000)
    """Whole ms after which a copy that has not caught up leaves those in sync; twice in
    this time the leader looks; default 30 s (`ReplicationConfigs`)."""
    replica_fetch_wait_max_ms: Milliseconds = setting(500)
    """Whole ms that a follower's fetch waits for `replica_fetch_min_bytes`; default
    500."""
    replica_fetch_min_bytes: Annotated[int, Whole(1, 1)] = setting(1)
    """Bytes that a follower's fetch waits for; default 1, and more are not modelled."""
    replica_fetch_max_bytes: Bytes = setting(1_048_576)
    """Bytes of one partition in an answer to a follower, one batch at least; default
    1 MiB."""
    replica_fetch_response_max_bytes: Bytes = setting(10_485_760)
    """Bytes of such an answer, one batch at least; default 10 MiB."""
    replica_fetch_backoff_ms: Milliseconds = setting(1_000)
    """Whole ms that a partition waits after an error of its fetch; default 1 s."""
    num_replica_fetchers: Annotated[int, Whole(1, 1)] = setting(1)
    """Threads that fetch from one leader's broker; default 1, and more are not
    modelled."""
    broker_heartbeat_interval_ms: Annotated[int, Whole(1, INT32_MAX)] = setting(2_000)
    """Whole ms between two heartbeats of a broker to the controller; default 2 s
    (`KRaftConfigs`)."""
    broker_session_timeout_ms: Annotated[int, Whole(1, INT32_MAX)] = setting(9_000)
    """Whole ms without a heartbeat after which the controller fences a broker; default
    9 s (KIP-631)."""
    auto_leader_rebalance_enable: bool = setting(default=True)
    """Give partitions back to their first copy from time to time; default true."""
    leader_imbalance_check_interval_seconds: Annotated[int, Whole(1, INT64_MAX)] = (
        setting(300)
    )
    """Whole seconds between two looks for those not led by it; default 5 min
    (`QuorumController`)."""
    unclean_leader_election_interval_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(
        300_000
    )
    """Whole ms between two tries to find a leader at any price, for topics that allow
    it; default 5 min."""

    quota_window_num: Annotated[int, Whole(1, INT32_MAX)] = setting(11)
    """Windows over which a broker looks back at what a client with a quota did, the
    present one included; default 11 (`QuotaConfig`)."""
    quota_window_size_seconds: Annotated[int, Whole(1, INT32_MAX)] = setting(1)
    """Whole seconds of each of them; default 1."""

    group_initial_rebalance_delay_ms: Milliseconds = setting(3_000)
    """Whole ms that the first members of an empty group wait for others; default 3 s
    (KIP-134)."""
    group_min_session_timeout_ms: Milliseconds = setting(6_000)
    """The shortest `session.timeout.ms` that a coordinator takes; default 6 s."""
    group_max_session_timeout_ms: Milliseconds = setting(1_800_000)
    """The longest; default 30 min."""
    group_max_size: Count = setting(INT32_MAX)
    """Members that a classic group may have; default no limit."""
    group_consumer_session_timeout_ms: Count = setting(45_000)
    """Whole ms without a heartbeat after which a member of the consumer protocol counts
    as dead; default 45 s (KIP-848)."""
    group_consumer_heartbeat_interval_ms: Count = setting(5_000)
    """Whole ms between two of its heartbeats; default 5 s."""
    group_consumer_assignment_interval_ms: Milliseconds = setting(1_000)
    """Whole ms between two new assignments of such a group; default 1 s (KIP-1263)."""
    group_consumer_max_size: Count = setting(INT32_MAX)
    """Members that such a group may have; default no limit."""
    offsets_topic_num_partitions: Annotated[int, Whole(1, 100_000)] = setting(50)
    """Partitions of `__consumer_offsets`; default 50."""
    offsets_topic_replication_factor: Annotated[int, Whole(1, 32_767)] = setting(3)
    """Copies of each of them; default 3, and no more than there are brokers."""
    offsets_topic_segment_bytes: Annotated[int, Whole(1_048_576, INT32_MAX)] = setting(
        104_857_600
    )
    """Bytes of a segment of it, 1 MiB at least; default 100 MiB."""
    offsets_retention_minutes: Annotated[int, Whole(1, INT32_MAX)] = setting(10_080)
    """Whole minutes that the offsets of a group are kept that has no members; default 7
    days (KIP-211)."""
    offsets_retention_check_interval_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(
        600_000
    )
    """Whole ms between two looks for offsets to drop; default 10 min."""
    offset_metadata_max_bytes: Bytes = setting(4_096)
    """Bytes that the text of a committed offset may have; default 4096."""
    offsets_commit_timeout_ms: Annotated[int, Whole(1, INT32_MAX)] = setting(5_000)
    """Whole ms that a commit waits to be replicated; default 5 s."""
    group_coordinator_append_linger_ms: Annotated[int, Whole(-1, INT32_MAX)] = setting(
        -1
    )
    """Whole ms that a coordinator gathers records before it appends them; default -1:
    until it has nothing else to do (`CoordinatorRuntime`)."""

    def check(self) -> None:
        """Check what Kafka checks when a broker starts."""
        wait_max = effective(self, "replica_fetch_wait_max_ms")
        lag_max = effective(self, "replica_lag_time_max_ms")
        if wait_max > lag_max:
            raise ValidationError(
                "replica_fetch_wait_max_ms",
                wait_max,
                say("at most replica_lag_time_max_ms, {lag_max}", lag_max=lag_max),
                say(
                    "a follower that waits longer falls out of sync; "
                    "KafkaConfig.validateValues"
                ),
            )

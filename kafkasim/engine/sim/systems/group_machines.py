"""The machines of groups, made of what a scenario says: coordinators' and members'."""

from collections.abc import Callable, Sequence
from typing import Final

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.frozen import UNSET
from kafkasim.engine.sim.joining_member import NewMachine
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator.consumer_target import broker_assignors
from kafkasim.protocol.groups.coordinator.coordinator_shard import CoordinatorShard
from kafkasim.protocol.groups.coordinator.offset_store import OffsetSettings
from kafkasim.protocol.groups.member.classic_member import ClassicMember
from kafkasim.protocol.groups.member.consumer_member import ConsumerMember
from kafkasim.protocol.groups.member.member_effects import Consumed, MemberMachine
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.protocol.topic_ids import TopicIds
from kafkasim.scenario.members import Member

_MS_PER_MINUTE: Final = 60_000


def new_shard(
    config: BrokerConfig,
    ids: TopicIds,
    next_uuid: Callable[[], str],
    partitions_of: Callable[[str], int | None],
) -> CoordinatorShard:
    """Return the machine of one partition of the offsets topic.

    Parameters
    ----------
    config : BrokerConfig
        Resolved.
    ids : TopicIds
        Of all topics.
    next_uuid : callable
        Returns the random part of the next member id.
    partitions_of : callable
        Returns how many partitions a topic has; None if there is no such topic.
    """
    classic = ClassicSettings(
        initial_rebalance_delay_ms=config.group_initial_rebalance_delay_ms,
        min_session_timeout_ms=config.group_min_session_timeout_ms,
        max_session_timeout_ms=config.group_max_session_timeout_ms,
        max_size=config.group_max_size,
    )
    consumer = ConsumerGroupSettings(
        session_timeout_ms=config.group_consumer_session_timeout_ms,
        heartbeat_interval_ms=config.group_consumer_heartbeat_interval_ms,
        assignment_interval_ms=config.group_consumer_assignment_interval_ms,
        max_size=config.group_consumer_max_size,
    )
    offsets = OffsetSettings(
        metadata_max=config.offset_metadata_max_bytes,
        retention_ms=config.offsets_retention_minutes * _MS_PER_MINUTE,
        check_interval_ms=config.offsets_retention_check_interval_ms,
    )
    return CoordinatorShard(
        ClassicGroups(classic, next_uuid),
        ConsumerGroups(consumer, broker_assignors(), partitions_of),
        offsets,
        ids,
    )


def member_settings(
    name: str,
    subscriber: str,
    topics: Sequence[str],
    config: ConsumerConfig,
    said: Member,
) -> MemberSettings:
    """Return what a member's machine takes from its configuration.

    Parameters
    ----------
    name, subscriber : str
        Such as `billing/1`, and its group.
    topics : sequence of str
        That it reads, sorted.
    config : ConsumerConfig
        Resolved.
    said : Member
        What the scenario says of this one.
    """
    is_classic = config.group_protocol == "classic"
    unsaid = MemberSettings(group="", client_id="", topics=())
    assignor = config.group_remote_assignor
    auto_ms = config.auto_commit_interval_ms if config.enable_auto_commit else None
    return MemberSettings(
        group=subscriber,
        client_id=f"consumer-{name.replace('/', '-')}",
        topics=tuple(topics),
        instance_id=said.instance_id,
        assignors=config.partition_assignment_strategy if is_classic else (),
        server_assignor=None if assignor is UNSET else assignor,
        session_timeout_ms=config.session_timeout_ms
        if is_classic
        else unsaid.session_timeout_ms,
        heartbeat_interval_ms=config.heartbeat_interval_ms
        if is_classic
        else unsaid.heartbeat_interval_ms,
        max_poll_interval_ms=config.max_poll_interval_ms,
        auto_commit_ms=auto_ms,
        request_timeout_ms=config.request_timeout_ms,
        retry_backoff_ms=config.retry_backoff_ms,
    )


def new_machine(
    settings: MemberSettings,
    protocol: str,
    next_uuid: Callable[[], str],
) -> NewMachine:
    """Return what makes the machine of each process of a member.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    protocol : str
        `group.protocol`.
    next_uuid : callable
        Returns the member id of its next process, with the consumer protocol.
    """

    def consumer(
        consumed: Consumed, backoff_ms: Callable[[int], int], now_ms: int
    ) -> MemberMachine:
        return ConsumerMember(
            settings,
            member_id=next_uuid(),
            consumed=consumed,
            backoff_ms=backoff_ms,
            now_ms=now_ms,
        )

    def classic(
        consumed: Consumed, backoff_ms: Callable[[int], int], now_ms: int
    ) -> MemberMachine:
        return ClassicMember(
            settings,
            consumed=consumed,
            backoff_ms=backoff_ms,
            now_ms=now_ms,
        )

    return classic if protocol == "classic" else consumer

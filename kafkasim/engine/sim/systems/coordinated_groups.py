"""Groups that really join: their members, and what they own, commit and skip."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import numpy as np

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.frozen import UNSET
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.joining_member import JoiningMember, NewMachine, OwnerCalls
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.systems.coordinated_cluster import CoordinatedCluster
from kafkasim.engine.sim.systems.coordinated_rows import CoordinatedRows
from kafkasim.engine.sim.systems.kafka_accounts import KafkaAccounts
from kafkasim.engine.sim.systems.kafka_clients import poll_settings
from kafkasim.engine.sim.systems.kafka_quotas import most_bytes_at_once
from kafkasim.protocol.assignors import CLIENT_ASSIGNORS, ClientAssignor, Racks
from kafkasim.protocol.classic_member import ClassicMember
from kafkasim.protocol.consumer_member import ConsumerMember
from kafkasim.protocol.group_messages import Assigned, Subscription
from kafkasim.protocol.member_effects import Consumed, MemberMachine
from kafkasim.protocol.member_settings import MemberSettings
from kafkasim.scenario import members as members_said
from kafkasim.scenario.groups import members_of
from kafkasim.scenario.members import named
from kafkasim.scenario.streams import stream
from kafkasim.units import MISSING_NS

Owner = tuple[int, int]
"""Group and partition, by code and index."""


class CoordinatedGroups(CoordinatedCluster, KafkaAccounts):
    """A cluster's groups, each with the members that it will ever have."""

    rows: CoordinatedRows

    def _new_group(self, name: str) -> Group:
        group = super()._new_group(name)
        group.may_crash = True  # a record may be handed out again
        if self.system.groups[name].start == "cold":
            group.committed = {}
        return group

    def _make_members(self, name: str, group: Group) -> list[Member]:
        described = self.system.groups[name]
        said = members_of(name, described, self.events)
        first = named(described.members)
        self._later |= {
            self.member_names.index(member) for member in list(said)[len(first) :]
        }
        return [
            self._make_joining(member, name, group, one) for member, one in said.items()
        ]

    def _make_joining(
        self, name: str, subscriber: str, group: Group, said: members_said.Member
    ) -> JoiningMember:
        client = f"member:{name}"
        code = self.tables.client_code(client)
        described = self.system.groups[subscriber]
        brokers = range(self.system.brokers)
        data = [self.hosts.connect(client, code, broker) for broker in brokers]
        coordinators = [
            self.hosts.connect(client, code, broker, "/coordinator")
            for broker in brokers
        ]
        topics = sorted(self.subscribers[subscriber].streams)
        settings = member_settings(name, subscriber, topics, described.config, said)
        return JoiningMember(
            calendar=self.calendar,
            actor=self._actors[client],
            code=self.member_names.index(name),
            group=group,
            connections=[*data, *coordinators],
            brokers=self.brokers,
            settings=poll_settings(
                described,
                most_bytes_at_once(self.system, subscriber),
                topics_grow=bool(self.grown_topics),
            ),
            draws=stream(self._seed, f"client/{client}"),
            calls=MemberCalls(
                next_request_id=self.next_request_id,
                write_request=self.write_request,
                write_returned=self.tables.returned,
                on_working=self.timeline.expect,
                on_processed=self.timeline.settle,
                on_reset=self._reset,
                on_stopped=self._stopped,
            ),
            topics={topic: self.by_topic[topic] for topic in topics},
            joining=settings,
            new_machine=self._new_machine(settings, described.config.group_protocol),
            owner_calls=OwnerCalls(
                on_owns=self._owns, on_gives_up=self._gives_up, on_closed=self._closed
            ),
        )

    def _new_machine(self, settings: MemberSettings, protocol: str) -> NewMachine:
        """Return what makes the machine of each process of a member."""

        def consumer(
            consumed: Consumed, backoff_ms: Callable[[int], int], now_ms: int
        ) -> MemberMachine:
            return ConsumerMember(
                settings, consumed=consumed, backoff_ms=backoff_ms, now_ms=now_ms
            )

        def classic(
            consumed: Consumed, backoff_ms: Callable[[int], int], now_ms: int
        ) -> MemberMachine:
            return ClassicMember(
                settings,
                assign=Assigning(settings.assignors),
                consumed=consumed,
                backoff_ms=backoff_ms,
                now_ms=now_ms,
            )

        return classic if protocol == "classic" else consumer

    # --- what members own -------------------------------------------------------------

    def _begin_to_count(self) -> None:
        super()._begin_to_count()
        self._since: dict[tuple[int, int], tuple[int, int, int]] = {}
        """Member and partition → since when it owns it, in which generation, and where
        it began to read."""
        self._uuids: dict[int, np.random.Generator] = {}
        self._later: set[int] = set()
        """Codes of members that are not there from the beginning."""

    def _owns(
        self, member: JoiningMember, partition: Partition, generation: int, offset: int
    ) -> None:
        """Take note that a member reads a partition from now on."""
        group, now_ns = member.group, self.calendar.now_ns
        index = partition.index
        self._since[member.code, index] = now_ns, generation, offset
        group.began[index] = offset
        self._pass_over(group, partition, offset)

    def _pass_over(self, group: Group, partition: Partition, offset: int) -> None:
        """Settle what no member will be handed any more."""
        skipped = group.pass_over(partition, offset)
        if skipped:
            self.timeline.settle(skipped)

    def _gives_up(self, member: JoiningMember, partition: Partition, _: str) -> None:
        self._write_owned(member, partition, self.calendar.now_ns)

    def _write_owned(self, member: Member, partition: Partition, until_ns: int) -> None:
        """Write that a member owned a partition, if it ever read it."""
        owned = self._since.pop((member.code, partition.index), None)
        if owned is not None:
            since_ns, generation, offset = owned
            self.rows.owned(member, partition, (since_ns, until_ns), generation, offset)

    def _reset(self, member: Member, partition: Partition, offset: int) -> None:
        """Take note that a member is about to read on at another offset."""
        key = member.code, partition.index
        known = self._since.get(key)
        if known is not None:
            self._write_owned(member, partition, self.calendar.now_ns)
            self._since[key] = self.calendar.now_ns, known[1], offset
        self._pass_over(member.group, partition, offset)

    def _stopped(self, member: Member) -> None:
        """Take note that an application has ended; what it owned it has given up."""

    def _closed(self, member: JoiningMember) -> None:
        """Take note that a member has left in order."""

    def _finish_groups(self) -> None:
        for members in self.members.values():
            for member in members:
                for partition in list(member.owned):
                    self._write_owned(member, partition, MISSING_NS)
                member.cut()

    # --- members' ids -----------------------------------------------------------------

    def _next_uuid(self, number: int) -> str:
        """Return the next random part of a member id in a partition of the topic."""
        draws = self._uuids.get(number)
        if draws is None:
            draws = self._uuids[number] = stream(self._seed, f"member_ids/{number}")
        return str(UUID(bytes=draws.bytes(16), version=4))


class Assigning:
    """What a member does when it leads its group; it keeps what its assignors keep.

    Parameters
    ----------
    names : sequence of str
        Its assignors.
    racks : Racks, optional
        Where copies of partitions are.
    """

    def __init__(self, names: Sequence[str], racks: Racks | None = None) -> None:
        self._assignors: dict[str, ClientAssignor] = {
            name: CLIENT_ASSIGNORS[name]() for name in names
        }
        self._racks = racks

    def __call__(
        self,
        name: str,
        members: Sequence[tuple[str, str | None, Subscription]],
        topics: Mapping[str, int],
    ) -> Mapping[str, Assigned]:
        """Return what each member is to own."""
        return self._assignors[name].assign(
            {member: subscription for member, _, subscription in members},
            topics,
            instances={member: instance for member, instance, _ in members},
            racks=self._racks,
        )


def member_settings(
    name: str,
    subscriber: str,
    topics: Sequence[str],
    config: ConsumerConfig,
    said: members_said.Member,
) -> MemberSettings:
    """Return what a member's machine takes from its configuration."""
    is_classic = config.group_protocol == "classic"
    assignor = config.group_remote_assignor
    return MemberSettings(
        group=subscriber,
        client_id=f"consumer-{name.replace('/', '-')}",
        topics=tuple(topics),
        instance_id=said.instance_id,
        rack=said.rack,
        assignors=config.partition_assignment_strategy if is_classic else (),
        server_assignor=None if assignor is UNSET else assignor,
        session_timeout_ms=config.session_timeout_ms if is_classic else 45_000,
        heartbeat_interval_ms=config.heartbeat_interval_ms if is_classic else 5_000,
        max_poll_interval_ms=config.max_poll_interval_ms,
        auto_commit_ms=config.auto_commit_interval_ms
        if config.enable_auto_commit
        else None,
        request_timeout_ms=config.request_timeout_ms,
        retry_backoff_ms=config.retry_backoff_ms,
    )

"""Groups that really join: their members, and what they own, commit and skip."""

from functools import partial
from uuid import UUID

import numpy as np

from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.group_invariants import Owned
from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.owning_member import OwnerCalls, OwningMember
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.systems.coordinated_cluster import CoordinatedCluster
from kafkasim.engine.sim.systems.coordinated_rows import CoordinatedRows
from kafkasim.engine.sim.systems.group_machines import member_settings, new_machine
from kafkasim.engine.sim.systems.kafka_accounts import KafkaAccounts
from kafkasim.engine.sim.systems.kafka_clients import poll_settings
from kafkasim.engine.sim.systems.kafka_quotas import most_bytes_at_once
from kafkasim.engine.sim.timeline import DoneEvent
from kafkasim.protocol.errors import ERRORS
from kafkasim.scenario import members as members_said
from kafkasim.scenario.groups import members_of
from kafkasim.scenario.members import named
from kafkasim.scenario.streams import stream
from kafkasim.units import MISSING_NS


class CoordinatedGroups(CoordinatedCluster, KafkaAccounts):
    """A cluster's groups, each with the members that it will ever have."""

    rows: CoordinatedRows

    def joining(self, name: str) -> list[JoiningMember]:
        """Return all members of a group, those that will come included."""
        return self._joining[name]

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
        mine = self._joining[name] = [
            self._make_joining(member, name, group, one) for member, one in said.items()
        ]
        return [*mine]

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
            new_machine=new_machine(
                settings,
                described.config.group_protocol,
                partial(self._next_uuid, f"processes/{name}"),
            ),
            owner_calls=OwnerCalls(
                on_owns=self._owns, on_gives_up=self._gives_up, on_closed=self._closed
            ),
        )

    # --- what members own -------------------------------------------------------------

    def _begin_to_count(self) -> None:
        super()._begin_to_count()
        self.owners: dict[tuple[int, int], Owned] = {}
        """What members own, by the code of the member and the index of a partition."""
        self._uuids: dict[str, np.random.Generator] = {}
        self._joining: dict[str, list[JoiningMember]] = {}
        self._later: set[int] = set()
        """Codes of members that are not there from the beginning."""

    def _owns(
        self, member: OwningMember, partition: Partition, generation: int, offset: int
    ) -> None:
        """Take note that a member reads a partition from now on."""
        group, now_ns = member.group, self.calendar.now_ns
        index = partition.index
        self.owners[member.code, index] = Owned(now_ns, generation, offset)
        group.began[index] = offset
        self.pass_over(group, partition, offset)

    def pass_over(self, group: Group, partition: Partition, offset: int) -> None:
        """Settle what no member will be handed any more."""
        skipped = group.pass_over(partition, offset)
        if skipped:
            self.timeline.settle(skipped)

    def _gives_up(self, member: OwningMember, partition: Partition, _: str) -> None:
        self._write_owned(member, partition, self.calendar.now_ns)

    def _write_owned(self, member: Member, partition: Partition, until_ns: int) -> None:
        """Write that a member owned a partition, if it ever read it."""
        owned = self.owners.pop((member.code, partition.index), None)
        if owned is not None:
            self.rows.owned(member, partition, owned, until_ns)

    def _reset(self, member: Member, partition: Partition, offset: int) -> None:
        """Take note that a member is about to read on at another offset."""
        key = member.code, partition.index
        known = self.owners.get(key)
        if known is not None:
            now_ns = self.calendar.now_ns
            self._write_owned(member, partition, now_ns)
            self.owners[key] = Owned(now_ns, known.generation, offset)
        self.pass_over(member.group, partition, offset)

    def _stopped(self, member: Member) -> None:
        """Tell among the events that an exception has ended an application.

        What it owned it has given up; its process does not come back by itself.
        """
        assert isinstance(member, OwningMember)
        error = member.thrown
        why = "auto.offset.reset=none" if error is None else ERRORS[error]
        name = f"member:{self.member_names[member.code]}"
        effect = f"poll() threw ({why}), and the application has ended"
        now_ns = self.calendar.now_ns
        self.timeline.done.append(
            DoneEvent("Exception", name, now_ns, MISSING_NS, effect)
        )

    def _closed(self, member: OwningMember) -> None:
        """Take note that a member has left in order."""

    def _finish_groups(self) -> None:
        for members in self.members.values():
            for member in members:
                for partition in list(member.owned):
                    self._write_owned(member, partition, MISSING_NS)
                member.cut()

    # --- members' ids -----------------------------------------------------------------

    def _next_uuid(self, name: str) -> str:
        """Return the next random id of a stream of them."""
        draws = self._uuids.get(name)
        if draws is None:
            draws = self._uuids[name] = stream(self._seed, f"member_ids/{name}")
        return str(UUID(bytes=draws.bytes(16), version=4))

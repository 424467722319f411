"""A member whose partitions come and go: what it owns, and where it begins in it.

Where something is committed it begins there; else where `auto.offset.reset` says,
which the leader is asked for (CO-7). It reads a partition from then on, and not from
when it was assigned.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.group_client import GroupClient
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.owning_fetcher import OwningFetcher
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import LIST_OFFSETS, Connection, Request
from kafkasim.protocol.groups.group_messages import CommittedOffset, TopicPartition
from kafkasim.protocol.groups.member.join_effort import LAPSE_MS
from kafkasim.protocol.groups.member.member_effects import Partitions
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.units import NS_PER_MS

POLL_TIMEOUT_NS: Final = 100 * NS_PER_MS
"""How long `poll()` waits where it is blocked: what Kafka's examples give it."""


class OwnerCalls(NamedTuple):
    """What a member calls when it comes to read a partition, or owns it no more."""

    on_owns: Callable[["OwningMember", Partition, int, int], None]
    """Takes a partition, the generation or epoch of the assignment and the offset at
    which it begins to read."""
    on_gives_up: Callable[["OwningMember", Partition, str], None]
    """Takes a partition that it has read, and why: `revoked`, `lost`, `crashed`."""
    on_closed: Callable[["OwningMember"], None]
    """Is told that `close()` has returned."""


class OwningMember(Member):
    """Such a member; it owns nothing at first.

    Parameters
    ----------
    calendar, actor, code, group, connections, brokers, settings, draws, calls
        As of a `Member`.
    topics : mapping of str to sequence of Partition
        All partitions of the topics it reads, by number; there may come to be more.
    joining : MemberSettings
        Its configuration as a member.
    owner_calls : OwnerCalls
        Whom to tell what it owns.
    """

    _network: GroupClient
    _owning: OwningFetcher
    _runs = False
    """`_poll` runs."""
    _has_thread = False
    """A thread of its client goes on with what a poll has begun (KIP-848)."""

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        code: int,
        group: Group,
        connections: list[Connection],
        brokers: list[Broker],
        settings: PollSettings,
        draws: np.random.Generator,
        calls: MemberCalls[Member],
        topics: Mapping[str, Sequence[Partition]],
        joining: MemberSettings,
        owner_calls: OwnerCalls,
    ) -> None:
        self.joining = joining
        self.thrown: int | None = None
        """Error of the exception that ended its application; None: it had no offset to
        go on at, and `auto.offset.reset` is none."""
        self._topics = topics
        self._names = {each[0].topic: name for name, each in topics.items()}
        """Code of a topic → its name."""
        self._owner_calls = owner_calls
        self._counts: dict[str, int] = {}
        """Partitions of each topic, as far as the machine was told."""
        self._counted = 0
        """How many its metadata knew when they were counted."""
        self._unplaced: dict[int, Partition] = {}
        """What it owns and has no position in."""
        self._generations: dict[int, int] = {}
        """Partition index → generation in which it came to own it."""
        self._placed_at_work = False
        """Committed offsets came while the application worked."""
        super().__init__(
            calendar=calendar, actor=actor, code=code, group=group, sessions=[],
            connections=connections, brokers=brokers, settings=settings, draws=draws,
            calls=calls,
        )  # fmt: skip
        self._metadata.on_new = self._metadata.add_all

    def _connect(
        self,
        actor: int,
        sessions: list[FetchSession],
        connections: list[Connection],
        brokers: list[Broker],
        draws: np.random.Generator,
    ) -> None:
        calendar, calls, settings = self._calendar, self._calls, self._settings
        joining = self.joining
        self._network = network = GroupClient(
            calendar=calendar, actor=actor, connections=connections, brokers=brokers,
            settings=settings.network, draws=draws, on_failed=self._failed,
            join_timeout_ns=NS_PER_MS * max(
                joining.request_timeout_ms, joining.max_poll_interval_ms + LAPSE_MS
            ),
        )  # fmt: skip
        everything = [p for each in self._topics.values() for p in each]
        self._metadata = ClientMetadata(
            calendar=calendar, network=network,
            partitions=self.group.places_of(everything),
            leaders=[p.leader for p in everything],
            settings=settings.metadata, draws=draws,
            next_request_id=calls.next_request_id, on_done=calls.write_request,
        )  # fmt: skip
        client_calls = self._client_calls()
        self._fetcher = self._owning = OwningFetcher(
            group=self.group, code=self.code, sessions=sessions, network=network,
            metadata=self._metadata, brokers=brokers, settings=settings,
            calls=client_calls,
        )  # fmt: skip

    @property
    def metadata(self) -> ClientMetadata:
        """What it knows of the leaders of its topics' partitions."""
        return self._metadata

    @property
    def listens(self) -> bool:
        """Whether it waits in `poll()`, and is owed no answer of a coordinator."""
        waits = self._polls and self._held is None
        return waits and not self._network.awaits_coordinator

    def _name_of(self, partition: Partition) -> TopicPartition:
        """Return topic and number of a partition."""
        return self._names[partition.topic], partition.number

    def _named(self, partitions: Iterable[Partition]) -> Partitions:
        return tuple(sorted(map(self._name_of, partitions)))

    def _sees_more_topics(self) -> bool:
        """Count the partitions that its metadata knows; return whether that is news."""
        before, known = self._counts, self._metadata.count
        if before and known == self._counted:
            return False
        self._counted = known
        self._counts = {name: len(there) for name, there in self._topics.items()}
        if known < sum(self._counts.values()):
            self._counts = {
                topic: sum(self._metadata.knows(each.index) for each in partitions)
                for topic, partitions in self._topics.items()
            }
        return self._counts != before

    def _hold_back(self, partitions: Partitions) -> None:
        """Neither fetch these nor hand out what was fetched of them."""
        for topic, number in partitions:
            self._owning.pause(self._topics[topic][number])

    def _own(self, partitions: Partitions, generation: int) -> None:
        for topic, number in partitions:
            partition = self._topics[topic][number]
            self._look_for(partition)
            self._owning.own(partition)
            self.application.own(partition)
            self.owned.append(partition)
            self._unplaced[partition.index] = partition
            self._generations[partition.index] = generation

    def _look_for(self, partition: Partition) -> None:
        """Ask who leads a partition of which only others have heard so far.

        `ConsumerCoordinator.onJoinComplete`; `AbstractFetch` then finds no leader.
        """
        if not self._metadata.knows(partition.index):
            self._metadata.add(partition.index, -1, 0)
            self._metadata.request_update(self._calendar.now_ns)

    def _place(self, offsets: tuple[CommittedOffset, ...]) -> None:
        """Begin where was committed; ask where else (CO-7)."""
        self._placed_at_work = bool(self.application.rows)
        for each in offsets:
            partition = self._topics[each.topic][each.partition]
            if self._unplaced.pop(partition.index, None) is None:
                continue
            if each.offset < 0:
                self._owning.ask_where(partition)
            else:
                self._owning.begin(partition, each.offset, each.leader_epoch)
                self._start_reading(partition, each.offset)
        if self._is_alone:
            self._owning.ask_alone(self._calendar.now_ns)

    @property
    def _is_alone(self) -> bool:
        """Whether its thread runs, and the application is not in `poll()`."""
        return self._has_thread and not (self._polls or self._runs)

    def _take(self, request: Request) -> None:
        """Do what an answer or a failure asks for; poll on if it was waited for."""
        is_alone = self._is_alone
        super()._take(request)
        if is_alone and request.api == LIST_OFFSETS:
            self._owning.fetch_alone(self._calendar.now_ns)

    def _goes_round(self, now_ns: int) -> bool:
        """Return whether `poll()`, with nothing to return, goes round at once.

        Only the next round validates where it has begun. The classic consumer's wait
        ends as soon as a fetch is written (`ConsumerNetworkClient.poll`). With nothing
        to fetch it lasts for `retry.backoff.ms`, or until something comes; so does that
        of a consumer with a thread, unless it begins a poll (`pollForFetches`).
        """
        owning = self._owning
        if not owning.goes_round:
            return False
        owning.goes_round = False
        if self._has_thread:
            at_once = self._placed_at_work
        else:
            asked = (session.request for session in owning.sessions)
            at_once = any(each is not None and each.sent_ns == now_ns for each in asked)
        if not at_once:
            wait_ns = min(self._settings.retry_backoff_ns, POLL_TIMEOUT_NS)
            self._network.at(now_ns + wait_ns, self._retry)
        return at_once

    def _start_reading(self, partition: Partition, offset: int) -> None:
        index = partition.index
        self.begun[index] = (self._calendar.now_ns, offset)
        generation = self._generations[index]
        self._owner_calls.on_owns(self, partition, generation, offset)

    def _reset(self, partition: Partition, offset: int) -> None:
        """Note that it is about to go on at another offset, or to begin."""
        if partition.index in self.begun:
            super()._reset(partition, offset)
        else:
            self._start_reading(partition, offset)

    def _give_up(self, partitions: Sequence[Partition], cause: str) -> None:
        """Own these no more."""
        for partition in list(partitions):
            index = partition.index
            self.application.drop(partition, self._calendar.now_ns)
            self._owning.disown(partition)
            self.owned.remove(partition)
            self._unplaced.pop(index, None)
            if self.begun.pop(index, None) is not None:
                self._owner_calls.on_gives_up(self, partition, cause)

    # --- what it commits --------------------------------------------------------------

    def _consumed(self) -> tuple[CommittedOffset, ...]:
        """Return what an automatic commit stores."""
        return self._offsets(self._fetcher.consumed())

    def _offsets(self, positions: Mapping[int, int]) -> tuple[CommittedOffset, ...]:
        """Return positions in partitions that it owns, as the machine has them.

        Each with the leader epoch of the record before it (`FetchPosition.offsetEpoch`,
        `OffsetAndMetadata`).
        """
        epoch_at = self._owning.epoch_at
        return tuple(
            CommittedOffset(
                topic=topic,
                partition=number,
                offset=positions[index],
                leader_epoch=epoch_at(index, positions[index]),
            )
            for topic, number, index in sorted(
                (*self._name_of(each), each.index) for each in self.owned
            )
            if index in positions
        )

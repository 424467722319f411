"""A consumer that talks: its machine, where it is in what it owns, whether it runs."""

from typing import Final

from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    Request,
    TopicPartition,
)
from kafkasim.protocol.groups.member.classic_member import ClassicMember
from kafkasim.protocol.groups.member.consumer_member import ConsumerMember
from kafkasim.protocol.groups.member.member_effects import MemberMachine, Partitions
from kafkasim.protocol.groups.member.member_settings import MemberSettings

READ: Final = 10
"""Records that a member reads of a partition."""


class TalkingProcess:
    """A consumer's process.

    Parameters
    ----------
    name : str
        What it is called.
    settings : MemberSettings
        Its configuration; without assignors it speaks the consumer protocol.
    now_ms : int
        When it starts.
    """

    def __init__(self, name: str, settings: MemberSettings, now_ms: int) -> None:
        self.name = name
        self.frozen_until_ms = 0
        self.works_until_ms = 0
        self.runs = True
        self.closes = False
        self.coordinator = 0
        self.under_way: list[Request] = []
        """What it has asked its coordinator."""
        self.positions: dict[TopicPartition, int] = {}
        self.machine: MemberMachine
        if settings.assignors:
            self.machine = ClassicMember(
                settings, consumed=self._consumed, backoff_ms=lambda _: 100
            )
        else:
            self.machine = ConsumerMember(
                settings,
                member_id=name,
                consumed=self._consumed,
                backoff_ms=lambda _: 100,
                now_ms=now_ms,
            )

    def _consumed(self) -> tuple[CommittedOffset, ...]:
        return tuple(
            CommittedOffset(topic=at[0], partition=at[1], offset=self.positions[at])
            for at in self.machine.owned
            if at in self.positions
        )

    @property
    def lost_positions(self) -> Partitions:
        """Partitions of which it does not know where to begin."""
        return tuple(at for at in self.machine.owned if at not in self.positions)

    def read(self, offsets: tuple[CommittedOffset, ...]) -> str:
        """Read records of each partition, from 0 where nothing is committed; say so."""
        said = []
        for each in offsets:
            begins = max(each.offset, 0)
            self.positions[each.topic, each.partition] = begins + READ
            said.append(f"{each.topic}-{each.partition} from {begins}")
        return ", ".join(said)

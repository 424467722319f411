"""What a scenario does to groups that have coordinators, and to their members."""

from collections.abc import Callable, Sequence
from functools import partial

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.engine.sim.owning_member import OwningMember
from kafkasim.engine.sim.systems.coordinated_groups import CoordinatedGroups
from kafkasim.engine.sim.systems.kafka_clients import counted
from kafkasim.engine.sim.systems.offset_resets import reset_offsets
from kafkasim.engine.sim.systems.offsets_topic import OFFSETS_TOPIC
from kafkasim.engine.sim.systems.reader_events import ask_readers
from kafkasim.ids import Target
from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.groups import additions_to
from kafkasim.scenario.member_events import (
    AddMember,
    MoveCoordinator,
    RemoveMember,
    ResetOffsets,
    RollingRestart,
)
from kafkasim.scenario.members import named
from kafkasim.units import ns_from_s


class GroupEvents:
    """Does what befalls groups.

    Parameters
    ----------
    run : CoordinatedGroups
        Whose groups.
    """

    def __init__(self, run: CoordinatedGroups) -> None:
        self._run = run
        self._back: dict[int, int] = {}
        """Members that close and start again: how many nanoseconds after that."""

    def begin(self, event: Event, target: Target, until_ns: int) -> str:
        """Do what an event says to members; return what it did."""
        members = self._members(target)
        effect = ask_readers(event, members, self._run.topics)
        if effect:
            return effect
        if isinstance(event, Slow):
            for member in members:
                member.slow(event.factor)
            times = f"{event.factor:g} times as long"
            return f"work of {counted(members)} takes {times}"
        if isinstance(event, Crash | Pause | RemoveMember):
            there = [member for member in members if member.up]
            return _stop(event, there, until_ns) if there else "nobody was there"
        return self._do(event, target.name)

    def _do(self, event: Event, subscriber: str) -> str:
        """Do what an event says to a group."""
        match event:
            case AddMember():
                return self._add(event, subscriber)
            case MoveCoordinator():
                return self._move(event, subscriber)
            case ResetOffsets():
                return reset_offsets(self._run, event, subscriber)
            case RollingRestart():
                return self._restart(event, subscriber)
            case _:
                raise TypeError(f"no group is befallen by {event}")

    def end(self, event: Event, target: Target) -> None:
        """Undo it."""
        members = self._members(target)
        if ask_readers(event, members, self._run.topics, over=True):
            return
        for member in members:
            if isinstance(event, Slow):
                member.slow(UNSLOWED)
            elif isinstance(event, Pause):
                member.resume()
            elif isinstance(event, Crash):
                self._start(member)

    def _members(self, target: Target) -> list[JoiningMember]:
        run = self._run
        name = target.name.split("/")[0]
        return [
            member
            for member, known in zip(
                run.joining(name), run.names_in_group[name], strict=True
            )
            if target.kind == "subscriber" or known == target.name
        ]

    def _start(self, member: JoiningMember) -> None:
        """Let a member's process begin, unless its group has not come yet."""
        if member.group.joined and not member.up:
            member.start()

    def _add(self, event: AddMember, subscriber: str) -> str:
        run = self._run
        first = named(run.system.groups[subscriber].members)
        place = len(first) + additions_to(subscriber, run.events).index(event)
        member = run.joining(subscriber)[place]
        self._start(member)
        name = run.names_in_group[subscriber][place]
        return f"{name} starts" if member.up else "the group has not come yet"

    def _move(self, event: MoveCoordinator, subscriber: str) -> str:
        """Let another copy of the group's partition lead (OF-2)."""
        run = self._run
        replication = run.replication
        assert replication is not None
        mine = run.by_topic[OFFSETS_TOPIC]
        partition = mine[offsets_partition(subscriber, len(mine))]
        state = replication.host.machine.partitions[partition.index]
        heirs = [node for node in state.isr if node != state.leader]
        if event.to is not None:
            heirs = [event.to - 1]
        if not heirs:
            return "no other copy of its partition is in sync"
        error = replication.host.move_leader(partition.index, heirs[0])
        if error != NONE:
            return f"refused: {ERRORS[error]}"
        return (
            f"partition {partition.number} of {OFFSETS_TOPIC} to broker {heirs[0] + 1}"
        )

    def _restart(self, event: RollingRestart, subscriber: str) -> str:
        members = [each for each in self._run.joining(subscriber) if each.up]
        now_ns, every_ns = self._run.calendar.now_ns, ns_from_s(event.every_s)
        for number, member in enumerate(members):
            begin = partial(self._stop_for, member, ns_from_s(event.down_s))
            self._later(now_ns + number * every_ns, begin)
        return f"{counted(members)} stop and start, one by one"

    def _stop_for(self, member: JoiningMember, down_ns: int) -> None:
        if member.up:
            self._back[member.code] = down_ns
            member.close()

    def closed(self, member: OwningMember) -> None:
        """Take note that a member has closed its consumer; it may come back."""
        assert isinstance(member, JoiningMember)
        down_ns = self._back.pop(member.code, None)
        if down_ns is not None:
            at_ns = self._run.calendar.now_ns + max(1, down_ns)
            self._later(at_ns, partial(self._start, member))

    def _later(self, at_ns: int, function: Callable[[], None]) -> None:
        if at_ns <= self._run.calendar.now_ns:
            function()
        else:
            self._run.timeline.command(at_ns, lambda _: function(), None)


def _stop(event: Event, members: Sequence[JoiningMember], until_ns: int) -> str:
    """Let members that run stand still, crash or close; return what that does."""
    for member in members:
        if isinstance(event, Pause):
            member.pause(until_ns)
        elif isinstance(event, RemoveMember):
            member.close()
        else:
            assert isinstance(event, Crash)
            member.crash()
    if isinstance(event, Pause):
        return f"{counted(members)} stood still"
    if isinstance(event, RemoveMember):
        return "closes its consumer when its work is done"
    return f"{counted(members)} stopped; the coordinator is not told"


MEMBER_KINDS: Sequence[str] = ("subscriber", "member")
"""Kinds of targets that are a group's."""

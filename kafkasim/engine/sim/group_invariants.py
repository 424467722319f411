"""What must hold after every entry where partitions move from member to member."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.units import NS_PER_MS


class Owned(NamedTuple):
    """Since when a member reads a partition."""

    since_ns: int
    generation: int
    """Generation, or member epoch, in which it came to own it."""
    offset: int
    """At which it began."""


Owners = Mapping[tuple[int, int], Owned]
"""By the code of a member and the index of a partition."""


def _joining(members: Sequence[Sequence[Member]]) -> dict[int, JoiningMember]:
    """Return members that join, by code."""
    everyone = [member for each in members for member in each]
    return {m.code: m for m in everyone if isinstance(m, JoiningMember)}


class OneOwnerOfAnEpoch:
    """In one generation no two members of a group own a partition.

    One that was expelled and does not know it has an older generation. Only of two with
    one `group.instance.id` may both own it, with the classic protocol: the younger has
    the place of the older, which hears of that with its next heartbeat (GR-14). It may
    work until it polls, and nobody may answer it; but in `session.timeout.ms` in which
    it waits and is owed no answer it has had to hear.

    Parameters
    ----------
    members : sequence of sequence of Member
        By group.
    owners : Owners
        What they own, as the run goes on.
    now_ns : callable
        Tells the time.
    """

    rule = "one owner"

    def __init__(
        self,
        members: Sequence[Sequence[Member]],
        owners: Owners,
        now_ns: Callable[[], int],
    ) -> None:
        self._group_of = {
            member.code: number
            for number, each in enumerate(members)
            for member in each
        }
        self._members = _joining(members)
        self._owners = owners
        self._now_ns = now_ns
        self._unheard: dict[tuple[int, int], _Unheard] = {}
        """Of an older and a younger one with one instance id."""

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look for a second owner."""
        seen: dict[tuple[int, int, int], tuple[int, Owned]] = {}
        unheard: dict[tuple[int, int], _Unheard] = {}
        for (member, partition), owned in self._owners.items():
            generation = self._generation_of(member, owned)
            key = self._group_of[member], partition, generation
            if key in seen:
                other, its = seen[key]
                pair = (other, member)
                if owned.since_ns < its.since_ns:
                    pair = (member, other)
                if self._are_one(*pair) and self._may_still(pair):
                    unheard[pair] = self._unheard[pair]
                else:
                    both = f"members {other} and {member}"
                    yield f"group {key[0]}, partition {partition}", both
            seen[key] = member, owned
        self._unheard = unheard

    def _generation_of(self, member: int, owned: Owned) -> int:
        """Return in which generation a member owns a partition now.

        What it has kept through a rebalance it owns in the new one, too.
        """
        machine = self._members[member].machine
        return max(owned.generation, -1 if machine is None else machine.generation)

    def _are_one(self, member: int, other: int) -> bool:
        joining = [self._members[each].joining for each in (member, other)]
        ids = {each.instance_id for each in joining}
        return len(ids) == 1 and None not in ids and bool(joining[0].assignors)

    def _may_still(self, pair: tuple[int, int]) -> bool:
        """Whether the older one cannot have heard yet that it was replaced."""
        older, now_ns = self._members[pair[0]], self._now_ns()
        known = self._unheard.setdefault(pair, _Unheard(now_ns))
        if known.listens:
            known.listened_ns += now_ns - known.looked_ns
        machine = older.machine
        is_found = machine is not None and not machine.blocks
        known.looked_ns, known.listens = now_ns, is_found and older.listens
        return known.listened_ns <= older.joining.session_timeout_ms * NS_PER_MS


class _Unheard:
    """How long one that was replaced has listened."""

    __slots__ = ("listened_ns", "listens", "looked_ns")

    def __init__(self, now_ns: int) -> None:
        self.looked_ns = now_ns
        self.listens = False
        self.listened_ns = 0


class RevokedBeforeAssigned:
    """With KIP-848 nobody gets a partition before its owner has given it up (N8-5).

    So of two that own one at a time, in whatever epochs, the coordinator knows at most
    one: the other was removed and has not heard of that, or has left without polling.

    Parameters
    ----------
    members : sequence of sequence of Member
        By group; those of the classic protocol are passed over.
    owners : Owners
        What they own, as the run goes on.
    is_member : callable
        Takes a group and a member id; says whether its coordinator has that member.
    """

    rule = "revoked before assigned"

    def __init__(
        self,
        members: Sequence[Sequence[Member]],
        owners: Owners,
        is_member: Callable[[str, str], bool],
    ) -> None:
        self._members = {
            code: member
            for code, member in _joining(members).items()
            if not member.joining.assignors
        }
        self._owners = owners
        self._is_member = is_member

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look for a second owner that is a member."""
        seen: dict[tuple[str, int], int] = {}
        for code, partition in self._owners:
            member = self._members.get(code)
            if member is None or member.machine is None:
                continue
            key = member.joining.group, partition
            first = seen.setdefault(key, code)
            if first != code and self._knows(first) and self._knows(code):
                yield f"group {key[0]}, partition {partition}", f"{first} and {code}"

    def _knows(self, code: int) -> bool:
        member = self._members[code]
        assert member.machine is not None
        return self._is_member(member.joining.group, member.machine.member_id)


class OwnersPositionsRise:
    """Offsets handed to an owner rise until it is another's, or is reset.

    In a log that was ever cut off, it may go on at the new end.

    Parameters
    ----------
    members : sequence of Member
        Of all groups.
    owners : Owners
        What they own, as the run goes on.
    """

    rule = "positions rise"

    def __init__(self, members: Sequence[Member], owners: Owners) -> None:
        self._members = members
        self._owners = owners
        self._last: dict[tuple[int, int], tuple[Owned, int]] = {}

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare each position with the last look at the same owner."""
        for member in self._members:
            for partition in member.owned:
                key = member.code, partition.index
                owned = self._owners.get(key)
                position = member.positions.get(partition.index)
                if owned is None or position is None:
                    continue
                known, last = self._last.get(key, (owned, position))
                if known == owned and position < last and not partition.cuts:
                    yield f"member {member.code}", f"{last} went back to {position}"
                self._last[key] = owned, position

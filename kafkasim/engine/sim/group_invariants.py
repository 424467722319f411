"""What must hold after every entry where partitions move from member to member."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.joining_member import JoiningMember


class Owned(NamedTuple):
    """Since when a member reads a partition."""

    since_ns: int
    generation: int
    """Generation, or member epoch, in which it came to own it."""
    offset: int
    """At which it began."""


Owners = Mapping[tuple[int, int], Owned]
"""By the code of a member and the index of a partition."""


class OneOwnerOfAnEpoch:
    """In one generation no two members of a group own a partition.

    One that was expelled and does not know it has an older generation. Only of two with
    one `group.instance.id` may both own it: the younger takes the place of the older,
    which hears of that with its next heartbeat (GR-14).

    Parameters
    ----------
    members : sequence of sequence of Member
        By group.
    owners : Owners
        What they own, as the run goes on.
    """

    rule = "one owner"

    def __init__(self, members: Sequence[Sequence[Member]], owners: Owners) -> None:
        self._group_of = {
            member.code: number
            for number, each in enumerate(members)
            for member in each
        }
        self._members = {
            member.code: member
            for each in members
            for member in each
            if isinstance(member, JoiningMember)
        }
        self._owners = owners

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look for a second owner."""
        seen: dict[tuple[int, int, int], int] = {}
        for (member, partition), owned in self._owners.items():
            generation = self._generation_of(member, owned)
            key = self._group_of[member], partition, generation
            other = seen.get(key)
            if other is not None and not self._are_one(other, member):
                both = f"members {other} and {member}"
                yield f"group {key[0]}, partition {partition}", both
            seen[key] = member

    def _generation_of(self, member: int, owned: Owned) -> int:
        """Return in which generation a member owns a partition now.

        What it has kept through a rebalance it owns in the new one, too.
        """
        machine = self._members[member].machine
        return max(owned.generation, -1 if machine is None else machine.generation)

    def _are_one(self, member: int, other: int) -> bool:
        ids = {self._members[each].joining.instance_id for each in (member, other)}
        return len(ids) == 1 and None not in ids


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

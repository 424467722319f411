"""The members of a consumer group: so many alike, or each by its name."""

from collections.abc import Mapping
from dataclasses import dataclass

from kafkasim.catalogue import say
from kafkasim.config.document import Document, Part, document
from kafkasim.config.frozen import FrozenDict
from kafkasim.config.rules import MapOf, Rule, Whole
from kafkasim.errors import ValidationError

_MOST = 100_000


@document
class Member(Document):
    """One member of a group."""

    instance_id: str | None = None
    """`group.instance.id`: it is a static member, which keeps its partitions while it
    restarts (KIP-345); none: a dynamic one."""

    def check(self) -> None:
        """Check that an id is one (`ConsumerConfig`: a non-empty string)."""
        if self.instance_id == "":
            allowed = say("text that is not empty, or none")
            raise ValidationError("instance_id", self.instance_id, allowed)


@dataclass(frozen=True, slots=True)
class MembersRule(Rule):
    """A number of members, or members by name."""

    @property
    def allowed(self) -> str:
        """Return both forms."""
        return say(
            "{number}, or names, each with a Member or its table",
            number=self._count.allowed,
        )

    @property
    def _count(self) -> Whole:
        return Whole(1, _MOST)

    @property
    def _names(self) -> MapOf:
        return MapOf(Part(Member))

    def read(self, value: object) -> object:
        """Return an int, or a `FrozenDict` of `Member`."""
        if isinstance(value, Mapping):
            if not 1 <= len(value) <= _MOST:
                raise self.reject(value)
            return self._names.read(value)
        try:
            return self._count.read(value)
        except ValidationError:
            raise self.reject(value) from None

    def plain(self, value: object, *, everything: bool) -> object:
        """Return the number, or a dictionary."""
        if isinstance(value, FrozenDict):
            return self._names.plain(value, everything=everything)
        return value

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return the members by name; a number has nothing inside."""
        return self._names.inside(value) if isinstance(value, FrozenDict) else {}

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Replace members, or add them."""
        return self._names.put(value, changes)


Members = int | Mapping[str, Member]
"""What a group's `members` holds."""


def named(members: Members) -> dict[str, Member]:
    """Return the members by name; those that are only counted are "1", "2" and so on.

    Examples
    --------
    >>> named(2)
    {'1': Member(), '2': Member()}
    """
    if isinstance(members, int):
        return {str(number): Member() for number in range(1, members + 1)}
    return dict(members)

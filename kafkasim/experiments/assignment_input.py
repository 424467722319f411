"""What is asked of `assign`: members and topics as a user writes them, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kafkasim.catalogue import say
from kafkasim.config.paths import one_of, suggestion
from kafkasim.errors import ValidationError
from kafkasim.protocol.groups.group_messages import (
    NO_GENERATION,
    Subscription,
    TopicPartition,
)

if TYPE_CHECKING:
    import pandas as pd

_FIELDS: Final = ("topics", "instance_id", "rack", "owned", "generation")
_COLUMNS: Final = ("member", "topic", "partition")
_FIRST_GENERATION: Final = 1


@dataclass(slots=True)
class Asked:
    """One member as it is asked for.

    Parameters
    ----------
    topics : tuple of str
        What it subscribes to.
    owned : list of (topic, partition)
        What it has.
    generation : int
        In which it got that.
    instance_id, rack : str or None
        `group.instance.id` and `client.rack`.
    """

    topics: tuple[str, ...]
    owned: list[TopicPartition] = field(default_factory=list)
    generation: int = NO_GENERATION
    instance_id: str | None = None
    rack: str | None = None

    def subscription(self, assignor: str) -> Subscription:
        """Return what the member says to this assignor."""
        topics, owned = tuple(sorted(set(self.topics))), tuple(sorted(self.owned))
        if assignor == "sticky":
            data = (owned, self.generation) if owned else None
            return Subscription(topics, (), self.generation, self.rack, data)
        return Subscription(topics, owned, self.generation, self.rack)


def topics_given(
    topics: Mapping[str, int | Sequence[str | Sequence[str]]],
) -> tuple[dict[str, int], dict[str, list[tuple[str, ...]]] | None]:
    """Return how many partitions each topic has, and their racks if any are named."""
    counts: dict[str, int] = {}
    racks: dict[str, list[tuple[str, ...]]] = {}
    for topic, given in topics.items():
        if isinstance(given, int):
            if given < 0:
                raise ValidationError(
                    f"topics.{topic}", given, say("a whole number from 0")
                )
            counts[topic] = given
            continue
        if isinstance(given, str) or not isinstance(given, Sequence):
            allowed = say("a whole number, or the racks of each partition")
            raise ValidationError(f"topics.{topic}", given, allowed)
        racks[topic] = [(one,) if isinstance(one, str) else tuple(one) for one in given]
        counts[topic] = len(given)
    return counts, racks or None


def members_given(
    members: int | str | Sequence[str] | Mapping[str, Any], topics: Mapping[str, int]
) -> dict[str, Asked]:
    """Return the members by name, in the order given."""
    if isinstance(members, int):
        if members < 0:
            raise ValidationError("members", members, say("a whole number from 0"))
        digits = len(str(members))
        members = [f"c{number:0{digits}}" for number in range(1, members + 1)]
    if not isinstance(members, Mapping):
        names = [members] if isinstance(members, str) else list(members)
        if len(set(names)) < len(names):
            raise ValidationError("members", names, say("each name once"))
        return {name: Asked(tuple(topics)) for name in names}
    asked = {name: _member(name, given, topics) for name, given in members.items()}
    instances = [
        one.instance_id for one in asked.values() if one.instance_id is not None
    ]
    if len(set(instances)) < len(instances):
        raise ValidationError("members", instances, say("each instance_id once"))
    return asked


def owned_before(previous: "pd.DataFrame", asked: Mapping[str, Asked]) -> None:
    """Give members what they have in an earlier assignment."""
    for column in _COLUMNS:
        if column not in previous:
            allowed = say(
                "a result of assign, with {columns}", columns=one_of(_COLUMNS)
            )
            raise ValidationError("previous", list(previous), allowed)
    for one in asked.values():
        if one.owned:
            allowed = say("no owned where there is a previous assignment")
            raise ValidationError("members", one.owned, allowed)
    columns = [previous[column].tolist() for column in _COLUMNS]
    for member, topic, number in zip(*columns, strict=True):
        if member in asked:
            asked[member].owned.append((str(topic), int(number)))
    for one in asked.values():
        if one.owned:
            one.generation = _FIRST_GENERATION


def _member(name: str, given: object, topics: Mapping[str, int]) -> Asked:
    path = f"members.{name}"
    if not isinstance(given, Mapping):
        return Asked(_topics(path, given, topics))
    for key in given:
        if key not in _FIELDS:
            near = suggestion(str(key), _FIELDS)
            raise ValidationError(f"{path}.{key}", given[key], one_of(_FIELDS), near)
    wanted = _topics(f"{path}.topics", given.get("topics", tuple(topics)), topics)
    owned = [_partition(f"{path}.owned", one) for one in given.get("owned", ())]
    generation = given.get("generation", _FIRST_GENERATION if owned else NO_GENERATION)
    if not isinstance(generation, int) or generation < NO_GENERATION:
        raise ValidationError(
            f"{path}.generation", generation, say("a whole number from -1")
        )
    asked = Asked(wanted, owned, generation)
    for key in ("instance_id", "rack"):
        text = given.get(key)
        if text is not None and not isinstance(text, str):
            raise ValidationError(f"{path}.{key}", text, say("text"))
    asked.instance_id, asked.rack = given.get("instance_id"), given.get("rack")
    return asked


def _topics(path: str, given: object, topics: Mapping[str, int]) -> tuple[str, ...]:
    wanted = (given,) if isinstance(given, str) else given
    if not isinstance(wanted, Sequence):
        allowed = say("a topic, several topics, or a mapping")
        raise ValidationError(path, given, allowed)
    for topic in wanted:
        if topic not in topics:
            near = suggestion(str(topic), topics)
            raise ValidationError(path, topic, one_of(topics), near)
    return tuple(wanted)


def _partition(path: str, given: object) -> TopicPartition:
    if isinstance(given, str):
        topic, _, number = given.rpartition("-")
        if topic and number.isdecimal():
            return topic, int(number)
    elif isinstance(given, Sequence) and len(given) == len(("topic", "partition")):
        topic, number = given
        if isinstance(topic, str) and isinstance(number, int):
            return topic, number
    raise ValidationError(path, given, say("such as orders-0 or ('orders', 0)"))

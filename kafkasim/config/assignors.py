"""The assignors that a consumer lists: `partition.assignment.strategy`.

Source: `ConsumerPartitionAssignor.getAssignorInstances`: a list of class names; here
the names that the assignors have in the protocol stand for them, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kafkasim.catalogue import say
from kafkasim.config.paths import one_of, suggestion
from kafkasim.config.rules import Rule

_PACKAGE: Final = "org.apache.kafka.clients.consumer."
CLASSES: Final = {
    "range": "RangeAssignor",
    "roundrobin": "RoundRobinAssignor",
    "sticky": "StickyAssignor",
    "cooperative-sticky": "CooperativeStickyAssignor",
}
"""Name in the protocol → class."""
_NAMES: Final = {name: name for name in CLASSES} | {
    _PACKAGE + each: name for name, each in CLASSES.items()
}


@dataclass(frozen=True, slots=True)
class AssignmentStrategy(Rule):
    """A list of assignors, each once, in the order of preference."""

    @property
    def allowed(self) -> str:
        """Return the names."""
        names = one_of(CLASSES)
        return say(
            "a list, or text with commas, of {names}, or of {package}… classes",
            names=names,
            package=_PACKAGE,
        )

    def read(self, value: object) -> tuple[str, ...]:
        """Return the names in the protocol."""
        if isinstance(value, str):
            value = [each.strip() for each in value.split(",")]
        if not isinstance(value, Sequence) or not value:
            raise self.reject(value)
        names = []
        for each in value:
            if each not in _NAMES:
                raise self.reject(value, _hint(str(each)))
            names.append(_NAMES[each])
        if len(set(names)) < len(names):
            raise self.reject(
                value, say("Kafka refuses an assignor that is listed twice")
            )
        return tuple(names)


def _hint(said: str) -> str:
    """Return what may be meant: Kafka finds no class without its package."""
    if said == "uniform":
        return say(
            "it is the broker's: group_remote_assignor, group_protocol 'consumer'"
        )
    of_class = {each: name for name, each in CLASSES.items()}
    if said in of_class:
        return say("did you mean {name}?", name=of_class[said])
    return suggestion(said, _NAMES)

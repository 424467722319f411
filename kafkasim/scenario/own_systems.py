"""Systems that are described elsewhere: what a scenario holds of them.

A system of one's own is a document like any other, a frozen dataclass below
`OwnSystem`. Once it is registered (`kafkasim.register_system`), a scenario takes it, a
file names it by its kind, and paths lead into it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from kafkasim.catalogue import say
from kafkasim.config.document import Document, Part, Variant
from kafkasim.config.rules import Rule, kind_of
from kafkasim.errors import ValidationError


class OwnSystem(Document):
    """Base of the description of a system that is not one of kafkasim's.

    A subclass is a frozen dataclass (``@dataclass(frozen=True, repr=False)``) whose
    fields have defaults; annotations say what is allowed. Subscribers, sources, links
    and the hub can be targets of events in every system; what means nothing in this one
    is reported as not applicable.
    """

    __slots__ = ()

    run_class: ClassVar[type[Any] | None] = None
    """How it runs: what `register_system` was given."""

    def in_words(self) -> Iterator[str]:
        """Yield the lines by which `Scenario.describe` tells of it."""
        yield f"System: {self!r}, one of your own"


_BY_KIND: Final[dict[str, type[OwnSystem]]] = {}
"""Those that are registered."""


def make_known(description: type[OwnSystem]) -> None:
    """Let scenarios and their files hold such a system.

    One of the same kind is replaced: a notebook's cell runs again.
    """
    _BY_KIND[kind_of(description)] = description


@dataclass(frozen=True, slots=True)
class OwnSystemRule(Variant):
    """A system that is described elsewhere, or its table."""

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("a system of your own that is registered")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the words for those that are registered."""
        return tuple(_BY_KIND)

    def holds(self, value: object) -> bool:
        """Return whether the value is such a system."""
        return isinstance(value, OwnSystem)

    def kind(self, value: object) -> str:
        """Return the word for it."""
        return kind_of(type(value))

    def read(self, value: object) -> object:
        """Return the system.

        Raises
        ------
        ValidationError
            It is none, or nobody said how it runs.
        """
        if not isinstance(value, OwnSystem):
            raise self.reject(value)
        if type(value).run_class is None:
            why = say(
                "register_system({name}, …) says how it runs", name=type(value).__name__
            )
            raise self.reject(value, why)
        return value

    def read_kind(self, kind: str, table: Mapping[str, object]) -> object:
        """Return the system from its written form."""
        return _BY_KIND[kind].from_dict(table)

    def plain(self, value: object, *, everything: bool) -> dict[str, object]:
        """Return the written form, without its kind."""
        assert isinstance(value, OwnSystem)
        return value.to_dict(everything=everything)

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return the fields."""
        assert isinstance(value, OwnSystem)
        return Part(type(value)).inside(value)

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Replace fields."""
        assert isinstance(value, OwnSystem)
        return Part(type(value)).put(value, changes)


def check_own(description: object, taken: tuple[str, ...]) -> None:
    """Refuse what cannot be registered.

    Parameters
    ----------
    description : type
        The class that is to describe a system.
    taken : tuple of str
        Kinds of kafkasim's own systems.

    Raises
    ------
    ValidationError
        It is not below `OwnSystem`, is no frozen dataclass, has a field without a
        default, or the name of one of kafkasim's systems.
    """
    if not (isinstance(description, type) and issubclass(description, OwnSystem)):
        raise ValidationError(
            "description", description, say("a class below OwnSystem")
        )
    allowed = say("a frozen dataclass whose fields have defaults")
    name = description.__name__
    made = vars(description).get("__dataclass_params__")
    if made is None or not made.frozen:
        why = say("write @dataclass(frozen=True, repr=False) above it")
        raise ValidationError("description", name, allowed, why)
    try:
        description()
    except TypeError as error:
        raise ValidationError("description", name, allowed, str(error)) from None
    if kind_of(description) in taken:
        allowed = say("another name than {names}", names=", ".join(taken))
        raise ValidationError("description", kind_of(description), allowed)

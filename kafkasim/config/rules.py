"""What a field of a document may hold: one small rule per kind of value.

A rule reads what a person gave (a Python value, or what TOML or JSON held), checks it
and returns it in one canonical form, so that equal documents are equal objects: an int
where a float is declared becomes a float, a list becomes a tuple, a mapping a
`FrozenDict`. It also writes the value back, and knows what stands inside it, which is
all that paths, files and `resolve` need. Rules are found from the annotations of the
dataclasses (`kafkasim.config.document`); a bound is said as `Annotated[int, Whole(1)]`.

An error's path is relative to the value that was read; whoever reads the outer part
puts its own name in front.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np

from kafkasim.catalogue import say
from kafkasim.config.frozen import FrozenDict
from kafkasim.config.paths import quoted
from kafkasim.errors import ValidationError

INT32_MAX: Final = 2**31 - 1
INT64_MAX: Final = 2**63 - 1


def kind_of(cls: type) -> str:
    """Return the word that picks a class: `ZipfKeys` is `zipf_keys`.

    A class that has letters of another kind says its word in `written_as`.
    """
    if (written := getattr(cls, "written_as", None)) is not None:
        return str(written)
    name = cls.__name__
    return "".join(
        f"_{letter.lower()}" if index and letter.isupper() else letter.lower()
        for index, letter in enumerate(name)
    )


class Rule:
    """What a value may be; the base is a leaf, with nothing inside."""

    __slots__ = ()

    @property
    def allowed(self) -> str:
        """What is allowed, as a phrase for an error."""
        raise NotImplementedError

    def read(self, value: object) -> object:
        """Return the value in its canonical form.

        Raises
        ------
        ValidationError
            With a path relative to the value.
        """
        raise NotImplementedError

    def plain(self, value: object, *, everything: bool) -> object:  # noqa: ARG002
        """Return the value as JSON can hold it.

        Parameters
        ----------
        value : object
            As `read` returned it.
        everything : bool
            Also the fields that stand at their defaults.
        """
        return value

    def inside(self, value: object) -> "Mapping[str, tuple[Rule, object]]":  # noqa: ARG002
        """Return the named parts of the value, each with its rule."""
        return {}

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Return the value with some of its parts replaced."""
        raise NotImplementedError

    def blank(self) -> object:
        """Return the value of a part about which nothing was said."""
        raise NotImplementedError

    def reject(self, value: object, why: str = "") -> ValidationError:
        """Return the error of a value that is not allowed."""
        return ValidationError("", value, self.allowed, why)


@dataclass(frozen=True, slots=True)
class Whole(Rule):
    """A whole number between two bounds; `4.0` is 4, `True` is no number."""

    low: int = -INT64_MAX
    high: int = INT64_MAX

    @property
    def allowed(self) -> str:
        """Return the bounds as a phrase."""
        if self.high == INT64_MAX:
            if self.low == -INT64_MAX:
                return say("a whole number")
            return say("a whole number ≥ {low}", low=self.low)
        return say("a whole number from {low} to {high}", low=self.low, high=self.high)

    def read(self, value: object) -> int:
        """Return a Python int."""
        number = _whole(value)
        if number is None or not self.low <= number <= self.high:
            raise self.reject(value)
        return number


def _whole(value: object) -> int | None:
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return int(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    return None


@dataclass(frozen=True, slots=True)
class Number(Rule):
    """A finite number between two bounds, kept as a float."""

    low: float = -math.inf
    high: float = math.inf
    above: float = -math.inf
    """Exclusive lower bound."""

    @property
    def allowed(self) -> str:
        """Return the bounds as a phrase."""
        if self.low > -math.inf and self.high < math.inf:
            low, high = f"{self.low:g}", f"{self.high:g}"
            return say("a number from {low} to {high}", low=low, high=high)
        bounds = [f"≥ {self.low:g}"] if self.low > -math.inf else []
        bounds += [f"> {self.above:g}"] if self.above > -math.inf else []
        bounds += [f"≤ {self.high:g}"] if self.high < math.inf else []
        return f"{say('a number')} {say(' and ').join(bounds)}".strip()

    def read(self, value: object) -> float:
        """Return a Python float, never −0.0."""
        number = _number(value)
        inside = self.low <= number <= self.high and number > self.above
        if not (inside and math.isfinite(number)):
            raise self.reject(value)
        return number


def _number(value: object) -> float:
    if isinstance(value, bool):
        return math.nan
    if isinstance(value, (int, float, np.integer, np.floating)):
        try:
            return float(value) + 0.0
        except OverflowError:
            return math.inf
    return math.nan


@dataclass(frozen=True, slots=True)
class Flag(Rule):
    """True or false."""

    @property
    def allowed(self) -> str:
        """Return the two values."""
        return say("true or false")

    def read(self, value: object) -> bool:
        """Return a Python bool."""
        if not isinstance(value, (bool, np.bool_)):
            raise self.reject(value)
        return bool(value)


@dataclass(frozen=True, slots=True)
class Text(Rule):
    """Any text that UTF-8 can hold."""

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("text")

    def read(self, value: object) -> str:
        """Return a Python str."""
        if not isinstance(value, str):
            raise self.reject(value)
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise self.reject(value, say("it holds half a surrogate pair")) from error
        return str(value)


@dataclass(frozen=True, slots=True)
class Name(Rule):
    """The name of a part: not empty, without `/` and `:`, which join names."""

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("a name without '/', ':' and control characters, not empty")

    def read(self, value: object) -> str:
        """Return a Python str."""
        if not isinstance(value, str):
            raise self.reject(value)
        good = bool(value) and value.isprintable() and value == value.strip()
        if not good or "/" in value or ":" in value:
            raise self.reject(value)
        return Text().read(value)


@dataclass(frozen=True, slots=True)
class Choice(Rule):
    """One of a few words; `aliases` are other spellings of them."""

    options: tuple[str, ...]
    aliases: FrozenDict[str] = FrozenDict()  # noqa: RUF009 - it cannot change

    @property
    def allowed(self) -> str:
        """Return the words."""
        return say("one of {names}", names=", ".join(map(repr, self.options)))

    def read(self, value: object) -> str:
        """Return the word; a whole number stands for its digits."""
        word = str(value) if type(value) is int else value
        if not isinstance(word, str):
            raise self.reject(value)
        word = self.aliases.get(word, word)
        if word not in self.options:
            raise self.reject(value)
        return str(word)


@dataclass(frozen=True, slots=True)
class Nothing(Rule):
    """One fixed object that means absence: `None`, or `UNSET`."""

    absence: object

    @property
    def allowed(self) -> str:
        """Return the object's text."""
        return say("none") if self.absence is None else repr(self.absence)

    def read(self, value: object) -> object:
        """Return the object."""
        if value is not self.absence:
            raise self.reject(value)
        return value


@dataclass(frozen=True, slots=True)
class ListOf(Rule):
    """A list of parts, kept as a tuple."""

    item: Rule

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("a list of {items}", items=self.item.allowed)

    def read(self, value: object) -> tuple[object, ...]:
        """Return a tuple."""
        ordered = isinstance(value, (Sequence, np.ndarray))
        if not ordered or isinstance(value, (str, bytes)):
            raise self.reject(value)
        assert isinstance(value, (Sequence, np.ndarray))
        items: list[object] = []
        for index, item in enumerate(value):
            try:
                items.append(self.item.read(item))
            except ValidationError as error:
                raise error.under(str(index)) from None
        return tuple(items)

    def plain(self, value: object, *, everything: bool) -> list[object]:
        """Return a list."""
        assert isinstance(value, tuple)
        return [self.item.plain(item, everything=everything) for item in value]

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return the items by position."""
        assert isinstance(value, tuple)
        return {str(index): (self.item, item) for index, item in enumerate(value)}

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Replace items by position."""
        assert isinstance(value, tuple)
        return tuple(changes.get(str(index), item) for index, item in enumerate(value))


@dataclass(frozen=True, slots=True)
class MapOf(Rule):
    """Parts by name, kept as a `FrozenDict`."""

    item: Rule

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("names, each with {items}", items=self.item.allowed)

    def read(self, value: object) -> FrozenDict[object]:
        """Return a `FrozenDict`."""
        if not isinstance(value, Mapping):
            raise self.reject(value)
        items: dict[str, object] = {}
        for name, item in value.items():
            read_name = Name().read(name)
            try:
                items[read_name] = self.item.read(item)
            except ValidationError as error:
                raise error.under(quoted(read_name)) from None
        return FrozenDict(items)

    def plain(self, value: object, *, everything: bool) -> dict[str, object]:
        """Return a dictionary."""
        return {
            name: rule.plain(item, everything=everything)
            for name, (rule, item) in self.inside(value).items()
        }

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return the items by name."""
        assert isinstance(value, FrozenDict)
        return {name: (self.item, item) for name, item in value.items()}

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Replace items, or add them."""
        assert isinstance(value, FrozenDict)
        return FrozenDict({**value, **changes})


Count = Annotated[int, Whole(1, INT32_MAX)]
"""A number of things, at least one."""
Bytes = Annotated[int, Whole(0, INT32_MAX)]
"""A size in bytes that Java's int can hold."""
Milliseconds = Annotated[int, Whole(0, INT32_MAX)]
"""Whole milliseconds, as Kafka's settings have them."""
LongMilliseconds = Annotated[int, Whole(0, INT64_MAX)]
"""The same where Kafka's setting is a Java long."""
AtLeastZero = Annotated[float, Number(low=0.0, high=1e12)]
Positive = Annotated[float, Number(above=0.0, high=1e12)]
Share = Annotated[float, Number(low=0.0, high=1.0)]
"""A probability."""
Moment = Annotated[float, Number(low=0.0, high=4e9)]
"""Seconds since the run's start; 4·10⁹ are 127 years, within int64 nanoseconds."""
Seconds = Annotated[float, Number(above=0.0, high=4e9)]
"""A duration in seconds."""

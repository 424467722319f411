"""Documents: frozen dataclasses that check themselves and can be written down.

A document's fields are declared once, with type, bound and default; everything else
follows from that: checking and canonical form when it is made, `to_dict` and
`from_dict`, paths into it. Where a field may hold one of several documents (a Poisson
or a periodic arrival), the written form carries `kind`, the class's name in lower case:
`kind = "poisson"`.

A setting whose default Kafka tells apart from the same value set by hand is declared
with `setting(default)`: it holds `UNSET` until someone says it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from types import MappingProxyType, NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    Self,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from kafkasim.catalogue import say
from kafkasim.config.frozen import UNSET, SetOnce
from kafkasim.config.paths import one_of, quoted, suggestion
from kafkasim.config.rules import (
    Choice,
    Flag,
    ListOf,
    MapOf,
    Nothing,
    Number,
    Rule,
    Text,
    Whole,
    kind_of,
)
from kafkasim.errors import ValidationError

_DEFAULT: Final = "default"

DocumentT = TypeVar("DocumentT", bound="Document")


def setting(default: object) -> Any:  # noqa: ANN401 - it stands for the field's own type
    """Declare a setting that is `UNSET` until said, and its effective default."""
    return field(default=UNSET, metadata={_DEFAULT: default})


class Document(SetOnce):
    """Base of every document; `document` makes its subclasses frozen dataclasses."""

    __slots__ = ()
    __dataclass_fields__: ClassVar[dict[str, Any]]

    def __post_init__(self) -> None:
        for name, rule in rules_of(type(self)).items():
            try:
                value = rule.read(getattr(self, name))
            except ValidationError as error:
                raise error.under(name) from None
            object.__setattr__(self, name, value)
        self.check()

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in rules_of(type(self)))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def check(self) -> None:
        """Check what several fields must keep together."""

    def __repr__(self) -> str:
        said = [f"{name}={getattr(self, name)!r}" for name in said_names(self)]
        return f"{type(self).__name__}({', '.join(said)})"

    def to_dict(self, *, everything: bool = False) -> dict[str, object]:
        """Return the document as JSON can hold it.

        Parameters
        ----------
        everything : bool
            Also the fields that stand at their defaults; what is `UNSET` never.
        """
        names = list(rules_of(type(self))) if everything else said_names(self)
        rules = rules_of(type(self))
        return {
            name: rules[name].plain(getattr(self, name), everything=everything)
            for name in names
            if getattr(self, name) is not UNSET
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> Self:
        """Read what `to_dict` returned, or what a person wrote.

        Raises
        ------
        ValidationError
            Naming the path of the wrong or missing field.
        """
        allowed = rules_of(cls)
        for name, value in plain.items():
            if name not in allowed:
                raise ValidationError(
                    quoted(str(name)),
                    value,
                    one_of(allowed),
                    suggestion(str(name), allowed)
                    or say("no field of {kind}", kind=cls.__name__),
                )
        for each in fields(cls):
            if each.default is MISSING and each.name not in plain:
                raise ValidationError(
                    each.name,
                    None,
                    allowed[each.name].allowed,
                    say("it has no default"),
                )
        return cls(**plain)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def document(cls: type[DocumentT]) -> type[DocumentT]:
    """Make a class with fields a document: a slotted dataclass that never changes.

    It is `dataclass(frozen=True, slots=True, repr=False)` at a third of the time: of
    what that compiles anew for every class only `__init__` differs from one to the
    next; the rest stands in `Document` once.
    """
    return dataclass(slots=True, eq=False, repr=False)(cls)


def said_names(document: Document) -> list[str]:
    """Return the names of the fields that do not stand at their default."""
    return [
        each.name
        for each in fields(document)
        if each.default is MISSING or getattr(document, each.name) != each.default
    ]


def set_names(document: Document) -> list[str]:
    """Return the names of the settings that were said."""
    return [
        each.name
        for each in fields(document)
        if _DEFAULT in each.metadata and getattr(document, each.name) is not UNSET
    ]


def with_defaults(document: DocumentT, *, but: Collection[str] = ()) -> DocumentT:
    """Return the document with its settings filled in from their defaults.

    One that has them all is returned itself: each copy of a partition asks. Those of
    `but` are left as they are.
    """
    unset = {
        each.name: each.metadata[_DEFAULT]
        for each in fields(document)
        if _DEFAULT in each.metadata
        and getattr(document, each.name) is UNSET
        and each.name not in but
    }
    return replace(document, **unset) if unset else document


def effective(document: Document, name: str) -> Any:  # noqa: ANN401 - as the field's
    """Return what was said of a setting, or else its default.

    `with_defaults` makes a document, so a document's own `check` cannot ask it.
    """
    value = getattr(document, name)
    if value is not UNSET:
        return value
    return next(
        each.metadata[_DEFAULT] for each in fields(document) if each.name == name
    )


class Variant(Rule):
    """A part that a written form can pick by its kind."""

    __slots__ = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the words that pick this part among variants."""
        raise NotImplementedError

    def holds(self, value: object) -> bool:
        """Return whether the value is this part."""
        raise NotImplementedError

    def kind(self, value: object) -> str:  # noqa: ARG002 - most have one kind
        """Return the word that picks this very value."""
        return self.kinds[0]

    def read_kind(self, kind: str, table: Mapping[str, object]) -> object:
        """Return the part from its written form."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Part(Variant):
    """A document inside a document."""

    document: type[Document]

    @property
    def allowed(self) -> str:
        """Return the class's name."""
        return say("a {kind} or its table", kind=self.document.__name__)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the class's word."""
        return (kind_of(self.document),)

    def holds(self, value: object) -> bool:
        """Return whether the value is this document."""
        return isinstance(value, self.document)

    def read(self, value: object) -> object:
        """Return the document, made from its written form if need be."""
        if isinstance(value, self.document):
            return value
        if isinstance(value, Mapping):
            return self.document.from_dict(value)
        raise self.reject(value)

    def read_kind(self, kind: str, table: Mapping[str, object]) -> object:  # noqa: ARG002 - it has one
        """Return the document from its written form."""
        return self.document.from_dict(table)

    def plain(self, value: object, *, everything: bool) -> dict[str, object]:
        """Return the document's written form, without its kind."""
        assert isinstance(value, Document)
        return value.to_dict(everything=everything)

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return the fields."""
        rules = rules_of(self.document)
        return {name: (rule, getattr(value, name)) for name, rule in rules.items()}

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Replace fields."""
        assert isinstance(value, Document)
        return replace(value, **changes)

    def blank(self) -> object:
        """Return the document with nothing said."""
        return self.document()


@dataclass(frozen=True, slots=True)
class OneOf(Rule):
    """One of several parts, picked by `kind`, or a simple value."""

    variants: tuple[Variant, ...]
    leaves: tuple[Rule, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the words that pick a variant."""
        return tuple(kind for each in self.variants for kind in each.kinds)

    @property
    def allowed(self) -> str:
        """Return the simple values and the kinds."""
        phrases = [leaf.allowed for leaf in self.leaves if leaf != Nothing(UNSET)]
        if self.variants:
            phrases.append(one_of(self.kinds))
        return say(", or ").join(phrases)

    def read(self, value: object) -> object:
        """Return the part, or the simple value."""
        if (variant := self._variant(value)) is not None:
            return variant.read(value)
        if isinstance(value, Mapping) and self.variants:
            return self._read_table(value)
        why = ""
        for leaf in self.leaves:
            try:
                return leaf.read(value)
            except ValidationError as error:
                why = why or error.why
        raise self.reject(value, why)

    def _variant(self, value: object) -> Variant | None:
        return next((each for each in self.variants if each.holds(value)), None)

    def _read_table(self, table: Mapping[str, object]) -> object:
        kind = table.get("kind")
        for variant in self.variants:
            if isinstance(kind, str) and kind in variant.kinds:
                rest = {name: each for name, each in table.items() if name != "kind"}
                return variant.read_kind(kind, rest)
        near = suggestion(kind, self.kinds) if isinstance(kind, str) else ""
        raise ValidationError("kind", kind, one_of(self.kinds), near)

    def plain(self, value: object, *, everything: bool) -> object:
        """Return the part's written form with its kind, or the simple value."""
        if (variant := self._variant(value)) is None:
            return value
        written = variant.plain(value, everything=everything)
        assert isinstance(written, dict)
        return {"kind": variant.kind(value), **written}

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return what stands inside the part."""
        variant = self._variant(value)
        return {} if variant is None else variant.inside(value)

    def put(self, value: object, changes: Mapping[str, object]) -> object:
        """Replace what stands inside the part."""
        variant = self._variant(value)
        assert variant is not None
        return variant.put(value, changes)


_RULES: Final[dict[type[Document], Mapping[str, Rule]]] = {}
"""What `rules_of` found before."""


def rules_of(document: type[Document]) -> Mapping[str, Rule]:
    """Return the rule of each field, in the order of declaration."""
    if document not in _RULES:
        hints = get_type_hints(document, include_extras=True)
        rules: dict[str, Rule] = {}
        for each in fields(document):
            rule = rule_for(hints[each.name])
            rules[each.name] = _or_unset(rule) if each.default is UNSET else rule
        _RULES[document] = MappingProxyType(rules)
    return _RULES[document]


def _or_unset(rule: Rule) -> Rule:
    if isinstance(rule, OneOf):
        return OneOf(rule.variants, (*rule.leaves, Nothing(UNSET)))
    return OneOf((), (rule, Nothing(UNSET)))


_SIMPLE: Final[Mapping[object, Rule]] = MappingProxyType(
    {
        bool: Flag(),
        int: Whole(),
        float: Number(),
        str: Text(),
        NoneType: Nothing(None),
    }
)


def rule_for(annotation: Any) -> Rule:  # noqa: ANN401 - any annotation
    """Return the rule that an annotation stands for."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    rule: Rule
    if origin is Annotated:
        said = [each for each in arguments[1:] if isinstance(each, Rule)]
        rule = said[0] if said else rule_for(arguments[0])
    elif origin in {Union, UnionType}:
        members = [rule_for(each) for each in arguments]
        variants = tuple(each for each in members if isinstance(each, Variant))
        leaves = tuple(each for each in members if not isinstance(each, Variant))
        rule = OneOf(variants, leaves)
    elif origin is Literal:
        rule = Choice(arguments)
    elif origin is Mapping:
        rule = MapOf(rule_for(arguments[1]))
    elif origin is Sequence:
        rule = ListOf(rule_for(arguments[0]))
    elif isinstance(annotation, type) and issubclass(annotation, Document):
        rule = Part(annotation)
    else:
        rule = _SIMPLE[annotation]
    return rule

"""Reading and changing a document along paths.

A document is known in two forms: as it was said, and resolved, with everything filled
in. A path is looked up in the resolved one, because that is what a person sees, and a
change is written into the said one, because only what was said may be kept; a part that
had been filled in is made on the way.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from kafkasim.catalogue import say
from kafkasim.config.document import Document, Part, set_names
from kafkasim.config.frozen import FrozenDict
from kafkasim.config.paths import Parts, join_path, one_of, quoted, suggestion
from kafkasim.config.rules import Rule
from kafkasim.errors import ValidationError


def value_at(resolved: Document, parts: Parts) -> object:
    """Return what stands at a path.

    Raises
    ------
    ValidationError
        When there is no such path; names the part that is wrong.
    """
    rule: Rule = Part(type(resolved))
    value: object = resolved
    for index, name in enumerate(parts):
        rule, value = _step(rule, value, parts, index, name)
    return value


def _step(
    rule: Rule, value: object, parts: Parts, index: int, name: str
) -> tuple[Rule, object]:
    inside = rule.inside(value)
    if name in inside:
        return inside[name]
    here = join_path(parts[:index])
    if not inside:
        shown = say("empty") if isinstance(value, (tuple, FrozenDict)) else repr(value)
        allowed = say(
            "nothing below {here}, which is {shown}; set it whole",
            here=here,
            shown=shown,
        )
        raise ValidationError(join_path(parts), name, allowed)
    near = suggestion(name, inside)
    allowed = one_of(inside)
    if here:
        allowed = say("{names} in {here}", names=allowed, here=here)
    raise ValidationError(join_path(parts), name, allowed, near)


def changed(
    said: Document, resolved: Document, changes: Mapping[Parts, object]
) -> Document:
    """Return the said document with values set at some paths of equal length.

    Changes to one part are made together, so that two bounds may move at once.

    Raises
    ------
    ValidationError
        When a path does not exist or a value is not allowed.
    """
    for parts in changes:
        value_at(resolved, parts)
    done = _changed(Part(type(said)), said, resolved, changes)
    assert isinstance(done, Document)
    return done


def _changed(
    rule: Rule, said: object, resolved: object, changes: Mapping[Parts, object]
) -> object:
    if () in changes:
        return rule.read(changes[()])
    below: defaultdict[str, dict[Parts, object]] = defaultdict(dict)
    for (head, *rest), value in changes.items():
        below[head][tuple(rest)] = value
    there, known = rule.inside(said), rule.inside(resolved)
    done: dict[str, object] = {}
    for name, deeper in below.items():
        item_rule, item = known[name]
        start = there[name][1] if name in there else item_rule.blank()
        try:
            done[name] = _changed(item_rule, start, item, deeper)
        except ValidationError as error:
            raise error.under(quoted(name)) from None
    return rule.put(said, done)


def set_paths(document: Document) -> list[str]:
    """Return the paths of the settings that were said."""
    return [join_path(parts) for parts in _set_parts(Part(type(document)), document)]


def _set_parts(rule: Rule, value: object) -> Iterator[Parts]:
    if isinstance(value, Document):
        yield from ((name,) for name in set_names(value))
    for name, (item_rule, item) in rule.inside(value).items():
        for parts in _set_parts(item_rule, item):
            yield (name, *parts)

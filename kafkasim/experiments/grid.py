"""The grid of a sweep: paths, the values each takes, and what a table calls them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from kafkasim.catalogue import say
from kafkasim.config.paths import join_path, split_path
from kafkasim.errors import ValidationError

Values = Iterable[object] | Mapping[Any, object]
"""Values of one path; a mapping gives each value the name that the table shows."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One path of a sweep."""

    path: str
    """Where the value goes, such as `system.topics.orders.partitions`."""
    column: str
    """Its column in the table, such as `partitions`."""
    values: tuple[object, ...]
    """What the path takes, in the order given."""
    labels: tuple[object, ...]
    """What the table shows for each value; all numbers, all switches or all text."""


def axes_of(grid: Mapping[str, Values], taken: Iterable[str] = ()) -> tuple[Axis, ...]:
    """Return the axes of a grid, in its order.

    Parameters
    ----------
    grid : mapping of path to values
        Values are a list, an array, a range, or a mapping from a name to a value.
    taken : iterable of str
        Columns that the table has already.

    Raises
    ------
    ValidationError
        When the grid or the values of a path are empty or of another type, or a value
        is given twice.
    """
    if not grid:
        raise ValidationError("grid", grid, say("at least one path with its values"))
    columns = short_names(list(grid), taken)
    return tuple(
        Axis(path, columns[path], *_values_and_labels(path, values))
        for path, values in grid.items()
    )


def settings_of(axes: Sequence[Axis]) -> list[dict[str, object]]:
    """Return path → value of every combination, the last path changing fastest."""
    paths = [axis.path for axis in axes]
    combinations = product(*(axis.values for axis in axes))
    return [dict(zip(paths, values, strict=True)) for values in combinations]


def labels_of(axes: Sequence[Axis]) -> list[dict[str, object]]:
    """Return column → label of every combination, in the order of `settings_of`."""
    columns = [axis.column for axis in axes]
    combinations = product(*(axis.labels for axis in axes))
    return [dict(zip(columns, labels, strict=True)) for labels in combinations]


def short_names(paths: Sequence[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return for each path the shortest end that no other path or column has.

    Examples
    --------
    >>> list(
    ...     short_names(["topics.a.partitions", "topics.b.partitions", "seed"]).values()
    ... )
    ['a.partitions', 'b.partitions', 'seed']
    """
    ends = {path: _ends(path) for path in paths}
    counts: dict[str, int] = dict.fromkeys(taken, 1)
    for names in ends.values():
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    return {
        path: next((name for name in names if counts[name] == 1), path)
        for path, names in ends.items()
    }


def _ends(path: str) -> list[str]:
    names = split_path(path)
    return [join_path(names[start:]) for start in range(len(names) - 1, -1, -1)]


def _values_and_labels(
    path: str, values: Values
) -> tuple[tuple[object, ...], tuple[object, ...]]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ValidationError(path, values, say("a list of values"))
    if isinstance(values, Mapping):
        labels, plain = tuple(values), tuple(map(_plain, values.values()))
    else:
        plain = tuple(map(_plain, values))
        labels = tuple(map(_label, plain))
    if not plain:
        raise ValidationError(path, values, say("at least one value"))
    return plain, labels_of_one_kind(path, labels)


def labels_of_one_kind(path: str, labels: Sequence[object]) -> tuple[object, ...]:
    """Return the labels, as text unless all are numbers or all are switches.

    Raises
    ------
    ValidationError
        When two of them are the same.

    Examples
    --------
    >>> labels_of_one_kind("config.acks", ["all", 1, 0])
    ('all', '1', '0')
    """
    one_kind = len({_kind(label) for label in labels}) == 1
    shown = tuple(labels) if one_kind else tuple(map(str, labels))
    for number, label in enumerate(shown):
        if label in shown[:number]:
            raise ValidationError(
                path, label, say("each value once"), say("it is given twice")
            )
    return shown


def _kind(label: object) -> str:
    if isinstance(label, bool):
        return "switch"
    return "number" if isinstance(label, int | float) else type(label).__name__


def _plain(value: object) -> object:
    """Return a numpy scalar as Python's own."""
    item = getattr(value, "item", None)
    return item() if item is not None and getattr(value, "ndim", 1) == 0 else value


def _label(value: object) -> object:
    return value if isinstance(value, bool | int | float | str) else repr(value)

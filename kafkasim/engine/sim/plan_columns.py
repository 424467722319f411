"""The plan as columns of the `records` table: what the world wanted, source by source.

Each source has its own dictionary of keys and of entities; here the dictionaries become
one, so that the same aircraft sent by two sources is one entity.
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from kafkasim.scenario.plan import Plan

Columns = dict[str, NDArray[np.generic]]
NumberT = TypeVar("NumberT", np.int32, np.int64)


def plan_columns(plan: Plan) -> tuple[Columns, dict[str, tuple[str, ...]]]:
    """Return the columns of `records` that the plan alone decides, and their labels."""
    sources = list(plan.sources.values())
    sizes = [len(source.intended_ns) for source in sources]
    streams = sorted({source.stream for source in sources})
    stream_codes = [streams.index(source.stream) for source in sources]
    keys, key_labels = merge_labels(
        [source.key_id for source in sources],
        [source.key_labels for source in sources],
    )
    entities, entity_labels = merge_labels(
        [source.entity_id for source in sources],
        [source.entity_labels for source in sources],
    )
    columns: Columns = {
        "record_id": np.arange(sum(sizes), dtype=np.int64),
        "source": _repeated(range(len(sources)), sizes),
        "stream": _repeated(stream_codes, sizes),
        "key": keys,
        "entity": entities,
        "value_bytes": _joined([source.value_bytes for source in sources], np.int32),
        "intended_ns": _joined([source.intended_ns for source in sources], np.int64),
    }
    labels = {
        "source": tuple(source.source for source in sources),
        "stream": tuple(streams),
        "key": key_labels,
        "entity": entity_labels,
    }
    return columns, labels


def merge_labels(
    codes: Sequence[NDArray[np.int32]], labels: Sequence[tuple[str, ...]]
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return all codes over one dictionary; −1 stays −1.

    Equal labels get one code; the order is that of first appearance.
    """
    if all(part == labels[0] for part in labels):
        return _joined(codes, np.int32), labels[0] if labels else ()
    merged: dict[str, int] = {}
    new = [_codes_in(merged, names) for names in labels]
    parts = [own[part] for own, part in zip(new, codes, strict=True)]
    return _joined(parts, np.int32), tuple(merged)


def entity_codes(labels: Sequence[tuple[str, ...]]) -> list[NDArray[np.int32]]:
    """Return for each dictionary the codes of its labels in one dictionary, and −1."""
    merged: dict[str, int] = {}
    return [_codes_in(merged, names) for names in labels]


def _codes_in(merged: dict[str, int], names: tuple[str, ...]) -> NDArray[np.int32]:
    """Return each name's code, new ones being added; −1 at the end, for no name."""
    codes = [merged.setdefault(name, len(merged)) for name in names]
    return np.array([*codes, -1], dtype=np.int32)


def work_by_record(plan: Plan, subscriber: str) -> NDArray[np.int64]:
    """Return the subscriber's work of each record, by row, nanoseconds."""
    return _joined(
        [
            plan.work_ns.get(
                (subscriber, name), np.zeros(len(source.intended_ns), np.int64)
            )
            for name, source in plan.sources.items()
        ],
        np.int64,
    )


def _repeated(codes: Sequence[int], sizes: Sequence[int]) -> NDArray[np.int16]:
    """Return each source's code for each of its records."""
    if len(set(codes)) == 1:
        return np.broadcast_to(np.int16(codes[0]), sum(sizes))
    return np.repeat(np.array(codes, dtype=np.int16), sizes)


def _joined(
    parts: Sequence[NDArray[NumberT]], dtype: type[NumberT]
) -> NDArray[NumberT]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.zeros(0, dtype), *parts])

"""A window over a source's records."""

import numpy as np

from kafkasim.protocol.producing.columns import (
    KEY_HASH,
    REFUSED,
    STICKY,
    RecordBlocks,
    RecordColumns,
)
from kafkasim.protocol.producing.window import Window


def block(created_ns: list[int], partitions: list[int]) -> RecordColumns:
    count = len(created_ns)
    columns = RecordColumns(
        created_ns=np.array(created_ns, np.int64),
        key_bytes=np.zeros(count, np.int64),
        value_bytes=np.zeros(count, np.int64),
        partitions=np.array(partitions, np.int32),
        max_request_size=1_000,
        carried={"work/billing": 10 * np.array(created_ns, np.int64)},
    )
    columns.partitions[:] = partitions
    return columns


def window() -> Window:
    return Window(
        RecordBlocks(
            [
                block([1, 2, 3, 4], [STICKY, STICKY, 0, STICKY]),
                block([4, 5], [STICKY, REFUSED]),
            ]
        )
    )


def test_a_window_begins_empty_and_grows_block_by_block() -> None:
    held = window()
    assert len(held) == 0
    assert list(held.column("work/billing")) == []

    assert [len(taken) for taken in held.extend()] == [4]
    assert list(held.created_ns) == [1, 2, 3, 4]
    assert list(held.stretch_ends) == [2, 2, 2, 4]

    held.extend()
    assert list(held.created_ns) == [1, 2, 3, 4, 4, 5]
    assert list(held.partitions) == [STICKY, STICKY, 0, STICKY, STICKY, REFUSED]
    assert list(held.stretch_ends) == [2, 2, 2, 5, 5, 5]


def test_what_is_let_go_moves_places_and_keeps_ordinals() -> None:
    held = window()
    held.extend()
    held.extend()
    assert list(held.numbers("work/billing")) == [10, 20, 30, 40, 40, 50]

    held.trim(3)

    assert held.base == 3
    assert list(held.column("ordinal")) == [3, 4, 5]
    assert list(held.created_ns) == [4, 4, 5]
    assert list(held.numbers("work/billing")) == [40, 40, 50]
    assert list(held.stretch_ends) == [2, 2, 2]


def hashed(partitions: list[int], hashes: list[int]) -> RecordColumns:
    columns = block([0] * len(partitions), partitions)
    columns.carried[KEY_HASH] = np.array(hashes, np.int32)
    return columns


def test_keys_are_spread_anew_from_a_place_on_and_in_what_comes_later() -> None:
    first = hashed([1, 1, 1, STICKY, REFUSED], [3, 5, 7, -1, 9])
    held = Window(RecordBlocks([first, hashed([1, STICKY, REFUSED], [7, -1, 7])]))
    held.extend()

    held.spread(1, 4)

    assert list(held.partitions) == [1, 1, 3, STICKY, REFUSED]
    held.extend()
    assert list(held.partitions)[5:] == [3, STICKY, REFUSED]
    held.insert(2, hashed([0], [6]))
    assert list(held.partitions) == [1, 1, 2, 3, STICKY, REFUSED, 3, STICKY, REFUSED]

"""What is removed: which records, by which rule, and what is seen of it."""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from kafkasim import plot
from kafkasim.config.topic import TopicConfig
from kafkasim.errors import ValidationError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.dump_tables import dump
from kafkasim.log.encode import control_batch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable

KEYS = "abacbdabca"


def table(
    keep: Collection[int] = range(10), *, tombstones: Collection[int] = ()
) -> dict[str, list[Any]]:
    return {
        "offset": list(keep),
        "key": [KEYS[at].encode() for at in keep],
        "value": [None if at in tombstones else b"v" for at in keep],
    }


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def cells(ax: Axes, label: str) -> list[tuple[float, float]]:
    """Return offset and row of the boxes of a kind, row by row from the top."""
    found: list[tuple[float, float]] = []
    for each in ax.collections:
        if isinstance(each, PolyCollection) and look(each) == label:
            for path in each.get_paths():
                corners = np.asarray(path.vertices)[:4]
                middle = float(corners[:, 0].mean()) - 0.5
                found.append((round(middle), round(float(corners[:, 1].min()), 1)))
    return found


def look(boxes: PolyCollection) -> str:
    if boxes.get_hatch():
        return "tombstone"
    return "record" if len(boxes.get_facecolor()) else "removed"


def test_what_compaction_leaves_is_the_newest_of_each_key() -> None:
    ax = plot.removal(table(), table([5, 7, 8, 9]))
    assert title(ax) == "6 of 10 records are gone: of each key the newest stays"
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        *("a", "b", "c", "d"),
        *("log before", "log after"),
    ]
    rows = {"a": 0, "b": 1, "c": 2, "d": 3}
    assert cells(ax, "removed") == [
        (at, rows[KEYS[at]]) for at in range(10) if at not in {5, 7, 8, 9}
    ]
    kept = cells(ax, "record")
    assert kept[:4] == [(5, 3), (7, 1), (8, 2), (9, 0)]
    assert kept[4:14] == [(at, 4.6) for at in range(10)]
    assert kept[14:] == [(at, 5.8) for at in (5, 7, 8, 9)]


def test_what_retention_leaves_is_the_end_whatever_the_keys() -> None:
    ax = plot.removal(table(), table(range(6, 10)))
    said = "6 of 10 records are gone, all before offset 6, whatever their keys"
    assert title(ax) == said  # the only one of key d was at 5
    assert plot.alt_text(ax) == (
        f"{said}. Offsets 0 to 9 of 4 keys: 40 % stay, at 6 to 9."
    )


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        (range(10), "Nothing is removed: all 10 records stay"),
        ([], "10 of 10 records are gone: the log is empty"),
        ([0, 5], "8 of 10 records are gone"),
        (range(1, 10), "1 of 10 records is gone, all before offset 1"),
        ([8, 9], "8 of 10 records are gone, all before offset 8, whatever their keys"),
    ],
)
def test_titles_claim_what_is_so(keep: Collection[int], said: str) -> None:
    ax = plot.removal(table(), table(keep))
    assert title(ax) == said


def test_tombstones_are_hatched_and_crossed_when_gone() -> None:
    ax = plot.removal(table(tombstones={5, 9}), table([4, 7, 8, 9], tombstones={9}))
    assert title(ax).endswith("of each key the newest stays")  # but for a tombstone
    assert (9, 0) in cells(ax, "tombstone")
    (crosses,) = (line for line in ax.lines if line.get_marker() == "x")
    assert np.asarray(crosses.get_xdata()).tolist() == [5.5]
    assert "1 tombstone among them" in plot.alt_text(ax)


def test_a_tombstone_that_is_gone_does_not_excuse_another_key() -> None:
    ax = plot.removal(table(tombstones={5}), table([7, 9]))
    assert title(ax) == "8 of 10 records are gone"


def test_a_real_log_before_and_after_compaction() -> None:
    config = TopicConfig(cleanup_policy="compact", internal_segment_bytes=900)
    log: PartitionLog[ByteBatch] = PartitionLog(config=config)
    for at in range(36):
        log.append([Record(at, b"key-%d" % (at % 5), b"a value")])
    log.advance_high_watermark(36)
    before = dump(log)["records"]
    log.clean(now_ms=60_000)
    after = dump(log)["records"]
    ax = plot.removal(before, after)
    gone = 36 - len(after["offset"])
    assert gone > 10
    assert title(ax).startswith(f"{gone} of 36 records are gone")
    cuts = [x for line in ax.lines for x in np.asarray(line.get_xdata())[:1]]
    assert cuts == sorted(set(before["segment"].tolist()))[1:]


def test_markers_of_transactions_are_no_records() -> None:
    log: PartitionLog[ByteBatch] = PartitionLog()
    log.append(
        [Record(0, b"a", b"1")],
        producer_id=1,
        producer_epoch=0,
        base_sequence=0,
        transactional=True,
    )
    marker = control_batch(
        "commit",
        base_offset=1,
        timestamp_ms=1,
        producer_id=1,
        producer_epoch=0,
        leader_epoch=0,
    )
    log.append_as_follower(marker)
    records = dump(log)["records"]
    assert len(records["offset"]) == 2
    assert title(plot.removal(records, records)).endswith("all 1 record stay")


def test_frames_keys_of_all_kinds_and_nothing_at_all() -> None:
    keys = [None, b"\xff", "text", 7]
    frame = pd.DataFrame({"offset": [0, 1, 2, 3], "key": keys, "value": ["v"] * 4})
    frame.loc[3, "value"] = np.nan
    ax = plot.removal(frame, frame)
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[:4] == ["no key", "0xff", "text", "7"]
    assert cells(ax, "tombstone")
    assert title(plot.removal(table([]), table([]))) == "There are no records"
    with pytest.raises(ValidationError, match=r"after.*with value"):
        plot.removal(frame, frame.drop(columns="value"))


def test_of_many_keys_those_with_most_records_have_a_row() -> None:
    keys = [f"key-{at % 20}" if at < 40 else "often" for at in range(60)]
    many = {"offset": list(range(60)), "key": keys, "value": ["v"] * 60}
    ax = plot.removal(many, many)
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert len(names) == 14
    assert "often" in names
    assert names[11] == "other keys"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("count", [10, 2_000])
def test_it_is_readable_at_every_size(size: SizeName, count: int) -> None:
    many: dict[str, list[Any]] = {
        "offset": list(range(count)),
        "key": [f"key-{at % 7}" for at in range(count)],
        "value": ["v"] * count,
    }
    half = {name: column[count // 2 :] for name, column in many.items()}
    with plot.sized(size):
        assert_readable(plot.removal(many, half))


def test_it_draws_into_axes_that_are_given(
    drawn: Callable[[Axes], Any],
) -> None:
    other = plot.removal(table(), table()).figure.add_subplot(2, 1, 2)
    assert plot.removal(table(), table(), ax=other) is other
    drawn(other)

"""The segments of a log: their data, their words, their edges."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle

from kafkasim import plot
from kafkasim.config.topic import TopicConfig
from kafkasim.errors import ValidationError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.dump_tables import dump
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.plot.segment_tables import Found
from kafkasim.plot.segment_tables import Log as Files
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable

Log = PartitionLog[ByteBatch]


def filled(batches: int = 20) -> Log:
    config = TopicConfig(internal_segment_bytes=1_000, index_interval_bytes=300)
    log: Log = PartitionLog(config=config)
    for at in range(batches):
        records = [Record(1_000 * at + n, b"key", b"a value") for n in range(4)]
        log.append(records)
    log.advance_high_watermark(log.log_end_offset)
    return log


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def files(ax: Axes) -> list[tuple[float, float, float]]:
    """Return left edge, width and height of each segment's box."""
    return [
        (patch.get_x(), patch.get_width(), patch.get_height())
        for patch in ax.patches
        if isinstance(patch, Rectangle)
    ]


def labels(ax: Axes) -> list[str]:
    return ax.get_legend_handles_labels()[1]


def test_a_segment_is_as_wide_as_its_offsets_and_as_high_as_its_file() -> None:
    tables = dump(filled())
    ax = plot.segments(tables)
    of = tables["segments"]
    assert files(ax) == [
        (base, following - base, size)
        for base, following, size in zip(
            of["base_offset"].tolist(),
            of["next_offset"].tolist(),
            of["size_bytes"].tolist(),
            strict=True,
        )
    ]
    assert f"{28:020d}.log\n903 bytes" in texts(ax)
    assert f"{56:020d}.log\n774 bytes, active" in texts(ax)


def test_batches_and_index_entries_stand_at_their_positions() -> None:
    tables = dump(filled())
    ax = plot.segments(tables)
    (drawn,) = (each for each in ax.collections if isinstance(each, PolyCollection))
    corners = [np.asarray(path.vertices)[:4] for path in drawn.get_paths()]
    assert [int(c[:, 1].min()) for c in corners] == tables["batches"][
        "position"
    ].tolist()
    assert [int(c[:, 0].max()) - 1 for c in corners] == tables["batches"][
        "last_offset"
    ].tolist()
    (dots,) = (line for line in ax.lines if line.get_label() == "index entry")
    entries = tables["offset_index"]
    assert np.asarray(dots.get_xdata()).tolist() == (entries["offset"] + 0.5).tolist()
    assert np.asarray(dots.get_ydata()).tolist() == entries["position"].tolist()
    assert {"15 → 387", "43 → 387", "71 → 387"} <= set(texts(ax))


def test_title_and_words_say_what_they_hold() -> None:
    ax = plot.segments(dump(filled()), high_watermark=72)
    assert title(ax) == (
        "3 segments hold offsets 0 to 79 in 2,580 bytes; 5 index entries for 20 batches"
    )
    words = plot.alt_text(ax)
    assert "Segment 28: offsets 28 to 55, 903 bytes, 2 index entries." in words
    assert words.endswith("High watermark 72 and log end 80.")
    assert {"high watermark 72", "log end 80"} <= set(texts(ax))
    assert plot.caption(ax) == "Segments of a log."


def test_a_look_up_begins_at_the_entry_before_and_ends_at_the_batch() -> None:
    tables = dump(filled())
    ax = plot.segments(tables, find=54)
    said = "the index leads to position 387 of segment 28, then 4 batches are looked at"
    assert title(ax) == f"Offset 54: {said}"
    read = [
        each for each in ax.collections if each.get_label() == "batch that is looked at"
    ]
    (read_boxes,) = read
    assert len(read_boxes.get_paths()) == 4
    looked = "40 to 43, 44 to 47, 48 to 51 and 52 to 55"
    said = f"Looked at are the batches of offsets {looked}."
    assert plot.alt_text(ax).endswith(said)
    first = plot.segments(tables, find=30)
    assert title(first).startswith("Offset 30: no index entry is at or below it")
    for offset in (80, -1):
        with pytest.raises(ValidationError, match="expected 0 to 79"):
            plot.segments(tables, find=offset)


def test_a_look_up_finds_what_the_log_itself_finds() -> None:
    log = filled()
    held = Files(dump(log))
    for offset in range(80):
        found = Found(held, offset)
        segment = next(s for s in reversed(log.segments) if s.base_offset <= offset)
        entry = segment.offset_index.look_up(offset)
        assert found.entry == (entry.offset, entry.position)
        assert found.base == segment.base_offset
        last = int(held.batches["position"][found.read[-1]])
        assert segment.position_of(offset) == last


def test_deleted_segments_are_outlines_and_the_log_start_is_marked() -> None:
    log = filled()
    log.delete_records(30)
    log.delete_old_segments(0)
    ax = plot.segments(dump(log), log_start=log.log_start_offset)
    assert title(ax) == "Segment 0 is deleted whole: the log begins at 30"
    assert "deleted segment" in labels(ax)
    assert "before log start" in labels(ax)
    assert "log start 30" in texts(ax)
    assert "Segment 0: offsets 0 to 27, 903 bytes, deleted." in plot.alt_text(ax)
    ghost = next(p for p in ax.patches if p.get_label() == "deleted segment")
    assert ghost.get_linestyle() == "--"


def test_a_table_of_segments_alone_and_a_frame() -> None:
    table = pd.DataFrame(dump(filled())["segments"])
    ax = plot.segments(table)
    assert title(ax) == "3 segments hold offsets 0 to 79 in 2,580 bytes"
    assert labels(ax) == ["segment"]


def test_very_many_segments_have_no_names_and_are_told_in_part() -> None:
    many = {
        "base_offset": np.arange(40) * 1_000,
        "next_offset": np.arange(40) * 1_000 + 1_000,
        "size_bytes": np.full(40, 1 << 20),
        "deleted": np.arange(40) < 12,
    }
    ax = plot.segments(many)
    said = "Segments 0, 1,000, 2,000, 3,000 and 8 more are deleted whole: "
    assert title(ax) == f"{said}the log begins at 12,000"
    assert not [text for text in texts(ax) if ".log" in text]
    assert "And 30 more segments." in plot.alt_text(ax)


def test_empty_logs_are_drawn_and_said() -> None:
    empty = plot.segments(dump(filled(0)))
    assert title(empty) == "The log is empty: its next offset is 0"
    nothing = plot.segments(
        {name: [] for name in ("base_offset", "next_offset", "size_bytes", "deleted")}
    )
    assert title(nothing) == "There is no segment"


def test_other_tables_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"a table with base_offset"):
        plot.segments({"records": [1]})
    for other in (filled(), "orders-0"):
        with pytest.raises(ValidationError, match=r"tables that log\.dump gives"):
            plot.segments(other)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asked", [{}, {"find": 54}, {"log_start": 30}])
def test_it_is_readable_at_every_size(size: SizeName, asked: dict[str, Any]) -> None:
    with plot.sized(size):
        assert_readable(plot.segments(dump(filled()), high_watermark=70, **asked))


def test_it_draws_into_axes_that_are_given() -> None:
    tables = dump(filled())
    other = plot.segments(tables).figure.add_subplot(2, 1, 2)
    assert plot.segments(tables, ax=other) is other


@pytest.fixture(scope="module")
def crowded() -> Log:
    config = TopicConfig(internal_segment_bytes=30_000, index_interval_bytes=300)
    log: Log = PartitionLog(config=config)
    for at in range(800):
        log.append([Record(at, b"key", b"a value" * (1 + at % 9))])
    return log


@pytest.mark.parametrize("share", [0.3, 0.95])
@pytest.mark.parametrize("size", SIZES)
def test_among_very_many_batches_the_one_found_is_pointed_at(
    crowded: Log, share: float, size: SizeName
) -> None:
    tables = dump(crowded)
    offset = int(share * crowded.log_end_offset)
    with plot.sized(size):
        ax = plot.segments(tables, find=offset)
        assert_readable(ax)
    (named,) = (each for each in ax.texts if each.get_text().startswith("offset "))
    assert named.get_text() == f"offset {offset:,}"
    x, y = named.xy  # type: ignore[attr-defined]
    assert x == offset + 0.5
    of = tables["batches"]
    assert y == of["position"][of["base_offset"] == offset].item()
    read = next(
        each
        for each in ax.collections
        if isinstance(each, PolyCollection)
        and each.get_label() == "batch that is looked at"
    )
    assert float(np.min(read.get_linewidth())) > 3
    (dots,) = (line for line in ax.lines if line.get_label() == "index entry")
    assert dots.get_markersize() < 5


def test_few_batches_have_edges_and_nothing_points() -> None:
    ax = plot.segments(dump(filled()), find=40)
    assert not [each for each in texts(ax) if each.startswith("offset ")]
    boxes = [each for each in ax.collections if isinstance(each, PolyCollection)]
    assert {float(np.max(each.get_linewidth())) < 1 for each in boxes} == {True}

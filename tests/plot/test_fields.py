"""A batch as boxes: its data, its words, its edges."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.log.batch_fields import KINDS, anatomy
from kafkasim.log.encode import encode_batch
from kafkasim.log.record import Record
from kafkasim.plot.field_boxes import rows_of
from kafkasim.plot.fields import _COLOURS
from kafkasim.plot.sizes import SIZES, SizeName
from tests.plot.test_layout import assert_readable

RECORDS = [
    Record(1_700_000_000_000 + at, b"key-%d" % at, b"value-%d" % at) for at in range(5)
]
BATCH = encode_batch(RECORDS, base_offset=42)


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def boxes(ax: Axes) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def test_a_box_holds_bytes_name_and_value() -> None:
    ax = plot.anatomy(anatomy(BATCH))
    shown = texts(ax)
    assert "00 00 00 00 00 00 00 2a" in shown
    assert {"base offset", "CRC", "key\nlength"} <= set(shown)
    assert {"42", "1700000000004", "key-2", "value-2"} <= set(shown)
    assert "key-3" not in shown
    assert len(boxes(ax)) == 13 + 3 * 9


def test_title_and_words_say_what_is_header_and_what_is_covered() -> None:
    ax = plot.anatomy(anatomy(BATCH))
    said = "61 of 156 bytes are the header of 5 records; the CRC covers all from byte"
    assert title(ax) == f"{said} 21 on"
    words = plot.alt_text(ax)
    assert words.startswith(f"{title(ax)}. Header: base offset 42, batch length 144, ")
    assert "Record 2, 19 bytes: key key-2 and value value-2." in words
    assert "Record 3" not in words
    assert plot.caption(ax) == "A record batch of 156 bytes, byte by byte."
    assert "… and 2 more records: 38 bytes" in texts(ax)
    assert "covered by the CRC" in texts(ax)


def test_the_bar_stands_beside_the_rows_that_the_crc_covers() -> None:
    ax = plot.anatomy(anatomy(BATCH))
    bar = np.asarray(ax.lines[0].get_ydata())
    tops = sorted({box.get_y() for box in boxes(ax)})
    assert float(bar.min()) == pytest.approx(tops[1])
    assert tops[-1] < float(bar.max()) <= tops[-1] + boxes(ax)[0].get_height() + 1e-6


def test_a_crc_that_does_not_fit_is_the_title() -> None:
    changed = bytearray(BATCH)
    changed[80] ^= 1
    ax = plot.anatomy(anatomy(changed))
    assert title(ax) == "The CRC does not fit: bytes 21 to 155 are not as written"
    assert "CRC ✗" in texts(ax)


def test_compressed_records_stand_alone_and_then_unpacked() -> None:
    packed = encode_batch(RECORDS * 20, codec="gzip")
    ax = plot.anatomy(anatomy(packed), records=1)
    size, records = len(packed) - 61, len(encode_batch(RECORDS * 20)) - 61
    assert title(ax) == (
        f"61 of {len(packed)} bytes are the header of 100 records, which are "
        f"compressed from {records:,} bytes to {size}"
    )
    assert "compressed records" in texts(ax)
    assert "record 0\nunpacked 0" in texts(ax)


def test_a_long_value_is_cut_and_an_empty_batch_is_a_header() -> None:
    ax = plot.anatomy(anatomy(encode_batch([Record(0, None, b"x" * 300)])))
    assert any(text.endswith(" …") for text in texts(ax))
    assert any(text.startswith("xxx") and text.endswith("…") for text in texts(ax))
    empty = encode_batch([], base_offset=7, last_offset_delta=3)
    ax = plot.anatomy(anatomy(empty))
    assert title(ax).startswith("61 of 61 bytes are the header of 0 records")
    assert len(boxes(ax)) == 13


def test_a_frame_is_drawn_like_the_columns_and_others_are_refused() -> None:
    columns = anatomy(BATCH)
    frame = plot.anatomy(pd.DataFrame(columns))
    assert texts(frame) == texts(plot.anatomy(columns))
    with pytest.raises(ValidationError, match=r"what log\.anatomy gives: hex"):
        plot.anatomy({name: columns[name] for name in columns if name != "hex"})


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        ax = plot.anatomy(anatomy(BATCH))
        assert_readable(ax)
        limits = sorted(ax.get_ylim())
        assert all(limits[0] <= box.get_y() <= limits[1] for box in boxes(ax))
        wide = ax.get_xlim()[1]
        assert all(box.get_x() + box.get_width() <= wide + 1e-6 for box in boxes(ax))


def test_on_a_slide_there_are_as_many_records_as_fit() -> None:
    with plot.sized("slide"):
        ax = plot.anatomy(anatomy(BATCH), records=5)
        figure = ax.get_figure(root=True)
        assert figure is not None
        assert figure.get_figheight() <= SIZES["slide"].tallest
        assert "key-0" in texts(ax)
        assert "key-4" not in texts(ax)


def test_it_draws_into_axes_that_are_given() -> None:
    given = plot.anatomy(anatomy(BATCH))
    other = given.figure.add_subplot(2, 1, 2)
    assert plot.anatomy(anatomy(BATCH), ax=other) is other


def test_every_kind_has_its_colour() -> None:
    assert set(_COLOURS) == set(KINDS) - {"unread"}


def test_no_row_is_wider_than_its_room_and_no_field_is_left_out() -> None:
    fields: dict[str, Any] = plot.fields._given(anatomy(BATCH))
    for inches in (3.0, 5.0, 8.0):
        rows = rows_of(fields, 2, inches, 13.0)
        assert all(sum(box.wide for box in row) <= inches for row in rows)
        drawn = [box.row for row in rows for box in row]
        assert drawn == list(range(13 + 2 * 9))

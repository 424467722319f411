"""The offsets topic as a log: what counts, what is old, what is gone."""

import pytest

from kafkasim import plot
from kafkasim.analysis.offset_records import offsets_topic
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.testing.builders import small_result
from tests.analysis.test_offset_records import RECORDS, by_hand, commit
from tests.plot.test_layout import assert_readable


def _boxes(ax: object) -> dict[str, list[float]]:
    """Return where boxes begin, by what the legend says of them."""
    return {
        str(boxes.get_label()): [
            round(path.vertices[:, 0].min() - 0.08, 2) for path in boxes.get_paths()
        ]
        for boxes in ax.collections  # type: ignore[attr-defined]
    }


def test_each_record_is_a_box_that_says_what_became_of_it() -> None:
    ax = plot.offsets_topic(by_hand())
    assert _boxes(ax) == {
        "offset, newest of its key": [3, 5],
        "group or member, newest": [0],
        "removed": [1, 2, 4],
    }
    assert [label.get_text() for label in ax.get_yticklabels()] == ["g", "h"]
    title = ax.get_title(loc="left") or ax.get_title()
    assert title == "3 of 6 records still count; 3 are gone from the log"


def test_a_moment_before_compaction_shows_what_it_will_take() -> None:
    ax = plot.offsets_topic(by_hand(), at_s=0.065)
    boxes = _boxes(ax)
    assert boxes["offset, older"] == [1, 2]
    assert boxes["tombstone"] == [4]
    assert "removed" not in boxes
    assert "nothing is removed yet" in plot.alt_text(ax)


def test_a_table_does_as_well_as_a_run() -> None:
    drawn = plot.offsets_topic(offsets_topic(by_hand()))
    assert _boxes(drawn) == _boxes(plot.offsets_topic(by_hand()))


def test_the_fullest_partition_is_drawn_unless_one_is_named() -> None:
    other = {**commit(0, 5.0, 1), "partition": 7}
    result = by_hand(other)
    assert "partition 3" in plot.caption(plot.offsets_topic(result))
    seven = plot.offsets_topic(result, partition=7)
    assert _boxes(seven) == {"offset, newest of its key": [0]}
    with pytest.raises(ValidationError, match=r"one of \[3, 7\]"):
        plot.offsets_topic(result, partition=1)


def test_words_say_what_each_group_has() -> None:
    words = plot.alt_text(plot.offsets_topic(by_hand()))
    assert "g: 5 records, 2 there, 1 tombstone" in words
    assert "h: 1 record, 1 there" in words


def test_too_many_groups_are_not_drawn() -> None:
    rows = [commit(each, 10.0, 1, group=f"g{each}") for each in range(13)]
    with pytest.raises(ValidationError, match="at most 12 groups"):
        plot.offsets_topic(small_result(records=RECORDS, offsets_topic=rows))


def test_a_run_without_records_says_so() -> None:
    ax = plot.offsets_topic(by_hand(), at_s=0.0)
    assert "Nothing was written" in plot.alt_text(ax)


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(plot.offsets_topic(by_hand()))

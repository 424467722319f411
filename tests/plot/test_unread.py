"""How many partitions nobody reads, compared."""

import numpy as np
import pytest

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.plot.unread import unread
from tests.analysis.test_ownership import member_dies, only_assigned
from tests.plot.test_layout import assert_readable


def test_each_run_has_a_panel_with_its_steps_and_numbers() -> None:
    ax = unread({"calm": only_assigned(), "crash": member_dies()})
    calm, crash = ax.figure.axes

    assert ax is calm
    assert crash.get_title(loc="left") == (
        "crash: longest gap 46 s, 47 partition-seconds"
    )
    np.testing.assert_array_equal(crash.lines[0].get_xdata(), [0, 5, 50, 51, 60])
    np.testing.assert_array_equal(crash.lines[0].get_ydata(), [0, 1, 2, 0, 0])
    assert calm.get_ylim() == crash.get_ylim()
    assert "crash leaves partitions unread for 47 s in all, calm for 0 s" in (
        plot.alt_text(ax)
    )


def test_without_gaps_the_title_says_so() -> None:
    words = plot.alt_text(unread({"calm": only_assigned()}))
    assert words.startswith("No partition is unread at any time.")


def test_no_run_is_refused() -> None:
    with pytest.raises(ValidationError, match="runs"):
        unread({})


@pytest.mark.parametrize("size", SIZES)
def test_it_is_readable_at_every_size(size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(unread({"calm": only_assigned(), "crash": member_dies()}))

"""What the controller is asked and answers."""

import pytest

from kafkasim.protocol.cluster.controller_messages import BrokerState


@pytest.mark.parametrize(
    ("fenced", "shutting_down", "active"),
    [
        (False, False, True),
        (True, False, False),
        (False, True, False),
        (True, True, False),
    ],
)
def test_who_is_active_is_neither_fenced_nor_shutting_down(
    *, fenced: bool, shutting_down: bool, active: bool
) -> None:
    state = BrokerState(0, fenced=fenced, shutting_down=shutting_down, epoch=0)

    assert state.active is active

"""Who wants which record."""

import numpy as np
import pytest

from kafkasim.result.wants import Want, wants_of
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


@pytest.mark.parametrize(
    ("want", "wanted"),
    [
        (Want("a", ("orders",), 0, "new"), [True, True, False, False]),
        (Want("a", ("orders", "payments"), 0, "new"), [True, True, True, False]),
        (Want("a", ("orders",), 5, "new"), [False, True, False, False]),
        (Want("a", ("orders",), 5, "all"), [True, True, False, False]),
        (Want("a", ("refunds",), 0, "all"), [False, False, False, False]),
    ],
)
def test_a_stream_from_the_time_one_comes_or_all_of_it(
    want: Want, wanted: list[bool]
) -> None:
    streams = np.array([0, 0, 1, -1], dtype=np.int16)
    intended = np.array([4, 5, 5, 9])
    found = want.wanted(("orders", "payments"), streams, intended)
    assert found.tolist() == wanted


def test_wants_are_in_the_scenarios_order() -> None:
    traffic = Traffic(
        {"web": Source("orders", Periodic(rate_per_s=1.0))},
        {
            "search": Subscriber(["orders"], from_s=0.25, wants="all"),
            "audit": Subscriber(["orders"]),
        },
        duration_s=1.0,
    )
    assert wants_of(Scenario(traffic).resolve()) == (
        Want("search", ("orders",), 250_000_000, "all"),
        Want("audit", ("orders",), 0, "new"),
    )

"""What one more subscriber touches."""

from kafkasim.analysis.newcomers import onboarding
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, System


def touched(system: System) -> dict[str, tuple[int, int, int]]:
    """Return, by kind, who was there, who is touched, and the new links."""
    before, after = (
        run(
            Scenario(
                many_to_many(4, count, arrivals=Periodic(20.0), duration_s=0.1), system
            )
        )
        for count in (4, 5)
    )
    table = onboarding(before, after)
    numbers = table[["before", "touched", "new_links"]].itertuples(index=False)
    return dict(zip(table["kind"], map(tuple, numbers), strict=True))


def test_point_to_point_every_source_has_to_learn_of_it() -> None:
    assert touched(PointToPoint()) == {
        "source": (4, 4, 4),
        "subscriber": (4, 0, 0),
        "hub": (0, 0, 0),
    }


def test_behind_a_log_no_source_has() -> None:
    assert touched(Kafka()) == {
        "source": (4, 0, 0),
        "subscriber": (4, 0, 0),
        "hub": (1, 1, 1),
    }

import pytest

from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


@pytest.fixture
def traffic() -> Traffic:
    return Traffic(
        sources={
            "web": Source(
                "orders", Poisson(500), keys=UniformKeys(20), entity=UniformKeys(20)
            )
        },
        subscribers={"billing": Subscriber(["orders"], work_ms=Exponential(1.0))},
        duration_s=1,
    )


@pytest.fixture
def scenario(traffic: Traffic) -> Scenario:
    return Scenario(traffic, seed=7)

from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.draft import Draft
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Traffic


def test_a_draft_may_be_out_of_joint() -> None:
    traffic = Traffic({"web": Source("orders", Poisson(1))}, {})

    draft = Draft(traffic, Kafka(topics={"not a stream": Topic()}))

    system = draft.resolve().system
    assert isinstance(system, Kafka)
    assert list(system.topics) == ["not a stream", "orders"]

"""What a table tells of the hub of a Kafka cluster."""

from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event, Slow
from kafkasim.scenario.hub_events import at_all_brokers
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Periodic(20))},
    {"billing": Subscriber(["orders"])},
    duration_s=2,
)


def test_every_broker_stops_and_the_table_names_the_hub() -> None:
    events: list[Event] = [Crash("hub", at_s=0.5, for_s=0.2)]
    events.append(Slow("broker:1", at_s=1.5))
    scenario = Scenario(TRAFFIC, Kafka(brokers=2), events=events)
    result = run(scenario)

    assert result.scenario == scenario
    done = result.events
    assert done["target"].tolist() == ["hub", "broker:1"]
    assert done["effect"][0].startswith("each broker: ")
    assert len(at_all_brokers(scenario).events) == 3
    assert (result.records["outcome"] == "acked").all()


def test_two_events_of_a_kind_and_one_that_is_not_reached_are_told_in_order() -> None:
    events = [Slow("hub", at_s=at_s, for_s=0.1) for at_s in (0.5, 1.0, 30.0)]
    done = run(Scenario(TRAFFIC, Kafka(brokers=2), events=events)).events

    assert done["target"].tolist() == ["hub"] * 3
    assert done["at_ms"].tolist() == [500.0, 1_000.0, 30_000.0]
    words = ["each broker"] * 2 + ["not reached"]
    assert [effect.split(":")[0] for effect in done["effect"]] == words

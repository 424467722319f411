"""How links are named, and who talks to whom."""

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.checks import check_events
from kafkasim.scenario.events import Crash, Cut, Delay, Event
from kafkasim.scenario.links import touches_controller, ways_of
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.systems import Group, Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(1)), "app": Source("clicks", Poisson(1))},
    {"billing": Subscriber(["orders"]), "app": Subscriber(["orders"])},
    duration_s=10,
)
CLUSTER = Kafka(brokers=2, groups={"billing": Group(members=2)})


def ways(target: str, system: Kafka | PointToPoint = CLUSTER) -> list[tuple[str, str]]:
    found = ways_of(target, TRAFFIC, system, "0.target")
    return [(way.sender, way.receiver) for way in found]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("link:web->broker:2", [("source:web", "broker:2")]),
        ("link:source:web->broker:2", [("source:web", "broker:2")]),
        ("link:broker:2->web", [("broker:2", "source:web")]),
        (
            "link:web<->broker:2",
            [("source:web", "broker:2"), ("broker:2", "source:web")],
        ),
        (
            "link:billing->broker:1",
            [("member:billing/1", "broker:1"), ("member:billing/2", "broker:1")],
        ),
        ("link:member:billing/2->broker:1", [("member:billing/2", "broker:1")]),
        ("link:app->broker:1", [("source:app", "broker:1")]),
        ("link:subscriber:app->broker:1", [("member:app/1", "broker:1")]),
        ("link:broker:1->broker:2", [("broker:1", "broker:2")]),
        ("link:controller->broker:2", [("controller", "broker:2")]),
    ],
)
def test_an_end_is_a_host_by_kind_and_name_or_a_client_by_its_name(
    target: str, expected: list[tuple[str, str]]
) -> None:
    assert ways(target) == expected


def test_point_to_point_a_source_talks_to_who_wants_its_stream() -> None:
    found = ways("link:web<->billing", PointToPoint())

    assert found == [("source:web", "subscriber:billing"), found[0][::-1]]
    with pytest.raises(ValidationError, match="never talk"):
        ways("link:app->billing", PointToPoint())


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("link:web", "link:A->B"),
        ("link:web->broker:1->broker:2", "link:A->B"),
        ("link:wob->broker:1", "no host 'wob'"),
        ("link:source:wep->broker:1", "did you mean"),
        ("link:web->broker:3", "broker:2, controller"),
        ("link:member:billing/3->broker:1", "member:billing/2"),
        ("link:member:billing/1->member:billing/2", "a client and a broker"),
        ("link:web->controller", "never talk"),
        ("link:broker:1<->broker:1", "never talk"),
    ],
)
def test_a_link_between_hosts_that_are_not_there_or_never_talk_is_an_error(
    target: str, hint: str
) -> None:
    with pytest.raises(ValidationError, match=hint) as caught:
        check_events((Cut(target, at_s=1),), TRAFFIC, CLUSTER)

    assert caught.value.path == "0.target"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (Cut("broker:1", at_s=1), "0.target"),
        (Crash("link:web->broker:1", at_s=1), "0.target"),
        (Cut("link:web->broker:1", at_s=1, only="responses"), "0.only"),
        (Cut("link:broker:1->web", at_s=1, only="requests"), "0.only"),
    ],
)
def test_an_event_fits_its_target(event: Event, path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        check_events((event,), TRAFFIC, CLUSTER)

    assert caught.value.path == path


def test_between_brokers_go_requests_and_responses_either_way() -> None:
    for only in ("requests", "responses"):
        cut = Cut("link:broker:1->broker:2", at_s=1, only=only)
        check_events((cut,), TRAFFIC, CLUSTER)


def test_a_delay_says_how_much() -> None:
    Delay("link:web->broker:1", at_s=1, factor=2)
    with pytest.raises(ValidationError, match="how much later"):
        Delay("link:web->broker:1", at_s=1)


def test_who_is_cut_off_from_the_controller_may_be_fenced() -> None:
    assert touches_controller("link:controller<->broker:1")
    assert touches_controller("link:broker:1->controller")
    assert not touches_controller("link:web->broker:1")
    assert not touches_controller("controller")

from dataclasses import replace

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.errors import ValidationError
from kafkasim.scenario.applicability import not_applicable
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.checks import check_events, check_system
from kafkasim.scenario.events import Event
from kafkasim.scenario.member_events import (
    AddMember,
    MoveCoordinator,
    RemoveMember,
    ResetOffsets,
    RollingRestart,
    StuckRecord,
)
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.systems import Group, Kafka, System
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

BILLING = "subscriber:billing"
SYSTEM = Kafka(brokers=2, groups={"billing": Group(members=2)})


def traffic() -> Traffic:
    poisson = Poisson(rate_per_s=10)
    return Traffic(
        sources={
            "web": Source(stream="orders", arrivals=poisson),
            "log": Source(stream="clicks", arrivals=poisson),
        },
        subscribers={"billing": Subscriber(streams=["orders"])},
        duration_s=10,
    )


@pytest.mark.parametrize(
    ("events", "path", "hint"),
    [
        ([AddMember(BILLING, at_s=1, name="2")], "0.name", "there are 1, 2"),
        ([AddMember("member:billing/1", at_s=1)], "0.target", "subscriber:billing"),
        ([RemoveMember(BILLING, at_s=1)], "0.target", "member:billing/1"),
        ([RemoveMember("member:billing/3", at_s=1)], "0.target", "member:billing/2"),
        (
            [
                RemoveMember("member:billing/2", at_s=1),
                RemoveMember("member:billing/2", at_s=4),
            ],
            "1.target",
            "it has gone for good at 1 s",
        ),
        ([MoveCoordinator(BILLING, at_s=1, to=3)], "0.to", "at most 2"),
        ([ResetOffsets(BILLING, at_s=1, stream="clicks")], "0.stream", "orders"),
        ([ResetOffsets(BILLING, at_s=1, partition=1)], "0.partition", "less than 1"),
        ([StuckRecord(BILLING, "log", 0)], "0.source", "web"),
        ([Seek(BILLING, at_s=1, partition=1)], "0.partition", "less than 1"),
    ],
)
def test_what_cannot_happen_to_a_group_is_refused(
    events: list[Event], path: str, hint: str
) -> None:
    with pytest.raises(ValidationError, match=hint) as caught:
        check_events(tuple(events), traffic(), SYSTEM)

    assert caught.value.path == path


@pytest.mark.parametrize(
    "event",
    [
        AddMember(BILLING, at_s=1),
        RemoveMember("member:billing/1", at_s=1),
        RollingRestart(BILLING, at_s=1),
        MoveCoordinator(BILLING, at_s=1),
        ResetOffsets(BILLING, at_s=1),
    ],
)
@pytest.mark.parametrize("system", [SYSTEM, PointToPoint()])
def test_groups_are_kafkas_own(event: Event, system: System) -> None:
    if isinstance(system, Kafka) or not isinstance(event, RemoveMember):
        check_events((event,), traffic(), system)
    else:
        with pytest.raises(ValidationError, match="there is none of the kind"):
            check_events((event,), traffic(), system)
    means_nothing = not isinstance(system, Kafka)
    if not isinstance(event, RemoveMember):
        told = not_applicable(event, traffic(), system)
        assert (told == "it is no group of members") is means_nothing


@pytest.mark.parametrize("system", [SYSTEM, PointToPoint(), Relay(), RabbitMQ()])
def test_a_record_can_be_slow_work_in_every_system(system: System) -> None:
    event = StuckRecord(BILLING, "web", 0)
    check_events((event,), traffic(), system)

    assert not_applicable(event, traffic(), system) == ""
    with pytest.raises(ValidationError, match=r"source.*'nobody'"):
        check_events((StuckRecord(BILLING, "nobody", 0),), traffic(), system)


def test_of_many_members_an_error_names_a_few() -> None:
    system = replace(SYSTEM, groups={"billing": Group(members=1_000)})
    wrong = RemoveMember("member:billing/x", at_s=1)
    with pytest.raises(ValidationError) as caught:
        check_events((wrong,), traffic(), system)

    few = "member:billing/1, member:billing/2, …, member:billing/1000"
    assert caught.value.allowed == few


def test_a_member_that_came_may_go() -> None:
    events = (
        AddMember(BILLING, at_s=1),
        RemoveMember("member:billing/3", at_s=2),
    )

    check_events(events, traffic(), SYSTEM)


def test_one_member_is_back_before_the_next_is_stopped() -> None:
    with pytest.raises(ValidationError, match="more than down_s, 30"):
        RollingRestart(BILLING, at_s=1, down_s=30, every_s=30)


@pytest.mark.parametrize("session_ms", [5_999, 1_800_001])
def test_a_session_that_no_coordinator_takes_is_refused(session_ms: int) -> None:
    """Source: GroupCoordinatorService.joinGroup, INVALID_SESSION_TIMEOUT."""
    config = ConsumerConfig(session_timeout_ms=session_ms)
    groups = {"billing": Group(config=config)}

    with pytest.raises(ValidationError, match="6000 to 1800000") as caught:
        check_system(Kafka(groups=groups), traffic())
    assert caught.value.path == "groups.billing.config.session_timeout_ms"

    allows = BrokerConfig(
        group_min_session_timeout_ms=5_000, group_max_session_timeout_ms=2_000_000
    )
    check_system(Kafka(groups=groups, broker_config=allows), traffic())

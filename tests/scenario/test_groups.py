import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.groups import is_coordinated, members_of
from kafkasim.scenario.member_events import (
    AddMember,
    RollingRestart,
    StuckRecord,
)
from kafkasim.scenario.members import Member
from kafkasim.scenario.resolution import resolved_system
from kafkasim.scenario.systems import Group, Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

BILLING = "subscriber:billing"


def test_members_that_come_are_named_on_in_the_order_in_which_they_come() -> None:
    events = [
        AddMember(BILLING, at_s=9, instance_id="late"),
        AddMember(BILLING, at_s=5, name="x"),
        AddMember("subscriber:audit", at_s=1),
    ]

    members = members_of("billing", Group(members=2), events)

    assert list(members) == ["billing/1", "billing/2", "billing/x", "billing/4"]
    assert members["billing/4"] == Member(instance_id="late")


def test_a_number_that_is_taken_is_passed_over() -> None:
    group = Group(members={"a": Member(), "3": Member()})

    members = members_of("billing", group, [AddMember(BILLING, at_s=1)])

    assert list(members) == ["billing/a", "billing/3", "billing/4"]


@pytest.mark.parametrize(
    ("group", "events", "expected"),
    [
        (Group(members=3), (), False),
        (Group(start="cold"), (), True),
        (Group(), (Crash(BILLING, at_s=1),), False),
        (Group(), (Crash("member:billing/1", at_s=1),), True),
        (Group(), (Slow("member:billing/1", at_s=1),), True),
        (Group(), (RollingRestart(BILLING, at_s=1),), True),
        (Group(), (StuckRecord(BILLING, "web", 0),), False),
    ],
)
def test_groups_need_coordinators_when_members_join_or_something_befalls_one(
    group: Group, events: tuple[Event, ...], *, expected: bool
) -> None:
    assert is_coordinated(Kafka(groups={"billing": group}), events) == expected


@pytest.mark.parametrize(("protocol", "every_s"), [("classic", 3), ("consumer", 5)])
def test_a_group_that_stands_still_for_a_session_needs_its_coordinator(
    protocol: str, every_s: int
) -> None:
    """Its last heartbeats may be one interval old when it stops (GR-9)."""
    config = ConsumerConfig(group_protocol=protocol)  # type: ignore[arg-type]
    traffic = Traffic(
        {"web": Source("orders", Periodic(1.0))}, {"billing": Subscriber(["orders"])}, 1
    )
    kafka = resolved_system(Kafka(groups={"billing": Group(config=config)}), traffic)
    assert isinstance(kafka, Kafka)

    def needs(for_s: float | None) -> bool:
        return is_coordinated(kafka, [Pause(BILLING, at_s=1, for_s=for_s)])

    assert [needs(each) for each in (45 - every_s, 45.1 - every_s, None)] == [
        False, True, False,
    ]  # fmt: skip

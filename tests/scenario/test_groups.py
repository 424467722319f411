import pytest

from kafkasim.scenario.events import Crash, Event, Slow
from kafkasim.scenario.groups import is_coordinated, members_of
from kafkasim.scenario.member_events import (
    AddMember,
    RollingRestart,
    StuckRecord,
)
from kafkasim.scenario.members import Member
from kafkasim.scenario.systems import Group, Kafka

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

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.members import Member, named
from kafkasim.scenario.systems import Group


def test_members_that_are_counted_have_numbers_for_names() -> None:
    assert list(named(Group(members=3).members)) == ["1", "2", "3"]


def test_members_by_name_are_read_and_written() -> None:
    group = Group.from_dict({"members": {"a": {"instance_id": "x"}, "b": {}}})

    assert group.members == {"a": Member(instance_id="x"), "b": Member()}
    assert group.to_dict() == {"members": {"a": {"instance_id": "x"}, "b": {}}}
    assert Group.from_dict(group.to_dict()) == group


@pytest.mark.parametrize("members", [0, {}, "three", 2.5, [1]])
def test_what_is_no_group_of_members_is_refused(members: object) -> None:
    with pytest.raises(ValidationError, match="names, each with a Member") as caught:
        Group.from_dict({"members": members})

    assert caught.value.path == "members"


def test_a_wrong_field_of_a_member_is_named_with_its_path() -> None:
    with pytest.raises(ValidationError) as caught:
        Group.from_dict({"members": {"a": {"instance": "x"}}})

    assert caught.value.path == "members.a.instance"


def test_an_instance_id_is_not_empty() -> None:
    """Source: ConsumerConfig, group.instance.id."""
    with pytest.raises(ValidationError, match="instance_id"):
        Member(instance_id="")

import pytest

from kafkasim.errors import ValidationError
from kafkasim.ids import Target, member_name


def test_a_target_is_read_and_written_alike() -> None:
    target = Target.parse("member:billing/2")

    assert (target.kind, target.name) == ("member", "billing/2")
    assert str(target) == "member:billing/2"


@pytest.mark.parametrize("text", ["billing", ":billing", "subscriber:", ""])
def test_a_target_without_kind_or_name_is_refused_with_its_path(text: str) -> None:
    with pytest.raises(ValidationError, match=r"events\.0\.target: .*kind:name"):
        Target.parse(text, path="events.0.target")


def test_members_of_a_group_count_from_one() -> None:
    assert member_name("billing", 1) == "billing/1"

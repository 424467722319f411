"""Looking for a coordinator that is named and gone."""

from kafkasim.protocol.groups.group_messages import CoordinatorFound
from tests.protocol.groups.member.driven_member import DrivenMember


def test_the_heartbeat_thread_waits_though_it_is_told_of_one_that_is_gone() -> None:
    """`HeartbeatThread.run`: it waits for `retry.backoff.ms` after each look."""
    member = DrivenMember().is_stable()
    member.disconnects(1_000)

    assert member.waits(1_000) == ["Send FindCoordinator"]
    for again_at in (1_100, 1_200):
        said = member.answers(CoordinatorFound(node=2), again_at - 99)
        said += member.disconnects(again_at - 99)
        assert "Send FindCoordinator" not in said + member.waits(again_at - 1)
        assert member.waits(again_at) == ["Send FindCoordinator"]

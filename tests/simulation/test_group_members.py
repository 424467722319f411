"""What members of groups with coordinators commit, ask and meet."""

from dataclasses import replace

from kafkasim.config.broker import BrokerConfig
from kafkasim.engine.sim.run import run
from kafkasim.protocol.groups.group_messages import (
    Beaten,
    Heartbeat,
)
from kafkasim.protocol.groups.message_bytes import request_bytes, response_bytes
from kafkasim.scenario.events import Crash
from kafkasim.scenario.member_events import AddMember
from tests.simulation.test_coordinated_groups import once_or_more, shop


def test_commits_name_the_leader_epoch_of_the_last_record_and_owners_check_it() -> None:
    leaves = Crash("broker:2", 6.0, clean=True)
    joins = AddMember("subscriber:billing", 8.0)
    result = run(
        shop(brokers=3, members=1, duration_s=15, rate=30, events=[leaves, joins])
    )
    once_or_more(result)
    epochs: dict[tuple[int, int], int] = {}
    columns = ("partition", "base_offset", "record_count", "leader_epoch")
    appends = result.appends[result.appends["topic"] == "orders"]
    rows = zip(*(appends[column] for column in columns), strict=True)
    for partition, base, count, epoch in rows:
        epochs.update(((partition, base + delta), epoch) for delta in range(count))
    stored = result.offsets_topic.query("kind == 'OffsetCommit'")
    at = zip(stored["topic_partition"], stored["committed_offset"], strict=True)
    named = dict(zip(at, stored["epoch"], strict=True))
    read = {at: epoch for at, epoch in named.items() if at[1] > 0}
    assert read == {at: epochs[at[0], at[1] - 1] for at in read}
    assert set(read.values()) == {0, 1}
    assert stored["at_ms"].max() > 14_000  # the new owner's, too
    # Who begins where that is known first asks each leader, once.
    begun = result.assignments.query("since_ms > 8_000 and start_offset > 0")
    leaders = appends.groupby("partition")["leader"].last()
    asked = result.requests.query("api == 'OffsetForLeaderEpoch' and sent_ms > 8_000")
    expected = {
        (f"member:{member}", f"broker:{leaders[partition]}")
        for member, partition in zip(begun["member"], begun["partition"], strict=True)
    }
    assert len(asked) == len(expected) > 1
    assert set(zip(asked["sender"], asked["receiver"], strict=True)) == expected
    first = result.requests.query("api == 'Fetch' and sender == 'member:billing/2'")
    mine = asked[asked["sender"] == "member:billing/2"]
    assert first["sent_ms"].min() >= mine["answered_ms"].min()


def test_an_exception_that_ends_an_application_is_told_among_the_events() -> None:
    scenario = shop(members=2, duration_s=5)
    system = replace(scenario.system, broker_config=BrokerConfig(group_max_size=1))
    result = run(replace(scenario, system=system))
    (row,) = result.events.to_dict("records")
    refused = result.requests.query("error == 'GROUP_MAX_SIZE_REACHED'")
    assert row["event"] == "Exception"
    assert [row["target"]] == list(refused["sender"])
    assert [row["at_ms"]] == list(refused["answered_ms"])
    told = "poll() threw (GROUP_MAX_SIZE_REACHED), and the application has ended"
    assert row["effect"] == told


def test_what_members_and_coordinators_say_has_a_size() -> None:
    requests = run(shop(members=1, duration_s=10, rate=1)).requests
    asked = requests[requests["answered_ms"].notna()]
    member_id = "consumer-billing-1-" + "0" * 36  # a UUID
    beat = Heartbeat(group="billing", generation=1, member_id=member_id)
    size = request_bytes(beat) + response_bytes(beat, Beaten())
    assert set(asked.query("api == 'Heartbeat'")["size_bytes"]) == {size}

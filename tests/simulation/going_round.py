"""Groups that go round: whose work on one poll outlasts `max.poll.interval.ms`.

Such a member leaves while it works (`AbstractCoordinator.BaseHeartbeatThread.run`,
`handlePollTimeoutExpiry`). Its commit after the work is refused, for it is in no group
(`ConsumerCoordinator.sendOffsetCommitRequest`). With its next poll it loses all it had
(`onJoinPrepare`), joins, and begins at the same offsets: it is handed the same records
once more. So it returns records only once in each assignment.

A partition whose records do not come in time for that one poll is never read. They do
not where its leader still owes the member an answer as the work begins:

- The round of `ClassicKafkaConsumer.poll` that learns the committed offsets fetches at
  once what needs no validation, for `updateFetchPositions` validates before it looks
  for committed offsets, and `sendFetches` sends no OffsetForLeaderEpoch. The next round
  asks; but the broker answers a connection in order, after the fetch that waits for
  records for up to `fetch.max.wait.ms`.
- `AbstractFetch.prepareFetchRequests` sends no second fetch to a node of
  `nodesWithPendingFetchRequests`.
- While the application works, the heartbeat thread completes answers
  (`ConsumerNetworkClient.pollNoWakeup`), so the position becomes valid. But only
  `poll()` sends fetches, and the next one has no assignment any more: `FetchCollector`
  throws away what was fetched.

All as in Kafka 4.3.1. No record gets lost; nobody gets on either, and no pause between
two polls is long enough for the fetch.
"""

from typing import NamedTuple

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

ASKED = ("Fetch", "OffsetForLeaderEpoch", "ListOffsets")


class Place(NamedTuple):
    """A partition of a topic that a group reads."""

    group: str
    topic: str
    partition: int


def is_passed_over(
    result: Result, place: Place, config: ConsumerConfig, since_ms: float
) -> bool:
    """Return whether a group goes round, and never comes to fetch a partition.

    So it is if, in every assignment of the partition since its records were there,

    - its owner was at work, but for less than `fetch.max.wait.ms`: no fetch that waits
      its turn comes back sooner;
    - all that it was handed came from one poll, and the work on it took longer than
      `max.poll.interval.ms`, or goes on as the run ends;
    - the partition's leader owed it an answer when that work began.

    And if it has been round twice.

    Parameters
    ----------
    result : Result
        Of a run.
    place : Place
        The partition, and the group.
    config : ConsumerConfig
        Of the group's members.
    since_ms : float
        When the last of the records that are pending was committed.
    """
    end_ms = int(result.facts["end_ns"]) / NS_PER_MS
    rows = result.assignments
    rows = rows[
        (rows.group == place.group)
        & (rows.topic == place.topic)
        & (rows.partition == place.partition)
        & (rows.since_ms >= since_ms)
    ]
    leader = _leader(result, place)
    rounds = 0
    for member, from_ms, until_ms in zip(
        rows.member.astype(str),
        rows.since_ms.astype(float),
        rows.until_ms.fillna(end_ms).astype(float),
        strict=True,
    ):
        most_records = config.max_poll_records
        work = _work(result, member, (from_ms, until_ms), most_records)
        at_work_ms = work.end_ms - work.begin_ms
        if until_ms - from_ms - at_work_ms >= config.fetch_max_wait_ms:
            return False
        if not at_work_ms:
            continue  # it had no time to get anything
        if not _owes(result, leader, member, (from_ms, work.begin_ms)):
            return False
        if at_work_ms > config.max_poll_interval_ms:
            rounds += 1
        elif work.end_ms < end_ms:
            return False
    return rounds > 1


class Work(NamedTuple):
    """That on the records of one poll."""

    begin_ms: float
    end_ms: float


def _work(
    result: Result, member: str, while_ms: tuple[float, float], most_records: int
) -> Work:
    """Return the work of an assignment's one poll.

    None takes no time: it was handed nothing, or by more than one poll.
    """
    since_ms, until_ms = while_ms
    rows = result.deliveries
    rows = rows[(rows.member == member) & rows.fetched_ms.between(since_ms, until_ms)]
    begin_ms = rows.started_ms.min()
    if not len(rows) or len(rows) > most_records or rows.fetched_ms.max() > begin_ms:
        return Work(until_ms, until_ms)
    ends = rows.ended_ms
    return Work(begin_ms, until_ms if ends.isna().any() else min(ends.max(), until_ms))


def _leader(result: Result, place: Place) -> str:
    """Return who led a partition when it was last appended to."""
    rows = result.appends
    there = (rows.topic == place.topic) & (rows.partition == place.partition)
    return f"broker:{rows[there].sort_values('appended_ms').leader.iloc[-1]}"


def _owes(
    result: Result, leader: str, member: str, while_ms: tuple[float, float]
) -> bool:
    """Return whether a broker owes a member, at the end, what it asked meanwhile."""
    since_ms, at_ms = while_ms
    rows = result.requests
    asked = rows.api.isin(ASKED) & rows.sent_ms.between(since_ms, at_ms)
    its = (rows.sender == f"member:{member}") & (rows.receiver == leader)
    return bool((asked & its & ~(rows.answered_ms <= at_ms)).any())

"""Sums of waits, read from the tables of a result alone: one side of Little's law.

Who is still waiting when the run ends counts to the end; a member's fetch and a record
being worked on count no longer than to the member's crash. When a client gave up a
request no column says.
"""

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.request import FETCH
from kafkasim.ids import Target
from kafkasim.result.result import Result
from kafkasim.result.schema import REMOVED_BY
from kafkasim.scenario.applicability import befell
from kafkasim.units import FOREVER_NS, MISSING_NS

Times = NDArray[np.int64]
Rows = NDArray[np.bool_]

"""Later than any run."""


class TabledWaits:
    """The tables of a run, asked for the sum of waits in a stage.

    Parameters
    ----------
    result : Result
        Of a Kafka run, with all its tables.
    end_ns : int
        When it ended.
    """

    def __init__(self, result: Result, end_ns: int) -> None:
        self._end_ns = end_ns
        self._requests = result.columns("requests")
        self._given_up: Rows = self._requests["answered_ns"] == MISSING_NS
        self._given_up &= self._requests["error"] >= 0
        self._records = result.columns("records")
        self._deliveries = result.columns("deliveries")
        self._assignments = result.columns("assignments")
        self._removals = result.columns("removals")
        self._crashes = _crashes(result)
        batches = result.columns("batches")
        sent = np.full(int(batches["batch_id"].max(initial=-1)) + 2, MISSING_NS)
        sent[batches["batch_id"]] = batches["sent_ns"]
        self._sent_ns: Times = sent[self._records["batch_id"]]

    # --- requests -----------------------------------------------------------------

    def in_flight(
        self, api: int, sender: str, broker: int, subscriber: str | None = None
    ) -> int | None:
        """Sum from sending a request to its answer; None if one was given up."""
        requests = self._requests
        mine = (requests["api"] == api) & (requests["receiver"] == broker)
        mine &= requests["sender"] == requests.labels["sender"].index(sender)
        if (mine & self._given_up).any():
            return None
        sent_ns, answered_ns = requests["sent_ns"][mine], requests["answered_ns"][mine]
        return _sum(sent_ns, answered_ns, self._stopped(subscriber, sent_ns))

    def queued(self, broker: int) -> int | None:
        """Sum from reading a request to its IO thread; None if one was given up."""
        requests = self._requests
        mine = (requests["receiver"] == broker) & (
            requests["received_ns"] != MISSING_NS
        )
        waiting = requests["dequeued_ns"] == MISSING_NS
        if (mine & waiting & self._given_up).any():
            return None
        return _sum(
            requests["received_ns"][mine],
            requests["dequeued_ns"][mine],
            self._lost_ns()[mine],
        )

    def handled(self, broker: int) -> int | None:
        """Sum from the IO thread to the answer; None when a row does not say it."""
        requests = self._requests
        mine = requests["receiver"] == broker
        lost = self._given_up | (self._lost_ns() < self._end_ns)
        lost &= requests["done_ns"] == MISSING_NS
        if (mine & lost).any():
            return None
        mine &= requests["dequeued_ns"] != MISSING_NS
        return _sum(
            requests["dequeued_ns"][mine], requests["done_ns"][mine], self._end_ns
        )

    def _lost_ns(self) -> Times:
        """Return when each request's sender stopped caring: its crash, or the end."""
        requests = self._requests
        lost = np.full(len(requests), self._end_ns)
        unanswered = (requests["api"] == FETCH) & (
            requests["answered_ns"] == MISSING_NS
        )
        for code, name in enumerate(requests.labels["sender"]):
            mine = unanswered & (requests["sender"] == code)
            if mine.any():
                subscriber = name.removeprefix("member:").rpartition("/")[0]
                lost[mine] = self._stopped(subscriber, requests["sent_ns"][mine])
        return lost

    # --- records ------------------------------------------------------------------

    def at_producer(self, source: int) -> int:
        """Sum from creating a record to sending it."""
        mine = self._taken(source)
        return _sum(
            self._records["created_ns"][mine], self._sent_ns[mine], self._end_ns
        )

    def to_the_log(self, source: int) -> int:
        """Sum from sending a record to appending it."""
        mine = self._taken(source) & (self._sent_ns != MISSING_NS)
        return _sum(
            self._sent_ns[mine], self._records["appended_ns"][mine], self._end_ns
        )

    def _taken(self, source: int) -> Rows:
        """Return a source's records that its client took."""
        records = self._records
        failed = records.labels["outcome"].index("failed")
        mine: Rows = records["source"] == source
        mine &= records["created_ns"] != MISSING_NS
        mine &= records["outcome"] != failed
        return mine

    def lag(self, group: int, topic: int, partition: int) -> int | None:
        """Sum from appending a record to processing it first, or skipping it.

        None when compaction removed records: who had fetched them before, and so
        processes them nevertheless, the tables do not say.
        """
        records, removals = self._records, self._removals
        compacted = removals["cause"] == REMOVED_BY.index("compaction")
        compacted &= removals["topic"] == topic
        if (compacted & (removals["partition"] == partition)).any():
            return None
        mine = (records["topic"] == topic) & (records["partition"] == partition)
        appended_ns, offsets = records["appended_ns"][mine], records["offset"][mine]
        deliveries = self._deliveries
        done = (deliveries["subscriber"] == group) & (deliveries["topic"] == topic)
        done &= deliveries["partition"] == partition
        done &= deliveries["ended_ns"] != MISSING_NS
        left_ns = np.full(len(records), FOREVER_NS)
        rows = deliveries["record_id"][done]
        np.minimum.at(left_ns, rows, deliveries["ended_ns"][done])
        left_ns = left_ns[mine]
        reads = self._assignments
        begun = (reads["group"] == group) & (reads["topic"] == topic)
        begun &= reads["partition"] == partition
        for since_ns, start in zip(
            reads["since_ns"][begun], reads["start_offset"][begun], strict=True
        ):
            skipped = (offsets < start) & (appended_ns <= since_ns)
            left_ns[skipped] = np.minimum(left_ns[skipped], since_ns)
        return _sum(appended_ns, np.minimum(left_ns, self._end_ns), self._end_ns)

    def at_work(self, member: int, subscriber: str) -> int:
        """Sum from beginning to ending the work on a record."""
        deliveries = self._deliveries
        mine = (deliveries["member"] == member) & (
            deliveries["started_ns"] != MISSING_NS
        )
        started_ns = deliveries["started_ns"][mine]
        return _sum(
            started_ns,
            deliveries["ended_ns"][mine],
            self._stopped(subscriber, started_ns),
        )

    def _stopped(self, subscriber: str | None, since_ns: Times) -> Times:
        """Return the first crash of a subscriber from each time on, or the end."""
        crashes = self._crashes.get(subscriber or "", [])
        stops = np.array([*crashes, self._end_ns], np.int64)
        return stops[np.searchsorted(stops[:-1], since_ns)]


def _sum(entered_ns: Times, left_ns: Times, otherwise_ns: Times | int) -> int:
    """Return the sum of waits; what has not left counts to `otherwise_ns`."""
    left_ns = np.where(left_ns == MISSING_NS, otherwise_ns, left_ns)
    return int((left_ns - entered_ns).sum())


def _crashes(result: Result) -> dict[str, list[int]]:
    """Return the times at which each subscriber crashed, sorted."""
    events = result.columns("events")
    crashes: dict[str, list[int]] = {}
    for event, target, at_ns, effect in zip(
        events["event"].tolist(),
        events["target"].tolist(),
        events["at_ns"].tolist(),
        events["effect"].tolist(),
        strict=True,
    ):
        happened = befell(events.labels["effect"][effect])
        if happened and events.labels["event"][event] == "Crash":
            name = Target.parse(events.labels["target"][target]).name
            crashes.setdefault(name, []).append(at_ns)
    return {name: sorted(times) for name, times in crashes.items()}

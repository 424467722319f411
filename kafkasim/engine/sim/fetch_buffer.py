"""What a consumer has fetched and poll has not returned yet.

Source: `org.apache.kafka.clients.consumer.internals.FetchBuffer`, `FetchCollector` and
`CompletedFetch` (4.3).
"""

from collections import deque
from collections.abc import Iterable, MutableMapping

from kafkasim.engine.sim.at_work import UNSLOWED, Returned, slowed_ns
from kafkasim.engine.sim.fetch_session import Fetched, FetchSession
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.units import MISSING_NS

Buffered = tuple[FetchSession, Partition, int, int, Survivors | None]
"""Session, partition, offset after what was fetched, time, what compaction had left."""


class FetchBuffer:
    """Fetches in the order in which they came; a poll takes records from the oldest.

    Parameters
    ----------
    group, member : int
        Their codes.
    """

    def __init__(self, group: int, member: int) -> None:
        self._group = group
        self._member = member
        self.errors: list[tuple[Partition, int]] = []
        """Partitions with an error that the last poll met, and its code."""
        self.fetches: deque[Buffered] = deque()

    def clear(self) -> None:
        """Throw all away."""
        self.fetches.clear()

    def add(
        self,
        session: FetchSession,
        answer: Iterable[Fetched],
        positions: MutableMapping[int, int],
        now_ns: int,
    ) -> None:
        """Take in the answer to a fetch.

        Parameters
        ----------
        session : FetchSession
            Whose fetch it was.
        answer : iterable of Fetched
            What was read of each partition.
        positions : mapping of int to int
            Where the member is in each partition.
        now_ns : int
            The current time.
        """
        for partition, end_offset, survivors in answer:
            if end_offset > positions[partition.index] or end_offset < 0:
                self.fetches.append((session, partition, end_offset, now_ns, survivors))
                session.buffered += 1

    def take_out(self, partition: Partition) -> list[Buffered]:
        """Take out what there is of a partition."""
        taken = [each for each in self.fetches if each[1] is partition]
        if taken:
            left = [each for each in self.fetches if each[1] is not partition]
            self.fetches.clear()
            self.fetches.extend(left)
        return taken

    def put_back(self, taken: Iterable[Buffered], session: FetchSession) -> None:
        """Put behind all others what was taken out, as another session's."""
        for each in taken:
            self.fetches.append((session, *each[1:]))
            session.buffered += 1

    def rehome(self, partition: Partition, session: FetchSession) -> int:
        """Let what there is of a partition be another session's; return how much."""
        fetches = list(self.fetches)
        self.fetches.clear()
        for each in fetches:
            is_moved = each[1] is partition
            self.fetches.append((session, *each[1:]) if is_moved else each)
        return sum(each[1] is partition for each in fetches)

    def take(
        self,
        most_records: int,
        positions: MutableMapping[int, int],
        now_ns: int,
        slowed: float,
        used_up: list[FetchSession],
    ) -> tuple[list[Returned], int]:
        """Take out what one poll returns, and move the positions on.

        Parameters
        ----------
        most_records : int
            `max.poll.records`.
        positions : mapping of int to int
            Where the member is in each partition.
        now_ns : int
            When work on the first of them begins.
        slowed : float
            Factor on the work.
        used_up : list of FetchSession
            Gets those of which nothing is buffered any more.

        Returns
        -------
        rows : list of Returned
            The records, by partition.
        end_ns : int
            When the work on them ends.
        """
        left = most_records
        at_ns = now_ns
        rows: list[Returned] = []
        self.errors = []
        fetches, group, member = self.fetches, self._group, self._member
        while left and fetches:
            session, partition, to_offset, fetched_ns, survivors = fetches[0]
            index = partition.index
            if to_offset < 0:
                self._drop_first(session, used_up)
                self.errors.append((partition, -1 - to_offset))
                continue
            from_offset = positions[index]
            count = to_offset - from_offset
            cleaned = 0
            if survivors is not None:
                cleaned = survivors.number
                count = survivors.count(from_offset, to_offset)
            if count < left:
                # Asked for one more and found none: only then is a fetch used up
                # (CompletedFetch.fetchRecords), and its broker free for the next.
                self._drop_first(session, used_up)
            else:
                count = left
                to_offset = from_offset + left
                if survivors is not None:
                    to_offset = survivors.offset_after(from_offset, left)
            if to_offset > from_offset:
                # As Returned(...), without the Python function a NamedTuple has there.
                row = tuple.__new__(
                    Returned,
                    (
                        group, member, index, from_offset, to_offset, fetched_ns,
                        at_ns, slowed, MISSING_NS, 0, cleaned,
                    ),
                )  # fmt: skip
                rows.append(row)
                positions[index] = to_offset
                left -= count
                work = partition.work_between(group, from_offset, to_offset, survivors)
                at_ns += work if slowed == UNSLOWED else slowed_ns(work, slowed)
        return rows, at_ns

    def _drop_first(self, session: FetchSession, used_up: list[FetchSession]) -> None:
        self.fetches.popleft()
        session.buffered -= 1
        if not session.buffered and session.request is None:
            used_up.append(session)

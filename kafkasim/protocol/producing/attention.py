"""When Kafka's sender thread looks at the queues, and what it has not seen yet.

The sender sleeps until a node is ready by what it saw last, an answer comes, or an
append wakes it. An append does when it opens a batch, or when its partition's queue
then has more than one batch or a full one (`KafkaProducer.doSend`). Two things happen
that it does not notice by themselves: a tail without room is closed, and then the
record goes into an open batch of another partition (PR-15b); and a thread begins to
wait for memory, after which all that waits may be sent (PR-25).
"""

from collections.abc import Sequence

from kafkasim.protocol.producing.batch import NEVER


class Attention:
    """What the sender of one producer has not seen.

    Parameters
    ----------
    always : bool
        Each look counts, whether there is something new to see or not.

    Attributes
    ----------
    closed : list of int
        Partitions whose tail was closed since it looked; one list for good.
    waits : bool
        A thread has begun to wait since.
    always : bool
        As given.
    late : bool
        Since the last `settle` it saw something later than that happened; between the
        two an answer makes it look earlier.
    wake_ns : int
        When an append last woke it.
    """

    __slots__ = (
        "_looked_ns",
        "_missed_ns",
        "_settled",
        "always",
        "closed",
        "late",
        "waits",
        "wake_ns",
    )

    def __init__(self, *, always: bool) -> None:
        self.always = always
        self.closed: list[int] = []
        self.waits = False
        self.late = False
        self.wake_ns = -1
        self._looked_ns = -1
        self._missed_ns = NEVER
        self.settle()

    @property
    def needed(self) -> bool:
        """Whether its next look makes a difference."""
        return self.always or self.waits or bool(self.closed)

    def missed(self, now_ns: int) -> None:
        """Something has happened that does not wake it."""
        if not self.always:
            self._looked_ns = now_ns - 1
            self._missed_ns = min(self._missed_ns, now_ns)

    def next_ns(self, ready_ns: Sequence[int]) -> int:
        """Return when it looks next, if no answer comes and no append wakes it.

        Parameters
        ----------
        ready_ns : sequence of int
            Per node when it is ready by what the sender has seen.
        """
        looked_ns = self._looked_ns
        next_ns = self.wake_ns if self.wake_ns > looked_ns else NEVER
        for time_ns in ready_ns:
            if looked_ns < time_ns < next_ns:
                next_ns = time_ns
        return next_ns

    def see(self, now_ns: int) -> None:
        """Take note that it sees all that it had missed now."""
        self.late = self.late or now_ns > self._missed_ns
        self._missed_ns = NEVER

    def look(self, now_ns: int) -> None:
        """See everything."""
        self.see(now_ns)
        self.closed.clear()
        self.waits = False
        self._looked_ns = now_ns

    def settle(self) -> None:
        """Make the present state the one to go back to."""
        self.late = False
        self._settled = (
            tuple(self.closed),
            self.waits,
            self.wake_ns,
            self._looked_ns,
            self._missed_ns,
        )

    def go_back(self) -> None:
        """Undo what happened since the last `settle`."""
        self.late = False
        closed, self.waits, self.wake_ns, self._looked_ns, self._missed_ns = (
            self._settled
        )
        self.closed[:] = closed

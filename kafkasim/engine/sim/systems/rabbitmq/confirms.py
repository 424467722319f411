"""What a channel owes its publisher: confirms, as they become due (RQ-14).

A message is confirmed when all queues it was routed to have confirmed it, at once if it
was routed to none, and negatively as soon as one of them cannot take it. Confirms may
come out of order, for queues confirm at different times. What is due together is sent
together: all numbers below the lowest one still unconfirmed, and below the lowest one
of the other sign, go into one frame with `multiple`, every other number has its own.

Sources: RabbitMQ's documentation, "Consumer acknowledgements and publisher confirms";
`rabbit_channel` (`coalesce_and_send`), `rabbit_confirms` (4.3.5).
"""

from collections.abc import Iterable

Frames = list[tuple[int, bool]]
"""(publish_seq_no, multiple) of each basic.ack or basic.nack."""


class Confirms:
    """The numbers of a channel that are not confirmed yet."""

    def __init__(self) -> None:
        self._waiting: dict[int, int] = {}
        """Number → queues that have not confirmed it; numbers ascend."""
        self._confirmed: list[int] = []
        self._refused: list[int] = []

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_due(self) -> bool:
        """Whether something is to be sent now."""
        return bool(self._confirmed or self._refused)

    def expect(self, seq: int, queue_count: int) -> None:
        """Wait for that many queues; for none it is due now."""
        if queue_count:
            self._waiting[seq] = queue_count
        else:
            self._confirmed.append(seq)

    def confirm(self, seqs: Iterable[int]) -> None:
        """Learn that a queue confirms these numbers."""
        waiting = self._waiting
        for seq in seqs:
            left = waiting.get(seq)
            if left == 1:
                del waiting[seq]
                self._confirmed.append(seq)
            elif left is not None:
                waiting[seq] = left - 1

    def answers(self, seqs: list[int]) -> tuple[Frames, Frames]:
        """Learn that a queue confirms these; return what is to be sent now."""
        if len(seqs) == 1 and not (self._confirmed or self._refused):
            seq, waiting = seqs[0], self._waiting
            if waiting.get(seq) == 1:
                del waiting[seq]
                return [(seq, False)], []
        self.confirm(seqs)
        return self.due()

    def refuse(self, seqs: Iterable[int]) -> None:
        """Learn that a queue cannot take these."""
        for seq in seqs:
            if self._waiting.pop(seq, None) is not None:
                self._refused.append(seq)

    def due(self) -> tuple[Frames, Frames]:
        """Return what is to be sent now: each basic.ack, then each basic.nack."""
        confirmed, refused = self._confirmed, self._refused
        if not refused:
            if not confirmed:
                return [], []
            if len(confirmed) == 1:
                return [(confirmed.pop(), False)], []
        self._confirmed, self._refused = [], []
        return self._frames(confirmed, refused), self._frames(refused, confirmed)

    def _frames(self, seqs: list[int], others: list[int]) -> Frames:
        if len(seqs) == 1:
            return [(seqs[0], False)]
        if not seqs:
            return []
        seqs = sorted(seqs)
        cutoff = next(iter(self._waiting), seqs[-1] + 1)
        cutoff = min([cutoff, *others])
        below = [seq for seq in seqs if seq < cutoff]
        together: Frames = [(below[-1], True)] if below else []
        return together + [(seq, False) for seq in seqs[len(below) :]]

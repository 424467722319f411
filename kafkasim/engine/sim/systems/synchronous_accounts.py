"""What must hold of sources that wait for all answers, whatever a scenario does."""

from collections.abc import Iterator, Sequence

from kafkasim.engine.sim.systems.ends import Send, Sending, Subscribing
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.units import MISSING_NS


class AllConserved:
    """Every event is sent, answered by all or given up, and under way once if neither.

    A source has one event under way at most: it waits for as many answers as it has
    sends without one, and all events before that one have come to an end. What a
    subscriber has in hand is what its source waits for, or was sent again because a
    connection broke, or its source has crashed; and no run counts as settled while
    something is left of it.
    """

    rule = "conservation of records"

    def __init__(
        self,
        timeline: Timeline,
        sources: Sequence[Sending],
        subscribers: Sequence[Subscribing],
    ) -> None:
        self._timeline = timeline
        self._sources = sources
        self._subscribers = subscribers
        self._ended = [0] * len(sources)
        """How many events of each source have come to an end."""

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look at every source and every hand."""
        for source in self._sources:
            for text in self._of_source(source):
                yield f"source {source.code}", text
        orphans = 0
        for subscriber in self._subscribers:
            hand = list(subscriber.queue)
            hand += [] if subscriber.at_work is None else [subscriber.at_work]
            where = f"subscriber {subscriber.code}"
            if len(set(map(id, hand))) < len(hand):
                yield where, "an event is in hand twice"
            for send in hand:
                orphans += send.is_orphan
                if not (send.is_orphan or send.is_lost or _is_awaited(send)):
                    yield where, f"event {send.ordinal} that nobody waits for"
        if all(source.loop is None for source in self._sources):
            planned = sum(len(source.intended) for source in self._sources)
            left = planned - sum(self._ended) + orphans
            if self._timeline.unsettled < left:
                yield "the run", f"{self._timeline.unsettled} to settle, {left} left"

    def _of_source(self, source: Sending) -> Iterator[str]:
        """Yield what is wrong with what a source waits for and what it has done."""
        out = sum(send is not None for send in source.current)
        if out != source.waiting:
            yield f"waits for {source.waiting} answers, {out} are out"
        ended = source.next_ordinal - (source.waiting > 0)
        for ordinal in range(self._ended[source.code], ended):
            acked = source.acked_ns[ordinal] != MISSING_NS
            if acked == (ordinal in source.failed):
                yield f"event {ordinal} is {'both' if acked else 'no longer under way'}"
        for send in source.current:
            if send is not None and send.ordinal != ended:
                yield f"waits for event {send.ordinal}, not {ended}"
        self._ended[source.code] = max(self._ended[source.code], ended)


def _is_awaited(send: Send) -> bool:
    """Tell whether it is what its source waits for."""
    return send.source.current[send.position] is send

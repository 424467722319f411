"""What becomes of the records of a run whose system keeps no log."""

from collections.abc import Callable, Iterator, Sequence

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.systems.outlets import Outlet
from kafkasim.engine.sim.systems.sends import ALIVE, Send
from kafkasim.engine.sim.timeline import Timeline

WriteDrop = Callable[[int, int, int, int], None]
"""Takes a row, a subscriber, a time, and the cause's code."""


class PipelineAccounts:
    """Counts what is under way, and writes what was let go.

    Parameters
    ----------
    calendar, timeline
        The run's.
    write_drop : callable
        Writes a row of `drops`.
    from_ns : sequence of int
        When each subscriber comes: what was let go before, it does not miss.
    """

    def __init__(
        self,
        calendar: Calendar,
        timeline: Timeline,
        write_drop: WriteDrop,
        from_ns: Sequence[int],
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self._write_drop = write_drop
        self._from_ns = from_ns
        self.made_count = self.final_count = 0
        self.orphans = 0
        """Let go by their senders while a receiver may still work on them."""

    def made(self) -> None:
        """Take note of a new one."""
        self.made_count += 1
        self._timeline.unsettled += 1

    def settle(self, send: Send) -> None:
        """Take note that it is final: answered, or nobody will work on it."""
        if not send.is_final:
            send.is_final = True
            self.final_count += 1
            self.orphans -= send.cause != ALIVE
            self._timeline.settle(1)

    def let_go(self, send: Send, cause: int) -> None:
        """Take note that its sender will not send it again.

        What is in a receiver's hands is still worked on; if nothing is, and nothing
        was, it is lost to who was to get it.
        """
        if send.is_final:
            return
        self.orphans += send.cause == ALIVE
        send.cause = cause
        if send.live:
            return
        if not send.is_processed:
            self.refuse(send.row, send.readers, cause)
        self.settle(send)

    def refuse(self, row: int, readers: tuple[int, ...], cause: int) -> None:
        """Take note of a record that never comes to some subscribers."""
        now_ns = self._calendar.now_ns
        for code in readers:
            if self._from_ns[code] <= now_ns:
                self._write_drop(row, code, now_ns, cause)


class Conserved:
    """Every record under way is held by its sender, or let go and still worked on."""

    rule = "conservation of records"

    def __init__(self, accounts: PipelineAccounts, outlets: Sequence[Outlet]) -> None:
        self._accounts = accounts
        self._outlets = outlets

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare what was made with what is final, held, or let go."""
        accounts = self._accounts
        held = sum(outlet.held for outlet in self._outlets)
        under_way = accounts.made_count - accounts.final_count
        if under_way != held + accounts.orphans:
            yield "all queues", f"{under_way} != {held} + {accounts.orphans}"


class WithinBounds:
    """A queue holds what is in it, and no more than it may."""

    rule = "bounded queues"

    def __init__(self, outlets: Sequence[Outlet]) -> None:
        self._outlets = outlets

    def broken(self) -> Iterator[tuple[str, str]]:
        """Count what each outlet holds."""
        for number, outlet in enumerate(self._outlets):
            found = len(outlet.queue) + sum(
                len(lane.again) + len(lane.unanswered) + (lane.busy is not None)
                for lane in outlet.lanes
            )
            if found != outlet.held or outlet.held > outlet.limits.events:
                most = outlet.limits.events
                yield f"queue {number}", f"{found}, counted {outlet.held}, most {most}"


class InOrder:
    """With one request at a time a subscriber works on a source's records in order.

    Of each record the first time counts: what is sent again may be done again.
    """

    rule = "order of each pair"

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], int] = {}
        self._found: list[tuple[str, str]] = []

    def processed(self, source: int, subscriber: int, ordinal: int) -> None:
        """Take note of the first time that a subscriber worked on a record."""
        last = self._last.get((source, subscriber), -1)
        if ordinal < last:
            where = f"source {source}, subscriber {subscriber}"
            self._found.append((where, f"{ordinal} after {last}"))
        self._last[source, subscriber] = max(last, ordinal)

    def broken(self) -> Iterator[tuple[str, str]]:
        """Yield what has come out of order."""
        yield from self._found
        self._found.clear()

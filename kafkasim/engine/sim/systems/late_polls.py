"""Whether a member polls too late, in a run without coordinators.

Who works for longer than `max.poll.interval.ms` on what one poll returned has left its
group by then (GR-8). Members of such a run cannot leave, and nothing but the run shows
whether one would. Then it begins anew, with coordinators.
"""

from collections.abc import Callable

from kafkasim.catalogue import say
from kafkasim.engine.sim.application import Application
from kafkasim.engine.sim.at_work import Returned
from kafkasim.errors import ValidationError
from kafkasim.units import NS_PER_MS, ns_from_ms


class LatePoll(Exception):  # noqa: N818 - it is no error of the user's
    """A member would have left its group: the run has to begin anew.

    Parameters
    ----------
    group : str
        Name of the subscriber.
    took_ns : int
        How long it worked on what a poll returned.
    interval_ms : int
        Its `max.poll.interval.ms`.
    """

    def __init__(self, group: str, took_ns: int, interval_ms: int) -> None:
        super().__init__(group)
        self.group = group
        self.took_ms = -(-took_ns // NS_PER_MS)
        self.interval_ms = interval_ms

    def in_streamed_run(self) -> ValidationError:
        """Return what says that a streamed run cannot go on."""
        return ValidationError(
            f"system.groups.{self.group}.config.max_poll_interval_ms",
            self.interval_ms,
            say(
                "at least {took_ms}, the work on one poll, in a streamed run",
                took_ms=self.took_ms,
            ),
            say("a member that polls later leaves its group; run with result='full'"),
        )


class PollWatch:
    """Notices that a member has polled too late, when it writes what it worked on.

    Parameters
    ----------
    write : callable
        Takes a row that is final: work on it is over, or given up.
    now_ns : callable
        Tells the time.
    group : str
        Name of the subscriber.
    interval_ms : int
        Its `max.poll.interval.ms`.
    """

    def __init__(
        self,
        write: Callable[[Returned], None],
        now_ns: Callable[[], int],
        group: str,
        interval_ms: int,
    ) -> None:
        self._write = write
        self._now_ns = now_ns
        self._group = group
        self._interval_ms = interval_ms
        self._interval_ns = ns_from_ms(interval_ms)
        self._application: Application | None = None

    def watch(self, application: Application) -> None:
        """Say whose rows these are."""
        self._application = application

    def returned(self, row: Returned) -> None:
        """Write a row.

        Raises
        ------
        LatePoll
            The poll that returned it is longer ago than may be.
        """
        assert self._application is not None
        took_ns = self._now_ns() - self._application.polled_ns
        if took_ns > self._interval_ns:
            raise LatePoll(self._group, took_ns, self._interval_ms)
        self._write(row)

"""How a member asks its coordinator where to go on.

`poll()` waits for the answer. An error that may pass is met by asking again after a
backoff that doubles.

Source: `ConsumerCoordinator.fetchCommittedOffsets`, `OffsetFetchResponseHandler`
(clients).
"""

from collections.abc import Callable

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE, RETRIABLE
from kafkasim.protocol.groups.group_messages import OffsetFetch, OffsetsFetched
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
from kafkasim.protocol.groups.member.member_effects import (
    Effect,
    OffsetsFound,
    Partitions,
    Raised,
    Send,
)


class CommittedOffsets:
    """What a member wants to know of them.

    Parameters
    ----------
    group : str
        Its name.
    lookup : CoordinatorLookup
        Where the coordinator is.
    backoff_ms : callable
        Returns how long to wait after so many failures, from 0.
    who : callable, optional
        Returns member id and epoch of one of the consumer protocol; None and -1 if it
        has none, as of one that speaks the classic protocol.
    """

    def __init__(
        self,
        group: str,
        lookup: CoordinatorLookup,
        backoff_ms: Callable[[int], int],
        who: Callable[[], tuple[str | None, int]] = lambda: (None, -1),
    ) -> None:
        self._who = who
        self._group = group
        self._lookup = lookup
        self._backoff_ms = backoff_ms
        self.wanted: Partitions = ()
        """Where it does not know to go on."""
        self._asked: OffsetFetch | None = None
        self._not_before_ms = 0
        self._failures = 0

    @property
    def next_ms(self) -> int | None:
        """When it is asked again; None: there is an answer to come, or no need."""
        waits = self.wanted and self._asked is None
        return self._not_before_ms if waits else None

    def want(self, partitions: Partitions, now_ms: int) -> list[Effect]:
        """Ask for these; what was wanted before is not any more."""
        if partitions == self.wanted:
            return []
        self.wanted = partitions
        self._asked = None
        self._failures = 0
        self._not_before_ms = now_ms
        return self.ask(now_ms)

    def ask(self, now_ms: int) -> list[Effect]:
        """Ask, if that is due and can be done."""
        due_ms = self.next_ms
        if due_ms is None or now_ms < due_ms:
            return []
        if self._lookup.node is None:
            return self._lookup.look(now_ms)
        member_id, epoch = self._who()
        self._asked = OffsetFetch(
            group=self._group,
            member_id=member_id,
            member_epoch=epoch,
            partitions=self.wanted,
        )
        return [Send(self._asked)]

    def take(
        self, request: OffsetFetch, response: OffsetsFetched, now_ms: int
    ) -> list[Effect]:
        """Take the answer."""
        if request is not self._asked:
            return []
        error = response.error
        if error == NONE:
            self._asked = None
            self.wanted = ()
            return [OffsetsFound(response.offsets)]
        self.fail(request, now_ms)
        if error in {errors.COORDINATOR_NOT_AVAILABLE, errors.NOT_COORDINATOR}:
            return self._lookup.lose(now_ms)
        is_stale = error == errors.STALE_MEMBER_EPOCH and self._who()[1] > 0
        return [] if is_stale or error in RETRIABLE else [Raised(error)]

    def fail(self, request: OffsetFetch, now_ms: int) -> None:
        """Ask again after a backoff: there will be no answer."""
        if request is self._asked:
            self._asked = None
            self._not_before_ms = now_ms + self._backoff_ms(self._failures)
            self._failures += 1

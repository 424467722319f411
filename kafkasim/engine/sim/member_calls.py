"""What a member calls, and what the parts of its client call."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import Request

MemberT = TypeVar("MemberT")


class MemberCalls(NamedTuple, Generic[MemberT]):
    """What a member calls when something is final."""

    next_request_id: Callable[[], int]
    """Gives the number of the next request."""
    write_request: Callable[[Request, int], None]
    """Takes a request and the time of its answer, missing when it never comes."""
    write_returned: Callable[[Returned], None]
    """Takes a row that is final."""
    on_working: Callable[[int], None]
    """Takes the time at which the work that begins now will end."""
    on_processed: Callable[[int], None]
    """Takes the number of newly processed records at the end of a poll's work."""
    on_reset: Callable[[MemberT, Partition, int], None]
    """Takes a member, a partition and the offset at which it is about to go on, the
    one it had being out of range."""
    on_stopped: Callable[[MemberT], None]
    """Takes a member whose application an exception has ended."""


class ClientCalls(NamedTuple):
    """What the parts of a member's client call."""

    now_ns: Callable[[], int]
    """Tells the time."""
    next_request_id: Callable[[], int]
    """Gives the number of the next request."""
    write_request: Callable[[Request, int], None]
    """As a member's."""
    received: Callable[[Request], None]
    """Is called with a request whose answer has come."""
    on_reset: Callable[[Partition, int], None]
    """Takes a partition and the offset at which the member is about to go on in it."""
    on_retry: Callable[[object], None]
    """Is called when what failed may be tried again."""
    arm_commit: Callable[[int], None]
    """Has the member look, then, whether an automatic commit is due."""
    on_settled: Callable[[], None]
    """Is called when a commit that the application waited for has ended."""

"""A queue of a run, and what its host knows of it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kafkasim.engine.sim.calendar import Rank, key_base
from kafkasim.engine.sim.systems.rabbitmq.node import Node, QueueProcess
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import Written
from kafkasim.units import FOREVER_NS

Copies = tuple[Callable[[int, int], int], Callable[[int, int], int]] | tuple[None, None]
"""What sends to a member and back; nothing for the leader itself."""


class Hosted:
    """A queue: its machine, and what its host knows of it.

    Attributes
    ----------
    ready : int
        Messages that could be handed out.
    came, went : int
        How many messages came in, and how many left.
    hands_out_again : bool
        Whether it has ever handed a message out once more.
    newest : int
        The highest position that it has handed out.
    overtook : str
        What it handed out, never having done so before, after a later message.
    """

    __slots__ = (
        "armed_ns", "came", "code", "hands_out_again", "is_quorum", "key", "machine",
        "members", "newest", "out", "overtook", "process", "ready", "unflushed",
        "unsent", "ways", "went",
    )  # fmt: skip

    def __init__(
        self,
        code: int,
        machine: Any,  # noqa: ANN401 - a classic or a quorum queue
        process: QueueProcess,
        *,
        members: Sequence[int] = (),
        actor: int,
    ) -> None:
        self.code = code
        self.machine = machine
        self.process = process
        process.hosted = self
        self.members = members
        self.is_quorum = bool(members)
        self.ready = self.came = self.went = 0
        self.out: dict[int, int] = {}
        """Messages that were handed out and are not settled, by position."""
        self.hands_out_again = False
        self.newest = -1
        self.overtook = ""
        self.unflushed = 0
        """Bytes that wait for the disk of a classic queue's node."""
        self.unsent: defaultdict[int, int] = defaultdict(int)
        """Bytes that wait to be sent to each member of a quorum queue."""
        self.ways: dict[int, Copies] = {}
        """From its leader to each member, and back."""
        self.armed_ns = FOREVER_NS
        self.key = key_base(Rank.TIMER, actor)


class Copying(NamedTuple):
    """A piece of a quorum queue's log on its way to a member and onto its disk."""

    hosted: Hosted
    written: Written
    leader: Node
    member: Node
    epochs: tuple[int, int]

    @property
    def still_counts(self) -> bool:
        """Whether neither has crashed since it was sent."""
        return self.epochs == (self.leader.epoch, self.member.epoch)

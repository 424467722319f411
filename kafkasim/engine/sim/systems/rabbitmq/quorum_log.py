"""The log of a quorum queue: members, a leader, and what a majority has on disk.

A quorum queue is a log of commands (take this message in, these are acknowledged, here
is a consumer) that its members keep on their disks, three unless said otherwise. One of
them leads. A command counts when a majority has it on disk, the leader among them or
not; then it is *committed* and carried out, in the order of the log (RQ-4, RQ-14).

* Without a majority in sight nothing is committed: what is published stays
  unconfirmed, and acknowledgements free no credit.
* Without a leader nothing is even appended: channels keep what they want to say, and
  say it to the next leader, in order. A command that the next leader does not have is
  said again by its channel in the same way, so it is lost only if the channel is.
* The next leader is a member in sight whose log is at least as far as that of a
  majority. It begins a term, with an entry of its own; what was there before is
  committed with that entry (Raft).

`TRANSITIONS` is the table of its states.

This is Raft as a rule over the states of nodes, not the exchange of its messages: hosts
carry `Replicate` and bring `Written`, but heartbeats and votes are not there. Each
member in sight waits for a random time before it stands for election: 1 to 100 ms if
the leader stopped, 101 to 600 ms if its node went out of sight, as in the library that
the server uses. The first to run out that can win leads; votes take no time. A node
that lost its disk is a member no more, until somebody adds it again, which is not
modelled.

Sources: RabbitMQ's documentation, "Quorum queues"; `ra_server_proc` of RabbitMQ's Raft
library for the waits, `rabbit_fifo_client` (4.3.5) for what channels say again; "In
search of an understandable consensus algorithm" (Ongaro, Ousterhout), 5.3 and 5.4.
Assumed: how long it takes until members miss a node is the host's business (it sends
`NodeDown`); what a member wrote counts when its leader has heard of it.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from kafkasim.engine.sim.systems.rabbitmq.queue_messages import Loss

NOBODY: Final = -1
"""Node of the leader while there is none."""
STOPPED_WAIT_MS: Final = 100
"""Longest wait before an election when the leader stopped (`really_short`)."""
BROADCAST_MS: Final = 100
"""Shortest wait, less 1 ms, when its node is out of sight (`short`)."""
LOST_WAIT_MS: Final = 500
"""Longest wait on top of that."""

Draw = Callable[[int], int]
"""A number from 1 to its argument, both incl., each with the same chance."""

CommandT = TypeVar("CommandT")


class State(StrEnum):
    """States of a quorum queue."""

    LED = "led"
    """There is a leader, and a majority in sight: commands are committed."""
    STALLED = "stalled"
    """There is a leader without a majority."""
    ELECTING = "electing"
    """There is a majority without a leader."""
    LEADERLESS = "leaderless"
    """There is neither."""


class Cause(StrEnum):
    """Why a quorum queue goes from one state to another."""

    LEADER_LOST = "the leader's node went"
    MAJORITY_LOST = "a follower's node went"
    MEMBER_BACK = "a member is back"
    ELECTED = "a member won the election"


TRANSITIONS: Final[Mapping[tuple[State, State], tuple[Cause, ...]]] = MappingProxyType(
    {
        (State.LED, State.STALLED): (Cause.MAJORITY_LOST,),
        (State.LED, State.ELECTING): (Cause.LEADER_LOST,),
        (State.LED, State.LEADERLESS): (Cause.LEADER_LOST,),
        (State.STALLED, State.LED): (Cause.MEMBER_BACK,),
        (State.STALLED, State.LEADERLESS): (Cause.LEADER_LOST,),
        (State.ELECTING, State.LED): (Cause.ELECTED,),
        (State.ELECTING, State.LEADERLESS): (Cause.MAJORITY_LOST,),
        (State.LEADERLESS, State.ELECTING): (Cause.MEMBER_BACK,),
    }
)
"""What leads from one state to another; no other way is legal."""


class IllegalTransitionError(Exception):
    """A queue was to go a way that is not in `TRANSITIONS`; it stayed where it was."""


class QuorumLog(Generic[CommandT]):
    """The log, with its members all in sight at the start.

    Parameters
    ----------
    members : sequence of int
        Nodes that keep it.
    leader : int
        The one that leads at the start, in term 1.
    draw : Draw
        For the waits before elections.
    """

    def __init__(self, members: Sequence[int], leader: int, draw: Draw) -> None:
        self.members = tuple(members)
        self.leader = leader
        self.term = 1
        self.last = 0
        """Index of the last entry of the leader; the first one is 1."""
        self.committed = 0
        """Index up to which commands have been carried out."""
        self.state = State.LED
        self._draw = draw
        self.size = len(self.members)
        self.majority = len(self.members) // 2 + 1
        """How many members decide."""
        self._online = dict.fromkeys(self.members, True)
        self._disk = dict.fromkeys(self.members, 0)
        """Up to which index each member has the log on disk."""
        self._sent = dict.fromkeys(self.members, 0)
        self._entries: deque[CommandT | None] = deque()
        """Commands behind `committed`; None begins a term."""
        self._starts = [1]
        """Index of the first entry of each term that has entries here."""
        self._terms = [1]
        self._waits: dict[int, int] = {}
        """When each member in sight stands for election."""

    # Entries

    def append(self, command: CommandT | None) -> int:
        """Append an entry to the leader's log and return its index."""
        self._entries.append(command)
        self.last += 1
        return self.last

    def unsent(self) -> list[tuple[int, int, int]]:
        """Return (node, first, last) that the leader is to send, and count it sent."""
        sent = dict(self._sent)
        return [(node, sent[node] + 1, last) for node, last in self.unsent_ends()]

    def unsent_ends(self) -> list[tuple[int, int]]:
        """Return (node, last) of the same."""
        if self.leader == NOBODY:
            return []
        last, online, found = self.last, self._online, []
        for node, sent in self._sent.items():
            if sent < last and online[node]:
                found.append((node, last))
                self._sent[node] = last
        return found

    def heard(self, node: int, index: int) -> None:
        """Learn that a member has an index on disk that is committed already, or not.

        It commits nothing by itself; `written` of another member does.
        """
        if self._online.get(node, False) and index > self._disk[node]:
            self._disk[node] = index

    def written(self, node: int, index: int, term: int) -> list[CommandT | None]:
        """Learn that a member has the log on disk up to an index.

        Returns
        -------
        list
            Entries that are committed by that, the last of them at `committed`; an
            answer to a leader of an older term commits nothing.
        """
        if term != self.term or not self._online.get(node, False):
            return []
        self._disk[node] = max(self._disk[node], index)
        commit = sorted(self._disk.values())[-self.majority]
        if commit <= self.committed or commit < self._starts[-1]:
            return []
        entries = [self._entries.popleft() for _ in range(commit - self.committed)]
        self.committed = commit
        return entries

    # Members

    @property
    def has_majority(self) -> bool:
        """Whether enough members are in sight."""
        return sum(self._online.values()) >= self.majority

    @property
    def next_deadline_ms(self) -> int | None:
        """When the next member stands for election, if one may win."""
        if self.state != State.ELECTING:
            return None
        return min(self._waits.values())

    def node_down(self, node: int, how: Loss, now_ms: int) -> None:
        """Lose sight of a member; nothing happens if nobody saw it before."""
        if not self._online.get(node, False):
            return
        self._online[node] = False
        self._waits.pop(node, None)
        if node == self.leader:
            self.leader = NOBODY
            state = State.ELECTING if self.has_majority else State.LEADERLESS
            self.go(state, Cause.LEADER_LOST)
            self._wait(how, now_ms)
        elif not self.has_majority and self.state == State.LED:
            self.go(State.STALLED, Cause.MAJORITY_LOST)
        elif not self.has_majority and self.state == State.ELECTING:
            self.go(State.LEADERLESS, Cause.MAJORITY_LOST)

    def node_up(self, node: int, now_ms: int) -> None:
        """See a member again; it goes on where its disk ends."""
        if self._online.get(node, True):
            return
        self._online[node] = True
        self._sent[node] = self._disk[node]
        if self.has_majority and self.state == State.STALLED:
            self.go(State.LED, Cause.MEMBER_BACK)
        elif self.has_majority and self.state == State.LEADERLESS:
            self.go(State.ELECTING, Cause.MEMBER_BACK)
            self._wait(Loss.CRASHED, now_ms)
        elif self.state == State.ELECTING:
            self._waits[node] = now_ms + self._delay(Loss.CRASHED)

    def _wait(self, how: Loss, now_ms: int) -> None:
        self._waits = {
            node: now_ms + self._delay(how)
            for node in self.members
            if self._online[node]
        }

    def _delay(self, how: Loss) -> int:
        if how == Loss.STOPPED:
            return self._draw(STOPPED_WAIT_MS)
        return BROADCAST_MS + self._draw(LOST_WAIT_MS)

    # Elections

    def elect(self, now_ms: int) -> list[CommandT] | None:
        """Let members stand for election whose time has come.

        Returns
        -------
        list or None
            None if nobody won. Otherwise what the new leader does not have: the
            channels that said it are to say it again.
        """
        while self.state == State.ELECTING:
            node = min(self._waits, key=self._waits.__getitem__)
            if self._waits[node] > now_ms:
                return None
            if self._wins(node):
                return self._lead(node)
            self._waits[node] = now_ms + self._delay(Loss.CRASHED)
        return None

    def _end(self, node: int) -> tuple[int, int]:
        """Return term and index of the last entry on a member's disk."""
        index = self._disk[node]
        place = bisect_right(self._starts, index) - 1
        return (self._terms[place] if place >= 0 else 0), index

    def _wins(self, node: int) -> bool:
        """Whether a majority votes for it: those whose logs are not ahead of its."""
        end = self._end(node)
        votes = [other for other in self.members if self._online[other]]
        return sum(self._end(other) <= end for other in votes) >= self.majority

    def _lead(self, node: int) -> list[CommandT]:
        """Begin a term with what this member has."""
        last = self._disk[node]
        assert last >= self.committed
        behind = [self._entries.pop() for _ in range(self.last - last)]
        while self._starts and self._starts[-1] > last:
            del self._starts[-1], self._terms[-1]
        self.leader, self.last = node, last
        self.term += 1
        for member in self.members:
            self._disk[member] = min(self._disk[member], last)
            self._sent[member] = self._disk[member]
        self._starts.append(self.append(None))
        self._terms.append(self.term)
        self._waits.clear()
        self.go(State.LED, Cause.ELECTED)
        return [command for command in reversed(behind) if command is not None]

    def go(self, state: State, cause: Cause) -> None:
        """Go to another state.

        Raises
        ------
        IllegalTransitionError
            `TRANSITIONS` has no such way for that cause; nothing is changed.
        """
        if cause not in TRANSITIONS.get((self.state, state), ()):
            raise IllegalTransitionError(f"from {self.state} to {state}, {cause}")
        self.state = state

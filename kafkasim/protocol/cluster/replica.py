"""What a leader knows of its followers: the ISR, the high watermark, acks=all.

The leader's part of `Partition`, `Replica` and `ReplicaState` of Kafka's broker. A
leader learns where a follower's log ends from the offset that the follower asks for
next. From that follow the high watermark (all below it is committed), who counts as in
sync, and the answer to a producer that waits for all. The ISR itself belongs to the
controller: the leader asks for another one, one request at a time, and until the answer
comes it works with the larger of the two.

Nothing here waits or sends. `LeaderState.wants` says what to ask the controller for.
"""

from collections.abc import Sequence
from typing import Final

from kafkasim.protocol.errors import (
    INELIGIBLE_REPLICA,
    NONE,
    NOT_ENOUGH_REPLICAS_AFTER_APPEND,
)

_NEVER: Final = -(1 << 62)
"""A time before any other; Kafka writes 0, which no run of its clock comes near."""
_UNKNOWN: Final = -1
"""The log end of a follower that has not fetched from this leader."""


class _Follower:
    """What the leader knows of one follower (`ReplicaState`)."""

    __slots__ = (
        "caught_up_ns", "counts", "eligible", "fetched_ns", "leader_end", "log_end",
        "node",
    )  # fmt: skip

    def __init__(self, node: int, *, in_isr: bool, now_ns: int) -> None:
        self.node = node
        self.log_end = _UNKNOWN
        self.leader_end = _UNKNOWN
        """Where the leader's log ended when this follower last fetched."""
        self.fetched_ns = _NEVER
        self.caught_up_ns = now_ns if in_isr else _NEVER
        self.counts = in_isr
        """Whether it is in the maximal ISR."""
        self.eligible = False
        """Whether it may join the ISR; not before it has fetched."""


class LeaderState:
    """A leader's view of its partition, for one leader epoch.

    A change of the ISR goes in three steps: a method leaves it in `wants`, `ask` marks
    it as sent, and `altered` or `refused` tell how it went. While one is wanted or
    under way no other is (BR-19). `altered` also takes a change that the controller
    made on its own. A late answer to a question that such a change has settled is to be
    dropped: compare `altering` with what was asked.

    Parameters
    ----------
    node : int
        The leader.
    replicas, isr : sequence of int
        Nodes that hold the partition and those in sync, the leader among both.
    leader_epoch, partition_epoch : int
        As the controller counts them.
    epoch_start : int
        Offset at which the leader's log ended when it was elected.
    log_end, high_watermark : int
        Offsets, as the leader's log has them.
    min_isr : int
        `min.insync.replicas`. Where there are fewer replicas their number holds (BR-7).
    lag_max_ns : int
        `replica.lag.time.max.ms`, in nanoseconds.
    now_ns : int
        When it was elected. A follower in the ISR counts as caught up then, and one
        outside it as never (`Replica.resetReplicaState`).
    """

    __slots__ = (
        "_followers", "_lag_max_ns", "_others", "altering", "epoch_start",
        "high_watermark", "isr", "leader_epoch", "log_end", "min_isr", "node",
        "partition_epoch", "under_min_isr", "wants",
    )  # fmt: skip

    def __init__(
        self,
        *,
        node: int,
        replicas: Sequence[int],
        isr: Sequence[int],
        leader_epoch: int,
        partition_epoch: int,
        epoch_start: int,
        log_end: int,
        high_watermark: int,
        min_isr: int,
        lag_max_ns: int,
        now_ns: int,
    ) -> None:
        self.node = node
        self.isr = tuple(isr)
        """The ISR that the controller has committed."""
        self.leader_epoch = leader_epoch
        self.partition_epoch = partition_epoch
        self.epoch_start = epoch_start
        self.log_end = log_end
        self.high_watermark = high_watermark
        self.min_isr = min(min_isr, len(replicas))
        self.under_min_isr = len(self.isr) < self.min_isr
        self.wants: tuple[int, ...] | None = None
        """The ISR to ask the controller for."""
        self.altering: tuple[int, ...] | None = None
        """The ISR that it was asked for."""
        self._lag_max_ns = lag_max_ns
        self._others = tuple(
            _Follower(other, in_isr=other in self.isr, now_ns=now_ns)
            for other in replicas
            if other != node
        )
        self._followers = {follower.node: follower for follower in self._others}

    @property
    def maximal_isr(self) -> tuple[int, ...]:
        """The ISR with who is about to join, and with who is about to leave (BR-14)."""
        pending = self.wants or self.altering
        return self.isr if pending is None or len(pending) < len(self.isr) else pending

    @property
    def log_ends(self) -> dict[int, int]:
        """Where each node's log ends, as the leader knows; -1: it never fetched."""
        ends = {follower.node: follower.log_end for follower in self._others}
        return {self.node: self.log_end} | ends

    def appended(self, log_end: int, now_ns: int) -> bool:
        """Take note of where the leader's log ends after an append.

        Returns
        -------
        bool
            Whether the high watermark moved: it does if nobody else is in the ISR.
        """
        self.log_end = log_end
        return self._advance(now_ns)

    def fetched(
        self, node: int, fetch_offset: int, now_ns: int, *, eligible: bool = True
    ) -> bool:
        """Learn from a fetch where a follower's log ends (BR-10).

        `wants` is set if it may join the ISR.

        Parameters
        ----------
        node : int
            The follower.
        fetch_offset : int
            What it asks for, so where its log ends.
        now_ns : int
            When the leader reads the request.
        eligible : bool, default True
            Whether the controller would have it in the ISR: it is not fenced, not
            shutting down, and the same process as the controller knows
            (`Partition.isReplicaIsrEligible`).

        Returns
        -------
        bool
            Whether the high watermark moved.
        """
        follower = self._followers[node]
        log_end = self.log_end
        if fetch_offset >= log_end:
            reached_ns = now_ns
        elif fetch_offset >= follower.leader_end:
            reached_ns = follower.fetched_ns
        else:
            reached_ns = _NEVER
        if reached_ns > follower.caught_up_ns:  # noqa: PLR1730 - faster than max
            follower.caught_up_ns = reached_ns
        follower.leader_end = log_end
        follower.fetched_ns = now_ns
        follower.eligible = eligible
        before = follower.log_end
        follower.log_end = fetch_offset
        if eligible and not follower.counts:
            self._maybe_expand(follower)
        return fetch_offset != before and self._advance(now_ns)

    def eligibility(self, node: int, *, eligible: bool) -> None:
        """Take note that the controller fenced a follower or let it in again.

        A follower outside the ISR that cannot join does not hold the high watermark,
        from the next time that it is worked out. To be said before `altered` where both
        come in one metadata batch. One that started anew is not eligible until it
        fetches, and neither is one that has not fetched from this leader
        (`isBrokerEpochIsrEligible`).
        """
        follower = self._followers[node]
        follower.eligible = eligible and follower.log_end != _UNKNOWN

    def shrinkable(self, now_ns: int) -> bool:
        """Look for members of the ISR that lag, each half `replica.lag.time.max.ms`.

        Returns
        -------
        bool
            Whether there are any: then `wants` is the ISR without them (BR-15, BR-17).
        """
        if self._is_pending():
            return False
        lagging = [
            follower.node
            for follower in self._others
            if follower.counts and not self._is_caught_up(follower, now_ns)
        ]
        if not lagging:
            return False
        self.wants = tuple(node for node in self.isr if node not in lagging)
        return True

    def ask(self) -> tuple[int, ...]:
        """Mark what is wanted as sent to the controller.

        Returns
        -------
        tuple of int
            The ISR to ask for, together with `leader_epoch` and `partition_epoch`.

        Raises
        ------
        ValueError
            Nothing is wanted.
        """
        if self.wants is None:
            raise ValueError("no other ISR is wanted")
        self.altering, self.wants = self.wants, None
        return self.altering

    def altered(self, isr: Sequence[int], partition_epoch: int, now_ns: int) -> bool:
        """Take the ISR as the controller has it now, answering or of its own accord.

        What was pending is settled with it. An older partition epoch than the one known
        is passed over (`Partition.handleAlterPartitionUpdate`, `makeLeader`).

        Returns
        -------
        bool
            Whether the high watermark moved.
        """
        if partition_epoch < self.partition_epoch:
            return False
        self.partition_epoch = partition_epoch
        self.isr = tuple(isr)
        self.under_min_isr = len(self.isr) < self.min_isr
        self._settle()
        return self._advance(now_ns)

    def refused(self, error: int, *, retry: bool) -> None:
        """Learn that the controller refused, or that it could not be asked.

        Parameters
        ----------
        error : int
            A code of `kafkasim.protocol.errors`. INELIGIBLE_REPLICA says that nothing
            was changed, so the committed ISR is the state again. After any other error
            nobody knows: what was asked for stays pending until the metadata tell
            (`Partition.handleAlterPartitionError`).
        retry : bool
            Whether the same question is sent again: then it is still under way.
        """
        if error == INELIGIBLE_REPLICA and not retry:
            self._settle()

    def verdict(self, end_offset: int) -> int | None:
        """Answer a producer that waits for all (`checkEnoughReplicasReachOffset`).

        Parameters
        ----------
        end_offset : int
            The offset after the last record of its batch.

        Returns
        -------
        int or None
            An error's code, `NONE` for success; None: it has to wait (BR-6).
        """
        if self.high_watermark < end_offset:
            return None
        if self.under_min_isr and len(self.maximal_isr) < self.min_isr:
            return NOT_ENOUGH_REPLICAS_AFTER_APPEND
        return NONE

    def _advance(self, now_ns: int) -> bool:
        """Work out the high watermark (`maybeIncrementLeaderHW`; BR-12, BR-13)."""
        if self.under_min_isr:
            return False
        lowest = self.log_end
        high_watermark = self.high_watermark
        if lowest <= high_watermark:
            return False
        for follower in self._others:
            end = follower.log_end
            if end < lowest and (
                follower.counts
                or (follower.eligible and self._is_caught_up(follower, now_ns))
            ):
                if end <= high_watermark:
                    return False
                lowest = end
        self.high_watermark = lowest
        return True

    def _is_caught_up(self, follower: _Follower, now_ns: int) -> bool:
        """Whether it counts as in sync (`ReplicaState.isCaughtUp`)."""
        return (
            follower.log_end == self.log_end
            or now_ns - follower.caught_up_ns <= self._lag_max_ns
        )

    def _is_pending(self) -> bool:
        return self.wants is not None or self.altering is not None

    def _maybe_expand(self, follower: _Follower) -> None:
        """Want it in the ISR if it has all that is committed (BR-18)."""
        if self._is_pending():
            return
        if (
            follower.log_end >= self.high_watermark
            and follower.log_end >= self.epoch_start
        ):
            self.wants = (*self.isr, follower.node)
            follower.counts = True

    def _settle(self) -> None:
        """Let the committed ISR be the maximal one: nothing is pending."""
        self.wants = self.altering = None
        for follower in self._others:
            follower.counts = follower.node in self.isr

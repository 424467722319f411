"""A leader's view of its partition, said plainly: the past is kept and read anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Isr = tuple[int, ...]


class Fetch(NamedTuple):
    at: int
    offset: int
    leader_end: int


@dataclass
class PlainLeader:
    """Rules BR-6 to BR-20, each where one would look for it; node 0 leads."""

    replicas: int
    isr: Isr
    log_end: int
    high_watermark: int
    epoch_start: int
    min_isr: int
    lag: int
    elected_at: int
    partition_epoch: int = 0
    pending: Isr | None = None
    fetches: dict[int, list[Fetch]] = field(default_factory=dict)
    ineligible: set[int] = field(default_factory=set)
    caught_up_at_election: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.fetches = {node: [] for node in range(1, self.replicas)}
        self.caught_up_at_election = frozenset(self.isr)

    def end_of(self, node: int) -> int:
        return self.fetches[node][-1].offset if self.fetches[node] else -1

    def maximal_isr(self) -> set[int]:
        return set(self.isr) | set(self.pending or ())

    def under_min_isr(self) -> bool:
        return len(self.isr) < min(self.min_isr, self.replicas)

    def is_in_sync(self, node: int, now: int) -> bool:
        times = [self.elected_at] if node in self.caught_up_at_election else []
        times += [
            fetch.at for fetch in self.fetches[node] if fetch.offset >= fetch.leader_end
        ]
        times += [
            earlier.at
            for earlier, later in zip(
                self.fetches[node], self.fetches[node][1:], strict=False
            )
            if later.offset >= earlier.leader_end
        ]
        return self.end_of(node) == self.log_end or any(
            now - at <= self.lag for at in times
        )

    def append(self, count: int, now: int) -> None:
        self.log_end += count
        self.advance(now)

    def fetch(self, node: int, offset: int, now: int, *, eligible: bool) -> None:
        before = self.end_of(node)
        self.fetches[node].append(Fetch(now, offset, self.log_end))
        self.set_eligible(node, eligible=eligible)
        has_what_is_committed = offset >= max(self.high_watermark, self.epoch_start)
        outside = node not in self.isr and self.pending is None
        if outside and eligible and has_what_is_committed:
            self.pending = (*self.isr, node)
        if offset != before:
            self.advance(now)

    def set_eligible(self, node: int, *, eligible: bool) -> None:
        self.ineligible = (
            self.ineligible - {node} if eligible else self.ineligible | {node}
        )

    def check_for_laggards(self, now: int) -> None:
        in_sync = tuple(n for n in self.isr if n == 0 or self.is_in_sync(n, now))
        if self.pending is None and in_sync != self.isr:
            self.pending = in_sync

    def alter(self, isr: Sequence[int], partition_epoch: int, now: int) -> None:
        if partition_epoch >= self.partition_epoch:
            self.isr, self.partition_epoch = tuple(isr), partition_epoch
            self.pending = None
            self.advance(now)

    def advance(self, now: int) -> None:
        waited_for = self.maximal_isr() - {0} | {
            node
            for node in self.fetches
            if self.is_in_sync(node, now)
            and self.fetches[node]
            and node not in self.ineligible
        }
        if not self.under_min_isr():
            candidate = min([self.log_end, *map(self.end_of, waited_for)])
            self.high_watermark = max(self.high_watermark, candidate)

"""A leader's state and a plain one that are told the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import strategies as st

from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.errors import INELIGIBLE_REPLICA, NOT_CONTROLLER
from tests.protocol.cluster.plain_leader import PlainLeader

LAG = 10


class Step(NamedTuple):
    """What happens next; each kind makes of a number and a flag what it needs."""

    kind: str
    number: int
    pause: int
    flag: bool


KINDS = ("append", "fetch", "check", "answer", "refuse", "fence", "remove", "recall")
STEPS = st.lists(
    st.builds(
        Step,
        kind=st.sampled_from([*KINDS, "fetch", "fetch"]),
        number=st.integers(0, 6),
        pause=st.sampled_from([0, 0, 1, 2, LAG + 1]),
        flag=st.booleans(),
    ),
    max_size=40,
)


@dataclass
class Pair:
    """Both, and where the followers' logs really end."""

    state: LeaderState
    plain: PlainLeader
    ends: dict[int, int]
    now: int = 0

    def take(self, step: Step) -> None:
        self.now += step.pause
        node = 1 + step.number % (self.plain.replicas - 1)
        match step.kind:
            case "append":
                self._append(step.number)
            case "fetch":
                self._fetch(node, grows=step.flag, eligible=step.number != 0)
            case "check":
                self._check()
            case "answer" | "refuse" if self.state.altering is not None:
                self._hear(self.state.altering, step)
            case "fence":
                self.state.eligibility(node, eligible=step.flag)
                self.plain.set_eligible(node, eligible=step.flag)
            case "remove":
                self._alter(tuple(n for n in self.plain.isr if n != node), 1)
            case "recall":
                self._alter((0,), -1)
            case _:
                pass  # nothing to hear of
        if self.state.wants is not None and (step.flag or step.kind == "check"):
            assert self.state.ask() == self.plain.pending

    def _told(self, moves: Callable[[], bool], plainly: Callable[[], None]) -> None:
        before = self.plain.high_watermark
        moved = moves()
        plainly()
        assert moved == (self.plain.high_watermark > before)

    def _append(self, count: int) -> None:
        end = self.plain.log_end + count
        self._told(
            lambda: self.state.appended(end, self.now),
            lambda: self.plain.append(count, self.now),
        )

    def _fetch(self, node: int, *, grows: bool, eligible: bool) -> None:
        if grows:
            self.ends[node] = min(self.ends[node] + node, self.plain.log_end)
        end, now = self.ends[node], self.now
        self._told(
            lambda: self.state.fetched(node, end, now, eligible=eligible),
            lambda: self.plain.fetch(node, end, now, eligible=eligible),
        )

    def _check(self) -> None:
        before = self.plain.pending
        self.plain.check_for_laggards(self.now)
        assert self.state.shrinkable(self.now) == (before != self.plain.pending)

    def _hear(self, isr: tuple[int, ...], step: Step) -> None:
        if step.kind == "answer":
            self._alter(isr, 1)
        elif step.flag:
            self.state.refused(INELIGIBLE_REPLICA, retry=False)
            self.plain.pending = None
        else:
            self.state.refused(NOT_CONTROLLER, retry=True)

    def _alter(self, isr: tuple[int, ...], epochs_on: int) -> None:
        epoch = self.plain.partition_epoch + epochs_on
        self._told(
            lambda: self.state.altered(isr, epoch, self.now),
            lambda: self.plain.alter(isr, epoch, self.now),
        )


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Leaders just elected, with up to three followers."""
    replicas = draw(st.integers(2, 4))
    log_end = draw(st.integers(0, 6))
    high_watermark = draw(st.integers(0, log_end))
    isr = (0, *sorted(draw(st.sets(st.integers(1, replicas - 1)))))
    min_isr = draw(st.integers(1, 3))
    epoch_start = draw(st.integers(high_watermark, log_end))
    ends = {
        node: draw(st.integers(high_watermark if node in isr else 0, log_end))
        for node in range(1, replicas)
    }
    state = LeaderState(
        node=0,
        replicas=range(replicas),
        isr=isr,
        leader_epoch=1,
        partition_epoch=0,
        epoch_start=epoch_start,
        log_end=log_end,
        high_watermark=high_watermark,
        min_isr=min_isr,
        lag_max_ns=LAG,
        now_ns=0,
    )
    plain = PlainLeader(
        replicas, isr, log_end, high_watermark, epoch_start, min_isr, LAG, elected_at=0
    )
    return Pair(state, plain, ends)

"""An outlet by itself: what it holds, sends, and sends again."""

from collections.abc import Callable

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.systems.outlets import Limits, Outlet
from kafkasim.engine.sim.systems.pipeline_accounts import PipelineAccounts
from kafkasim.engine.sim.systems.sends import SOURCE_CRASHED, Request, Send
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.scenario.hardware import Link
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.units import NS_PER_MS
from tests.engine.sim.systems.pipes import MS, world

LIMITS = Limits(
    events=3,
    size_bytes=float("inf"),
    window=2,
    timeout_ns=50 * MS,
    backoff_ns=10 * MS,
    backoff_max_ns=25 * MS,
)


class Desk:
    """A receiver that keeps what comes, and an owner that notes what it is told."""

    def __init__(self) -> None:
        self.is_up = True
        self.came: list[Request] = []
        self.told: list[str] = []

    def arrive(self, request: Request) -> None:
        if request.is_lost:
            return
        if self.is_up:
            request.has_arrived = True
            self.came.append(request)
        else:
            request.lane.outlet.refuse(request)

    def answered(self, send: Send) -> None:
        self.told.append(f"answered {send.ordinal}")

    def given_up(self, send: Send) -> None:
        self.told.append(f"given up {send.ordinal}")

    def has_room(self) -> None:
        self.told.append("room")


class Bench:
    """An outlet to a desk 1 ms away."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.calendar = Calendar()
        self.desk = Desk()
        self.drops: list[tuple[int, int, int, int]] = []
        timeline = Timeline(self.calendar, world(PointToPoint()).resolve())
        timeline.unsettled = 1_000

        def drop(row: int, code: int, at_ns: int, cause: int) -> None:
            self.drops.append((row, code, at_ns, cause))

        self.accounts = PipelineAccounts(self.calendar, timeline, drop, [0])
        self.outlet = Outlet(
            calendar=self.calendar,
            actor=7,
            limits=limits,
            owner=self.desk,
            receiver=self.desk,
            accounts=self.accounts,
        )
        link = Link(delay_ms=1.0)
        ways = [Pipe(Nic(1e9), link, seed=0, name=name) for name in ("up", "down")]
        self.outlet.connect(*ways)

    def offer(self, *ordinals: int) -> None:
        for ordinal in ordinals:
            self.outlet.offer(Send(ordinal, ordinal, (0,), 10))

    def at(self, at_ms: float, act: Callable[[], object]) -> None:
        self.calendar.at(round(at_ms * NS_PER_MS), 0, lambda _: act(), None)

    def until(self, at_ms: float) -> list[tuple[float, int]]:
        """Run; return when what came was sent, and which it was."""
        self.calendar.run_entries(round(at_ms * NS_PER_MS))
        return [(each.sent_ns / MS, each.send.ordinal) for each in self.desk.came]


def test_it_sends_as_many_as_its_window_lets_it() -> None:
    bench = Bench()
    bench.offer(0, 1, 2)

    assert bench.outlet.is_full(1)
    assert bench.until(3) == [(0, 0), (0, 1)]
    bench.outlet.answer(bench.desk.came[0])
    assert bench.until(6) == [(0, 0), (0, 1), (4, 2)]
    assert bench.desk.told == ["answered 0", "room"]
    assert not bench.outlet.is_full(1)
    assert bench.outlet.held == 2


def test_an_empty_queue_takes_a_record_of_any_size() -> None:
    outlet = Bench(LIMITS._replace(size_bytes=5)).outlet

    assert not outlet.is_full(1_000)


def test_without_an_answer_all_is_sent_again_in_order_before_what_is_new() -> None:
    bench = Bench()
    bench.offer(0, 1, 2)

    # 50 without an answer, 10 to wait, 2 to connect; then 20 to wait.
    assert bench.until(130) == [
        *[(0, 0), (0, 1)],
        *[(62, 0), (62, 1)],
    ]
    assert bench.until(140)[4:] == [(134, 0), (134, 1)]
    # And never more than 25.
    assert bench.until(220)[6:] == [(211, 0), (211, 1)]


def test_an_answer_sets_the_wait_back() -> None:
    bench = Bench()
    bench.offer(0)
    bench.until(63.5)
    bench.outlet.answer(bench.desk.came[1])
    bench.until(70)
    bench.offer(1)

    assert bench.until(135)[2:] == [(70, 1), (132, 1)]


def test_time_counts_from_the_last_answer() -> None:
    bench = Bench()
    bench.offer(0, 1)
    bench.at(40, lambda: bench.outlet.answer(bench.desk.came[0]))

    # Answered at 41: the other has until 91.
    assert bench.until(102)[2:] == []
    assert bench.until(105)[2:] == [(103, 1)]


def test_an_answer_on_a_closed_connection_is_not_heard() -> None:
    bench = Bench()
    bench.offer(0)
    bench.until(55)
    bench.outlet.answer(bench.desk.came[0])
    bench.until(60)

    assert bench.desk.told == ["room"]  # it tries again


def test_who_is_down_refuses_and_is_tried_until_it_is_back() -> None:
    bench = Bench()
    bench.desk.is_up = False
    bench.offer(0)
    bench.at(30, lambda: setattr(bench.desk, "is_up", True))

    # Refused at 2; asked at 12 and refused at 14; asked at 34.
    assert bench.until(60) == [(36, 0)]
    assert bench.outlet.sends == 2


def test_what_waits_too_long_is_let_go_and_what_is_behind_it_goes_on() -> None:
    bench = Bench(LIMITS._replace(window=1, give_up_ns=60 * MS))
    bench.offer(0)
    bench.at(20, lambda: bench.offer(1))

    # At 60 the first has waited for 60.
    assert bench.until(70) == [(0, 0), (62, 1)]
    assert bench.desk.told[:1] == ["given up 0"]
    assert bench.drops == []  # the desk has it in hand
    assert (bench.accounts.orphans, bench.outlet.held) == (1, 1)


def test_a_crash_of_the_sender_loses_what_has_not_left() -> None:
    bench = Bench()
    bench.offer(0, 1, 2)
    bench.at(0.5, lambda: bench.outlet.lose_all(SOURCE_CRASHED))

    assert bench.until(200) == [(0, 0), (0, 1)]
    assert bench.drops == [(2, 0, MS // 2, SOURCE_CRASHED)]
    assert bench.outlet.held == 0


def test_a_sender_that_stands_still_sees_answers_and_acts_late() -> None:
    bench = Bench()
    bench.offer(0, 1, 2)
    bench.at(1.5, lambda: bench.outlet.answer(bench.desk.came[0]))

    def stand_still() -> None:
        bench.outlet.is_still = True

    bench.at(2, stand_still)
    bench.at(30, bench.outlet.resume)

    assert bench.until(40) == [(0, 0), (0, 1), (30, 2)]

"""When a message arrives over a link that events befall."""

import pytest

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.links import Faults, FaultyPipe, Links, Losing, Slowed
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.request import Connection
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import Cut, Delay, Event, Lose
from kafkasim.scenario.hardware import Link
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import FOREVER_NS

MS = 1_000_000
S = 1_000 * MS
TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(1))},
    {"billing": Subscriber(["orders"])},
    duration_s=10,
)


class World:
    """A client and a broker, one way of 1 ms, and what breaks between them."""

    def __init__(self, *events: Event, seed: int = 1) -> None:
        self.calendar = Calendar()
        links = Links(self.calendar, 9, events, TRAFFIC, Kafka(brokers=2))
        links.break_request = self._break
        self.hosts = Hosts(Link(delay_ms=1.0), seed, links)
        self.connection = self.hosts.connect("source:web", 0, 0)
        self.connection.on_lost = self._lost
        self.broken: list[tuple[str, int]] = []

    def _break(self, connection: Connection) -> None:
        connection.broken = True
        self.broken.append(("at the broker", self.calendar.now_ns))

    def _lost(self, connection: Connection) -> None:
        connection.broken = True
        self.broken.append(("at the client", self.calendar.now_ns))

    def arrivals(self, *sent_ns: int) -> list[int]:
        return [self.connection.up.transfer(at, 0) for at in sent_ns]


# --- cut --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent_ms", "arrives_ms"),
    [
        (998, 999),  # there before it is cut
        (999, 1_199 + 1),  # on the way: 200 ms later, which is in time
        (1_000, 1_200 + 1),
        (900, 901),
        (1_150, 1_151),
    ],
)
def test_a_packet_that_a_cut_link_drops_is_sent_again_after_200_ms(
    sent_ms: int, arrives_ms: int
) -> None:
    world = World(Cut("link:web->broker:1", at_s=1.0, for_s=0.15))

    assert world.arrivals(sent_ms * MS) == [arrives_ms * MS]


def test_the_time_between_two_times_doubles_up_to_two_minutes() -> None:
    faults = Faults(((0, 500 * S),), (), ())
    tries = [0.2 * (2**n - 1) for n in range(11)]  # s, up to 204.6
    tries += [tries[-1] + 120, tries[-1] + 240, tries[-1] + 360]

    assert faults.arrival(0, MS) == pytest.approx(
        min(t for t in tries if t > 500) * S, abs=MS
    )


def test_what_is_behind_it_comes_with_it_and_in_order() -> None:
    world = World(Cut("link:web->broker:1", at_s=1.0, for_s=2.3))

    first, behind, later = world.arrivals(1_000 * MS, 1_500 * MS, 5_000 * MS)

    # The first after 0.2, 0.6, 1.4, 3.0 s; alone the second would come at 4.501 s.
    assert first == behind == 4_001 * MS
    assert later == 5_001 * MS


def test_a_new_connection_does_not_wait_for_what_the_last_one_sent() -> None:
    world = World(Cut("link:web->broker:1", at_s=1.0, for_s=2.0))
    world.arrivals(1_000 * MS)

    again = world.connection.renewed()

    assert again.up.transfer(3_000 * MS, 0) == 3_001 * MS


def test_over_a_link_that_is_cut_for_good_nothing_arrives() -> None:
    world = World(Cut("link:web->broker:1", at_s=1.0))

    assert world.arrivals(1_000 * MS, 5_000 * MS) == [FOREVER_NS] * 2


def test_other_ways_are_as_they_were() -> None:
    world = World(Cut("link:web->broker:1", at_s=1.0))
    other = world.hosts.connect("source:web", 0, 1)

    for pipe in (world.connection.down, other.up, other.down):
        assert type(pipe) is Pipe
        assert not pipe.may_stall
    assert world.connection.up.may_stall


def test_between_a_broker_and_the_controller_a_cut_of_one_way_stops_both() -> None:
    cut = Cut("link:broker:1->controller", at_s=1.0, for_s=30.0)
    hosts = World(cut).hosts
    there = hosts.pipe("broker:1", "controller")
    back = hosts.pipe("controller", "broker:1", messages="responses")

    for pipe in (there, back):
        arrived_ns = pipe.transfer(1_000 * MS, 0)
        assert 31 * S < arrived_ns <= 35 * S  # it is tried every 4 s at least


# --- delay ------------------------------------------------------------------------


def test_a_delay_multiplies_the_way_and_adds_to_it_while_it_lasts() -> None:
    world = World(
        Delay("link:web->broker:1", at_s=1.0, for_s=1.0, factor=3.0, extra_ms=5.0)
    )

    assert world.arrivals(999 * MS, 1_000 * MS, 1_999 * MS, 2_008 * MS) == [
        1_000 * MS,
        1_008 * MS,
        2_007 * MS,
        2_009 * MS,
    ]


def test_delays_that_last_at_once_are_all_felt() -> None:
    faults = Faults((), (Slowed(0, S, 5 * MS, 2.0), Slowed(0, S, MS, 3.0)), ())

    assert faults.way(0, MS) == 12 * MS
    assert faults.way(S, MS) == MS


def test_when_a_delay_ends_nothing_overtakes() -> None:
    world = World(Delay("link:web->broker:1", at_s=0.0, for_s=1.0, extra_ms=50.0))

    assert world.arrivals(999 * MS, 1_000 * MS) == [1_050 * MS] * 2


# --- loss -------------------------------------------------------------------------


def test_a_lost_request_breaks_its_connection_where_it_would_arrive() -> None:
    world = World(Lose("link:web->broker:1", at_s=1.0))
    (arrived_ns,) = world.arrivals(2_000 * MS)

    world.calendar.run_entries(10 * S)

    assert arrived_ns == 2_001 * MS
    assert world.broken == [("at the broker", arrived_ns)]


def test_a_lost_response_breaks_it_at_the_client() -> None:
    world = World(Lose("link:broker:1->web", at_s=1.0))
    arrived_ns = world.connection.down.transfer(2_000 * MS, 0)

    world.calendar.run_entries(10 * S)

    assert world.broken == [("at the client", arrived_ns)]


def test_a_connection_breaks_once() -> None:
    world = World(Lose("link:web<->broker:1", at_s=1.0))
    world.arrivals(2_000 * MS, 2_000 * MS)
    world.connection.down.transfer(2_000 * MS, 0)

    world.calendar.run_entries(10 * S)

    assert len(world.broken) == 1


def test_a_share_is_lost_drawn_from_a_stream_of_the_link() -> None:
    def lost(seed: int) -> list[tuple[str, int]]:
        world = World(Lose("link:web->broker:1", at_s=0.0, share=0.3), seed=seed)
        for at_ns in range(0, S, MS):
            world.connection.up.begin(world.connection.renewed())
            world.connection.up.transfer(at_ns, 0)
        world.calendar.run_entries(10 * S)
        return world.broken

    assert lost(1) == lost(1)
    assert 250 < len(lost(1)) < 350
    assert lost(1) != lost(2)


def test_shares_of_events_at_once_add_up_as_chances_do() -> None:
    faults = Faults((), (), (Losing(0, S, 0.5), Losing(0, S, 0.5)))

    assert faults.share_lost(0) == 0.75
    assert faults.share_lost(S) == 0.0


def test_what_is_lost_between_a_broker_and_the_controller_is_sent_again() -> None:
    lose = Lose("link:broker:1->controller", at_s=1.0, for_s=0.03)
    pipe = World(lose).hosts.pipe("broker:1", "controller")

    assert pipe.transfer(1_010 * MS, 0) == (1_010 + 52 + 1) * MS


def test_only_one_kind_of_message_may_be_meant() -> None:
    world = World(Lose("link:web<->broker:1", at_s=1.0, only="responses"))

    assert type(world.connection.up) is Pipe
    assert isinstance(world.connection.down, FaultyPipe)

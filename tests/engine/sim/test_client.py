"""A client's connections by literal times: 1 ms each way, and a broker that is told."""

import numpy as np

from kafkasim.engine.sim.calendar import CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.client import NetworkClient, NetworkSettings
from kafkasim.engine.sim.links import Faults, FaultyPipe
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.request import PRODUCE, Connection, Request
from kafkasim.protocol.errors import NETWORK_EXCEPTION, REQUEST_TIMED_OUT
from kafkasim.scenario.hardware import Link
from kafkasim.units import FOREVER_NS

MS = 1_000_000


class Server:
    """A broker that answers at once, unless it is down or silent."""

    def __init__(self, calendar: CheckedCalendar, number: int) -> None:
        self.calendar = calendar
        self.up = True
        self.silent = False
        self.arrived: list[tuple[float, int]] = []
        self.knocks: list[float] = []
        self.connections: list[Connection] = []
        self._key = key_base(Rank.ANSWER, 10 + number)

    def arrive(self, request: Request) -> None:
        if not self.up or request.connection.broken:
            return
        self.arrived.append((self.calendar.now_ns / MS, request.request_id))
        if not self.silent and request.wants_answer:
            self._key += 1
            at_ns = request.connection.down.transfer(self.calendar.now_ns, 0)
            self.calendar.at(at_ns, self._key, request.on_answer, request)

    def accept(self, connection: Connection) -> bool:
        self.knocks.append(self.calendar.now_ns / MS)
        if self.up:
            self.connections.append(connection)
        return self.up

    def crash(self, connection: Connection) -> None:
        """Die now; the client learns of it after the link's delay."""
        self.up = False
        self._key += 1
        on_lost = connection.on_lost
        assert on_lost is not None
        self.calendar.at(
            connection.down.transfer(self.calendar.now_ns, 0),
            self._key,
            on_lost,
            connection,
        )


class Client:
    """A client of so many servers; notes what happens and when."""

    def __init__(self, servers: int = 1, **settings: int) -> None:
        self.calendar = CheckedCalendar()
        self.servers = [Server(self.calendar, n) for n in range(servers)]
        link = Link(delay_ms=1.0)
        connections = []
        for node in range(servers):
            up = Pipe(Nic(1_000.0), link, seed=1, name=f"up/{node}")
            down = Pipe(Nic(1_000.0), link, seed=1, name=f"down/{node}")
            connections.append(Connection(client=0, broker=node, up=up, down=down))
        self.log: list[tuple[float, str, int]] = []
        self.network = NetworkClient(
            calendar=self.calendar,
            actor=0,
            connections=connections,
            brokers=self.servers,
            settings=NetworkSettings(**settings),
            draws=np.random.default_rng(1),
            on_failed=self.failed,
        )
        self.network.on_ready.append(lambda node: self.note("ready", node))
        self.network.on_disconnect.append(lambda _: self.note("gone", 0))
        self.count = 0

    def note(self, what: str, number: int) -> None:
        self.log.append((self.calendar.now_ns / MS, what, number))

    def failed(self, request: Request) -> None:
        assert request.failed
        what = {NETWORK_EXCEPTION: "network", REQUEST_TIMED_OUT: "timeout"}
        self.note(what[request.error], request.request_id)

    def answered(self, request: Request) -> None:
        if self.network.answered(request):
            self.note("answered", request.request_id)
        else:
            self.note("too late", request.request_id)

    def send(self, node: int = 0, *, wants_answer: bool = True) -> None:
        now_ns = self.calendar.now_ns
        connection = self.network.connections[node]
        request = Request(PRODUCE, connection, now_ns, [], self.answered)
        request.request_id = self.count
        request.wants_answer = wants_answer
        self.count += 1
        self.network.send(request)

    def run(self, until_ms: float) -> list[tuple[float, str, int]]:
        self.calendar.run_entries(round(until_ms * MS))
        found, self.log = self.log, []
        return found


def test_a_request_without_faults_costs_its_arrival_and_its_answer() -> None:
    client = Client()
    client.send()
    client.send()
    assert client.network.in_flight(0) == 2
    assert client.run(10) == [(2, "answered", 0), (2, "answered", 1)]
    assert client.servers[0].arrived == [(1, 0), (1, 1)]
    assert client.network.in_flight(0) == 0
    # Two arrivals, two answers; the one timer has not run.
    assert client.calendar.entry_count == 4


def test_one_look_each_request_timeout_is_all_that_timeouts_cost() -> None:
    client = Client(request_timeout_ns=100 * MS)
    for at_ms in range(0, 350, 5):
        client.run(at_ms)
        client.send()
    before = client.calendar.entry_count
    client.run(1_000)
    # 70 requests; looks at 101, 201 (nothing is in flight but the next arms), ….
    assert before + 2 * 1 + 1 == client.calendar.entry_count
    assert client.calendar.entry_count - 2 * 70 == 4


def test_a_request_that_wants_no_answer_is_never_in_flight() -> None:
    client = Client(request_timeout_ns=100 * MS)
    client.send(wants_answer=False)
    assert client.network.in_flight(0) == 0
    assert client.run(1_000) == []


def test_a_lost_connection_fails_what_is_in_flight_oldest_first() -> None:
    client = Client()
    client.servers[0].silent = True
    client.send()
    client.send()
    client.run(10)
    client.servers[0].crash(client.network.connections[0])
    assert client.run(11) == [(11, "gone", 0), (11, "network", 0), (11, "network", 1)]
    assert client.network.connections[0].broken
    assert not client.network.is_up(0)


def test_an_answer_to_a_request_that_failed_is_none() -> None:
    client = Client(request_timeout_ns=1 * MS)
    client.send()
    # The look comes first at 2 ms: more than 1 ms has passed on the client's clock.
    assert client.run(5) == [(2, "gone", 0), (2, "timeout", 0), (2, "too late", 0)]


def test_a_timeout_closes_the_connection_and_fails_the_younger_ones_too() -> None:
    client = Client(servers=2, request_timeout_ns=100 * MS)
    client.servers[0].silent = True
    client.send()
    client.run(60)
    client.send()
    client.send(node=1)
    # 100 ms is not more than 100 ms.
    assert client.run(100.9) == [(62, "answered", 2)]
    assert client.run(101) == [
        (101, "gone", 0),
        (101, "timeout", 0),
        (101, "timeout", 1),
    ]
    assert client.network.is_up(1)


def test_an_answer_in_time_lets_the_next_request_have_its_own_timeout() -> None:
    client = Client(request_timeout_ns=100 * MS)
    client.send()
    client.run(60)
    client.servers[0].silent = True
    client.send()
    assert client.run(160) == []
    assert client.run(161) == [(161, "gone", 0), (161, "timeout", 1)]


def first_backoff_ms(failures: int, before: int = 0) -> int:
    """Work out a backoff from the client's stream after so many other draws."""
    draws = np.random.default_rng(1)
    for _ in range(before):
        draws.uniform()
    return int(50 * 2**failures * draws.uniform(0.8, 1.2))


def test_nothing_connects_again_until_somebody_wants_to_send() -> None:
    client = Client()
    client.servers[0].crash(client.network.connections[0])
    client.run(1_000)
    assert client.servers[0].knocks == []


def test_a_connection_is_made_again_after_its_backoff_and_a_round_trip() -> None:
    client = Client()
    client.servers[0].crash(client.network.connections[0])
    client.run(1)
    client.servers[0].up = True
    backoff_ms = first_backoff_ms(0)
    assert not client.network.can_send(0, client.calendar.now_ns)
    assert client.run(1 + backoff_ms) == [(1 + backoff_ms, "ready", 0)]
    # It says that it may be asked again; asked again, it connects.
    assert not client.network.can_send(0, client.calendar.now_ns)
    assert client.run(100) == [(3 + backoff_ms, "ready", 0)]
    assert client.servers[0].knocks == [2 + backoff_ms]
    assert client.servers[0].connections == client.network.connections
    assert client.network.can_send(0, client.calendar.now_ns)
    client.send()
    assert client.run(200) == [(102, "answered", 0)]


def test_a_refused_connection_doubles_the_backoff() -> None:
    client = Client()
    client.network.on_ready.append(
        lambda node: client.network.can_send(node, client.calendar.now_ns)
    )
    client.servers[0].crash(client.network.connections[0])
    client.run(1)
    client.network.can_send(0, client.calendar.now_ns)
    client.run(400)
    first = 1 + first_backoff_ms(0)
    second = first + 2 + first_backoff_ms(1, before=1)
    third = second + 2 + first_backoff_ms(2, before=2)
    assert client.servers[0].knocks == [first + 1, second + 1, third + 1]


def test_a_connection_that_was_up_begins_with_the_first_backoff_again() -> None:
    client = Client()
    client.network.on_ready.append(
        lambda node: client.network.can_send(node, client.calendar.now_ns)
    )
    server = client.servers[0]
    for times in range(3):
        server.crash(client.network.connections[0])
        client.run(1_000 * times + 1)
        gone_ms = client.calendar.now_ns / MS
        server.up = True
        client.network.can_send(0, client.calendar.now_ns)
        client.run(1_000 * (times + 1))
        backoff_ms = first_backoff_ms(0, before=times)
        assert server.knocks == [gone_ms + backoff_ms + 1]
        server.knocks.clear()
    assert client.network.is_up(0)


def test_a_broker_that_dies_during_the_handshake_is_gone_as_well() -> None:
    client = Client()
    server = client.servers[0]
    server.crash(client.network.connections[0])
    client.run(500)
    server.up = True
    assert not client.network.can_send(0, client.calendar.now_ns)
    client.run(501)
    assert server.knocks == [501]
    server.crash(client.network.connections[0])
    client.run(502)
    assert not client.network.is_up(0)


def test_a_connection_that_does_not_come_about_is_given_up_after_10_seconds() -> None:
    """Then 20, then 30 s, with a jitter of 20 % (`ClusterConnectionStates`)."""
    client = Client()
    connection = client.network.connections[0]
    client.servers[0].crash(connection)
    never = Faults(((0, FOREVER_NS),), (), ())
    link = Link(delay_ms=1.0)
    connection.up = FaultyPipe(Nic(1.0), link, seed=1, name="up/0", faults=never)
    client.run(100)

    taken_s = []
    for _ in range(3):
        since_ms = client.calendar.now_ns / MS
        assert not client.network.can_send(0, client.calendar.now_ns)
        (gone, *_) = client.run(since_ms + 40_000)
        assert gone[1] == "gone"
        taken_s.append((gone[0] - since_ms) / 1e3)

    assert 8 <= taken_s[0] <= 12.1
    assert 16 <= taken_s[1] <= 24.1 < taken_s[2] <= 30.1
    assert client.servers[0].knocks == []


def test_the_least_loaded_node_is_up_and_has_fewest_requests_in_flight() -> None:
    client = Client(servers=3)
    client.send(node=0)
    client.send(node=2)
    assert {client.network.least_loaded(0) for _ in range(20)} == {1}
    client.send(node=1)
    assert {client.network.least_loaded(0) for _ in range(40)} == {0, 1, 2}
    client.send(node=0)
    client.send(node=1)
    assert {client.network.least_loaded(0) for _ in range(20)} == {2}


def test_a_node_with_all_its_requests_in_flight_is_not_chosen() -> None:
    client = Client(servers=2, max_in_flight=1)
    client.send(node=0)
    assert {client.network.least_loaded(0) for _ in range(20)} == {1}
    client.send(node=1)
    assert client.network.least_loaded(0) is None


def test_when_none_is_up_the_one_tried_longest_ago_is_connected() -> None:
    client = Client(servers=2)
    for at_ms, node in ((0, 1), (10, 0)):
        client.run(at_ms)
        client.servers[node].crash(client.network.connections[node])
    client.run(500)
    for server in client.servers:
        server.up = True
    assert client.network.least_loaded(client.calendar.now_ns) is None
    # One is being made, so no other is begun.
    assert client.network.least_loaded(client.calendar.now_ns) is None
    assert client.run(600) == [(502, "ready", 1)]
    assert client.servers[0].knocks == []

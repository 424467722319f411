"""When a client asks for its leaders anew, and what it makes of the answer."""

from itertools import count

import numpy as np

from kafkasim.engine.sim.calendar import CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.client import NetworkClient, NetworkSettings
from kafkasim.engine.sim.client_metadata import ClientMetadata, MetadataSettings
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.request import METADATA, PRODUCE, Connection, Request
from kafkasim.scenario.hardware import Link

MS = 1_000_000


class Server:
    """A broker that answers with the leaders it was told, at once."""

    def __init__(self, calendar: CheckedCalendar, number: int) -> None:
        self.calendar = calendar
        self.answer: dict[int, tuple[int, int]] = {}
        self.silent = self.refuses = False
        self.asked: list[float] = []
        self.knocks: list[float] = []
        self._key = key_base(Rank.ANSWER, 10 + number)

    def arrive(self, request: Request) -> None:
        if request.connection.broken:
            return
        if request.api == METADATA:
            self.asked.append(self.calendar.now_ns / MS)
            request.answer = dict(self.answer)
        if not self.silent:
            self._key += 1
            at_ns = request.connection.down.transfer(self.calendar.now_ns, 0)
            self.calendar.at(at_ns, self._key, request.on_answer, request)

    def accept(self, connection: Connection) -> bool:
        assert connection.on_lost is not None
        self.knocks.append(self.calendar.now_ns / MS)
        return not self.refuses


class Client:
    """A client of partitions 5 and 7, led by nodes 0 and 1 in epochs 3 and 4."""

    def __init__(
        self,
        servers: int = 2,
        max_age_ms: int = 0,
        partitions: list[int] | dict[int, int] = [5, 7],  # noqa: B006
    ) -> None:
        self.calendar = CheckedCalendar()
        self.servers = [Server(self.calendar, n) for n in range(servers)]
        link = Link(delay_ms=1.0)
        connections = []
        for node in range(servers):
            up = Pipe(Nic(1_000.0), link, seed=1, name=f"up/{node}")
            down = Pipe(Nic(1_000.0), link, seed=1, name=f"down/{node}")
            connections.append(Connection(client=0, broker=node, up=up, down=down))
        self.network = NetworkClient(
            calendar=self.calendar,
            actor=0,
            connections=connections,
            brokers=self.servers,
            settings=NetworkSettings(request_timeout_ns=50 * MS),
            draws=np.random.default_rng(1),
            on_failed=lambda request: self.own.append(self.metadata.failed(request)),
        )
        self.own: list[bool] = []
        self.done: list[tuple[float, int]] = []
        self.metadata = ClientMetadata(
            calendar=self.calendar,
            network=self.network,
            partitions=partitions,
            leaders=[0, 1],
            settings=MetadataSettings(max_age_ns=max_age_ms * MS),
            draws=np.random.default_rng(1),
            next_request_id=count().__next__,
            on_done=lambda request, at_ns: self.done.append(
                (at_ns / MS, request.request_id)
            ),
            epochs=[3, 4],
        )
        self.changes: list[float] = []
        self.metadata.on_change.append(
            lambda: self.changes.append(self.calendar.now_ns / MS)
        )
        self.tell({5: (0, 3), 7: (1, 4)})

    def tell(self, answer: dict[int, tuple[int, int]]) -> None:
        for server in self.servers:
            server.answer = answer

    def asked(self) -> list[float]:
        return sorted(at for server in self.servers for at in server.asked)

    def run(self, until_ms: float) -> None:
        self.calendar.run_entries(round(until_ms * MS))


def jitter(*terms_ms: int) -> list[int]:
    """Work out backoffs from the metadata's stream."""
    draws = np.random.default_rng(1)
    return [min(int(term * draws.uniform(0.8, 1.2)), 1_000) for term in terms_ms]


def test_nobody_asks_while_all_is_well() -> None:
    client = Client()
    client.run(1_000_000)
    assert client.asked() == []


def test_a_request_brings_the_leaders_after_a_round_trip() -> None:
    client = Client()
    client.tell({5: (1, 6), 7: (-1, 4), 9: (0, 1)})
    client.metadata.request_update(0)
    client.run(2)
    assert client.asked() == [1]
    assert client.metadata.leaders == [1, -1]
    assert client.metadata.epochs == [6, 4]
    assert client.changes == [2]
    assert client.done == [(2, 0)]


def test_what_one_client_comes_to_know_others_with_the_same_places_do_not() -> None:
    shared = {5: 0, 7: 1}
    one, other = Client(partitions=shared), Client(partitions=shared)
    one.metadata.add(9, 1, 0)
    one.metadata.add(8, 0, 0)
    assert (one.metadata.count, one.metadata.place(8)) == (4, 3)
    assert (other.metadata.count, other.metadata.knows(9)) == (2, False)
    assert shared == {5: 0, 7: 1}


def test_an_older_epoch_changes_nothing_and_an_equal_one_the_leader() -> None:
    metadata = Client().metadata
    assert not metadata.update(5, 1, 2)
    assert metadata.leaders == [0, 1]
    assert not metadata.update(5, -1, 3)
    assert metadata.leaders == [-1, 1]
    assert metadata.update(5, 1, 4)
    assert (metadata.leaders, metadata.epochs) == ([1, 1], [4, 4])
    assert metadata.place(7) == 1


def test_only_a_hint_with_a_leader_and_a_newer_epoch_is_taken() -> None:
    client = Client()
    client.metadata.take_hints({5: (1, 3), 7: (-1, 9), 8: (1, 9)})
    assert (client.metadata.leaders, client.changes) == ([0, 1], [])
    client.metadata.take_hints({5: (1, 4), 7: (0, 4)})
    assert client.metadata.leaders == [1, 1]
    assert client.metadata.epochs == [4, 4]
    assert client.changes == [0]


def test_one_request_is_in_flight_at_most() -> None:
    client = Client()
    for at_ms in (0, 0.5, 1.5):
        client.run(at_ms)
        client.metadata.request_update(client.calendar.now_ns)
    client.run(1_000)
    # What was asked for meanwhile is answered by it.
    assert client.asked() == [1]


def test_the_next_one_waits_for_the_backoff_and_twice_that_without_news() -> None:
    client = Client()
    expected = [1.0]
    answered_ms = 2
    # After an answer: 100 ms, and 100, 200, 400, 800 by how many told no news.
    terms = [(100, 100 * 2**n) for n in range(4)]
    drawn = jitter(*(each for pair in terms for each in pair))
    for n in range(4):
        answered_ms += max(drawn[2 * n], drawn[2 * n + 1])
        expected.append(answered_ms + 1)
        answered_ms += 2
    client.metadata.on_change.append(
        lambda: client.metadata.request_update(client.calendar.now_ns)
    )
    client.metadata.request_update(0)
    client.run(expected[-1])
    assert client.asked() == expected


def test_news_begins_the_backoff_anew() -> None:
    client = Client()
    client.metadata.on_change.append(
        lambda: client.metadata.request_update(client.calendar.now_ns)
    )
    client.metadata.request_update(0)
    client.run(3)
    # The first answer told nothing; the second tells of a newer epoch.
    first = 2 + max(jitter(100, 100))
    client.tell({5: (1, 4), 7: (1, 4)})
    client.run(first + 2)
    assert client.asked() == [1, first + 1]
    third = first + 2 + jitter(100, 100, 100)[2]
    client.run(third + 1)
    assert client.asked()[-1] == third + 1


def test_a_partition_without_a_leader_is_a_reason_to_ask_again() -> None:
    client = Client()
    client.tell({5: (-1, 4), 7: (1, 4)})
    client.metadata.request_update(0)
    again = 2 + jitter(100)[0]
    client.run(again)
    client.tell({5: (1, 5), 7: (1, 4)})
    client.run(10_000)
    assert client.asked() == [1, again + 1]
    assert client.metadata.leaders == [1, 1]


def test_old_metadata_is_asked_for_again_unless_it_was_anyway() -> None:
    client = Client(max_age_ms=1_000)
    client.run(1_500)
    assert client.asked() == [1_001]
    client.metadata.request_update(1_500 * MS)
    client.run(4_000)
    # Each answer, at 1,002, 1,502, 2,504 and 3,506 ms, is good for another second.
    assert client.asked() == [1_001, 1_501, 2_503, 3_505]


def test_an_answer_older_than_a_lost_leader_asks_again() -> None:
    client = Client()
    client.metadata.update(5, -1, 7)
    client.metadata.request_update(0)
    client.run(200)
    # The broker still tells of node 0 in epoch 3, which is not news.
    assert client.metadata.leaders == [-1, 1]
    client.tell({5: (1, 8), 7: (1, 4)})
    client.run(10_000)
    assert client.metadata.leaders == [1, 1]
    assert len(client.asked()) == 3


def test_a_lost_connection_asks_another_node() -> None:
    client = Client()
    client.tell({5: (1, 4), 7: (1, 4)})
    lost = client.network.connections[0]
    assert lost.on_lost is not None
    lost.on_lost(lost)
    client.run(10)
    assert client.servers[0].asked == []
    assert client.servers[1].asked == [1]
    assert client.metadata.leaders == [1, 1]


def test_a_request_that_fails_is_repeated_after_a_doubling_backoff() -> None:
    client = Client(servers=1)
    client.servers[0].silent = True
    client.metadata.request_update(0)
    # 51 ms are more than the timeout; then the connection is made again, by need.
    client.run(51)
    assert client.asked() == [1]
    may_ask_ms = 51 + jitter(100)[0]
    client.run(may_ask_ms)
    assert client.asked() == [1]
    client.run(may_ask_ms + 5)
    # A round trip to connect, half of one to arrive.
    assert client.asked() == [1, may_ask_ms + 3]
    client.servers[0].silent = False
    client.run(may_ask_ms + 2 + 51)
    again_ms = may_ask_ms + 2 + 51 + jitter(100, 200)[1]
    client.run(again_ms + 10)
    assert client.asked() == [1, may_ask_ms + 3, again_ms + 3]


def test_with_no_node_to_ask_it_looks_again_after_the_reconnect_backoff() -> None:
    client = Client(servers=1)
    server = client.servers[0]
    server.refuses = True
    lost = client.network.connections[0]
    assert lost.on_lost is not None
    lost.on_lost(lost)
    client.run(400)
    # It looks every 50 ms; the first look that the reconnect backoff lets through
    # connects, the second comes when the backoff after the refusal is over.
    assert server.knocks[0] in {51, 101}
    assert len(server.knocks) == 2
    server.refuses = False
    client.run(2_000)
    assert client.asked() == [server.knocks[-1] + 2]


def test_other_requests_are_not_its_own() -> None:
    client = Client()
    connection = client.network.connections[0]
    other = Request(PRODUCE, connection, 0, [], None)
    assert not client.metadata.failed(other)

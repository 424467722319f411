"""Hosts and the connections between them: one network card for each host."""

from kafkasim.engine.sim.links import FaultyPipe, Links
from kafkasim.engine.sim.meter import (
    Meter,
    MeteredFaultyPipe,
    MeteredNic,
    MeteredPipe,
)
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.request import Connection
from kafkasim.scenario.hardware import Link
from kafkasim.scenario.links import CONTROLLER


class Hosts:
    """Makes the connections of a run.

    Parameters
    ----------
    link : Link
        The network between any two hosts.
    seed : int
        Of the scenario; each direction of a connection has its own stream of delays.
    links : Links, optional
        What befalls the ways between hosts.
    meter : Meter, optional
        What measures how busy cards are.
    """

    def __init__(
        self,
        link: Link,
        seed: int,
        links: Links | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._links = links
        self._meter = meter
        self._connections: list[Connection] = []
        self._link = link
        self._seed = seed
        self._nics: dict[str, Nic] = {}

    def connect(
        self, client: str, code: int, broker: int, purpose: str = ""
    ) -> Connection:
        """Return a new connection.

        Parameters
        ----------
        client : str
            Host of the client, such as `source:web`.
        code : int
            Its code as a sender of requests.
        broker : int
            Index of the broker, from 0.
        purpose : str
            Sets a second connection between the same two apart.
        """
        server = f"broker:{broker + 1}"
        connection = Connection(
            client=code,
            broker=broker,
            up=self.pipe(client, server, purpose),
            down=self.pipe(server, client, purpose, messages="responses"),
        )
        self._connections.append(connection)
        return connection

    @property
    def connections(self) -> list[Connection]:
        """All that were made, and those that took their places after crashes."""
        found: list[Connection] = []
        made = self._connections
        while made:
            found += made
            made = [c.successor for c in made if c.successor is not None]
        return found

    @property
    def newest(self) -> list[Connection]:
        """Of each that was made, the one that has its place now."""
        found = []
        for connection in self._connections:
            newest = connection
            while newest.successor is not None:
                newest = newest.successor
            found.append(newest)
        return found

    def pipe(
        self,
        sender: str,
        receiver: str,
        purpose: str = "",
        messages: str = "requests",
    ) -> Pipe:
        """Return a new one-way pipe; all of a host share its card.

        Parameters
        ----------
        sender, receiver : str
            Hosts, such as `source:web` and `broker:1`.
        purpose : str
            Sets a second pipe between the same two apart.
        messages : str
            What it carries, requests or responses.
        """
        nic, to = self._nic_of(sender), self._nic_of(receiver)
        name = f"{sender}->{receiver}{purpose}"
        links, measures = self._links, self._meter is not None
        faults = None
        if links is not None:
            faults = links.faults(sender, receiver, messages)
        if links is None or faults is None:
            plain = MeteredPipe if measures else Pipe
            return plain(nic, self._link, seed=self._seed, name=name, to=to)
        breaks = CONTROLLER not in {sender, receiver}
        kind = MeteredFaultyPipe if measures else FaultyPipe
        return kind(
            nic,
            self._link,
            seed=self._seed,
            name=name,
            to=to,
            faults=faults,
            break_at=links.breaker(messages) if breaks else None,
        )

    def _nic_of(self, host: str) -> Nic:
        found = self._nics.get(host)
        if found is None:
            bandwidth = self._link.bandwidth_mb_per_s
            if self._meter is None:
                found = Nic(bandwidth)
            else:
                found = MeteredNic(bandwidth, self._meter, host)
            self._nics[host] = found
        return found

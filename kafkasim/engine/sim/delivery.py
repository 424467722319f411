"""A producer's connections and metadata, and what of its batches is in flight.

What is in flight is read off the connections, so nothing is kept of it while nothing
fails. A batch that has expired is no longer counted, though its request still is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.request import PRODUCE, Request
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.producing.batch import NEVER, Batch


@dataclass(kw_only=True)
class Delivery:
    """What a producer needs to meet failures."""

    network: NetworkClient
    """Its connections, by node."""
    metadata: ClientMetadata
    """The leaders of its topic's partitions; a partition's place is its number."""
    draws: np.random.Generator
    """Its own stream, for the jitter of retries."""
    on_batches_done: Callable[[Sequence[Batch]], object]
    """Called with batches that are final, acknowledged or not (`Batch.error`)."""
    on_trouble: Callable[[], object] = field(default=lambda: None)
    """Called when something has failed, before anything is done about it."""
    producer_id: int = -1
    """With idempotence: the id that it has from the start."""
    new_producer_id: Callable[[], int] = field(default=lambda: -1)
    """Gives another one when its epochs are used up."""
    on_split: Callable[[Batch], object] = field(default=lambda _: None)
    """Called with a batch that was too large, its records being in others now."""
    on_grown: Callable[[int], object] = field(default=lambda _: None)
    """Called with the number of partitions when it has come to know of more."""

    def in_flight(self) -> list[Request]:
        """Return the requests in flight that carry batches, in the order of sending."""
        found = [
            request
            for connection in self.network.connections
            for request in connection.in_flight
            if request.api == PRODUCE
        ]
        found.sort(key=lambda request: request.request_id)
        return found

    def batches_in_flight(self) -> list[Batch]:
        """Return what they carry, in the same order."""
        return [batch for request in self.in_flight() for batch in request.payload]

    def oldest_ns(self) -> int:
        """Return when the oldest first one of a partition was opened, or NEVER."""
        oldest_ns = NEVER
        seen: set[int] = set()
        for batch in self.batches_in_flight():
            if batch.error == NONE and batch.partition not in seen:
                seen.add(batch.partition)
                oldest_ns = min(oldest_ns, batch.opened_ns)
        return oldest_ns

    def expired(self, limit_ns: int) -> list[Batch]:
        """Return those opened up to then, per partition up to the first that was not.

        Source: `Sender.getExpiredInflightBatches`.
        """
        found: list[Batch] = []
        young: set[int] = set()
        for batch in self.batches_in_flight():
            if batch.error == NONE and batch.partition not in young:
                if batch.opened_ns <= limit_ns:
                    found.append(batch)
                else:
                    young.add(batch.partition)
        return found

    def is_plain(self) -> bool:
        """Return whether none of them has expired or was sent to a former leader."""
        leaders = self.metadata.leaders
        return all(
            batch.error == NONE
            and leaders[batch.partition] == request.connection.broker
            for request in self.in_flight()
            for batch in request.payload
        )

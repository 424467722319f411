"""What a scenario does to the application of a source."""

from collections.abc import Callable, Sequence

from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.request import Request
from kafkasim.engine.sim.source_application import LaneJoiner
from kafkasim.protocol.producing.sticky import StickyAccumulator
from kafkasim.units import FOREVER_NS, MISSING_NS, NOT_YET_NS

DOWN, PAUSED = 1, 2
"""Codes of the causes of `blocked`."""


def pause_client(client: ProducerClient, now_ns: int, until_ns: int) -> None:
    """Let a client hand nothing over until a time; its calendar does the rest.

    Parameters
    ----------
    client
        The client.
    now_ns, until_ns : int
        The current time, and when it goes on; `FOREVER_NS`: never.
    """
    assert isinstance(client.accumulator, StickyAccumulator)
    busy_ns = until_ns if until_ns < FOREVER_NS else NOT_YET_NS
    client.accumulator.stand_still(now_ns, busy_ns)


def crash_client(
    client: ProducerClient,
    joiner: LaneJoiner,
    now_ns: int,
    until_ns: int,
    *,
    batches_done: Callable[[Sequence[Batch]], object],
    write_request: Callable[[Request, int], None],
    lost_alone: Callable[[], object],
) -> int:
    """Let a client's process crash; return how many records are lost in its memory.

    Parameters
    ----------
    client, joiner
        The client, and its application.
    now_ns, until_ns : int
        The current time, and when it is back; `FOREVER_NS`: never.
    batches_done : callable
        Takes what is final.
    write_request : callable
        Takes requests whose answers nobody will see.
    lost_alone : callable
        Called for a record that was in no batch.
    """
    busy_ns = until_ns if until_ns < FOREVER_NS else NOT_YET_NS
    assert client.care is not None
    lost, requests = client.care.crash()
    assert isinstance(client.accumulator, StickyAccumulator)
    waiting = client.accumulator.start_anew(now_ns, busy_ns)
    ordinals = [
        ordinal for batch in lost for ordinal in client.ordinals_of(batch).tolist()
    ]
    if waiting >= 0:
        ordinals.append(waiting)
    joiner.application.crashed(joiner.number, sorted(ordinals), until_ns)
    for request in requests:
        write_request(request, MISSING_NS)
    batches_done(lost)
    if waiting >= 0:
        lost_alone()
    return len(ordinals)

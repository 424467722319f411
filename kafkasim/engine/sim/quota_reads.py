"""Fetches of a client that has a quota."""

from collections.abc import Callable

from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.request import Request


def read_within_quota(
    session: FetchSession, request: Request, pause_ns: Callable[[Request], int]
) -> None:
    """Read for a client with a quota; one that is over it gets nothing (QU-3).

    Parameters
    ----------
    session : FetchSession
        Of the fetch; it stays where it is if nothing is given.
    request : Request
        The fetch; its answer, size, batches and throttle time are set.
    pause_ns : callable
        Takes the request as it would be answered; returns how long its client is made
        to wait.
    """
    before = session.state()
    request.answer, request.size_bytes, request.batch_count = session.read()
    request.throttle_ns = pause_ns(request)
    if request.throttle_ns:
        session.go_back_to(before)
        request.answer, request.size_bytes, request.batch_count = [], 0, 0

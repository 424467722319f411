"""A broker that only lets read: partition logs for any Kafka client, on this machine.

It speaks ApiVersions, Metadata, ListOffsets and Fetch, each in one version that
librdkafka, aiokafka and kafka-python accept, and answers a fetch with what
`PartitionLog.read` returns, unchanged. Layouts: Kafka's message schemas, such as
`FetchRequest.json`.
"""

import socketserver
import struct
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import sleep
from typing import Any

from kafkasim.errors import LogError
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.reading import Until

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS = 0, 1, 2, 3, 18
VERSIONS = {PRODUCE: 3, FETCH: 4, LIST_OFFSETS: 2, METADATA: 1, API_VERSIONS: 0}
"""The one version of each request. Nothing can be produced: librdkafka takes batches of
format v2 only from a broker that says it accepts them."""
UNTIL: tuple[Until, Until] = ("high_watermark", "last_stable")
"""Where a read ends, by the isolation level of the request."""
_ERRORS = {"OFFSET_OUT_OF_RANGE": 1, "UNKNOWN_TOPIC_OR_PARTITION": 3}
_UNSUPPORTED_VERSION = 35
_LATEST = -1
_NODE = 1
_IDLE_S = 0.02

Logs = Mapping[str, Sequence[PartitionLog[Any]]]
"""Topic → the logs of its partitions."""


class Reader:
    """Reads a request, field by field.

    Parameters
    ----------
    data : bytes
        A request, without its size.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(f">{form}", self._data, self._at)
        self._at += struct.calcsize(f">{form}")
        return int(value)

    def text(self) -> str | None:
        size = self.number("h")
        if size < 0:
            return None
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def count(self) -> Iterator[int]:
        """Walk an array: null is as none."""
        yield from range(self.number("i"))

    def topics(self) -> Iterator[tuple[str, Iterator[int]]]:
        for _ in self.count():
            yield self.text() or "", self.count()


def text(value: str | None) -> bytes:
    if value is None:
        return struct.pack(">h", -1)
    return struct.pack(">h", len(value.encode())) + value.encode()


def array(items: Iterable[bytes]) -> bytes:
    listed = list(items)
    return struct.pack(">i", len(listed)) + b"".join(listed)


class Requests(socketserver.StreamRequestHandler):
    """One client's connection."""

    server: "Server"

    def handle(self) -> None:
        while size := self.rfile.read(4):
            request = Reader(self.rfile.read(int.from_bytes(size)))
            api, version, correlation = (request.number(form) for form in "hhi")
            request.text()  # the client's id
            answer = struct.pack(">i", correlation) + self.answer(api, version, request)
            self.wfile.write(struct.pack(">i", len(answer)) + answer)

    def answer(self, api: int, version: int, request: Reader) -> bytes:
        if api == API_VERSIONS:  # its answer to a newer version is of version 0
            error = _UNSUPPORTED_VERSION if version else 0
            rows = (struct.pack(">hhh", key, one, one) for key, one in VERSIONS.items())
            return struct.pack(">h", error) + array(rows)
        if version != VERSIONS[api] or api == PRODUCE:
            raise ValueError(f"request {api} of version {version}")
        if api == METADATA:
            return self.metadata(request)
        return (
            self.list_offsets(request) if api == LIST_OFFSETS else self.fetch(request)
        )

    def metadata(self, request: Reader) -> bytes:
        asked = [request.text() or "" for _ in request.count()]
        host, port = self.server.server_address[:2]
        node = struct.pack(">i", _NODE) + text(str(host))
        nodes = array([node + struct.pack(">i", int(port)) + text(None)])
        topics = map(self.topic, asked or self.server.logs)
        return nodes + struct.pack(">i", _NODE) + array(topics)

    def topic(self, name: str) -> bytes:
        logs = self.server.logs.get(name, ())
        error = 0 if logs else _ERRORS["UNKNOWN_TOPIC_OR_PARTITION"]
        only = array([struct.pack(">i", _NODE)])  # both the replicas and those in sync
        partitions = (
            struct.pack(">hii", 0, number, _NODE) + only + only
            for number in range(len(logs))
        )
        return struct.pack(">h", error) + text(name) + b"\0" + array(partitions)

    def list_offsets(self, request: Reader) -> bytes:
        request.number("i")  # no replica
        until = UNTIL[request.number("b")]
        topics = []
        for name, partitions in request.topics():
            rows = []
            for _ in partitions:
                number, timestamp_ms = request.number("i"), request.number("q")
                log = self.server.logs[name][number]
                found = offset_at(log, timestamp_ms, until)
                rows.append(struct.pack(">ihqq", number, 0, *found))
            topics.append(text(name) + array(rows))
        return struct.pack(">i", 0) + array(topics)

    def fetch(self, request: Reader) -> bytes:
        for _ in range(4):
            request.number("i")  # no replica; most time, least and most bytes
        until = UNTIL[request.number("b")]
        topics, got = [], 0
        for name, partitions in request.topics():
            rows = []
            for _ in partitions:
                number, offset, most = (request.number(form) for form in "iqi")
                log = self.server.logs[name][number]
                rows.append(struct.pack(">i", number) + part(log, offset, most, until))
                got += len(rows[-1])
            topics.append(text(name) + array(rows))
        if got < _NOTHING_BYTES * len(topics):
            sleep(_IDLE_S)  # there will be no more; let the client ask less often
        return struct.pack(">i", 0) + array(topics)


_NOTHING_BYTES = 40


def part(log: PartitionLog[Any], offset: int, most_bytes: int, until: Until) -> bytes:
    """Return a partition's part of a fetch's answer, from its error code on."""
    error, data, aborted = 0, b"", []
    try:
        read = log.read(offset, most_bytes, until=until)
        data, aborted = bytes(read.data), list(read.aborted or ())
    except LogError as refused:
        error = _ERRORS[refused.code]
    ends = struct.pack(">hqq", error, log.high_watermark, log.last_stable_offset)
    ranges = array(struct.pack(">qq", t.producer_id, t.first_offset) for t in aborted)
    return ends + ranges + struct.pack(">i", len(data)) + data


def offset_at(log: PartitionLog[Any], timestamp_ms: int, until: str) -> tuple[int, int]:
    """Return the timestamp, −1 for none, and the offset that a client asks for."""
    if timestamp_ms == _LATEST:
        last = log.last_stable_offset, log.high_watermark
        return -1, last[until == "high_watermark"]
    found = log.offset_for_time(timestamp_ms)
    return (-1, -1) if found is None else (found.timestamp_ms, found.offset)


class Server(socketserver.ThreadingTCPServer):
    """The broker, on a free port of this machine.

    Parameters
    ----------
    logs : mapping of str to sequence of PartitionLog
        Each topic's partitions.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, logs: Logs) -> None:
        self.logs = logs
        self.failures: list[Exception] = []
        super().__init__(("127.0.0.1", 0), Requests)

    def handle_error(self, *_: object) -> None:
        """Keep what went wrong, unless it is a client that has gone."""
        failure = sys.exception()
        if isinstance(failure, Exception) and not isinstance(failure, ConnectionError):
            self.failures.append(failure)

    @property
    def address(self) -> str:
        """Where clients connect to first."""
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"


@contextmanager
def serving(logs: Logs) -> Iterator[Server]:
    """Serve logs until the end of the block."""
    with Server(logs) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
    if server.failures:
        raise ExceptionGroup("the server failed", server.failures)

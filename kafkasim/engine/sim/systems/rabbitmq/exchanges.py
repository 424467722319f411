"""Exchanges and bindings: which queues get a copy of a message.

A publisher names an *exchange* and a *routing key*; the exchange looks through its
*bindings* and names each queue that one of them matches, once, however many of its
bindings do (RQ-1). A message that nobody takes is dropped, or returned to a publisher
who asked for that (`mandatory`); both are for the channel to do.

===========  ==========================================================
type         a binding matches when
===========  ==========================================================
the default  the queue has the routing key for its name; every queue is
             bound so, without anybody's doing, to the exchange ``""``
direct       its key is the routing key
fanout       always
topic        its words match: ``*`` one word, ``#`` any number, also none
===========  ==========================================================

Words are what stands between dots; an empty key has none, and ``a..b`` has an empty one
in the middle. Fan-out is one queue for each subscriber (RQ-2): several consumers of one
queue share what comes in.

Sources: RabbitMQ's documentation, "Exchanges"; `rabbit_exchange_type_topic` and
`rabbit_db_topic_exchange` (4.3.5) for the words of empty keys. The order of the queues
is not documented; here it is that of their first bindings, the direct ones of a key as
the others. Headers exchanges, consistent hashing, alternate exchanges and bindings
between exchanges are not modelled.
"""

from enum import StrEnum
from typing import Final

DEFAULT: Final = ""
"""Name of the default exchange."""

ONE: Final = "*"
"""A word of a binding key of a topic exchange: any one word."""
ANY: Final = "#"
"""Likewise: any number of words, also none."""


class ExchangeType(StrEnum):
    """How an exchange reads the keys of its bindings."""

    DIRECT = "direct"
    FANOUT = "fanout"
    TOPIC = "topic"


class RoutingError(Exception):
    """An exchange or a queue is not there, or not what it was declared as."""


def words(key: str) -> tuple[str, ...]:
    """Return what stands between the dots of a key; an empty one has no words.

    >>> words("stock.usd.nyse")
    ('stock', 'usd', 'nyse')
    """
    return tuple(key.split(".")) if key else ()


def matches(pattern: tuple[str, ...], key: tuple[str, ...]) -> bool:
    """Whether the words of a binding key match those of a routing key.

    After each word of the pattern a bit stands for every number of words of the key
    that can be used up by then: time is the product of both lengths at most.

    >>> matches(words("*.orange.#"), words("quick.orange"))
    True
    """
    ends = (1 << (len(key) + 1)) - 1
    used = 1
    for word in pattern:
        if word == ANY:
            fewest = used & -used
            used = ends & ~(fewest - 1)
        elif word == ONE:
            used = (used << 1) & ends
        else:
            after = 0
            for place, other in enumerate(key):
                if used >> place & 1 and other == word:
                    after |= 2 << place
            used = after
        if not used:
            return False
    return bool(used >> len(key) & 1)


class Exchanges:
    """The exchanges of a virtual host, with its queues' names and their bindings."""

    def __init__(self) -> None:
        self._types: dict[str, ExchangeType] = {DEFAULT: ExchangeType.DIRECT}
        self._bindings: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {}
        """By exchange: (queue, key) → words of the key, in the order of binding."""
        self._queues: dict[str, None] = {}
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}
        """What was looked up since the last change."""

    @property
    def queues(self) -> tuple[str, ...]:
        """Names of all queues, in the order they were declared."""
        return tuple(self._queues)

    def has_queue(self, queue: str) -> bool:
        """Whether there is such a queue."""
        return queue in self._queues

    def declare(self, exchange: str, kind: ExchangeType) -> None:
        """Declare an exchange; to declare it again as it is changes nothing.

        Raises
        ------
        RoutingError
            There is one of another type, or it is the default one.
        """
        if exchange == DEFAULT:
            raise RoutingError("ACCESS_REFUSED: the default exchange is there already")
        if self._types.get(exchange, kind) != kind:
            raise RoutingError(
                f"PRECONDITION_FAILED: exchange {exchange!r} is "
                f"{self._types[exchange]}, not {kind}"
            )
        self._types[exchange] = kind

    def declare_queue(self, queue: str) -> None:
        """Let a queue be known; the default exchange routes to it from now on."""
        self._queues[queue] = None
        self._routes.clear()

    def delete_queue(self, queue: str) -> None:
        """Forget a queue and its bindings."""
        self._queues.pop(queue, None)
        for bound in self._bindings.values():
            for there in [each for each in bound if each[0] == queue]:
                del bound[there]
        self._routes.clear()

    def bind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        """Bind a queue to an exchange; to bind it again so changes nothing.

        Raises
        ------
        RoutingError
            One of them is not there, or it is the default exchange.
        """
        self._check(queue, exchange)
        bound = self._bindings.setdefault(exchange, {})
        bound[queue, routing_key] = words(routing_key)
        self._routes.clear()

    def unbind(self, queue: str, exchange: str, routing_key: str = "") -> None:
        """Take a binding away, if there is one.

        Raises
        ------
        RoutingError
            The queue or the exchange is not there, or it is the default exchange.
        """
        self._check(queue, exchange)
        self._bindings.get(exchange, {}).pop((queue, routing_key), None)
        self._routes.clear()

    def route(self, exchange: str, routing_key: str) -> tuple[str, ...]:
        """Return the queues that get a copy, each once (RQ-1).

        Raises
        ------
        RoutingError
            There is no such exchange.
        """
        found = self._routes.get((exchange, routing_key))
        if found is None:
            found = self._look(exchange, routing_key)
            self._routes[exchange, routing_key] = found
        return found

    def _look(self, exchange: str, routing_key: str) -> tuple[str, ...]:
        if exchange not in self._types:
            raise RoutingError(f"NOT_FOUND: no exchange {exchange!r}")
        if exchange == DEFAULT:
            return (routing_key,) if routing_key in self._queues else ()
        kind = self._types[exchange]
        key = words(routing_key)
        bound = self._bindings.get(exchange, {})
        taken = {
            queue: None
            for (queue, binding_key), pattern in bound.items()
            if kind == ExchangeType.FANOUT
            or (kind == ExchangeType.DIRECT and binding_key == routing_key)
            or (kind == ExchangeType.TOPIC and matches(pattern, key))
        }
        return tuple(taken)

    def _check(self, queue: str, exchange: str) -> None:
        if exchange == DEFAULT:
            raise RoutingError("ACCESS_REFUSED: nobody binds to the default exchange")
        if exchange not in self._types:
            raise RoutingError(f"NOT_FOUND: no exchange {exchange!r}")
        if queue not in self._queues:
            raise RoutingError(f"NOT_FOUND: no queue {queue!r}")

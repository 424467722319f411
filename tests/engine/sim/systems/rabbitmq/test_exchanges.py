"""Which queues get a copy of a message (RQ-1, RQ-2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.engine.sim.systems.rabbitmq.exchanges import (
    Exchanges,
    ExchangeType,
    RoutingError,
    matches,
    words,
)


def exchanges_of(kind: ExchangeType, *bindings: tuple[str, str]) -> Exchanges:
    """Return an exchange `x` with (queue, key) bound to it."""
    exchanges = Exchanges()
    exchanges.declare("x", kind)
    for queue, key in bindings:
        exchanges.declare_queue(queue)
        exchanges.bind(queue, "x", key)
    return exchanges


def test_the_default_exchange_routes_to_the_queue_of_that_name() -> None:
    exchanges = Exchanges()
    exchanges.declare_queue("orders")

    assert exchanges.route("", "orders") == ("orders",)
    assert exchanges.route("", "order") == ()


def test_a_direct_exchange_wants_the_same_key() -> None:
    exchanges = exchanges_of(
        ExchangeType.DIRECT, ("a", "red"), ("b", "red"), ("c", "blue"), ("d", "re")
    )

    assert exchanges.route("x", "red") == ("a", "b")


def test_a_fanout_exchange_ignores_the_key() -> None:
    exchanges = exchanges_of(ExchangeType.FANOUT, ("a", "red"), ("b", ""))

    assert exchanges.route("x", "anything") == ("a", "b")


def test_a_queue_gets_one_copy_however_many_bindings_match() -> None:
    exchanges = exchanges_of(
        ExchangeType.TOPIC, ("a", "#"), ("b", "red"), ("a", "*"), ("a", "red")
    )

    assert exchanges.route("x", "red") == ("a", "b")


@pytest.mark.parametrize(
    ("pattern", "key", "fits"),
    [
        ("*.orange.*", "quick.orange.rabbit", True),
        ("*.orange.*", "quick.orange.male.rabbit", False),
        ("*.orange.*", "orange", False),
        ("regions.na.cities.*", "regions.na.cities", False),
        ("audit.events.#", "audit.events", True),
        ("audit.events.#", "audit.events.users.signup", True),
        ("audit.events.#", "audit.users", False),
        ("#", "", True),
        ("*", "", False),
        ("#.b.#", "a.b.c", True),
        ("#.*", "", False),
        ("a.*.b", "a..b", True),
    ],
)
def test_words_of_a_topic_key(pattern: str, key: str, fits: bool) -> None:  # noqa: FBT001
    assert matches(words(pattern), words(key)) is fits


def naively(pattern: tuple[str, ...], key: tuple[str, ...]) -> bool:
    """Whether they match, by trying everything."""
    if not pattern:
        return not key
    first, rest = pattern[0], pattern[1:]
    if first == "#":
        return any(naively(rest, key[used:]) for used in range(len(key) + 1))
    return bool(key) and first in ("*", key[0]) and naively(rest, key[1:])


@given(
    st.lists(st.sampled_from("ab*#"), max_size=6),
    st.lists(st.sampled_from("abc"), max_size=6),
)
def test_topics_match_as_if_everything_were_tried(
    pattern: list[str], key: list[str]
) -> None:
    assert matches(tuple(pattern), tuple(key)) is naively(tuple(pattern), tuple(key))


def test_what_is_bound_later_counts_from_then_on() -> None:
    exchanges = exchanges_of(ExchangeType.DIRECT, ("a", "red"))
    exchanges.declare_queue("b")
    assert exchanges.route("x", "red") == ("a",)

    exchanges.bind("b", "x", "red")
    assert exchanges.route("x", "red") == ("a", "b")

    exchanges.unbind("a", "x", "red")
    assert exchanges.route("x", "red") == ("b",)


def test_an_exchange_may_be_declared_again_as_it_is() -> None:
    exchanges = exchanges_of(ExchangeType.FANOUT, ("a", ""))

    exchanges.declare("x", ExchangeType.FANOUT)

    assert exchanges.route("x", "") == ("a",)
    with pytest.raises(
        RoutingError, match="PRECONDITION_FAILED: exchange 'x' is fanout"
    ):
        exchanges.declare("x", ExchangeType.DIRECT)


def test_nobody_binds_to_what_is_not_there_or_to_the_default_exchange() -> None:
    exchanges = exchanges_of(ExchangeType.FANOUT, ("a", ""))

    with pytest.raises(RoutingError, match="NOT_FOUND: no queue 'b'"):
        exchanges.bind("b", "x")
    with pytest.raises(RoutingError, match="NOT_FOUND: no exchange 'y'"):
        exchanges.bind("a", "y")
    with pytest.raises(RoutingError, match="NOT_FOUND: no exchange 'y'"):
        exchanges.route("y", "")
    with pytest.raises(RoutingError, match="ACCESS_REFUSED"):
        exchanges.bind("a", "")
    with pytest.raises(RoutingError, match="ACCESS_REFUSED"):
        exchanges.declare("", ExchangeType.FANOUT)

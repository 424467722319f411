"""Traffic of many sources and many subscribers, of which some pairs are wanted.

Each source has a stream of its own, so a wanted pair is a subscriber that reads the
stream of a source.
"""

from collections.abc import Sequence
from typing import Final, TypeVar, cast

from kafkasim.catalogue import say
from kafkasim.config.rules import Number, Rule, Whole
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Distribution
from kafkasim.scenario.keys import Keys, NoKeys
from kafkasim.scenario.traffic import Arrivals, Source, Subscriber, Traffic

NumberT = TypeVar("NumberT", int, float)

FIFTY: Final = Poisson(50.0)
"""What a source sends unless it is said: 50 records per second."""
KEYLESS: Final = NoKeys()
"""Their keys, unless they are said."""


def many_to_many(
    sources: int = 4,
    subscribers: int = 4,
    density: float = 1.0,
    *,
    arrivals: Arrivals = FIFTY,
    keys: Keys = KEYLESS,
    value_bytes: Distribution | int = 200,
    work_ms: Distribution | float = 1.0,
    duration_s: float = 10.0,
) -> Traffic:
    """Return traffic in which a share of all pairs of source and subscriber is wanted.

    Parameters
    ----------
    sources, subscribers : int
        N and M: `source-1` with the stream `stream-1`, …; `subscriber-1`, ….
    density : float
        Share of the N·M pairs that is wanted, at least 1 / min(N, M), so that nobody is
        left alone; their number is rounded. They are spread evenly.
    arrivals : law of arrivals
        Of each source.
    keys : law of keys
        Of each source.
    value_bytes : number or distribution
        Size of a record's value, bytes.
    work_ms : number or distribution
        Work of each subscriber on a record, milliseconds.
    duration_s : float
        How long records are wanted, seconds.

    Raises
    ------
    ValidationError
        There is no source or no subscriber, or the density is out of its range; a field
        of a source or a subscriber is not allowed.

    Examples
    --------
    >>> traffic = many_to_many(2, 4, 0.5)
    >>> {name: each.streams for name, each in traffic.subscribers.items()}
    {'subscriber-1': ('stream-1',), 'subscriber-2': ('stream-2',), \
'subscriber-3': ('stream-1',), 'subscriber-4': ('stream-2',)}
    """
    sources = _checked("sources", sources, Whole(1))
    subscribers = _checked("subscribers", subscribers, Whole(1))
    density = _checked("density", density, Number())
    least = 1 / min(sources, subscribers)
    if not least - 1e-9 <= density <= 1:
        allowed = say(
            "from {least:.3g} to 1, for {sources} × {subscribers}",
            least=least,
            sources=sources,
            subscribers=subscribers,
        )
        raise ValidationError(
            "density", density, allowed, say("fewer leave somebody alone")
        )
    count = max(sources, subscribers, int(density * sources * subscribers + 0.5))
    made = {
        f"source-{n}": Source(
            f"stream-{n}", arrivals, keys=keys, value_bytes=value_bytes
        )
        for n in range(1, sources + 1)
    }
    readers = {
        f"subscriber-{m + 1}": Subscriber(
            [f"stream-{n + 1}" for n in read], work_ms=work_ms
        )
        for m, read in enumerate(_wanted(sources, subscribers, count))
    }
    return Traffic(made, readers, duration_s=duration_s)


def mesh(
    systems: int = 4,
    *,
    arrivals: Arrivals = FIFTY,
    value_bytes: Distribution | int = 200,
    work_ms: Distribution | float = 1.0,
    duration_s: float = 10.0,
) -> Traffic:
    """Return traffic of systems that all send, and all read what the others send.

    Parameters
    ----------
    systems : int
        S, 2 or more: `system-1`, …, each a source and a subscriber.
    arrivals, value_bytes, work_ms, duration_s
        As of `many_to_many`.

    Raises
    ------
    ValidationError
        There are fewer than two systems.

    Examples
    --------
    >>> mesh(3).subscribers["system-2"].streams
    ('stream-1', 'stream-3')
    """
    systems = _checked("systems", systems, Whole(2))
    numbers = range(1, systems + 1)
    return Traffic(
        {
            f"system-{n}": Source(f"stream-{n}", arrivals, value_bytes=value_bytes)
            for n in numbers
        },
        {
            f"system-{m}": Subscriber(
                [f"stream-{n}" for n in numbers if n != m], work_ms=work_ms
            )
            for m in numbers
        },
        duration_s=duration_s,
    )


def _checked(name: str, value: NumberT, rule: Rule) -> NumberT:
    """Return a number as a rule reads it; an error names the parameter."""
    try:
        return cast("NumberT", rule.read(value))
    except ValidationError as error:
        raise error.under(name) from None


def _wanted(sources: int, subscribers: int, count: int) -> Sequence[list[int]]:
    """Return which sources each subscriber wants: diagonal after diagonal.

    The first max(N, M) places of a round hold everybody once.
    """
    read: list[list[int]] = [[] for _ in range(subscribers)]
    few, many = sorted((sources, subscribers))
    for place in range(count):
        diagonal, along = divmod(place, many)
        one, other = along, (along + diagonal) % few
        source, subscriber = (one, other) if sources >= subscribers else (other, one)
        read[subscriber].append(source)
    return [sorted(each) for each in read]

"""Traffic: what the world wants, in words that belong to no system.

Sources emit records into streams, subscribers want streams and work on each record.
Nothing here knows brokers or queues; that is what makes it fair to run the same traffic
through Kafka and through something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document
from kafkasim.config.frozen import UNSET
from kafkasim.config.rules import (
    AtLeastZero,
    Bytes,
    ListOf,
    Moment,
    Name,
    Rule,
    Seconds,
    Share,
)
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import (
    Bursts,
    ClosedLoop,
    DayCurve,
    Periodic,
    Poisson,
)
from kafkasim.scenario.distributions import Distribution
from kafkasim.scenario.keys import DrawnKeys, Keys, NoKeys, TraceColumn
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_rule import TraceRule

Arrivals = (
    Poisson | Periodic | Bursts | DayCurve | ClosedLoop | Annotated[Trace, TraceRule()]
)


@dataclass(frozen=True, slots=True)
class Instant(Rule):
    """A moment in ISO 8601 with its offset, kept in UTC."""

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("a time with its offset, such as 2026-01-01T00:00:00Z")

    def read(self, value: object) -> str:
        """Return the moment in UTC, ending in `Z`."""
        try:
            moment = value if isinstance(value, datetime) else _parsed(value)
            aware = moment if moment is not None and moment.tzinfo else None
            utc = aware and aware.astimezone(UTC)
        except (ValueError, OverflowError) as error:  # no time; a year 0 in UTC
            raise self.reject(value) from error
        if utc is None:
            raise self.reject(value)
        return utc.isoformat().replace("+00:00", "Z")


def _parsed(value: object) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


@document
class Source(Document):
    """One place where records come from, emitting into one stream."""

    stream: Annotated[str, Name()]
    """Name of the stream; several sources may share one."""
    arrivals: Arrivals
    """When the world wants a record sent; or a loop that waits for what it sent."""
    keys: Keys = NoKeys()
    """What each record carries as its key; with the entity's own law (another share of
    records without one aside) it is the entity."""
    entity: Keys | None = None
    """Whose order matters; none: the entity is the key."""
    value_bytes: Bytes | Distribution | TraceColumn = 100
    """Size of a record's value in bytes; a drawn one is rounded, at most 2³¹ − 1."""
    tombstones: Share = 0.0
    """Probability that the value is null."""

    @property
    def sends_entity_as_key(self) -> bool:
        """Whether keys follow the law of the named entities, and so are the same.

        Two laws that differ in `null_share` alone are the same: the order of one
        customer may come without a key.
        """
        if not isinstance(self.keys, DrawnKeys):
            return False
        if not isinstance(self.entity, DrawnKeys):
            return False
        return replace(self.keys, null_share=0.0) == replace(
            self.entity, null_share=0.0
        )


@document
class Subscriber(Document):
    """Someone who wants every record of some streams and works on each."""

    streams: Annotated[Sequence[str], ListOf(Name())]
    """Names of the streams."""
    work_ms: AtLeastZero | Distribution = 0.0
    """Work per record, in milliseconds."""
    from_s: Moment = 0.0
    """When it arrives, in seconds since the run's start."""
    wants: Literal["new", "all"] = "new"
    """Only what is sent after it came, or also what was sent before."""

    def check(self) -> None:
        """Check that it wants something, and nothing twice."""
        if not self.streams:
            raise ValidationError("streams", (), say("at least one stream"))
        for index, name in enumerate(self.streams):
            if name in self.streams[:index]:
                path = f"streams.{index}"
                raise ValidationError(
                    path, name, say("a stream that is not named before")
                )


@document
class Traffic(Document):
    """All sources and subscribers of a scenario.

    Examples
    --------
    >>> web = Source("orders", Poisson(2_000))
    >>> billing = Subscriber(["orders"], work_ms=1)
    >>> Traffic({"web": web}, {"billing": billing}, duration_s=60).subscribers
    {'billing': Subscriber(streams=('orders',), work_ms=1.0)}
    """

    sources: Mapping[str, Source]
    """Where records come from, by name."""
    subscribers: Mapping[str, Subscriber]
    """Who wants them, by name."""
    duration_s: Seconds = UNSET
    """How long sources emit, in seconds; traces alone: their length, unless said."""
    warmup_s: Moment = 0.0
    """Seconds from the start that figures of a steady state leave out."""
    start_time: Annotated[str, Instant()] = "2026-01-01T00:00:00Z"
    """The moment at which the run starts, on the world's calendar."""

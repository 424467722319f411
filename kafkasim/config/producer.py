"""The producer's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.clients.producer.ProducerConfig` (4.3). What is not modelled
yet has no field; `from_properties` names such a key instead of dropping it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from kafkasim.catalogue import say
from kafkasim.config.document import document, effective, setting, with_defaults
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.known import Kind
from kafkasim.config.rules import (
    INT32_MAX,
    INT64_MAX,
    Bytes,
    Choice,
    Count,
    LongMilliseconds,
    Milliseconds,
    Whole,
)
from kafkasim.config.settings import Settings, reconnect_backoff
from kafkasim.errors import ValidationError

_ACKS: Final = Choice(("all", "1", "0"), FrozenDict({"-1": "all"}))
_DELIVERY_TIMEOUT_MS: Final = 120_000
_SOURCE: Final = "ProducerConfig.postProcessAndValidateIdempotenceConfigs"


@document
class ProducerConfig(Settings):
    """Settings of a producer; what is not said has Kafka's default once resolved.

    Raises
    ------
    ValidationError
        For a value Kafka refuses, alone or beside another.

    Examples
    --------
    >>> ProducerConfig(acks="1").resolve().enable_idempotence
    False
    """

    kind: ClassVar[Kind] = "producer"

    acks: Annotated[Literal["all", "1", "0"], _ACKS] = setting("all")
    """Who must have a batch before it is acknowledged; default `all` (KIP-679)."""
    enable_idempotence: bool = setting(default=True)
    """No duplicate and no reordering by retries; default true since 3.0 (KIP-679)."""
    batch_size: Bytes = setting(16_384)
    """Bytes of a batch of one partition at which it is full; default 16384."""
    linger_ms: Milliseconds = setting(5)
    """Whole ms that a batch waits to fill; default 5, 0 before 4.0 (KIP-1030)."""
    max_in_flight_requests_per_connection: Count = setting(5)
    """Requests to one broker that may wait for their answer; default 5."""
    max_request_size: Bytes = setting(1_048_576)
    """Bytes of a request, and of a record before compression; default 1 MiB."""
    compression_type: Literal["none", "gzip", "snappy", "lz4", "zstd"] = setting("none")
    """How batches are compressed; default none. What comes out says the producer's
    `compression_ratio`."""
    partitioner_ignore_keys: bool = setting(default=False)
    """Place a record with a key as if it had none; default false (KIP-794)."""
    partitioner_adaptive_partitioning_enable: bool = setting(default=True)
    """Records without a key go more often where fewer batches wait; default true
    (KIP-794)."""
    partitioner_availability_timeout_ms: LongMilliseconds = setting(0)
    """Whole ms after which a broker that batches wait for is passed over; default 0 for
    never (KIP-794)."""
    buffer_memory: Annotated[int, Whole(0, INT64_MAX)] = setting(33_554_432)
    """Bytes of all batches that are not done yet; default 32 MiB (`BufferPool`)."""
    max_block_ms: LongMilliseconds = setting(60_000)
    """Whole ms that a send waits for metadata and room; default 60 s."""
    retries: Annotated[int, Whole(0, INT32_MAX)] = setting(INT32_MAX)
    """Times that a batch is sent again; default 2³¹ − 1, so time is the limit
    (KIP-91)."""
    retry_backoff_ms: LongMilliseconds = setting(100)
    """Whole ms before a batch is sent again, doubled each time; default 100."""
    retry_backoff_max_ms: LongMilliseconds = setting(1_000)
    """Most that they become; default 1000. If less than the first, it holds from the
    start (KIP-580)."""
    request_timeout_ms: Milliseconds = setting(30_000)
    """Whole ms after which a request without answer has failed; default 30 s."""
    delivery_timeout_ms: Milliseconds = setting(_DELIVERY_TIMEOUT_MS)
    """Whole ms from a batch's first record to its success or failure; default 2 min
    (KIP-91)."""
    reconnect_backoff_ms: LongMilliseconds = setting(50)
    """Whole ms until a lost connection is made again, doubled each time; default 50."""
    reconnect_backoff_max_ms: LongMilliseconds = setting(1_000)
    """Most that they become; default 1000, or the first where only that was set
    (KIP-144)."""
    metadata_max_age_ms: LongMilliseconds = setting(300_000)
    """Whole ms after which metadata is asked for again; default 5 min (`Metadata`)."""

    def check(self) -> None:
        """Check what Kafka checks when a producer is made (PR-1, PR-2, PR-4)."""
        if self.enable_idempotence is True:
            self._check_idempotence()
        in_flight = self.max_in_flight_requests_per_connection
        if self.enable_idempotence is not False and in_flight is not UNSET:
            self._check_in_flight(in_flight)
        if self.delivery_timeout_ms is not UNSET:
            self._check_delivery_timeout(self.delivery_timeout_ms)

    def _check_idempotence(self) -> None:
        why = say(
            "Kafka refuses the pair when idempotence was set by hand; {source}",
            source=_SOURCE,
        )
        if self.retries == 0:
            allowed = say("at least 1 while enable_idempotence is true")
            raise ValidationError("retries", 0, allowed, why)
        if self.acks not in {UNSET, "all"}:
            allowed = say("'all' while enable_idempotence is true")
            raise ValidationError("acks", self.acks, allowed, why)

    def _check_in_flight(self, in_flight: int) -> None:
        if in_flight > 5:
            raise ValidationError(
                "max_in_flight_requests_per_connection",
                in_flight,
                say("at most 5 unless enable_idempotence is set to false"),
                say(
                    "a broker remembers five batches of a producer; Kafka refuses more "
                    "even when idempotence is on only by default; {source}",
                    source=_SOURCE,
                ),
            )

    def _check_delivery_timeout(self, delivery_timeout: int) -> None:
        least = _least_delivery_timeout(self)
        if delivery_timeout < least:
            raise ValidationError(
                "delivery_timeout_ms",
                delivery_timeout,
                say("at least linger_ms + request_timeout_ms, {least}", least=least),
                say(
                    "a batch could expire before its first request does; "
                    "KafkaProducer.configureDeliveryTimeout"
                ),
            )

    def check_beside(self, others: Mapping[str, str]) -> None:
        """Check that a transactional producer is idempotent (PR-3)."""
        name = others.get("transactional.id")
        if name is not None and not self.resolve().enable_idempotence:
            raise ValidationError(
                '"transactional.id"',
                name,
                say("unsaid unless enable_idempotence is true"),
                say("transactions number their batches; {source}", source=_SOURCE),
            )

    def resolve(self) -> Self:
        """Return the effective settings, every field filled in.

        Idempotence that nobody asked for is switched off in silence when `acks` is not
        `all` or `retries` is 0 (PR-1; the same method as in `check`), the default of
        `delivery_timeout_ms` is raised to `linger_ms + request_timeout_ms` (PR-4), and
        that of `reconnect_backoff_max_ms` follows `reconnect_backoff_ms`.
        """
        changes: dict[str, Any] = reconnect_backoff(self)
        loses = self.retries == 0 or self.acks not in {UNSET, "all"}
        if self.enable_idempotence is UNSET and loses:
            changes["enable_idempotence"] = False
        least = _least_delivery_timeout(self)
        if self.delivery_timeout_ms is UNSET and least > _DELIVERY_TIMEOUT_MS:
            changes["delivery_timeout_ms"] = least
        return with_defaults(replace(self, **changes))


def _least_delivery_timeout(config: ProducerConfig) -> int:
    """Return the shortest that Kafka accepts, in ms."""
    linger_ms: int = effective(config, "linger_ms")
    request_timeout_ms: int = effective(config, "request_timeout_ms")
    return min(linger_ms + request_timeout_ms, INT32_MAX)

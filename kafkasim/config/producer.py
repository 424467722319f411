"""The producer's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.clients.producer.ProducerConfig` (4.3). What is not modelled
yet has no field; `from_properties` names such a key instead of dropping it.
"""

# ruff: noqa: RUF009 - the defaults are frozen

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Final, Literal, Self

from kafkasim.config.document import setting, with_defaults
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.known import PRODUCER_KEYS
from kafkasim.config.rules import Bytes, Choice, Count, Milliseconds
from kafkasim.config.settings import Settings
from kafkasim.errors import ValidationError

_ACKS: Final = Choice(("all", "1", "0"), FrozenDict({"-1": "all"}))
_SOURCE: Final = "ProducerConfig.postProcessAndValidateIdempotenceConfigs"


@dataclass(frozen=True, slots=True, repr=False)
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

    known_keys: ClassVar[frozenset[str]] = PRODUCER_KEYS

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
    partitioner_ignore_keys: bool = setting(default=False)
    """Place a record with a key as if it had none; default false (KIP-794)."""

    def check(self) -> None:
        """Check what Kafka checks when a producer is made (PR-1, PR-2)."""
        acks_all = self.acks is UNSET or self.acks == "all"
        if self.enable_idempotence is True and not acks_all:
            raise ValidationError(
                "acks",
                self.acks,
                "'all' while enable_idempotence is true",
                f"Kafka refuses the pair when idempotence was set by hand; {_SOURCE}",
            )
        in_flight = self.max_in_flight_requests_per_connection
        if self.enable_idempotence is not False and in_flight is not UNSET:
            self._check_in_flight(in_flight)

    def _check_in_flight(self, in_flight: int) -> None:
        if in_flight > 5:
            raise ValidationError(
                "max_in_flight_requests_per_connection",
                in_flight,
                "at most 5 unless enable_idempotence is set to false",
                "a broker remembers five batches of a producer; Kafka refuses more "
                f"even when idempotence is on only by default; {_SOURCE}",
            )

    def resolve(self) -> Self:
        """Return the effective settings, every field filled in.

        Idempotence that nobody asked for is switched off in silence when `acks` is not
        `all` (PR-1; the same method as in `check`).
        """
        said = self
        if self.enable_idempotence is UNSET and self.acks not in {UNSET, "all"}:
            said = replace(self, enable_idempotence=False)
        return with_defaults(said)

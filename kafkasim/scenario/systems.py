"""Systems: ways to serve the traffic, each described in its own words.

Little is needed to begin: `Kafka()` is one broker, and for every stream a topic of one
partition, for every source a producer, for every subscriber a group of one member.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from kafkasim.catalogue import say
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.document import Document, document
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.paths import join_path
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.rules import Positive, Whole
from kafkasim.config.topic import TopicConfig
from kafkasim.errors import ValidationError
from kafkasim.scenario.commit_mode import AUTO, CommitMode
from kafkasim.scenario.distributions import Distribution
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.members import Members, MembersRule
from kafkasim.scenario.own_systems import OwnSystem, OwnSystemRule
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.rabbitmq import RabbitMQ


@document
class Topic(Document):
    """A topic; it has the name of its stream."""

    partitions: Annotated[int, Whole(1, 100_000)] = 1
    """Number of partitions."""
    replication_factor: Annotated[int, Whole(1, 32_767)] = 1
    """Copies of each partition."""
    config: TopicConfig = TopicConfig()
    """Its settings."""


@document
class Producer(Document):
    """The client of one source; it has the source's name."""

    config: ProducerConfig = ProducerConfig()
    """Its settings."""
    partitioner: Literal["builtin", "round_robin"] = "builtin"
    """How records find their partition: by key, and without one as the sticky partition
    says; or one partition after the other (`RoundRobinPartitioner`)."""
    partition: Annotated[int, Whole(0, 1_000_000)] | None = None
    """The partition that the application names with every record; None for none."""
    instances: Annotated[int, Whole(1, 1_000)] = 1
    """How many processes the application runs in, each with a client of its own; record
    k of the source goes through instance k mod n."""
    on_error: Literal["drop", "resend"] = "drop"
    """What the application does with a record that has failed: nothing, or it sends it
    again as a new record, if another try may help (`RetriableException`) or it crashed
    before it knew."""
    compression_ratio: Positive | Distribution | None = None
    """What comes out of compression, by what goes in: bytes of a batch's records, such
    as 0.4; drawn for each batch if it is a distribution. It depends on the records and
    the codec, and has no default."""
    byte_rate_quota: Positive | None = None
    """Bytes per second that each broker takes from it (`producer_byte_rate`, KIP-13);
    a broker that got more answers, and then does not listen for a while; none: any."""
    request_percentage_quota: Positive | None = None
    """Percent of one thread's time that its requests may take at each broker, more than
    100 with several threads (`request_percentage`, KIP-124); none: any."""

    def check(self) -> None:
        """Check that a ratio is said where there is compression, and only there."""
        codec = self.config.compression_type
        compresses = codec not in {UNSET, "none"}
        if compresses and self.compression_ratio is None:
            raise ValidationError(
                "compression_ratio",
                None,
                say(
                    "a number or a distribution, while compression_type is {codec!r}",
                    codec=codec,
                ),
                say("how much smaller records become depends on what is in them"),
            )
        if self.compression_ratio is not None and not compresses:
            raise ValidationError(
                "compression_ratio",
                self.compression_ratio,
                say("none, unless config.compression_type is a codec"),
                say("nothing is compressed; ProducerConfig.compression_type"),
            )


@document
class Group(Document):
    """The consumer group of one subscriber; it has the subscriber's name.

    Joined, it is stable at the start: its partitions are assigned by the range assignor
    or, if groups have coordinators, the one that its settings say, and offset 0 is
    committed. Members of a subscriber that comes later join when it comes.
    """

    members: Annotated[Members, MembersRule()] = 1
    """Number of members; or members by name, each with what is special about it."""
    start: Literal["joined", "cold"] = "joined"
    """How it begins: as if it had been there for long, or with the first request of its
    first member, under the reset policy of its settings."""
    commit: Annotated[str, CommitMode()] = AUTO
    """When the application commits: `auto`, `each_poll`, `before_work`, `after_work` or
    `manual(every=n)`; all but the first turn `enable.auto.commit` off."""
    workers: Annotated[int, Whole(1, 10_000)] = 1
    """How many records of a poll each member works on at a time; it polls again when
    all are done."""
    byte_rate_quota: Positive | None = None
    """Bytes per second that each broker sends to its members together
    (`consumer_byte_rate`, KIP-13): they share a client id. None: any."""
    request_percentage_quota: Positive | None = None
    """Percent of one thread's time that their requests may take at each broker, more
    than 100 with several threads (`request_percentage`, KIP-124); none: any."""
    config: ConsumerConfig = ConsumerConfig()
    """Settings of each member."""

    def check(self) -> None:
        """Check that only one of client and application commits."""
        if self.commit != AUTO and self.config.enable_auto_commit is True:
            raise ValidationError(
                "config.enable_auto_commit",
                value=True,
                allowed=say("false while commit is {commit!r}", commit=self.commit),
                why=say("an application that commits by itself turns it off"),
            )


@document
class Kafka(Document):
    """A Kafka cluster and its clients.

    Examples
    --------
    >>> Kafka(brokers=3, topics={"orders": Topic(partitions=6)})
    Kafka(brokers=3, topics={'orders': Topic(partitions=6)})
    """

    brokers: Annotated[int, Whole(1, 1_000)] = 1
    """Number of brokers, numbered from 1."""
    topics: Mapping[str, Topic] = FrozenDict()
    """By stream."""
    producers: Mapping[str, Producer] = FrozenDict()
    """By source."""
    groups: Mapping[str, Group] = FrozenDict()
    """By subscriber."""
    hardware: Hardware = Hardware()
    """Network and processors."""
    broker_config: BrokerConfig = BrokerConfig()
    """Settings of each broker."""
    placement: Literal["in turn", "striped"] = "in turn"
    """Which brokers have a partition's copies: copy k of partition p on broker p + k,
    counted round, as one may assign them by hand; or as Kafka places them by itself,
    from random starts (`StripedReplicaPlacer`)."""
    kafka_version: Literal["4.3"] = "4.3"
    """Whose rules hold."""

    def check(self) -> None:
        """Check that there are brokers for all copies (PL-1)."""
        for name, topic in self.topics.items():
            if topic.replication_factor > self.brokers:
                raise ValidationError(
                    join_path(("topics", name, "replication_factor")),
                    topic.replication_factor,
                    say(
                        "at most {brokers}, the number of brokers", brokers=self.brokers
                    ),
                    "INVALID_REPLICATION_FACTOR; StripedReplicaPlacer",
                )


System = Kafka | PointToPoint | Relay | RabbitMQ | Annotated[OwnSystem, OwnSystemRule()]

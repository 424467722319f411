"""Systems: ways to serve the traffic, each described in its own words.

Little is needed to begin: `Kafka()` is one broker, and for every stream a topic of one
partition, for every source a producer, for every subscriber a group of one member.
"""

# ruff: noqa: RUF009 - the defaults are frozen

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.document import Document
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.paths import join_path, one_of, suggestion
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.rules import AtLeastZero, Number, Positive, Whole
from kafkasim.config.topic import TopicConfig
from kafkasim.errors import ValidationError
from kafkasim.scenario.commit_mode import AUTO, CommitMode
from kafkasim.scenario.distributions import Distribution
from kafkasim.scenario.hardware_presets import PRESETS
from kafkasim.scenario.members import Members, MembersRule


@dataclass(frozen=True, slots=True, repr=False)
class Link(Document):
    """The network between any two hosts."""

    delay_ms: AtLeastZero | Distribution = 0.2
    """One way, in milliseconds; a connection keeps its order."""
    bandwidth_mb_per_s: Positive = 1_250.0
    """Of each host's network card, in 10⁶ bytes per second; 1,250 is 10 Gbit/s."""


@dataclass(frozen=True, slots=True, repr=False)
class Cpu(Document):
    """What a host takes to serve one request."""

    request_ms: AtLeastZero | Distribution = 0.05
    """Per request, in milliseconds; each host draws for itself."""
    mb_ms: AtLeastZero = 0.5
    """Per 10⁶ bytes of it, in milliseconds."""


@dataclass(frozen=True, slots=True, repr=False)
class Disk(Document):
    """The disk of each broker, and the memory in which its logs are kept.

    Appends go to memory and are written to the disk behind the broker's back; what was
    appended or read last stays in memory, and reading it takes no time.
    """

    bandwidth_mb_per_s: Positive = 250.0
    """Of reading and writing together, in 10⁶ bytes per second."""
    access_ms: AtLeastZero | Distribution = 1.0
    """To find a place before a read or a flush, in milliseconds; what is read on and
    on, and what is written behind the broker's back, needs none."""
    page_cache_mb: Positive = 4_096.0
    """Memory for what was appended or read last, in 10⁶ bytes."""
    dirty_background_ratio: Annotated[float, Number(0.0, 1.0)] = 0.1
    """The share of it that waits for the disk at most before writing begins
    (`vm.dirty_background_ratio`)."""
    dirty_ratio: Annotated[float, Number(high=1.0, above=0.0)] = 0.2
    """The share of it above which appends wait for the disk (`vm.dirty_ratio`)."""
    dirty_expire_s: AtLeastZero = 30.0
    """How long anything waits for the disk, in seconds
    (`vm.dirty_expire_centisecs`)."""

    def check(self) -> None:
        """Check that writing begins before appends have to wait."""
        if self.dirty_background_ratio > self.dirty_ratio:
            raise ValidationError(
                "dirty_background_ratio",
                self.dirty_background_ratio,
                f"at most dirty_ratio, {self.dirty_ratio:g}",
                "else nothing is written before appends have to wait",
            )


@dataclass(frozen=True, slots=True, repr=False)
class Hardware(Document):
    """Network and processors, alike for all hosts, and the disks of brokers."""

    link: Link = Link()
    """The network."""
    cpu: Cpu = Cpu()
    """The processors."""
    disk: Disk | None = None
    """The disk of each broker, and its page cache; none: neither takes time."""

    @classmethod
    def ideal(cls) -> Self:
        """Return hardware that takes no time: what a run then shows is the rules alone.

        A transfer still takes the engine's least time of 1 ns.

        Examples
        --------
        >>> Kafka(hardware=Hardware.ideal()).hardware.link.delay_ms
        0.0
        """
        link = Link(delay_ms=0.0, bandwidth_mb_per_s=1e12)
        return cls(link=link, cpu=Cpu(request_ms=0.0, mb_ms=0.0))

    @classmethod
    def preset(cls, name: str) -> Self:
        """Return hardware that somebody measured or sells.

        What its source does not state stands at the default;
        `kafkasim.scenario.hardware_presets` tells the sources.

        Raises
        ------
        ValidationError
            There is no such name.

        Examples
        --------
        >>> Hardware.preset("linkedin_2014").link.bandwidth_mb_per_s
        125.0
        """
        if name not in PRESETS:
            near = suggestion(name, PRESETS)
            raise ValidationError("preset", name, one_of(PRESETS), near)
        found = PRESETS[name]
        disk = Disk(**found.disk) if found.disk else None
        return cls(link=Link(**found.link), cpu=Cpu(**found.cpu), disk=disk)


@dataclass(frozen=True, slots=True, repr=False)
class Topic(Document):
    """A topic; it has the name of its stream."""

    partitions: Annotated[int, Whole(1, 100_000)] = 1
    """Number of partitions."""
    replication_factor: Annotated[int, Whole(1, 32_767)] = 1
    """Copies of each partition."""
    config: TopicConfig = TopicConfig()
    """Its settings."""


@dataclass(frozen=True, slots=True, repr=False)
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
                f"a number or a distribution, while compression_type is {codec!r}",
                "how much smaller records become depends on what is in them",
            )
        if self.compression_ratio is not None and not compresses:
            raise ValidationError(
                "compression_ratio",
                self.compression_ratio,
                "none, unless config.compression_type is a codec",
                "nothing is compressed; ProducerConfig.compression_type",
            )


@dataclass(frozen=True, slots=True, repr=False)
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
                allowed=f"false while commit is {self.commit!r}",
                why="an application that commits by itself turns it off",
            )


@dataclass(frozen=True, slots=True, repr=False)
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
                    f"at most {self.brokers}, the number of brokers",
                    "INVALID_REPLICATION_FACTOR; StripedReplicaPlacer",
                )


@dataclass(frozen=True, slots=True, repr=False)
class PointToPoint(Document):
    """No broker: each source sends each record to each subscriber itself.

    It waits for the answer before it sends the next, so a subscriber that is slow or
    down blocks it.
    """

    hardware: Hardware = Hardware()
    """Network and processors."""


System = Kafka | PointToPoint

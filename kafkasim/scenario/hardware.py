"""Hardware: the network, the processors and the disks on which a system runs."""

from typing import Annotated, Self

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document
from kafkasim.config.paths import one_of, suggestion
from kafkasim.config.rules import AtLeastZero, Number, Positive
from kafkasim.errors import ValidationError
from kafkasim.scenario.distributions import Distribution
from kafkasim.scenario.hardware_presets import PRESETS


@document
class Link(Document):
    """The network between any two hosts."""

    delay_ms: AtLeastZero | Distribution = 0.2
    """One way, in milliseconds; a connection keeps its order."""
    bandwidth_mb_per_s: Positive = 1_250.0
    """Of each host's network card, in 10⁶ bytes per second; 1,250 is 10 Gbit/s."""


@document
class Cpu(Document):
    """What a host takes to serve one request."""

    request_ms: AtLeastZero | Distribution = 0.05
    """Per request, in milliseconds; each host draws for itself."""
    mb_ms: AtLeastZero = 0.5
    """Per 10⁶ bytes of it, in milliseconds."""


@document
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
                say(
                    "at most dirty_ratio, {dirty_ratio:g}", dirty_ratio=self.dirty_ratio
                ),
                say("else nothing is written before appends have to wait"),
            )


@document
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
        >>> Hardware.ideal().link.delay_ms
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

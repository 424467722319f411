"""Which brokers keep the replicas of a new topic's partitions.

`StripedReplicaPlacer` (PL-1 to PL-5) deals the unfenced brokers out as leaders, one
rack after the other, and spreads the followers of a partition over the other racks.
Fenced brokers are taken as followers only where a rack has no unfenced one left. When
every unfenced broker has led once, racks and brokers are shuffled, so that the same
replica lists do not come again.

Random choices are those of `java.util.Random`: draw *i* is what its `next(31)` gives
the *i*-th time, so the draws of a seeded generator of Java give Kafka's own answer.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from kafkasim.errors import KafkasimError
from kafkasim.protocol.java_order import JavaSet, text_hash

_T = TypeVar("_T")

MAX_PARTITIONS_PER_REQUEST: Final = 10_000
"""Partitions that one request may create (`ReplicationControlManager`, PL-8)."""


class PlacementError(KafkasimError, ValueError):
    """Replicas cannot be placed as asked.

    Parameters
    ----------
    code : str
        Kafka's name of the error: INVALID_REPLICATION_FACTOR, or
        INVALID_REPLICA_ASSIGNMENT for an assignment made by hand.
    text : str
        What was wrong, with the value.
    """

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code}: {text}")

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return (type(self), (self.code, self.text))


class UsableBroker(NamedTuple):
    """A broker that may get replicas: registered, and not on its way out."""

    node: int
    rack: str | None = None
    """None: in no rack; all such brokers form one."""
    fenced: bool = False


class Next31(Protocol):
    """31-bit random integers by index, such as `partitioner.Draws`."""

    def __getitem__(self, index: int, /) -> int:
        """Return draw `index`."""


class _Random:
    """What `java.util.Random` makes of its draws; all zeros when there are none."""

    __slots__ = ("_count", "_draws")

    def __init__(self, draws: Next31 | None) -> None:
        self._draws = draws
        self._count = 0

    def _next(self) -> int:
        if self._draws is None:
            return 0
        self._count += 1
        return self._draws[self._count - 1]

    def below(self, bound: int) -> int:
        """Return an integer in [0, bound), as `nextInt(bound)`."""
        draw = self._next()
        if bound & (bound - 1) == 0:
            return (bound * draw) >> 31
        value = draw % bound
        # The uppermost draws do not fill a whole range and would favour small values.
        while draw - value + bound > 1 << 31:
            draw = self._next()
            value = draw % bound
        return value

    def shuffle(self, items: list[_T]) -> None:
        """Shuffle in place, as `Collections.shuffle`."""
        for size in range(len(items), 1, -1):
            at = self.below(size)
            items[size - 1], items[at] = items[at], items[size - 1]


class _Brokers:
    """Brokers of a rack that are dealt out in turn, each once per epoch (PL-4)."""

    __slots__ = ("_epoch", "_index", "_offset", "nodes")

    def __init__(self) -> None:
        self.nodes: list[int] = []
        self._index = 0
        self._offset = 0
        self._epoch = 0

    def start(self, random: _Random) -> None:
        """Sort, and start anywhere."""
        if self.nodes:
            self.nodes.sort()
            self._offset = random.below(len(self.nodes))

    def next(self, epoch: int) -> int:
        """Return the next node, -1 when all had their turn in this epoch."""
        if not self.nodes:
            return -1
        if self._epoch != epoch:
            self._epoch = epoch
            self._index = 0
            self._offset = (self._offset + 1) % len(self.nodes)
        if self._index >= len(self.nodes):
            return -1
        node = self.nodes[(self._index + self._offset) % len(self.nodes)]
        self._index += 1
        return node


class _Rack:
    """A rack's brokers, those that may lead apart from the fenced ones."""

    __slots__ = ("fenced", "unfenced")

    def __init__(self) -> None:
        self.fenced = _Brokers()
        self.unfenced = _Brokers()

    def next(self, epoch: int) -> int:
        node = self.unfenced.next(epoch)
        return node if node >= 0 else self.fenced.next(epoch)


class _Racks:
    """All racks, and whose turn it is."""

    def __init__(self, brokers: Sequence[UsableBroker], random: _Random) -> None:
        self._random = random
        by_name: dict[str | None, _Rack] = {}
        for broker in brokers:
            rack = by_name.setdefault(broker.rack, _Rack())
            (rack.fenced if broker.fenced else rack.unfenced).nodes.append(broker.node)
        self._unfenced_count = sum(not broker.fenced for broker in brokers)
        self._hashed = [by_name[name] for name in _in_hash_order(list(by_name))]
        for rack in self._hashed:
            rack.fenced.start(random)
            rack.unfenced.start(random)
        names = sorted(by_name, key=lambda name: (name is not None, name or ""))
        self._turns = [by_name[name] for name in names]
        self._turn = random.below(len(self._turns))
        self._epoch = 0

    def place(self, replication_factor: int) -> tuple[int, ...]:
        """Return the replicas of the next partition, the leader first (PL-3)."""
        if self._epoch == self._unfenced_count and self._unfenced_count > 1:
            self._shuffle()
            self._epoch = 0
        count = len(self._turns)
        at = self._turn = self._turn % count
        leading = at
        while (node := self._turns[leading].unfenced.next(self._epoch)) < 0:
            leading = (leading + 1) % count
        replicas = [node]
        while len(replicas) < replication_factor:
            if at == leading:
                leading = -1  # the leader's rack is passed over, once
            elif (node := self._turns[at].next(self._epoch)) >= 0:
                replicas.append(node)
            at = (at + 1) % count
        self._epoch += 1
        self._turn += 1
        return tuple(replicas)

    def _shuffle(self) -> None:
        self._random.shuffle(self._turns)
        for rack in self._hashed:
            self._random.shuffle(rack.fenced.nodes)
            self._random.shuffle(rack.unfenced.nodes)


class ReplicaPlacer:
    """Places one topic after the other, each with the next draws.

    Parameters
    ----------
    draws : Next31, optional
        31-bit random integers, read from index 0 on; without them every random
        choice is 0.
    """

    def __init__(self, draws: Next31 | None = None) -> None:
        self._random = _Random(draws)

    def place(
        self,
        brokers: Sequence[UsableBroker],
        partitions: int,
        replication_factor: int,
    ) -> list[tuple[int, ...]]:
        """Place the replicas of new partitions; see `place_replicas`."""
        wrong = ""
        if replication_factor <= 0:
            wrong = f"a replication factor must be positive, not {replication_factor}"
        elif all(broker.fenced for broker in brokers):
            wrong = "no broker is unfenced"
        elif replication_factor > len(brokers):
            wrong = (
                f"a replication factor of {replication_factor} needs as many brokers, "
                f"and there are {len(brokers)}"
            )
        if wrong:
            raise PlacementError("INVALID_REPLICATION_FACTOR", wrong)
        racks = _Racks(brokers, self._random)
        return [racks.place(replication_factor) for _ in range(partitions)]


def place_replicas(
    brokers: Sequence[UsableBroker],
    partitions: int,
    replication_factor: int,
    draws: Next31 | None = None,
) -> list[tuple[int, ...]]:
    """Place the replicas of one topic's partitions (`StripedReplicaPlacer.place`).

    Parameters
    ----------
    brokers : sequence of UsableBroker
        Who may get replicas, fenced ones included; a broker in controlled shutdown
        may not.
    partitions : int
        How many partitions.
    replication_factor : int
        Replicas of each.
    draws : Next31, optional
        31-bit random integers, read from index 0 on; without them every random
        choice is 0.

    Returns
    -------
    list of tuple of int
        Per partition its replicas' nodes, the leader first.

    Raises
    ------
    PlacementError
        INVALID_REPLICATION_FACTOR: none or fewer replicas asked for, more than there
        are brokers, or no broker is unfenced (PL-1).

    Examples
    --------
    >>> place_replicas([UsableBroker(node) for node in range(5)], 3, 2)
    [(0, 1), (1, 2), (2, 3)]
    """
    return ReplicaPlacer(draws).place(brokers, partitions, replication_factor)


def check_assignment(
    replicas: Sequence[int], nodes: Sequence[int], replication_factor: int
) -> None:
    """Check a partition's replicas that were chosen by hand (PL-8).

    `ReplicationControlManager.validateManualPartitionAssignment`.

    Parameters
    ----------
    replicas : sequence of int
        What was chosen.
    nodes : sequence of int
        All registered brokers, fenced or not.
    replication_factor : int
        That of the topic's other partitions.

    Raises
    ------
    PlacementError
        INVALID_REPLICA_ASSIGNMENT: none, an unknown broker, one named twice, or not
        as many as the other partitions have.
    """
    wrong = ""
    if not replicas:
        wrong = "a partition needs a replica"
    elif unknown := [node for node in replicas if node not in nodes]:
        wrong = f"no broker {unknown[0]} is registered"
    elif len(set(replicas)) < len(replicas):
        wrong = f"a broker is named twice in {tuple(replicas)}"
    elif len(replicas) != replication_factor:
        wrong = (
            f"{len(replicas)} replicas, the other partitions have {replication_factor}"
        )
    if wrong:
        raise PlacementError("INVALID_REPLICA_ASSIGNMENT", wrong)


def _in_hash_order(names: list[str | None]) -> list[str | None]:
    """Return rack names in the order in which Java's `HashMap` walks them."""
    walked: JavaSet[str | None] = JavaSet(
        lambda name: 0 if name is None else text_hash(name), keys=names
    )
    return walked.walk()

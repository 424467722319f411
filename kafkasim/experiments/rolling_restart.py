"""A rolling restart, once for each way in which a group can rebalance.

The same members are stopped in order and started again, one after the other, as when a
new version is deployed; the same records come. What differs is how the group shares its
partitions out:

* *eager*: the classic protocol with the range assignor: who joins gives all up first;
* *cooperative*: with the cooperative sticky assignor: only what moves is given up;
* *static*: members have a `group.instance.id`, and the group waits for them;
* *KIP-848*: the consumer protocol: the coordinator assigns, and nobody waits for all.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kafkasim.catalogue import say
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.errors import ValidationError
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.member_events import RollingRestart
from kafkasim.scenario.members import Member
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

RESTART_AT_S: Final = 60.0
"""When the first member stops; all read since 10 s at the latest."""
_CONFIGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "eager": {"partition_assignment_strategy": ("range",)},
    "cooperative": {"partition_assignment_strategy": ("cooperative-sticky",)},
    "static": {"partition_assignment_strategy": ("range",)},
    "KIP-848": {"group_protocol": "consumer"},
}
PROTOCOLS: Final = tuple(_CONFIGS)


def rolling_restarts(
    protocols: Sequence[str] = PROTOCOLS,
    *,
    members: int = 10,
    partitions: int = 100,
    work_ms: float = 50.0,
    down_s: float = 5.0,
    every_s: float = 30.0,
) -> dict[str, Result]:
    """Restart all members of a group, one by one, with each protocol.

    Parameters
    ----------
    protocols : sequence of str
        Any of `PROTOCOLS`.
    members, partitions : int
        Of the group, and of the topic that it reads.
    work_ms : float
        Work on a record, milliseconds. So many records come that the members are at
        work for half of the time, however long that is.
    down_s, every_s : float
        As of `RollingRestart`, seconds.

    Returns
    -------
    dict of str to Result
        By protocol. `analysis.unread` says of each how many partitions nobody read, and
        `plot.unread` compares them.

    Raises
    ------
    ValidationError
        No such protocol, or a number that is not allowed.
    """
    for each in protocols:
        if each not in _CONFIGS:
            raise ValidationError(
                "protocols", each, say("any of {names}", names=", ".join(PROTOCOLS))
            )
    rate_per_s = members * 500.0 / work_ms
    traffic = Traffic(
        {"web": Source("orders", Periodic(rate_per_s), keys=UniformKeys(10_000))},
        {"billing": Subscriber(["orders"], work_ms=work_ms)},
        duration_s=RESTART_AT_S + every_s * members,
    )
    restart = RollingRestart(
        "subscriber:billing", at_s=RESTART_AT_S, down_s=down_s, every_s=every_s
    )
    found = {}
    for each in protocols:
        there = members if each != "static" else _static(members)
        config = ConsumerConfig(**_CONFIGS[each])
        group = Group(members=there, start="cold", config=config)
        topics = {"orders": Topic(partitions=partitions)}
        kafka = Kafka(topics=topics, groups={"billing": group})
        scenario = Scenario(traffic, kafka, name=each, events=[restart])
        found[each] = run(scenario, progress=False)
    return found


def _static(count: int) -> dict[str, Member]:
    return {str(n): Member(instance_id=f"billing-{n}") for n in range(1, count + 1)}

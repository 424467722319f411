"""The world's traffic, dealt out to the clients of a simulated Kafka cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kafkasim.engine.sim.arranging import Arrangement
from kafkasim.engine.sim.lanes import (
    Lane,
    dealt_blocks,
    dealt_plan,
    lanes_of,
)
from kafkasim.engine.sim.live_records import LiveRecords, LoopBlocks
from kafkasim.engine.sim.systems.stuck_records import stuck_in_loop
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.blocks import SourceBlocks, blocks_of
from kafkasim.scenario.drawn_blocks import DrawnBlocks, drawn_source
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer


class DealtTraffic(NamedTuple):
    """What each client of the sources is to send."""

    lanes: Sequence[Lane]
    """The clients."""
    producers: Mapping[str, Producer]
    """What is said of each, by its name."""
    sources: Sequence[SourceBlocks]
    """Their records."""
    plan: Plan | None
    """The same records, when they were all drawn before."""
    live: Mapping[int, LiveRecords]
    """By client, where more records may join those."""

    @property
    def open_loops(self) -> int:
        """How many of the clients have records that are wanted whatever happens."""
        return len(self.lanes) - sum(each.is_loop for each in self.live.values())


def deal_traffic(
    resolved: Scenario, plan: Plan | None, drawn: Sequence[DrawnBlocks]
) -> DealtTraffic:
    """Deal a scenario's traffic out.

    Parameters
    ----------
    resolved : Scenario
        Its system is `Kafka`.
    plan : Plan or None
        What the world wants.
    drawn : sequence of DrawnBlocks
        The same, drawn as it is read; without a plan.
    """
    system = resolved.system
    assert isinstance(system, Kafka)
    lanes = lanes_of(sorted(resolved.traffic.sources), system.producers)
    producers = {lane.name: system.producers[lane.source] for lane in lanes}
    if plan is None:
        return DealtTraffic(lanes, producers, dealt_blocks(drawn, lanes), None, {})
    plan = dealt_plan(plan, lanes)
    sources: list[SourceBlocks] = [*blocks_of(plan)]
    for name, source in sorted(resolved.traffic.sources.items()):
        if isinstance(source.arrivals, ClosedLoop):
            mine = [n for n, lane in enumerate(lanes) if lane.source == name]
            longer = stuck_in_loop(resolved.events, name)
            loop = drawn_source(name, resolved.traffic, resolved.seed, longer)
            for number, blocks in zip(mine, _dealt(loop, lanes, mine), strict=True):
                sources[number] = blocks
    targets = {event.target for event in resolved.events}
    live = {}
    for number, lane in enumerate(lanes):
        is_loop = bool(plan.sources[lane.name].law)
        crashes = f"source:{lane.source}" in targets
        if is_loop or crashes or producers[lane.name].on_error == "resend":
            live[number] = _live(plan, lane, sources[number])
        if is_loop:
            sources[number] = LoopBlocks(sources[number], live[number])
    return DealtTraffic(lanes, producers, sources, plan, live)


def _dealt(
    source: SourceBlocks, lanes: Sequence[Lane], mine: Sequence[int]
) -> list[SourceBlocks]:
    """Return the blocks of each of a source's clients."""
    alone = [replace(lanes[number], code=0) for number in mine]
    return dealt_blocks([source], alone)


def _live(plan: Plan, lane: Lane, blocks: SourceBlocks) -> LiveRecords:
    source = plan.sources[lane.name]
    work_ns = {
        subscriber: column
        for (subscriber, name), column in plan.work_ns.items()
        if name == lane.name
    }
    return LiveRecords(
        source,
        work_ns,
        is_loop=bool(source.law),
        each_work_ns=blocks.each_work_ns,
    )


def arranged(plan: Plan, traffic: DealtTraffic) -> Arrangement:
    """Return where the records of the clients' plan stand in the table."""
    sizes = [len(source.intended_ns) for source in plan.sources.values()]
    return Arrangement(traffic.lanes, sizes, traffic.live)


def live_plan(plan: Plan, live: Mapping[int, LiveRecords]) -> Plan:
    """Return the plan with what was sent in place of what was planned."""
    if not live:
        return plan
    sources = dict(plan.sources)
    work_ns = dict(plan.work_ns)
    names = list(sources)
    for number, records in live.items():
        name = names[number]
        sources[name] = records.plan
        for subscriber, column in records.works_ns().items():
            work_ns[subscriber, name] = column
    return Plan(plan.seed, plan.duration_ns, sources, work_ns)

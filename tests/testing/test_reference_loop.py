"""In a closed loop the engine's producer and the plain one give identical rows."""

from dataclasses import dataclass, replace
from itertools import count, cycle

import numpy as np
from hypothesis import assume, event, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import CheckedCalendar
from kafkasim.engine.sim.live_records import LiveHandOver, LiveRecords, LoopBlocks
from kafkasim.engine.sim.producer import ProducerClient
from kafkasim.engine.sim.source_application import (
    LaneJoiner,
    LiveLane,
    Loop,
    SourceApplication,
)
from kafkasim.engine.sim.source_columns import Placing
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.protocol.producing.partitioner import Draws, key_partition
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.blocks import PlannedBlocks
from kafkasim.scenario.plan import SourcePlan
from kafkasim.scenario.scenario import Scenario as Whole
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.testing import (
    ReferenceLoop,
    ReferenceProducer,
    ReferenceRecord,
    ReferenceSettings,
)
from kafkasim.units import NOT_YET_NS
from tests.testing.both_producers import (
    KEYS,
    MS,
    IdealBrokers,
    Scenario,
    config_of,
    engine_row,
    known,
    plan_of,
    reference_row,
)

RECORDS = 200


@st.composite
def settings(draw: st.DrawFn) -> ReferenceSettings:
    nodes = draw(st.integers(1, 3))
    batch_size = draw(st.sampled_from((1, 200, 600, 1_000, 9_000)))
    memory = draw(st.sampled_from((1, 2, 3, 1_000))) * max(batch_size, 300)
    return ReferenceSettings(
        leaders=tuple(
            draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=6))
        ),
        batch_size=batch_size,
        linger_ns=draw(st.sampled_from((0, 1, 5, 20))) * MS,
        max_in_flight=draw(st.sampled_from((1, 2, 5))),
        max_request_size=draw(st.sampled_from((300, 2_000, 1_048_576))),
        buffer_memory=memory,
        max_block_ns=draw(st.sampled_from((0, 1, 20, 60_000))) * MS,
        adaptive=draw(st.booleans()),
        acks=draw(st.sampled_from(("all", "all", "0"))),
        delay_ns=draw(st.sampled_from((200_000, MS, 7 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, 3 * MS))),
        end_ns=draw(st.none() | st.integers(0, 100 * MS)),
    )


@st.composite
def loops(draw: st.DrawFn, asked: ReferenceSettings) -> ReferenceLoop:
    least_ns = 1 if asked.acks == "0" or asked.max_block_ns == 0 else 0
    thinks = st.sampled_from((0, 1, 999_999, MS, MS, 5 * MS, 30 * MS))
    thinks_ns = draw(st.lists(thinks, min_size=1, max_size=7))
    return ReferenceLoop(
        outstanding=draw(st.integers(1, 6)),
        thinks_ns=tuple(max(least_ns, each) for each in thinks_ns),
        duration_ns=draw(st.sampled_from((1, 10, 30))) * MS,
    )


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[Scenario, ReferenceLoop]:
    asked = draw(settings())
    keys = draw(st.lists(st.sampled_from((None, None, 1, 2, 6)), min_size=1))
    sizes = draw(st.lists(st.sampled_from((-1, 0, 50, 70, 150, 400)), min_size=1))
    some_keys, some_sizes = cycle(keys), cycle(sizes)
    records = [(NOT_YET_NS, next(some_keys), next(some_sizes)) for _ in range(RECORDS)]
    scenario = Scenario(records, asked, draw(st.booleans()), draw(st.integers(0, 9)))
    return scenario, draw(loops(asked))


@given(scenarios())
def test_engine_and_plain_producer_agree_in_a_closed_loop(
    both: tuple[Scenario, ReferenceLoop],
) -> None:
    check_equal(*both)


def check_equal(scenario: Scenario, loop: ReferenceLoop) -> None:
    """Run both producers and compare all rows."""
    reference = _plain(scenario, loop)
    expected = reference.run()
    created = sum(row.created_ns is not None for row in expected)
    assume(created < RECORDS)
    event(f"{min(created, 100) // 10 * 10} records")

    done = _engine(scenario, loop)

    assert [engine_row(b) for b in done.batches] == [
        reference_row(batch) for batch in reference.batches
    ]
    assert done.waits == reference.blocked
    assert done.timed_out == reference.timed_out
    assert done.records.begun == len(done.records) >= created
    assert _places(done, created) == [
        (row.partition, row.batch_id, row.batch_index, row.acked_ns)
        for row in expected[:created]
    ]
    assert done.created_ns[:created].tolist() == [
        row.created_ns for row in expected[:created]
    ]
    # Others were wanted by then, and their thread waited to the end of the run.
    assert (done.created_ns[created:] == NEVER).all()


def _plain(scenario: Scenario, loop: ReferenceLoop) -> ReferenceProducer:
    partitions = len(scenario.settings.leaders)
    return ReferenceProducer(
        [
            ReferenceRecord(
                created_ns,
                -1 if key is None else len(KEYS[key]),
                value_bytes,
                None
                if key is None or scenario.ignore_keys
                else key_partition(KEYS[key].encode(), partitions),
            )
            for created_ns, key, value_bytes in scenario.records
        ],
        scenario.settings,
        map(Draws(np.random.default_rng(scenario.seed)).__getitem__, count()),
        loop,
    )


@dataclass
class Done:
    """What a run of the engine's producer left."""

    client: ProducerClient
    batches: list[Batch]
    records: LiveRecords
    waits: list[tuple[int, int]]
    timed_out: list[int]
    created_ns: NDArray[np.int64]


def _engine(scenario: Scenario, loop: ReferenceLoop) -> Done:
    asked = scenario.settings
    calendar = CheckedCalendar()
    brokers = IdealBrokers(calendar, asked)
    records = LiveRecords(_nothing(plan_of(scenario)), {}, is_loop=True)
    waits: list[tuple[int, int]] = []
    timed_out: list[int] = []
    application = _application(calendar, records, loop)

    def failed(ordinal: int) -> None:
        timed_out.append(ordinal)
        application.timed_out(0, ordinal)

    handed = LiveHandOver(
        0,
        records,
        write_blocked=lambda _, since, until, __: waits.append((since, until)),
        on_timed_out=lambda _, __: None,
    )
    handed.on_failed = failed
    joiner = LaneJoiner(application, 0)
    client = _client(scenario, calendar, brokers, records, handed, joiner)
    joiner.lane.client = client
    client.start()
    application.start()
    batches = brokers.sent
    calendar.run_entries(1 << 61 if asked.end_ns is None else asked.end_ns)
    if asked.end_ns is not None:
        batches = batches + client.finish(asked.end_ns)
    assert handed.created_ns is not None
    return Done(client, batches, records, waits, timed_out, handed.created_ns)


def _application(
    calendar: CheckedCalendar, records: LiveRecords, loop: ReferenceLoop
) -> SourceApplication:
    return SourceApplication(
        calendar=calendar,
        timeline=Timeline(calendar, _whole()),
        lanes=[LiveLane(records, actor=0)],
        finals=1,
        resends=False,
        until_ns=0,
        loop=Loop("web", loop.outstanding, cycle(loop.thinks_ns), loop.duration_ns),
    )


def _client(  # noqa: PLR0917
    scenario: Scenario,
    calendar: CheckedCalendar,
    brokers: IdealBrokers,
    records: LiveRecords,
    handed: LiveHandOver,
    joiner: LaneJoiner,
) -> ProducerClient:
    leaders = scenario.settings.leaders
    return ProducerClient(
        calendar=calendar,
        actor=0,
        source_index=0,
        source=LoopBlocks(PlannedBlocks(plan_of(scenario), {}, 64), records),
        config=config_of(scenario),
        topic_index=0,
        leaders=leaders,
        node_count=max(leaders) + 1,
        draws=np.random.default_rng(scenario.seed),
        send=brokers.send,
        next_batch_id=brokers.next_batch_id,
        hand_over=handed,
        placing=Placing(by_record=True),
        application=joiner,
    )


def _places(done: Done, created: int) -> list[tuple[int, int, int, int | None]]:
    """Return where each record went: partition, batch, place in it, and its end."""
    found: list[tuple[int, int, int, int | None]] = [(-1, -1, -1, None)] * created
    for batch in done.batches:
        ordinals = done.client.append_list(batch.partition)[batch.lo : batch.hi]
        for index, ordinal in enumerate(ordinals.tolist()):
            found[ordinal] = (
                batch.partition,
                batch.batch_id,
                index,
                known(batch.acked_ns),
            )
    return found


def _nothing(plan: SourcePlan) -> SourcePlan:
    """Return the plan without its records."""
    return replace(
        plan,
        intended_ns=plan.intended_ns[:0],
        key_id=plan.key_id[:0],
        entity_id=plan.entity_id[:0],
        value_bytes=plan.value_bytes[:0],
    )


def _whole() -> Whole:
    return Whole(Traffic({"web": Source("orders", Periodic(1))}, {}, 1), end="cut")

"""Drawn block by block, a source sends the records of its plan."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.scenario import arrivals, blocks
from kafkasim.scenario.arrivals import Bursts, DayCurve, Periodic, Poisson
from kafkasim.scenario.blocks import SourceBlock, SourceBlocks, block_size, blocks_of
from kafkasim.scenario.distributions import Exponential, LogNormal, Uniform
from kafkasim.scenario.drawn_blocks import drawn_blocks, outline_of
from kafkasim.scenario.draws import NULL
from kafkasim.scenario.keys import HotKey, NoKeys, TraceColumn, UniformKeys, ZipfKeys
from kafkasim.scenario.plan import draw_plan
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

SOME_ARRIVALS: list[Poisson | Periodic | Bursts | DayCurve] = [
    Poisson(700),
    Periodic(700, phase_s=0.01),
    Bursts(700, burst=9),
    DayCurve(700, peak_ratio=1.9, day_s=0.3),
]
SOME_KEYS: list[NoKeys | UniformKeys | ZipfKeys | HotKey] = [
    NoKeys(),
    UniformKeys(9),
    UniformKeys(70_000, null_share=0.4),
    ZipfKeys(50, null_share=0.2),
    HotKey(5, hot_share=0.4),
]
ARRIVALS = st.sampled_from(SOME_ARRIVALS)
KEYS = st.sampled_from(SOME_KEYS)
Law = Uniform | Exponential | LogNormal
SOME_LAWS: list[Law | int] = [3, 0, Uniform(1, 90), Exponential(2.0), LogNormal(9.0, 1)]
NUMBERS = st.sampled_from(SOME_LAWS)


@st.composite
def sources(draw: st.DrawFn) -> Source:
    return Source(
        "orders",
        draw(ARRIVALS),
        keys=draw(KEYS),
        entity=draw(st.none() | KEYS),
        value_bytes=draw(NUMBERS),
        tombstones=draw(st.sampled_from([0.0, 0.3])),
    )


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    return Traffic(
        {"web": draw(sources()), "app": draw(sources())},
        {
            "billing": Subscriber(["orders"], work_ms=draw(NUMBERS)),
            "audit": Subscriber(["orders"], work_ms=draw(NUMBERS)),
        },
        duration_s=draw(st.sampled_from([0.001, 0.2, 1.0])),
    )


def joined(parts: SourceBlocks) -> SourceBlock | None:
    """Return all blocks of a source as one; None when there are none."""
    every = list(parts)
    assert all(len(block) for block in every)
    if not every:
        return None
    return SourceBlock(
        np.concatenate([block.intended_ns for block in every]),
        np.concatenate([block.key_id for block in every]),
        np.concatenate([block.entity_id for block in every]),
        np.concatenate([block.value_bytes for block in every]),
        {
            name: np.concatenate([block.work_ns[name] for block in every])
            for name in every[0].work_ns
        },
    )


def check_same(traffic: Traffic, seed: int) -> None:
    """Compare what is drawn in blocks with the plan, column by column."""
    plan = draw_plan(traffic, seed)
    drawn = drawn_blocks(traffic, seed)
    for source, planned in zip(drawn, blocks_of(plan), strict=True):
        whole, found = joined(planned), joined(source)
        assert source.source == planned.source
        assert source.key_labels == planned.key_labels
        assert source.entity_labels == planned.entity_labels
        assert source.work_names == planned.work_names
        assert source.may_lack_keys or not planned.may_lack_keys
        if whole is None or found is None:
            assert whole is found
            continue
        for name in ("intended_ns", "key_id", "entity_id", "value_bytes"):
            one, other = getattr(found, name), getattr(whole, name)
            assert one.dtype == other.dtype
            assert (one == other).all()
        for name in source.work_names:
            work_ns = plan.work_ns[name, source.source]
            each_ns = source.each_work_ns.get(name)
            if each_ns is None:
                assert (found.work_ns[name] == work_ns).all()
            else:
                assert set(work_ns.tolist()) == {each_ns}
    outline = outline_of(drawn, traffic, seed)
    assert outline.digests == plan.digests
    assert outline.digest == plan.digest
    assert outline.duration_ns == plan.duration_ns
    assert list(outline.records.items()) == [
        (name, len(source)) for name, source in plan.sources.items()
    ]


@given(traffics(), st.integers(0, 2**31), st.integers(1, 300), st.integers(1, 300))
def test_blocks_of_any_size_hold_the_records_of_the_plan(
    traffic: Traffic, seed: int, gaps: int, block: int
) -> None:
    with patch.object(arrivals, "_BLOCK", gaps), patch.object(blocks, "BLOCK", block):
        drawn = drawn_blocks(traffic, seed)
        parts = [list(source) for source in drawn]
    assert all(len(part) <= block for each in parts for part in each)
    assert {
        name: digest for source in drawn for name, digest in source.digests.items()
    } == draw_plan(traffic, seed).digests


@given(traffics(), st.integers(0, 2**31))
def test_what_is_drawn_in_blocks_is_the_plan(traffic: Traffic, seed: int) -> None:
    check_same(traffic, seed)


@pytest.fixture
def trace() -> Trace:
    generator = np.random.default_rng(1)
    return Trace(
        np.sort(generator.integers(0, 10**9, 1_000)),
        {
            "tail": CodedColumn(
                generator.integers(-1, 3, 1_000).astype(np.int32), ("a", "b", "c")
            ),
            "bytes": generator.integers(0, 500, 1_000),
        },
        resolution_ns=1_000,
    )


@pytest.mark.parametrize("duration_s", [2.0, 0.4])
def test_a_trace_comes_in_blocks_too(
    trace: Trace, duration_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(
        "flights",
        trace,
        keys=TraceColumn("tail"),
        entity=TraceColumn("bytes"),
        value_bytes=TraceColumn("bytes"),
    )
    traffic = Traffic({"air": source}, {"board": Subscriber(["flights"])}, duration_s)
    monkeypatch.setattr(blocks, "BLOCK", 7)

    check_same(traffic, 3)

    without = replace(traffic, sources={"air": replace(source, keys=NoKeys())})
    (drawn,) = drawn_blocks(without, 3)
    assert drawn.may_lack_keys
    assert all((block.key_id == NULL).all() for block in drawn)


def test_many_sources_share_what_one_would_hold() -> None:
    assert block_size(1) == blocks.BLOCK
    assert block_size(4) == blocks.BLOCK // 4
    assert block_size(1_000) == 4_096

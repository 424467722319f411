"""The engine's producer and the plain one give identical rows on random scenarios."""

from collections.abc import Sequence
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.producing import sticky
from kafkasim.testing import ReferenceSettings
from tests.testing.both_producers import KEYS, MS, Scenario, check_equal

MIXED = (None, None, None, 1, 2, 3, 6)
VALUE_BYTES = (-1, 0, 1, *range(50, 71), 100, 1_000, *range(8_170, 8_201, 3))
GAPS_NS = (0, 0, 1, 999_999, MS, MS + 1, 5 * MS, 63 * MS, 64 * MS, 65 * MS, 900 * MS)


@st.composite
def busy_settings(draw: st.DrawFn) -> ReferenceSettings:
    """Draw settings with which answers come while other nodes are waiting to fill."""
    return ReferenceSettings(
        leaders=draw(st.sampled_from(((0, 1), (0, 1, 2), (0, 1, 1, 2, 0)))),
        batch_size=draw(st.sampled_from((200, 400, 1_000, 4_000))),
        linger_ns=draw(st.sampled_from((5, 20, 100))) * MS,
        max_in_flight=1,
        delay_ns=draw(st.sampled_from((200_000, MS, 7 * MS))),
    )


@st.composite
def any_settings(draw: st.DrawFn) -> ReferenceSettings:
    nodes = draw(st.integers(1, 3))
    return ReferenceSettings(
        leaders=tuple(
            draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=9))
        ),
        batch_size=draw(
            st.sampled_from((1, 200, 600, 1_000, 4_000, 9_000, 16_384, 60_000))
        ),
        linger_ns=draw(st.sampled_from((0, 0, 1, 5, 5, 64, 100))) * MS,
        max_in_flight=draw(st.sampled_from((1, 2, 5))),
        max_request_size=draw(st.sampled_from((300, 2_000, 8_260, 70_000, 1_048_576))),
        adaptive=draw(st.sampled_from((True, True, False))),
        acks=draw(st.sampled_from(("all", "all", "1", "0"))),
        delay_ns=draw(st.sampled_from((1, 200_000, MS, 20 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, MS, 30 * MS))),
        end_ns=draw(st.none() | st.integers(0, 2_000 * MS)),
    )


@st.composite
def tight_settings(draw: st.DrawFn) -> ReferenceSettings:
    """Draw settings with little memory, slow nodes, and partitions left out."""
    nodes = draw(st.integers(1, 3))
    partitions = draw(st.integers(1, 6))
    batch_size = draw(st.sampled_from((1, 200, 600, 1_000, 9_000)))
    linger_ns = draw(st.sampled_from((0, 1, 5, 100))) * MS
    return ReferenceSettings(
        leaders=tuple(partition % nodes for partition in range(partitions)),
        batch_size=batch_size,
        linger_ns=linger_ns,
        max_in_flight=draw(st.sampled_from((1, 1, 2, 5))),
        buffer_memory=draw(st.sampled_from((1, 2, 3, 7))) * max(batch_size, 300),
        max_block_ns=draw(st.sampled_from((0, 1, 20, 60_000))) * MS,
        partition=draw(st.sampled_from((None, None, None, partitions - 1))),
        round_robin=draw(st.sampled_from((False, False, True))),
        adaptive=draw(st.sampled_from((True, True, False))),
        availability_ns=draw(st.sampled_from((0, 0, 1, 10))) * MS,
        acks=draw(st.sampled_from(("all", "all", "1", "0"))),
        delay_ns=draw(st.sampled_from((1, 200_000, 7 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, 3 * MS))),
        slower_ns=draw(st.sampled_from(((), (0, 30 * MS), (50 * MS,)))),
        end_ns=draw(st.none() | st.integers(0, 2_000 * MS)),
    )


TIGHT = tight_settings()


@st.composite
def scenarios(
    draw: st.DrawFn,
    keys: Sequence[int | None],
    settings: st.SearchStrategy[ReferenceSettings],
) -> Scenario:
    stretches = draw(
        st.lists(
            st.tuples(
                st.integers(1, 90),
                st.sampled_from(GAPS_NS),
                st.sampled_from(GAPS_NS),
                st.lists(st.sampled_from(keys), min_size=1, max_size=3),
                st.lists(st.sampled_from(VALUE_BYTES), min_size=1, max_size=3),
            ),
            min_size=1,
            max_size=12,
        )
    )
    records = []
    now_ns = draw(st.integers(0, 2 * MS))
    for length, before_ns, gap_ns, some_keys, some_bytes in stretches:
        now_ns += before_ns
        for place in range(length):
            key = some_keys[place % len(some_keys)]
            records.append((now_ns, key, some_bytes[place % len(some_bytes)]))
            now_ns += gap_ns
    chosen = draw(settings)
    return Scenario(
        records,
        chosen,
        ignore_keys=draw(st.sampled_from((False, False, False, True))),
        seed=draw(st.integers(0, 2**16)),
        by_record=chosen.buffer_memory < 1 << 20
        or draw(st.sampled_from((False, False, True))),
    )


@given(scenarios(range(len(KEYS)), any_settings()))
def test_keyed_records_give_the_rows_of_the_plain_producer(scenario: Scenario) -> None:
    check_equal(scenario)


@given(scenarios([None], any_settings()))
def test_keyless_records_give_the_rows_of_the_plain_producer(
    scenario: Scenario,
) -> None:
    check_equal(scenario)


@given(scenarios(MIXED, any_settings()))
def test_mixed_records_give_the_rows_of_the_plain_producer(scenario: Scenario) -> None:
    check_equal(scenario)


@given(scenarios(MIXED, busy_settings()) | scenarios([None], busy_settings()))
def test_answers_between_give_the_rows_of_the_plain_producer(
    scenario: Scenario,
) -> None:
    check_equal(scenario)


@given(
    scenarios(range(len(KEYS)), any_settings())
    | scenarios(MIXED, any_settings() | busy_settings())
    | scenarios([None], any_settings()),
    st.integers(1, 60),
)
def test_blocks_of_any_size_give_the_rows_of_the_plain_producer(
    scenario: Scenario, block: int
) -> None:
    with patch.object(sticky, "_TRIM", block // 2):
        check_equal(scenario, block)


@given(
    scenarios(MIXED, TIGHT)
    | scenarios([None], TIGHT)
    | scenarios(range(len(KEYS)), TIGHT),
    st.none() | st.integers(1, 60),
)
def test_little_memory_gives_the_rows_of_the_plain_producer(
    scenario: Scenario, block: int | None
) -> None:
    with patch.object(sticky, "_TRIM", (block or 1 << 15) // 2):
        check_equal(scenario, block)


def test_what_is_too_large_is_not_refused_while_its_source_waits_for_memory() -> None:
    """The run ends meanwhile, so the last record was wanted and never created."""
    settings = ReferenceSettings(
        leaders=(0,), batch_size=1, linger_ns=0, buffer_memory=300, end_ns=0
    )
    small, large = (0, None, -1), (0, None, 8_179)
    records: list[tuple[int, int | None, int]] = [large, *[small] * 60, large]

    rows = check_equal(
        Scenario(records, settings, ignore_keys=False, seed=0, by_record=True)
    )

    assert rows.waits == [(0, 0)]
    assert [rows.records[at].created_ns for at in (0, -1)] == [0, None]


def test_timestamps_near_a_breakpoint_give_the_rows_of_the_plain_producer() -> None:
    # Floored, 63.6 ms is 63 ms after 0.4 ms and takes one byte; rounded it takes two.
    times_ns = [400_000, 63_600_000, 64_000_000, 64_399_999, 64_400_000]
    settings = ReferenceSettings(leaders=(0,), batch_size=96, linger_ns=100 * MS)
    records: list[tuple[int, int | None, int]] = [(at, 1, 0) for at in times_ns]

    rows = check_equal(Scenario(records, settings, ignore_keys=False, seed=0))

    assert [size_bytes for _, _, _, size_bytes, *_ in rows.batches] == [95, 69]


def test_more_records_than_two_breakpoints_give_the_rows_of_the_plain_producer() -> (
    None
):
    settings = ReferenceSettings(leaders=(0, 1), batch_size=100_000)
    for key in (None, 1):
        records: list[tuple[int, int | None, int]] = [
            (at, key, 0) for at in range(9_000)
        ]
        rows = check_equal(Scenario(records, settings, ignore_keys=False, seed=3))
        assert sum(count for _, _, count, *_ in rows.batches) == 9_000


def test_two_tails_closed_one_after_the_other_are_both_seen_at_an_answer() -> None:
    """The first was closed by a record that went elsewhere, which wakes nobody."""
    records = [(0, None, -1), (0, 1, 50)]
    records += [
        (number * 999_999, None if number % 2 else 1, 50) for number in range(1, 46)
    ]
    settings = ReferenceSettings(
        leaders=(0, 1, 2),
        batch_size=400,
        linger_ns=20 * MS,
        max_in_flight=1,
        adaptive=True,
        delay_ns=MS,
        service_ns=50_000,
    )

    rows = check_equal(Scenario(records, settings, ignore_keys=False, seed=1))

    assert rows.batches[7][5:8] == (40_999_959, "full", 42_049_960)

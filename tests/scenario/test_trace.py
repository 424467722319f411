import pickle
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import ChangedFileError, TraceError, ValidationError
from kafkasim.scenario.trace import Trace, load_trace
from kafkasim.scenario.trace_columns import CodedColumn, Column

LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def small() -> Trace:
    web: Column = CodedColumn(np.array([0, 1, -1, 0], np.int32), ("a", "b"))
    columns = {"web": web, "bytes": np.array([10, 20, 30, 40])}
    return Trace(np.array([0, 5, 5, 9]), columns)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    times = sorted(draw(st.lists(st.integers(0, 2**40), min_size=1, max_size=20)))
    rows = len(times)
    columns: dict[str, Column] = {}
    for name in draw(st.lists(LETTERS, unique=True, max_size=3)):
        if draw(st.booleans()):
            labels = tuple(draw(st.lists(LETTERS, unique=True, max_size=4)))
            codes = st.lists(
                st.integers(-1, len(labels) - 1), min_size=rows, max_size=rows
            )
            columns[name] = CodedColumn(np.array(draw(codes), np.int32), labels)
        else:
            numbers = st.lists(
                st.integers(-(2**63), 2**63 - 1), min_size=rows, max_size=rows
            )
            columns[name] = np.array(draw(numbers), np.int64)
    return Trace(
        np.array(times),
        columns,
        name=draw(st.sampled_from(["trace", "my taxi rides", "Zürich"])),
        resolution_ns=draw(st.integers(0, 2**40)),
        speedup=draw(st.floats(0.01, 1e6)),
        skipped=draw(st.dictionaries(LETTERS, st.integers(1, 9), max_size=2)),
    )


def test_a_trace_knows_its_length_and_says_what_it_is() -> None:
    trace = replace(small(), name="clicks")

    assert len(trace) == 4
    assert repr(trace) == "Trace('clicks', 4 rows in 1e-08 s, columns web, bytes)"


def test_a_trace_is_frozen_down_to_its_arrays() -> None:
    trace = small()

    with pytest.raises(FrozenInstanceError):
        trace.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        trace.columns["web"] = np.array([1])  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        trace.times_ns[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        trace.codes("web").codes[0] = 1


@pytest.mark.parametrize(
    ("times", "row", "text"),
    [
        ([0, 5, 4], 3, "earlier than the row before"),
        ([-1, 5], 1, "before the trace's start"),
        ([0, 2**62 + 1], 2, "after more than 146 years"),
    ],
)
def test_times_must_rise_from_zero(times: list[int], row: int, text: str) -> None:
    with pytest.raises(TraceError, match=text) as caught:
        Trace(np.array(times), {})

    assert (caught.value.row, caught.value.column) == (row, "times_ns")


def test_a_trace_without_rows_is_an_error() -> None:
    with pytest.raises(TraceError, match="at least one row"):
        Trace(np.array([], np.int64), {})


@pytest.mark.parametrize("speedup", [0, -1, float("nan"), float("inf"), "fast"])
def test_a_speedup_is_a_number_above_zero(speedup: float) -> None:
    with pytest.raises(ValidationError, match=r"speedup: .* a number above 0"):
        replace(small(), speedup=speedup)


def test_a_speedup_that_takes_ages_is_an_error() -> None:
    with pytest.raises(ValidationError, match=r"speedup: .* less than 146 years"):
        replace(small(), speedup=1e-12, resolution_ns=2**40)


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", ".hidden", "a:b", "a\n"])
def test_a_name_must_be_fit_for_a_file(name: str) -> None:
    with pytest.raises(ValidationError, match=r"name: .* file name"):
        replace(small(), name=name)


@pytest.mark.parametrize("resolution_ns", [-1, 0.5, 2**62])
def test_a_resolution_is_whole_nanoseconds_from_zero(resolution_ns: int) -> None:
    with pytest.raises(ValidationError, match=r"resolution_ns: .* whole nanoseconds"):
        replace(small(), resolution_ns=resolution_ns)


def test_equality_and_hash_go_by_content_and_speedup() -> None:
    trace = small()
    same = replace(trace, name="other", skipped={"bad": 1}, source=(("kind", "x"),))

    assert trace == same
    assert hash(trace) == hash(same)
    assert trace.digest == same.digest
    assert trace != trace.with_speedup(2)
    assert trace.digest == trace.with_speedup(2).digest
    assert trace != "a trace"


def test_the_digest_covers_times_resolution_and_columns() -> None:
    trace = small()
    numbers = trace.numbers("bytes")
    web = trace.codes("web")
    others = [
        replace(trace, times_ns=np.array([0, 5, 6, 9])),
        replace(trace, resolution_ns=1),
        replace(trace, columns={"web": web}),
        replace(trace, columns={"web": web, "Bytes": numbers}),
        replace(trace, columns={"web": web, "bytes": numbers + 1}),
        replace(
            trace,
            columns={"web": CodedColumn(web.codes, ("a", "c")), "bytes": numbers},
        ),
    ]

    assert len({trace.digest, *(other.digest for other in others)}) == 7


def test_the_digest_does_not_move_with_the_order_of_columns() -> None:
    trace = small()
    reversed_columns = dict(reversed(list(trace.columns.items())))

    assert replace(trace, columns=reversed_columns).digest == trace.digest


def test_the_digest_is_pinned() -> None:
    assert small().digest == (
        "9942d5225ab952596c346d25b3919f9540f6ea622d1a8ffcfe7be1cf1dfed834"
    )


def test_a_column_of_numbers_serves_as_key_by_its_digits() -> None:
    trace = Trace(np.arange(4), {"zone": np.array([7, -3, 7, 10])})

    codes, labels = trace.codes("zone")

    assert [labels[code] for code in codes] == ["7", "-3", "7", "10"]
    assert len(labels) == 3


def test_a_column_of_text_is_no_size() -> None:
    with pytest.raises(TraceError, match="column 'web': holds no whole number"):
        small().numbers("web")


def test_a_column_that_is_not_there_brings_the_nearest() -> None:
    with pytest.raises(TraceError, match="did you mean 'bytes'"):
        small().codes("byte")


def test_without_resolution_arrivals_are_the_times() -> None:
    rng = np.random.default_rng(1)

    assert small().arrivals_ns(rng).tolist() == [0, 5, 5, 9]
    assert rng.integers(1000) == np.random.default_rng(1).integers(1000)


def test_a_resolution_spreads_ties_and_keeps_the_order_of_the_rows() -> None:
    times = np.array([0, 0, 0, 60, 60, 120]) * 1_000_000_000
    trace = Trace(times, {}, resolution_ns=60_000_000_000)

    arrivals = trace.arrivals_ns(np.random.default_rng(7))
    within = arrivals - times

    assert (np.diff(arrivals) > 0).all()
    assert ((within >= 0) & (within < 60_000_000_000)).all()
    assert arrivals.tolist() == (trace.arrivals_ns(np.random.default_rng(7)).tolist())
    assert arrivals.tolist() != (trace.arrivals_ns(np.random.default_rng(8)).tolist())


def test_the_jitter_is_spread_evenly() -> None:
    rows = 60_000
    trace = Trace(np.zeros(rows, np.int64), {}, resolution_ns=60)

    counts = np.bincount(trace.arrivals_ns(np.random.default_rng(3)), minlength=60)

    # 60 cells of 1000 expected: chi-square with 59 degrees, 99.99 % below 109
    assert ((counts - 1000) ** 2 / 1000).sum() < 109


def test_a_whole_speedup_divides_exactly_beyond_the_precision_of_floats() -> None:
    trace = Trace(np.array([0, 2**60 + 1, 2**60 + 3]), {}, speedup=2)

    arrivals = trace.arrivals_ns(np.random.default_rng(1))

    assert arrivals.tolist() == [0, 2**59, 2**59 + 1]


@given(trace=traces(), seed=st.integers(0, 99))
def test_arrivals_are_sorted_and_before_the_end(trace: Trace, seed: int) -> None:
    arrivals = trace.arrivals_ns(np.random.default_rng(seed))

    assert arrivals.dtype == np.int64
    assert len(arrivals) == len(trace)
    assert arrivals[0] >= 0
    assert (np.diff(arrivals) >= 0).all()
    assert arrivals[-1] < trace.duration_ns


@given(trace=traces())
def test_a_pickled_trace_is_equal_and_still_closed(trace: Trace) -> None:
    again = pickle.loads(pickle.dumps(trace))

    assert again == trace
    assert (again.name, again.source) == (trace.name, trace.source)
    assert again.skipped == trace.skipped
    assert not again.times_ns.flags.writeable


@given(trace=traces())
def test_a_saved_trace_loads_back_equal(
    trace: Trace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("trace") / "a.trace.npz"
    trace.save(path)

    again = load_trace(path, digest=trace.digest)

    assert again == trace
    assert list(again.columns) == list(trace.columns)
    assert (again.name, again.speedup) == (trace.name, trace.speedup)
    assert again.skipped == trace.skipped


def test_a_saved_trace_remembers_its_source(tmp_path: Path) -> None:
    source = (("kind", "flights"), ("month", 7))
    replace(small(), source=source).save(tmp_path / "a.npz")

    assert load_trace(tmp_path / "a.npz").source == source


def test_another_digest_than_expected_is_a_changed_file(tmp_path: Path) -> None:
    small().save(tmp_path / "a.npz")

    with pytest.raises(ChangedFileError, match="was changed: its digest is"):
        load_trace(tmp_path / "a.npz", digest="0" * 64)


def test_a_file_whose_content_was_replaced_is_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    small().save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["times_ns"] = np.array([0, 5, 6, 9])
    np.savez(path, **arrays)

    with pytest.raises(ChangedFileError, match="was changed"):
        load_trace(path)


def test_a_file_whose_parts_do_not_fit_is_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    small().save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    del arrays["column_1"]
    np.savez(path, **arrays)

    with pytest.raises(ChangedFileError, match="is no whole trace"):
        load_trace(path)

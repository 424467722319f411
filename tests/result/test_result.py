import errno
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import (
    ChangedFileError,
    OutputError,
    TableNotRecorded,
    ValidationError,
)
from kafkasim.result.folder import SUMS, new_folder
from kafkasim.result.result import Result, load_result
from kafkasim.scenario.keys import TraceColumn
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.testing.builders import small_result

_FILES = [
    *("SHA256SUMS", "deliveries.npz", "events.npz", "labels.json", "plan.npz"),
    *("records.npz", "result.json", "scenario.toml"),
]


def _result(**facts: Any) -> Result:  # noqa: ANN401 - numpy numbers too
    return small_result(
        records=[
            {"key": "a", "intended_ms": 0, "acked_ms": 7.5},
            {"key": None, "intended_ms": 1, "partition": 0, "offset": 4},
        ],
        deliveries=[{"record_id": 1, "ended_ms": 3}],
        events=[],
        facts=facts or None,
    )


def _rewritten(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change `result.json` of a saved result and make the sums fit again."""
    summary = json.loads((folder / "result.json").read_text())
    change(summary)
    moved = folder.rename(folder.with_name("moved"))
    with new_folder(folder) as fresh:
        for name in _FILES[1:]:
            shutil.copy(moved / name, fresh)
        (fresh / "result.json").write_text(json.dumps(summary))


def test_tables_names_what_was_recorded_in_the_schemas_order() -> None:
    result = small_result(events=[], batches=[{"record_count": 2}])
    assert result.tables == ("records", "batches", "deliveries", "events")


def test_each_recorded_table_is_a_property() -> None:
    result = _result()
    assert result.records["key"].tolist()[0] == "a"
    assert len(result.deliveries) == 1
    assert len(result.events) == 0
    assert result.table("records", ["acked_ms"]).loc[0, "acked_ms"] == 7.5


def test_a_table_that_was_not_recorded_says_why() -> None:
    result = _result()
    with pytest.raises(TableNotRecorded, match=r"'batches' was not recorded: .*engine"):
        _ = result.batches
    with pytest.raises(TableNotRecorded):
        result.columns("links")


def test_an_unknown_table_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match=r"did you mean records\?"):
        _result().table("record")
    with pytest.raises(
        ValidationError, match=r"made from a result: kafkasim\.receipts"
    ):
        _result().table("receipts")


def test_facts_are_plain_numbers_and_texts() -> None:
    facts = _result(engine="sim", end_ns=np.int64(7), share=np.float64(0.5)).facts
    assert facts == {"engine": "sim", "end_ns": 7, "share": 0.5}
    assert [type(value) for value in facts.values()] == [str, int, float]
    for wrong in (float("nan"), float("inf"), None):
        with pytest.raises(ValidationError, match=r"facts\.share"):
            _result(share=wrong)


def test_a_result_shows_itself_in_one_line() -> None:
    result = _result()
    assert repr(result) == (
        f"<Result {result.digest[:12]}: 2 records, 1 deliveries, 0 events>"
    )


def test_a_notebook_shows_scenario_seed_digest_and_rows() -> None:
    html = _result()._repr_html_()
    for text in (_result().digest[:12], "seed 0", "orders", "<td>records</td>", ">2<"):
        assert text in html
    named = small_result(scenario=_result().scenario.where({"name": "<b>"}))
    assert "&lt;b&gt;" in named._repr_html_()


def test_results_are_equal_when_scenario_facts_and_rows_are() -> None:
    assert _result() == _result()
    assert _result() != _result(engine="other")
    assert _result() != small_result(scenario=_result().scenario)
    assert _result() != "a result"
    assert pickle.loads(pickle.dumps(_result())) == _result()


def test_a_saved_result_loads_back_equal(tmp_path: Path) -> None:
    folder = _result().save(tmp_path / "out")
    assert sorted(path.name for path in folder.iterdir()) == _FILES
    loaded = load_result(folder)
    assert loaded == _result()
    assert loaded.digest == _result().digest
    assert loaded.scenario == _result().scenario
    assert list(loaded.facts.items()) == list(_result().facts.items())


_LABEL = st.none() | st.text(max_size=3)
_MS = st.none() | st.integers(0, 10**12).map(lambda ns: ns / 10**6)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"key": _LABEL, "error": _LABEL, "intended_ms": _MS}
            | {"offset": st.integers(-1, 2**62), "partition": st.integers(-1, 9)}
        ),
        max_size=4,
    )
)
def test_whatever_was_recorded_loads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    result = small_result(rows, links=[{"sender": "a", "receiver": "b"}])
    folder = result.save(tmp_path_factory.mktemp("saved") / "out")
    loaded = load_result(folder)
    assert loaded == result
    for name in result.tables:
        assert loaded.table(name).equals(result.table(name))


def test_a_trace_held_in_memory_is_saved_with_the_result(tmp_path: Path) -> None:
    tails = CodedColumn(np.array([0, 1, -1], np.int32), ("N1", "N2"))
    trace = Trace(np.array([0, 5, 9]), {"tail": tails}, name="ny")
    source = Source("flights", trace, keys=TraceColumn("tail"))
    scenario = Scenario(Traffic({"airport": source}, {}))
    result = small_result([{"source": "airport"}], scenario=scenario)
    folder = result.save(tmp_path / "out")
    assert load_result(folder) == result
    (beside,) = folder.glob("*.trace.npz")
    beside.unlink()
    with pytest.raises(ChangedFileError, match=beside.name):
        load_result(folder)


def test_equal_results_are_saved_as_equal_bytes(tmp_path: Path) -> None:
    one, two = (_result().save(tmp_path / name) for name in ("one", "two"))
    for name in ("records.npz", "deliveries.npz", "labels.json", "result.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [_flip, _cut, Path.unlink])
@pytest.mark.parametrize("name", _FILES)
def test_a_changed_cut_or_missing_file_is_named(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    folder = _result().save(tmp_path / "out")
    damage(folder / name)
    with pytest.raises(ChangedFileError, match=name):
        load_result(folder)


def test_a_folder_without_a_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChangedFileError, match=r"there is no folder .*nothing"):
        load_result(tmp_path / "nothing")
    with new_folder(tmp_path / "other") as folder:
        (folder / "a.txt").write_text("x")
    with pytest.raises(ChangedFileError, match=r"does not list result\.json"):
        load_result(tmp_path / "other")


@pytest.mark.parametrize(("version", "what"), [(3, "a newer"), (1, "an older")])
def test_another_schema_version_is_refused(
    tmp_path: Path, version: int, what: str
) -> None:
    folder = _result().save(tmp_path / "out")
    _rewritten(folder, lambda summary: summary["versions"].update(schema=version))
    with pytest.raises(ValidationError, match=f"saved by {what} kafkasim"):
        load_result(folder)


@pytest.mark.parametrize(
    ("fact", "what"),
    [("digest", r"scenario\.toml now reads"), ("plan_digest", r"plan\.npz now reads")],
)
def test_a_document_that_reads_as_another_is_named(
    tmp_path: Path, fact: str, what: str
) -> None:
    folder = _result().save(tmp_path / "out")
    _rewritten(folder, lambda summary: summary.update({fact: "0" * 64}))
    with pytest.raises(ChangedFileError, match=what):
        load_result(folder)


def test_saving_over_something_needs_consent(tmp_path: Path) -> None:
    folder = _result().save(tmp_path / "out")
    with pytest.raises(OutputError, match="out is not empty"):
        _result(engine="new").save(folder)
    assert load_result(folder) == _result()
    _result(engine="new").save(folder, overwrite=True)
    assert load_result(folder) == _result(engine="new")


@pytest.mark.parametrize("writes", [0, 1, 30, 36])
def test_a_disk_full_in_the_middle_leaves_the_old_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    folder = _result().save(tmp_path / "out")
    write_array = np.lib.format.write_array
    left = iter(range(writes))

    def failing(*arguments: Any, **named: Any) -> None:  # noqa: ANN401
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_array(*arguments, **named)

    monkeypatch.setattr(np.lib.format, "write_array", failing)
    with pytest.raises(OutputError, match=r"cannot write .*/out.*: .*No space left"):
        _result(engine="new").save(folder, overwrite=True)
    monkeypatch.undo()
    assert load_result(folder) == _result()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_sums_of_a_saved_result_suit_sha256sum(tmp_path: Path) -> None:
    folder = _result().save(tmp_path / "out")
    listed = [line.split("  ")[1] for line in (folder / SUMS).read_text().splitlines()]
    assert listed == _FILES[1:]

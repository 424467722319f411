"""What a learner is to see within ten seconds, proven from the numbers shown."""

import base64
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.widgets.inputs import Value
from kafkasim.widgets.log_explorer import LogExplorer
from kafkasim.widgets.log_shown import Shown, shown_of
from kafkasim.widgets.log_traffic import COMPACT, PRESETS, Values, scenario_at
from kafkasim.widgets.log_words import log_title


@pytest.fixture(scope="module")
def one() -> LogExplorer:
    return LogExplorer()


@pytest.fixture
def explorer(one: LogExplorer) -> LogExplorer:
    one.panel.reset_button.click()
    return one


@cache
def ran(values: Values) -> ks.Result:
    return ks.run(scenario_at(values))


def seen(**values: Value) -> tuple[ks.Result, Shown]:
    """Return a run, and what the figure would show of it."""
    stand = replace(Values(), **values)  # type: ignore[arg-type]
    result = ran(stand)
    slow = "slow" if stand.slow_reader else None
    return result, shown_of(result, stand.policy, slow, "late")


@pytest.mark.parametrize("segment_s", [1, 2, 10])
@pytest.mark.parametrize("retention_s", [5, 10, 40])
def test_whole_segments_vanish_never_a_part_of_one(
    retention_s: int, segment_s: int
) -> None:
    result, shown = seen(retention_s=retention_s, segment_s=segment_s)
    segments = shown.segments
    gone = segments.expired
    runs = list(zip(segments.base[gone], segments.end[gone], strict=True))
    left = [run for run in runs if run[1] > run[0]]

    removals = result.removals[["from_offset", "to_offset"]].to_numpy()
    assert list(map(tuple, removals.tolist())) == left
    assert shown.log_start.tolist() == [0, *segments.end[gone].tolist()]
    assert set(result.removals["cause"]) == {"time"}


@pytest.mark.parametrize("segment_s", [1, 2, 10])
@pytest.mark.parametrize("retention_s", [5, 10, 40])
def test_a_segment_goes_at_the_first_check_after_its_newest_record_is_too_old(
    retention_s: int, segment_s: int
) -> None:
    result, shown = seen(retention_s=retention_s, segment_s=segment_s)
    created = result.records.sort_values("offset")["created_ms"].to_numpy() / 1_000
    of = shown.segments
    rows = np.flatnonzero(of.expired & (of.records > 0))
    for row in rows.tolist():
        age = of.deleted_s[row] - created[of.base[row] : of.end[row]].max()
        assert retention_s < age <= retention_s + 1.001
        assert of.deleted_s[row] == round(of.deleted_s[row])
    oldest = (of.deleted_s[rows] - created[of.base[rows]]).max()
    assert shown.oldest_s == pytest.approx(oldest)
    assert retention_s < shown.oldest_s <= retention_s + segment_s + 2


def test_a_slow_reader_is_overtaken_refused_and_reset() -> None:
    result, shown = seen()
    slow = shown.slow
    assert slow is not None

    refused = result.requests.query("error == 'OFFSET_OUT_OF_RANGE'")
    assert set(refused["sender"]) == {"member:slow/1"}
    assert slow.errors == len(refused) == len(slow.resets) == 4
    asked = result.requests.query("api == 'ListOffsets'")
    assert len(asked) == slow.errors
    # Each time it goes on where the log then begins.
    assert (shown.start_then(slow.resets[:, 0]) == slow.resets[:, 1]).all()
    # What lies between is what it never had.
    summary = ks.summary(result).set_index("subscriber").loc["slow"]
    assert slow.missed == summary["expired"] > 1_000
    done = result.deliveries.query("subscriber == 'slow'")["offset"].nunique()
    assert slow.missed + done == shown.sent
    assert log_title(shown) == (
        f"Deletion overtakes the slow reader: {slow.missed:,} gone unread"
    )


def test_each_jump_of_the_slow_reader_is_a_reset_over_what_is_gone() -> None:
    _, shown = seen()
    slow = shown.slow
    assert slow is not None
    for at_s, before, onward in slow.jumps.tolist():
        assert onward in slow.resets[:, 1]
        assert onward - before > 0
        assert before < shown.start_then(np.array([at_s]))[0] <= onward


def test_nobody_is_waited_for() -> None:
    with_slow, without = seen()[1], seen(slow_reader=False)[1]
    same = without.segments.deleted_s < np.inf
    for name in ("base", "end", "deleted_s"):
        one, other = (getattr(each.segments, name) for each in (with_slow, without))
        assert (one[: len(other)][same] == other[same]).all()
    assert without.slow is None


def test_keeping_longer_saves_more() -> None:
    missed = []
    for retention_s in (5, 10, 20, 40):
        slow = seen(retention_s=retention_s)[1].slow
        assert slow is not None
        missed.append(slow.missed)
    assert missed == sorted(missed, reverse=True)
    assert missed[-1] < 0.8 * missed[0]


@pytest.mark.parametrize("keys", [1, 8, 50])
def test_compaction_keeps_the_newest_of_each_key_and_nothing_else(keys: int) -> None:
    result, shown = seen(policy=COMPACT, keys=keys)
    stay, there = shown.compacted
    records = result.records.sort_values("offset")
    newest = records[records["offset"] < there].groupby("key", observed=True)
    wanted = sorted(newest["offset"].max())
    last = shown.stays[:, 2] == shown.until_s

    assert sorted(shown.stays[last, 0].astype(int)) == wanted
    assert stay == len(wanted)
    assert shown.newest_stay
    assert log_title(shown) == (
        f"Compaction keeps {stay:,} of {there:,} records, the newest of each key"
    )


def test_a_record_that_stays_is_at_all_times_the_newest_that_was_cleaned() -> None:
    result, shown = seen(policy=COMPACT)
    key = result.records.sort_values("offset")["key"].to_numpy()
    of = shown.segments
    for row in np.flatnonzero(of.made).tolist():
        at = of.created_s[row]
        inside = (shown.stays[:, 1] <= at) & (shown.stays[:, 2] > at)
        offsets = shown.stays[inside, 0].astype(int)
        assert of.base[row] == 0
        assert len(offsets) == of.records[row] == len(set(key[offsets]))
        assert set(key[offsets]) == set(key[: of.end[row]])
        for offset in offsets:
            assert key[offset] not in set(key[offset + 1 : of.end[row]])


def test_segments_merge_into_one_that_reaches_from_the_first_offset() -> None:
    _, shown = seen(policy=COMPACT)
    of = shown.segments
    made = np.flatnonzero(of.made)
    assert len(made) > 20
    assert (np.diff(of.end[made]) > 0).all()
    for row in made.tolist():
        replaced = of.merged & (of.deleted_s == of.created_s[row])
        assert replaced.sum() == (1 if row == made[0] else 2)
        assert of.end[replaced].max() == of.end[row]
    assert not of.expired.any()
    assert shown.log_start.tolist() == [0]


def test_a_late_reader_of_a_compacted_log_is_given_the_last_value_of_every_key() -> (
    None
):
    result, shown = seen(policy=COMPACT)
    found = shown.found
    records = result.records.sort_values("offset")
    written = records[records["appended_ms"] <= 45_500]
    newest = written.groupby("key", observed=True)["offset"].max()
    given = result.deliveries.query("subscriber == 'late'")["offset"]

    assert set(newest) <= set(given)
    assert found.written == len(written)
    assert found.keys == len(newest) == 8
    assert set(found.offsets[found.newest]) == set(newest)
    assert set(found.offsets) == {each for each in given if each < len(written)}
    assert len(found.offsets) < 0.05 * found.written
    assert len(found.lost) == 0


def test_a_late_reader_of_a_log_that_deletes_is_given_the_end_only() -> None:
    result, shown = seen()
    found = shown.found
    start = int(shown.start_then(np.array([found.at_s]))[0])

    assert found.offsets.tolist() == list(range(start, found.written))
    records = result.records.sort_values("offset")
    written = records[records["offset"] < found.written]
    newest = written.groupby("key", observed=True)["offset"].max()
    assert set(found.lost) == {each for each in newest if each < start}
    assert len(found.lost) == 1  # a value that nobody can read any more


def test_a_slow_reader_of_a_compacted_log_misses_values_and_gets_no_error() -> None:
    result, shown = seen(policy=COMPACT)
    slow = shown.slow
    assert slow is not None
    assert slow.errors == len(slow.resets) == 0
    assert slow.missed == ks.summary(result).set_index("subscriber")["expired"]["slow"]
    last = result.records.groupby("key", observed=True)["offset"].max()
    read = result.deliveries.query("subscriber == 'slow'")["offset"]
    assert set(last) <= set(read)


def test_what_is_shown_is_the_run_of_the_scenario_it_names(
    explorer: LogExplorer,
) -> None:
    explorer.set(policy=COMPACT, keys=3, slow_reader=False)
    again = ks.run(ks.Scenario.from_toml(explorer.scenario.to_toml()))
    assert again.digest == explorer.result.digest
    assert list(explorer.scenario.traffic.subscribers) == ["late"]


@pytest.mark.slow
def test_each_question_has_its_answer_in_the_title(explorer: LogExplorer) -> None:
    titles = []
    for button in explorer.panel.preset_buttons:
        button.click()
        assert explorer.message.startswith("Shown: ")
        titles.append(explorer.canvas.log_title.get_text())
    assert [title.partition(":")[0] for title in titles] == [
        "Deletion overtakes the slow reader",
        "Deletion overtakes the slow reader",
        "4 segments went, each whole; no record went alone",
        "Compaction keeps 8 of 3,012 records, the newest of each key",
        "Compaction keeps 28 of 3,012 records, the newest of each key",
        "Compaction keeps 8 of 3,012 records, the newest of each key",
    ]
    assert len({tuple(sorted(each.values.items())) for each in PRESETS}) == len(PRESETS)
    assert "missed 1," in explorer.canvas.log_note.get_text()


def test_moving_a_control_changes_the_figure_and_keeps_the_run_before(
    explorer: LogExplorer,
) -> None:
    first, page = explorer.shown, explorer.panel.picture.value
    explorer.panel.widgets["retention_s"].value = 20
    assert explorer.before is first
    assert explorer.panel.picture.value != page
    assert explorer.message.startswith("Shown: retention 20 s, segment 2 s, policy")


def test_what_was_shrunk_stands_below(explorer: LogExplorer) -> None:
    explorer.set(retention_s=7, segment_s=3)
    below = explorer.panel.below.value
    assert "kept for 7 days, and a check is made every 5 minutes" in below
    assert "written for 3 s, it is kept for 7 s, and a check" in below
    assert "run before" in below


def test_an_export_holds_what_is_shown_as_tables(
    explorer: LogExplorer, tmp_path: Path
) -> None:
    folder = explorer.export(tmp_path / "out")
    names = {path.stem for path in folder.glob("*.csv")}
    assert names == {"summary", "segments", "removals", "requests"}
    lines = (folder / "segments.csv").read_text().splitlines()
    assert len(lines) == 1 + len(explorer.shown.segments.base)
    assert "segment_ms" in (folder / "scenario.toml").read_text()


def test_a_page_without_a_kernel_gets_a_picture_and_a_short_text(
    explorer: LogExplorer,
) -> None:
    bundle = explorer._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"])[:4] == b"\x89PNG"
    assert bundle["text/plain"] == (
        "LogExplorer(retention 10 s, segment 2 s, policy delete, keys 8, "
        "slow reader on)"
    )


@pytest.mark.parametrize(
    "wrong", [{"retention_s": 4}, {"segment_s": 11}, {"policy": "both"}, {"keys": 0}]
)
def test_a_value_out_of_reach_is_refused(
    explorer: LogExplorer, wrong: dict[str, Value]
) -> None:
    with pytest.raises(ValidationError):
        explorer.set(**wrong)


def test_no_move_of_a_control_runs_into_an_error(explorer: LogExplorer) -> None:
    ends: list[dict[str, Value]] = [
        {"retention_s": 5, "segment_s": 10, "keys": 1},
        {"retention_s": 40, "segment_s": 1, "keys": 50},
        {"policy": COMPACT, "segment_s": 10, "keys": 1},
        {"policy": COMPACT, "segment_s": 1, "keys": 50, "slow_reader": False},
    ]
    for values in ends:
        explorer.set(**values)
        assert explorer.message.startswith("Shown: ")

"""What is shown of a run, held against the run's own tables."""

from functools import cache

import numpy as np
import pytest

import kafkasim as ks
from kafkasim import analysis
from kafkasim.widgets.log_shown import Shown, shown_of
from kafkasim.widgets.log_traffic import COMPACT, DELETE, Policy, Values, scenario_at


@cache
def run_of(policy: Policy) -> tuple[ks.Result, Shown]:
    result = ks.run(scenario_at(Values(policy=policy)))
    return result, shown_of(result, policy, "slow", "late")


@pytest.mark.parametrize("policy", [DELETE, COMPACT])
def test_offsets_over_time_are_those_of_the_analysis(policy: Policy) -> None:
    result, shown = run_of(policy)
    slow = shown.slow
    assert slow is not None
    table = analysis.offsets(result, subscriber="slow")
    at_s = table["at_ms"].to_numpy() / 1_000

    at = np.concatenate((slow.at_s, slow.resets[:, 0]))
    positions = np.concatenate((slow.position, slow.resets[:, 1].astype(int)))
    order = np.argsort(at, kind="stable")
    for name, times, values in (
        ("log_end", shown.end_at_s, shown.log_end),
        ("log_start", shown.start_at_s, shown.log_start),
        ("position", at[order], positions[order]),
    ):
        places = np.searchsorted(times, at_s + 1e-9, side="right") - 1
        ours = np.where(places >= 0, values[np.maximum(places, 0)], 0)
        assert ours.tolist() == table[name].tolist(), name


@pytest.mark.parametrize("policy", [DELETE, COMPACT])
def test_most_records_at_once_is_what_a_count_at_every_moment_gives(
    policy: Policy,
) -> None:
    result, shown = run_of(policy)
    appended = np.sort(result.records["appended_ms"].to_numpy())
    removals = result.removals
    sizes = (removals["to_offset"] - removals["from_offset"]).to_numpy()
    gone_at = removals["at_ms"].to_numpy()
    there = [
        np.searchsorted(appended, at, side="right") - sizes[gone_at <= at].sum()
        for at in appended
    ]
    assert shown.most == max(there)
    assert shown.most < 0.3 * shown.sent


@pytest.mark.parametrize("policy", [DELETE, COMPACT])
def test_a_jump_is_where_the_next_record_is_not_the_one_after(policy: Policy) -> None:
    result, shown = run_of(policy)
    slow = shown.slow
    assert slow is not None
    read = result.deliveries.query("subscriber == 'slow'").sort_values("started_ms")
    offsets = read["offset"].to_numpy()
    after = np.flatnonzero(offsets[1:] != offsets[:-1] + 1)
    at_s = read["started_ms"].to_numpy()[after + 1] / 1_000
    assert slow.jumps[:, 0] == pytest.approx(at_s, rel=1e-12)
    assert slow.jumps[:, 1].tolist() == (offsets[after] + 1).tolist()
    assert slow.jumps[:, 2].tolist() == offsets[after + 1].tolist()
    assert len(after) > 1


def test_segments_are_told_by_what_made_and_ended_them() -> None:
    result, shown = run_of(COMPACT)
    of, table = shown.segments, result.segments
    made = table["rolled_by"].isna() & table["rolled_ms"].notna()
    assert of.made.tolist() == made.tolist()
    assert of.merged.tolist() == (table["cause"] == "compaction").tolist()
    assert (of.created_s[of.made] == of.rolled_s[of.made]).all()
    assert np.isinf(of.rolled_s).sum() == 1
    assert of.records.tolist() == table["record_count"].tolist()


def test_every_record_that_stays_begins_to_when_its_segment_is_replaced() -> None:
    result, shown = run_of(COMPACT)
    table = result.segments
    first = table[table["rolled_by"].notna() & (table["cause"] == "compaction")]
    for offset, since_s, until_s in shown.stays.tolist():
        inside = (first["base_offset"] <= offset) & (offset < first["end_offset"])
        assert since_s * 1_000 == first[inside]["deleted_ms"].item()
        assert until_s > since_s


def test_a_run_from_which_nothing_went_and_one_in_which_nothing_came() -> None:
    usual = scenario_at(Values(slow_reader=False))
    kept = shown_of(ks.run(usual.where({_RETENTION: 10**9})), DELETE, None, "late")
    assert kept.log_start.tolist() == [0]
    assert kept.most == kept.sent
    assert kept.oldest_s == 0
    assert kept.found.offsets.tolist() == list(range(kept.found.written))

    empty = shown_of(ks.run(usual.where({_RATE: 1e-9})), DELETE, None, "late")
    assert empty.sent == empty.most == empty.found.written == 0


_RETENTION = "system.topics.prices.config.retention_ms"
_RATE = "traffic.sources.shop.arrivals.rate_per_s"

"""What titles claim of odd runs is what the tables say, and never more."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kafkasim import analysis, plot
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.events import Crash, Event, Pause
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

BILLING = Subscriber(["orders"], work_ms=1.0)
TWINS = {"billing": BILLING, "audit": BILLING}
LATE = Subscriber(["orders"], work_ms=0.1, from_s=1.0)
WEB = Source("orders", Poisson(400.0), keys=UniformKeys(50))


def odd(
    subscribers: dict[str, Subscriber], *events: Event, web: Source = WEB
) -> Result:
    """Return a run of two seconds with two partitions."""
    traffic = Traffic(
        {"web": web},
        {
            name: replace(each, streams=[web.stream])
            for name, each in subscribers.items()
        },
        duration_s=2.0,
    )
    kafka = Kafka(topics={web.stream: Topic(partitions=2)})
    return run(Scenario(traffic, kafka, seed=3, events=events))


@pytest.fixture(scope="module")
def twins() -> Result:
    return odd(TWINS)


@pytest.fixture(scope="module")
def down() -> Result:
    return odd(TWINS, Crash("subscriber:billing", at_s=0.0))


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def test_of_two_alike_neither_is_the_worst(twins: Result) -> None:
    for draw in (plot.latency_ecdf, plot.latency_ladder):
        assert title(draw(twins)).startswith("billing and audit: p99 latency")
    assert title(plot.throughput(twins)).startswith(
        "While records are sent, billing and audit process "
    )
    assert title(plot.throughput(twins)).endswith("/s each")
    assert re.fullmatch(
        r"billing and audit have up to \d+ records waiting each, near .*",
        title(plot.lag(twins)),
    )


def test_two_that_wait_as_long_as_each_other_and_longer_than_a_third() -> None:
    table = pd.DataFrame(
        {"subscriber": ["a", "b", "c"], "latency_ms_p50": [1.0, 2.0, 1.0]}
    )
    for column in ("latency_ms_p90", "latency_ms_p99"):
        table[column] = [8.0, 8.0, 1.0]
    for column in ("latency_ms_p999", "latency_ms_max"):
        table[column] = 9.0
    said = title(plot.latency_ladder(table))
    assert said == "a and b wait longest: p99 latency 8 ms"


def test_peaks_as_high_at_other_times_are_named_together() -> None:
    table = pd.DataFrame(
        {
            "subscriber": ["a", "a", "b", "b", "c", "c"],
            "at_ms": [0.0, 10.0] * 3,
            "lag_records": 0,
            "lag_records_max": [7, 1, 1, 7, 2, 2],
        }
    )
    said = title(plot.lag(table))
    assert said == "a and b have most waiting: 7 records, first near 5 ms"


def test_rates_of_a_late_one_are_those_since_it_came() -> None:
    result = odd({"late": LATE})
    table = analysis.throughput(result)
    since = table[(table["at_ms"] >= 1_000) & (table["intended_per_s"] > 0)]
    said = re.findall(r"([\d.]+)/s", title(plot.throughput(result)))
    assert float(said[1]) == pytest.approx(since["intended_per_s"].mean(), rel=0.1)
    assert float(said[1]) > 300


def test_one_record_is_no_rate() -> None:
    result = odd(TWINS, web=replace(WEB, arrivals=Periodic(0.5)))
    assert len(result.records) == 1
    assert (
        title(plot.throughput(result)) == "All records are sent within one bin of time"
    )
    stacked = plot.lag(result, by="partition")
    number = int(result.records["partition"].iloc[0])
    assert title(stacked).startswith(f"orders-{number} holds all of 1 record waiting")
    assert "in 1 partition," in plot.alt_text(stacked)
    assert "; 1 record at the most" in plot.alt_text(stacked)


def test_the_highest_point_of_a_stack_is_the_highest_drawn(twins: Result) -> None:
    table = analysis.lag(twins, by="partition", subscriber="billing")
    together = table.groupby("at_ms")["lag_records"].sum()
    said = title(plot.lag(twins, by="partition"))
    assert f"of {together.max()} records waiting" in said
    assert f"at {together.idxmax():.4g} ms, the highest point" in said
    # What is drawn by subscriber is the peak within a bin, which may be higher.
    assert analysis.lag(twins)["lag_records_max"].max() > together.max()


def test_lag_that_comes_and_goes_within_bins_is_not_denied(twins: Result) -> None:
    table = analysis.lag(twins, by="partition", bin_ms=5_000)
    assert not table["lag_records"].any()
    assert table["lag_records_max"].all()
    said = title(plot.lag(table, by="partition"))
    assert said == "No record waits for billing where a bin of time begins"


def test_a_latecomer_that_skipped_has_not_read_every_record() -> None:
    ax = plot.log(odd({"billing": BILLING, "late": LATE}))
    assert title(ax).endswith("billing and late have read to the end")


def test_what_is_not_known_is_no_number_of_records() -> None:
    late = odd({"late": LATE})
    table = analysis.offsets(late)
    assert table["committed"].isna().all()
    assert title(plot.offsets(late)).endswith("not read yet, no offset committed")
    assert "–" not in plot.alt_text(plot.offsets(late))
    never = odd({"late": replace(LATE, from_s=1.9999)})
    assert analysis.offsets(never)["position"].isna().all()
    records = int((never.records["partition"] == 0).sum())
    assert title(plot.offsets(never)).endswith(f": none of {records} records read")
    assert "position not known" in plot.alt_text(plot.offsets(never))


def test_an_empty_partition_has_nothing_to_read_again() -> None:
    result = odd(TWINS, web=replace(WEB, keys=UniformKeys(1)))
    (empty,) = {0, 1} - set(result.records["partition"])
    ax = plot.offsets(result, partition=empty)
    assert title(ax).endswith("read by billing: no record in the log")


def test_who_processed_nothing_kept_no_order(down: Result) -> None:
    (entity,) = set(down.records["entity"].iloc[:1])
    for ax in (plot.braid(down, entity=entity), plot.ordering(down)):
        assert title(ax).endswith(": no record processed")
        assert "None" not in plot.alt_text(ax) + plot.caption(ax)
    nobody = plot.braid(down)
    assert title(nobody) == "No record of an entity was processed"
    assert "None" not in plot.alt_text(nobody) + plot.caption(nobody)
    several = plot.braid({"down": down, "up": odd(TWINS)}, entity=entity)
    assert several.get_figure(root=True).get_suptitle() == (  # type: ignore[union-attr]
        f"{entity}: in order with up; none processed in the others"
    )


def test_what_was_processed_before_a_stop_is_in_order_and_is_not_all() -> None:
    result = odd(TWINS, Pause("subscriber:billing", at_s=1.0))
    done = analysis.receipts(result).query("subscriber == 'billing'")
    lost = done[done["first_processed_ms"].isna()]["record_id"]
    entity = str(result.records.loc[lost.iloc[-1], "entity"])
    ax = plot.braid(result, entity=entity)
    assert title(ax) == f"{entity}: what was processed is in its order"


def test_records_without_an_entity_are_not_said_to_be_in_order() -> None:
    many = odd(TWINS, web=replace(WEB, keys=NoKeys()))
    said = "billing processed no record with an entity"
    assert title(plot.ordering(many)) == said
    assert plot.alt_text(plot.ordering(many)).startswith(said)
    few = odd(TWINS, web=Source("orders", Periodic(5.0)))
    ax = plot.ordering(few)
    assert title(ax) == "billing: no record has an entity"
    assert not any("nan" in label.get_text() for label in ax.get_yticklabels())


def test_runs_with_other_subscribers_name_them_all(twins: Result) -> None:
    other = odd({"board": BILLING})
    said = plot.caption(plot.braid({"a": twins, "b": other}))
    assert "processed by billing and board, in 2 runs" in said


def test_as_many_pairs_in_two_runs_are_most_in_neither(five: Result) -> None:
    figure = plot.braid({"a": five, "b": five}, entity="N1").get_figure(root=True)
    assert figure is not None
    assert figure.get_suptitle() == "N1: 4 overtaken pairs with a and b each"


def test_arrows_alike_share_the_most(twins: Result) -> None:
    said = title(plot.topology(twins, weight="connection_count"))
    edges = len(analysis.topology(twins).edges)
    assert said.endswith(
        f"and {edges - 1} other arrows alike, each 1 connection ({100 // edges} %)"
    )


def test_a_system_without_a_value_is_not_one_of_all() -> None:
    table = pd.DataFrame(
        {"system": ["Kafka", "queue", "mail"], "drain_s": [0.5, 0.5, np.nan]}
    )
    told = [
        plot.alt_text(plot.comparison(rows, y="drain_s")).partition(".  ")[0]
        for rows in (table, table.iloc[:2], table.iloc[1:])
    ]
    assert told[0].startswith("Time to drain (s): 0.5 where it applies.")
    assert told[1].startswith("Time to drain (s): 0.5 for all.")
    assert told[2].startswith("Time to drain (s): 0.5 (queue).")


def test_a_table_is_drawn_by_what_it_was_made_by(twins: Result) -> None:
    table = analysis.lag(twins, by="partition")
    with pytest.raises(ValueError, match="expected partition"):
        plot.lag(table)
    with pytest.raises(ValueError, match="one of billing and audit"):
        plot.lag(analysis.lag(twins), subscriber="nobody")


def test_names_are_shown_as_they_are() -> None:
    named = odd({"_audit": BILLING}, web=replace(WEB, stream="_orders"))
    for draw in (plot.lag, plot.latency, plot.latency_ecdf, plot.latency_ladder):
        legend = draw(named).get_legend()
        assert legend is not None
        assert "_audit" in legend.get_texts()[0].get_text()
    stacked = plot.lag(named, by="partition").get_legend()
    assert stacked is not None
    assert len(stacked.get_texts()) == 2


def test_dollars_in_a_key_are_no_formula(drawn: Callable[[Axes], Figure]) -> None:
    table = pd.DataFrame(
        {"partitions": [1, 2], "keys": "a$\\x$b", "drain_s": [1.0, 2.0]}
    )
    ax = plot.sweep(table, y="drain_s", x="partitions", hue="keys")
    drawn(ax)
    assert any(text.get_text() == "a$\\x$b" for text in ax.texts)

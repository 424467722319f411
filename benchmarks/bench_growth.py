"""What a run costs as it grows: ten times the records, a hundred times the cluster.

*Records*: the scenario `memory`, streamed, from scenario to result, plan included, over
1 million records and over 10 million. A cost per record that grew with the run would
show as more than ten times.

*Cluster*: `growth-small` and `growth-large` send the same number of records, at the
same rate per partition, to 10 partitions on 3 brokers read by 10 members, and to 1,000
partitions on 30 brokers read by 100; once with one copy of
each partition and once with three (followers' fetches count as well). Held against each
other is what a run takes, its plan being drawn before, for each batch, produce request
and fetch that it made. (Their mix differs: the larger cluster sends more batches in a
request, and with copies a follower's fetch brings more of them.)
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.bench import Figure, figure, interleaved, scenario
from kafkasim.engine.sim.request import FETCH, FETCH_FOLLOWER, PRODUCE
from kafkasim.engine.sim.run import run
from kafkasim.experiments.running import run as run_scenario
from kafkasim.result.result import Result

ONE_MILLION_S = 10.0
"""Simulated seconds in which the scenario `memory` makes a million records."""


def units(result: Result) -> dict[str, int]:
    """Return how many batches, produce requests and fetches a run made.

    Those of followers count as fetches.
    """
    apis = np.bincount(result.columns("requests")["api"], minlength=FETCH_FOLLOWER + 1)
    return {
        "batches": len(result.columns("batches")),
        "requests": int(apis[PRODUCE]),
        "fetches": int(apis[FETCH] + apis[FETCH_FOLLOWER]),
    }


def figures_of_ten_times_the_records() -> Iterator[Figure]:
    ten = scenario("memory")
    one = ten.where({"traffic.duration_s": ONE_MILLION_S})
    took_ten, took_one = interleaved(
        lambda: run_scenario(ten, result="streamed", progress=False),
        lambda: run_scenario(one, result="streamed", progress=False),
    )
    yield figure(
        "streamed: time of 10 million records over that of 1 million",
        took_ten / took_one,
        11.0,
        seconds=took_ten,
        one_million_seconds=took_one,
    )


def figures_of_a_larger_cluster() -> Iterator[Figure]:
    yield larger_cluster(1, "")


def figures_of_a_larger_cluster_with_copies() -> Iterator[Figure]:
    yield larger_cluster(3, ", three copies each")


def larger_cluster(copies: int, words: str) -> Figure:
    """Return what a unit costs at the large cluster over what it does at the small."""
    of_copies = {"system.topics.orders.replication_factor": copies}
    small = scenario("growth-small").where(of_copies)
    large = scenario("growth-large").where(of_copies)
    small_plan, large_plan = small.plan(), large.plan()
    small_units = units(run(small, plan=small_plan))
    large_units = units(run(large, plan=large_plan))
    took_large, took_small = interleaved(
        lambda: run(large, plan=large_plan), lambda: run(small, plan=small_plan)
    )
    each_large = took_large / sum(large_units.values())
    each_small = took_small / sum(small_units.values())
    copied_large = took_large / (copies * large_units["batches"])
    copied_small = took_small / (copies * small_units["batches"])
    return figure(
        "time per batch, request and fetch: 1,000 partitions × 30 brokers × "
        f"100 members over 10 × 3 × 10{words}",
        each_large / each_small,
        1.3,
        us_each=each_large * 1e6,
        small_us_each=each_small * 1e6,
        ratio_per_batch_in_a_log=copied_large / copied_small,
        units=large_units,
        small_units=small_units,
    )

"""The same scenario gives the same result: in any process, under any hash seed."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential, Uniform
from kafkasim.scenario.events import Crash
from kafkasim.scenario.hardware import Hardware, Link
from kafkasim.scenario.keys import NoKeys, UniformKeys, ZipfKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

SCRIPT = """
from tests_scenario import scenario
from kafkasim.engine.sim.run import run
result = run(scenario())
print(result.digest, result.plan.digest, scenario().digest)
"""


def scenario() -> Scenario:
    """Two sources, two subscribers, random links, a crash: something of everything."""
    return Scenario(
        Traffic(
            sources={
                "web": Source(
                    "orders",
                    Poisson(rate_per_s=900),
                    keys=ZipfKeys(50, exponent=1.1, null_share=0.3),
                    value_bytes=Uniform(20, 400),
                ),
                "app": Source("orders", Poisson(rate_per_s=300), keys=UniformKeys(20)),
            },
            subscribers={
                "billing": Subscriber(["orders"], work_ms=Exponential(1.0)),
                "audit": Subscriber(["orders"], from_s=0.2, wants="all"),
            },
            duration_s=0.5,
        ),
        system=Kafka(
            brokers=2,
            topics={"orders": Topic(partitions=5)},
            groups={"billing": Group(members=3)},
            hardware=Hardware(link=Link(delay_ms=Exponential(0.3))),
        ),
        events=(Crash("subscriber:billing", at_s=0.2, for_s=0.1),),
        seed=11,
    )


def digests_in_a_new_process(hash_seed: str, folder: str) -> str:
    environment = dict(os.environ, PYTHONHASHSEED=hash_seed)
    environment["PYTHONPATH"] = os.pathsep.join([*sys.path, folder])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_two_processes_with_different_hash_seeds_give_equal_digests(
    tmp_path: Path,
) -> None:
    shutil.copy(__file__, tmp_path / "tests_scenario.py")
    first = digests_in_a_new_process("1", str(tmp_path))
    assert first == digests_in_a_new_process("4242", str(tmp_path))
    result = run(scenario())
    assert first.split() == [result.digest, result.plan.digest, scenario().digest]


def test_a_run_repeated_in_one_process_gives_the_same_digest() -> None:
    assert run(scenario()).digest == run(scenario()).digest


def test_checking_invariants_changes_no_row() -> None:
    plain, checked = run(scenario()), run(scenario(), check=True)
    assert checked.table("violations").empty
    assert checked.digest == plain.digest


def test_another_seed_gives_another_result() -> None:
    assert run(scenario()).digest != run(replace(scenario(), seed=12)).digest


@pytest.mark.parametrize(
    "system",
    [
        Kafka(),
        Kafka(brokers=3, topics={"orders": Topic(partitions=9)}),
        PointToPoint(),
    ],
)
def test_no_digest_of_the_plan_moves_when_the_system_changes(
    system: Kafka | PointToPoint,
) -> None:
    here = scenario()
    there = Scenario(here.traffic, system=system, seed=here.seed)
    assert there.plan().digests == here.plan().digests


def test_another_source_does_not_disturb_the_arrivals_of_the_others() -> None:
    here = scenario()
    sources = dict(here.traffic.sources) | {
        "batch": Source("orders", Poisson(rate_per_s=100))
    }
    more = replace(here.traffic, sources=sources)
    digests = Scenario(more, seed=here.seed).plan().digests
    for name, digest in here.plan().digests.items():
        assert digests[name] == digest


def test_only_the_key_column_moves_when_keys_change_under_a_named_entity() -> None:
    def with_keys(keys: NoKeys | UniformKeys) -> dict[str, str]:
        source = Source(
            "orders", Poisson(rate_per_s=900), keys=keys, entity=UniformKeys(30)
        )
        traffic = Traffic(
            {"web": source}, {"b": Subscriber(["orders"], work_ms=1)}, duration_s=0.5
        )
        return dict(Scenario(traffic, seed=1).plan().digests)

    keyed, keyless = with_keys(UniformKeys(7)), with_keys(NoKeys())
    moved = {name for name in keyed if keyed[name] != keyless[name]}
    assert moved == {"keys/web"}

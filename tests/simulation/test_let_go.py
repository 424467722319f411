"""A run with copies lets records go as it does without, and nothing shows of it."""

from unittest.mock import patch

import pytest

from kafkasim.engine.sim.append_lists import AppendLists
from kafkasim.engine.sim.run import run
from kafkasim.protocol.producing import sticky
from kafkasim.result.result import Result
from kafkasim.scenario import blocks
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import NS_PER_S

ONE_BROKER_LATE = {
    "system.hardware.cpu.request_ms": 8.0,
    "system.broker_config.num_io_threads": 1,
    "system.producers.web.config.request_timeout_ms": 60,
    "system.producers.web.config.delivery_timeout_ms": 1_000,
}
"""Requests take so long that the client gives some of them up, and sends again."""


def scenario(keys: UniformKeys | NoKeys, *, read: bool = True) -> Scenario:
    """Return traffic of 2,000 records through two partitions with three copies."""
    subscribers = {"billing": Subscriber(("orders",), work_ms=0.1)} if read else {}
    return Scenario(
        Traffic(
            {"web": Source("orders", Poisson(rate_per_s=400), keys, value_bytes=100)},
            subscribers,
            duration_s=5,
        ),
        Kafka(
            brokers=3,
            topics={"orders": Topic(partitions=2, replication_factor=3)},
            groups={"billing": Group(members=2)} if read else {},
        ),
        seed=3,
    )


def in_blocks(chosen: Scenario, records: int) -> tuple[Result, int]:
    """Run with blocks of so many records; also return how many were let go early."""
    early = 0
    released = AppendLists.released
    finish = AppendLists.finish

    def counted(self: AppendLists, partition: int, ordinals: object) -> None:
        nonlocal early
        early += len(ordinals)  # type: ignore[arg-type]
        released(self, partition, ordinals)  # type: ignore[arg-type]

    def ended(self: AppendLists, producer: object) -> None:
        nonlocal early
        before = early
        finish(self, producer)  # type: ignore[arg-type]
        early = before

    with (
        patch.object(blocks, "BLOCK", records),
        patch.object(sticky, "_TRIM", records),
        patch.object(AppendLists, "released", counted),
        patch.object(AppendLists, "finish", ended),
    ):
        return run(chosen, check=True), early


@pytest.mark.parametrize("keys", [UniformKeys(count=20), NoKeys()])
@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_records_that_all_have_are_let_go(
    keys: UniformKeys | NoKeys, acks: str
) -> None:
    chosen = scenario(keys).where(
        {
            "system.producers.web.config.acks": acks,
            "system.producers.web.config.enable_idempotence": acks == "all",
        }
    )
    whole, none = in_blocks(chosen, 1 << 16)
    parted, early = in_blocks(chosen, 64)
    assert none == 0
    assert early > 1_000
    assert parted.digest == whole.digest
    assert not len(parted.violations)


@pytest.mark.parametrize("idempotent", [True, False])
def test_what_may_be_sent_again_is_kept(*, idempotent: bool) -> None:
    chosen = scenario(UniformKeys(count=20)).where(
        ONE_BROKER_LATE | {"system.producers.web.config.enable_idempotence": idempotent}
    )
    whole, _ = in_blocks(chosen, 1 << 16)
    parted, early = in_blocks(chosen, 64)
    attempts = whole.columns("batches")["attempts"]
    assert (attempts > 1).sum() > 5
    assert early < 1_000
    assert parted.digest == whole.digest
    assert not len(parted.violations)


def test_what_a_follower_has_yet_to_copy_is_kept() -> None:
    chosen = scenario(UniformKeys(count=20), read=False).where(
        {
            "system.producers.web.config.acks": "1",
            "system.producers.web.config.enable_idempotence": False,
            "system.hardware.cpu.request_ms": 40.0,
        }
    )
    whole, _ = in_blocks(chosen, 1 << 16)
    parted, early = in_blocks(chosen, 64)
    assert early > 1_000
    assert parted.digest == whole.digest
    appends = parted.columns("appends")
    assert (appends["committed_ns"][appends["appended_ns"] < 4 * NS_PER_S] > 0).all()


@pytest.mark.parametrize("target", ["broker:2", "controller"])
def test_where_leaders_may_move_all_is_kept(target: str) -> None:
    chosen = scenario(UniformKeys(count=20)).where(
        {"events": [{"kind": "crash", "target": target, "at_s": 4.5, "for_s": 1.0}]}
    )
    _, early = in_blocks(chosen, 64)
    assert early == 0

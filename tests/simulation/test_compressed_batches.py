"""Producers that compress: how large batches become, on the wire and in the log."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.log.fsck import fsck


def compressed(
    ratio: Any = 0.25,  # noqa: ANN401 - a number or a law
    *,
    count: int = 50_000,
    keys: Any = None,  # noqa: ANN401 - a law of keys, or none
    partitions: int = 1,
    topic: dict[str, Any] | None = None,
    logs: Path | None = None,
    result: str = "full",
    check: bool = False,
    **producer: Any,  # noqa: ANN401 - settings by name
) -> ks.Result:
    """Run 20,000 records of 200 bytes a second, in batches that have time to fill."""
    source = ks.Source(
        "orders", ks.Periodic(20_000, 0.0), value_bytes=200, keys=keys or ks.NoKeys()
    )
    traffic = ks.Traffic(
        {"shop": source}, {"billing": ks.Subscriber(["orders"])}, duration_s=count / 2e4
    )
    settings = {"linger_ms": 1_000, "compression_type": "lz4", **producer}
    cluster = ks.Kafka(
        topics={
            "orders": ks.Topic(
                partitions=partitions, config=ks.TopicConfig(**topic or {})
            )
        },
        producers={
            "shop": ks.Producer(ks.ProducerConfig(**settings), compression_ratio=ratio)
        },
    )
    scenario = ks.Scenario(traffic, cluster)
    return ks.run(scenario, logs=logs, result=result, check=check)  # type: ignore[arg-type]


def test_batches_grow_as_the_producer_learns_how_well_it_compresses() -> None:
    """PR-23: batch n is opened when n − 1 are closed, by 1 − 0.005 (n − 1).

    It is closed when the next record, counted in full, would not go into 16,384 bytes.
    Once the estimate is what is observed, a batch that compresses a hair's breadth
    worse makes it jump by 0.05: so it is seldom exact.
    """
    batches = compressed().batches.query("closed_by == 'full'")
    size = 207 + 2  # a record of 200 bytes: with its length and an offset of two bytes

    def fits(estimate: float) -> float:
        return (16_384 - 61 - size) / (size * 1.05 * estimate)

    counts = batches.record_count.to_numpy()
    learning = 1 - 0.005 * np.maximum(np.arange(len(counts)) - 1, 0)
    grows = learning > 0.3
    assert counts[grows] == pytest.approx(fits(1) / learning[grows], rel=0.02)
    assert grows.sum() == 141
    knows = learning < 0.25
    assert counts[knows].min() >= fits(0.31)
    assert counts[knows].max() <= fits(0.25) + 1
    ratio = (batches.size_bytes - 61) / (batches.record_count * size)
    assert np.allclose(ratio, 0.25, rtol=0.02)


def test_what_travels_and_is_kept_is_compressed() -> None:
    plain = compressed(None, count=2_000, compression_type="none")
    result = compressed(0.25, count=2_000, check=True)

    assert result.violations.empty
    assert set(result.records.outcome) == {"acked"}
    for table in ("batches", "segments"):
        small, large = result.table(table), plain.table(table)
        assert 0.2 < small.size_bytes.sum() / large.size_bytes.sum() < 0.3
    sent = result.requests.query("api == 'Produce'").size_bytes.sum()
    fetched = result.requests.query("api == 'Fetch'").size_bytes.sum()
    assert sent == fetched == result.batches.size_bytes.sum()
    assert result.deliveries.record_id.tolist() == list(range(2_000))


def test_an_estimate_that_is_too_good_ends_in_batches_that_are_split() -> None:
    """PR-39: after one the producer expects the worst, 1, and begins anew to learn."""
    law = ks.Uniform(0.1, 0.9)
    result = compressed(law, topic={"max_message_bytes": 17_000}, check=True)

    batches = result.batches
    assert result.violations.empty
    split = batches[batches.error == "MESSAGE_TOO_LARGE"]
    assert (split.size_bytes > 17_000).all()
    assert len(split) > 0
    parts = batches[batches.parent_batch_id >= 0]
    assert set(parts.parent_batch_id) == set(split.batch_id)
    # 206 bytes a record at least, and no ratio is above 0.9.
    sent_bytes = parts[parts.error.isna()].size_bytes - 61
    assert (sent_bytes <= 0.9 * 209 * parts[parts.error.isna()].record_count).all()
    assert (batches[batches.error.isna()].size_bytes <= 17_000).all()
    assert set(result.records.outcome) == {"acked"}
    assert result.deliveries.record_id.tolist() == list(range(50_000))


@pytest.mark.parametrize("keys", [None, ks.UniformKeys(50)])
def test_a_streamed_run_and_a_full_one_compress_alike(
    keys: ks.UniformKeys | None,
) -> None:
    law = ks.Uniform(0.2, 0.6)
    full = compressed(law, count=4_000, keys=keys, partitions=3)
    streamed = compressed(law, count=4_000, keys=keys, partitions=3, result="streamed")

    assert streamed.digest == full.digest


def test_logs_are_written_uncompressed(tmp_path: Path) -> None:
    result = compressed(count=2_000, logs=tmp_path / "logs")

    report = fsck(tmp_path / "logs" / "broker-1" / "orders-0")
    assert report.ok, str(report)
    (segment,) = (tmp_path / "logs" / "broker-1" / "orders-0").glob("*.log")
    assert segment.stat().st_size > 3 * result.segments.size_bytes.sum()


@pytest.mark.parametrize(
    ("codec", "ratio", "allowed"),
    [("lz4", None, "a number or a distribution"), ("none", 0.5, "unless")],
)
def test_a_ratio_is_said_where_there_is_compression_and_only_there(
    codec: str, ratio: float | None, allowed: str
) -> None:
    with pytest.raises(ValidationError, match=allowed) as caught:
        ks.Producer(
            ks.ProducerConfig(compression_type=codec),  # type: ignore[arg-type]
            compression_ratio=ratio,
        )
    assert caught.value.path == "compression_ratio"

"""Kafka's cleaner and kafkasim's leave the same, file by file, round by round."""

import json
from pathlib import Path

import pytest

from tests.cluster.batches import Draws
from tests.cluster.kafka import Kafka
from tests.log.cleaning_cases import CASES, Story, log_of, rounds_of, sealed_files
from tests.log.cleaning_truth import TRUTH, told

pytestmark = pytest.mark.cluster

SEEDS = range(60)


@pytest.mark.parametrize("name", CASES)
def test_what_is_recorded_is_what_kafka_answers(
    name: str, kafka: Kafka, tmp_path: Path
) -> None:
    recorded = json.loads(TRUTH.read_text(encoding="utf-8"))[name]

    assert told(kafka, CASES[name](), tmp_path / "story" / "t-0") == recorded


def random_story(seed: int) -> Story:
    """Return a story of some eighty deeds, with rounds that may fill their maps."""
    draws = Draws(seed)
    story = Story(
        internal_segment_bytes=draws.one((400, 900, 3_000)),
        index_interval_bytes=draws.one((0, 80, 200)),
        delete_retention_ms=draws.one((0, 1_000, 5_000)),
        min_compaction_lag_ms=draws.one((0, 0, 200)),
        message_timestamp_type=draws.one(("CreateTime",) * 4 + ("LogAppendTime",)),
    )
    keys = draws.one((3, 9, 30))
    open_transactions: set[tuple[int, int]] = set()

    def put(producer: tuple[int, int] | None = None) -> None:
        words = []
        for _ in range(draws.one((1, 1, 2, 3, 6))):
            value = "" if draws.often(0.25) else f"={draws.one(('', '1', 'h'))}"
            words.append(f"k{draws.below(keys)}{value}")
        story.put(" ".join(words), producer, transactional=bool(producer))

    story.put("k0=1")
    for _ in range(80):
        deed = draws.below(20)
        if deed < 9:
            put()
        elif deed < 13:
            producer = (20 + draws.below(3), 0)
            open_transactions.add(producer)
            put(producer)
        elif deed < 16 and open_transactions:
            producer = draws.one(sorted(open_transactions))
            open_transactions.discard(producer)
            story.end("abort" if draws.often(0.5) else "commit", producer)
        elif deed < 17:
            story.wait(draws.one((100, 1_000, 6_000)))
        elif deed < 18:
            story.roll()
        else:
            story.put("k0=2").clean(draws.one((2, 3, 5, 12, 1_000)))
    return story.put("k0=3").clean()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_story(seed: int, kafka: Kafka, tmp_path: Path) -> None:
    story = random_story(seed)
    theirs = iter(told(kafka, story, tmp_path / "story" / "t-0"))
    log = log_of(story)
    for cleaned in rounds_of(story, log):
        found = next(theirs)
        assert {at: data.hex() for at, data in sealed_files(log).items()} == found[
            "files"
        ]
        if cleaned.segments:
            assert cleaned.first_dirty_offset == found["first_dirty_offset"]
        log.first_dirty_offset = found["first_dirty_offset"]

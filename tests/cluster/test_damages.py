"""What Kafka and kafkasim make of a damaged partition is the same.

Folders that random scripts have left are damaged at random and opened by both: both
refuse, or have the same state at once and the same files after a stop.
"""

import shutil
from pathlib import Path

import pytest

from kafkasim.log.store import MemoryStore
from tests.cluster.batches import Draws
from tests.cluster.beside import answer_of, compared, files_of
from tests.cluster.damages import Files, damaged
from tests.cluster.kafka import Kafka
from tests.cluster.ours import Ours
from tests.cluster.random_scripts import random_script
from tests.cluster.script import Script, Step

pytestmark = pytest.mark.cluster

SEEDS = range(8)
DAMAGES = 30


def written(script: Script, kafka: Kafka, folder: Path) -> tuple[Files, int]:
    """Let Kafka follow a script; return the files it leaves, and the log's end."""
    for step in script.steps:
        answer_of(kafka, step, folder)
    end = kafka.ask("state")["log_end_offset"]
    kafka.ask("close")
    return files_of(folder), end


def open_both(
    files: Files, step: Step, kafka: Kafka, folder: Path
) -> tuple[object, object, MemoryStore]:
    """Open the same files with both; return the answers, and kafkasim's store."""
    shutil.rmtree(folder)
    folder.mkdir()
    store = MemoryStore()
    for name, data in files.items():
        (folder / name).write_bytes(data)
        store.write(name, data)
    ours = Ours(store)
    answers = answer_of(kafka, step, folder), answer_of(ours, step, folder)
    if isinstance(answers[1], dict):
        ours.ask("close")
    if isinstance(answers[0], dict):
        kafka.ask("close")
    return *answers, store


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_log_opens_as_kafka_opens_it(
    seed: int, kafka: Kafka, folder: Path
) -> None:
    """Source: LogLoader, LogSegment.recover, ProducerStateManager."""
    draws, script = Draws(seed), random_script(seed)
    files, end = written(script, kafka, folder)
    opened = 0
    for _ in range(DAMAGES):
        harmed, how, opening = damaged(draws, files, end)
        step = {"do": "open", "config": script.config, "now_ms": script.now_ms}
        theirs, ours, store = open_both(harmed, step | opening, kafka, folder)
        told = f"{how}, opened with {opening}"
        if isinstance(theirs, dict):
            assert ours == theirs, told
            assert compared(store) == compared(folder), told
            opened += 1
        else:
            assert isinstance(ours, str), f"{told}: Kafka says {theirs}"
    assert opened > DAMAGES // 2

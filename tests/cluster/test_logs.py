"""Kafka's log and kafkasim's do the same: each answer, and each file byte for byte."""

from pathlib import Path

import pytest

from kafkasim.log.store import MemoryStore
from tests.cluster.beside import play
from tests.cluster.kafka import Kafka
from tests.cluster.random_scripts import random_script
from tests.cluster.scripts import SCRIPTS

pytestmark = pytest.mark.cluster

SEEDS = range(40)


@pytest.fixture
def folder_of_ours(tmp_path: Path) -> Path:
    """Return an empty folder for kafkasim's partition."""
    made = tmp_path / "kafkasim" / "topic-0"
    made.mkdir(parents=True)
    return made


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script(name: str, kafka: Kafka, folder: Path, folder_of_ours: Path) -> None:
    play(SCRIPTS[name](), kafka, folder, folder_of_ours)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_script(seed: int, kafka: Kafka, folder: Path) -> None:
    play(random_script(seed), kafka, folder, MemoryStore())

"""Apache Kafka's own classes for the tests here; what they need.

They take a JDK, Maven and Kafka's jars, so they run when they are asked for, by
`python3 run.py cluster`; then what is missing is a failure. Otherwise they are skipped
and say so.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kafka import Kafka, fetch, lacking

ASKED = "KAFKASIM_CLUSTER"


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    lacks = lacking()
    if os.environ.get(ASKED) != "required":
        here = f"; missing here: {lacks}" if lacks else ""
        pytest.skip(f"python3 run.py cluster asks Apache Kafka's own classes{here}")
    if lacks:
        pytest.fail(f"missing for tests with Kafka's classes: {lacks}", pytrace=False)
    fetch()


@pytest.fixture(scope="session")
def kafka(_tools: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Return Kafka's classes in a JVM that serves all tests."""
    started = Kafka(tmp_path_factory.mktemp("jvm"))
    yield started
    started.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder with the name of a partition."""
    made = tmp_path / "topic-0"
    made.mkdir()
    return made

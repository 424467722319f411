"""The JVM that answers: what it says of Kafka's exceptions."""

from pathlib import Path

import pytest

from tests.cluster.kafka import Kafka, KafkaError

pytestmark = pytest.mark.cluster


def test_an_exception_of_kafkas_has_its_name_in_the_protocol(
    kafka: Kafka, folder: Path
) -> None:
    kafka.ask("open", folder=str(folder), config={})

    with pytest.raises(KafkaError, match="OffsetOutOfRangeException") as refused:
        kafka.ask("read", offset=1)

    assert refused.value.code == "OFFSET_OUT_OF_RANGE"
    kafka.ask("close")

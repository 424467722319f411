import warnings
from pathlib import Path

import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.config.properties import pairs
from kafkasim.errors import ValidationError


def test_every_way_to_write_a_pair_is_read() -> None:
    """Source: java.util.Properties.load."""
    text = (
        "# a comment\n"
        "! another\n"
        "\n"
        "acks=all\n"
        "  linger.ms : 5\n"
        "batch.size 100\n"
        "client.id = a b \\\n"
        "    c\r\n"
        "path=C:\\\\temp\\u0041\\tx\n"
        "a\\=b\\:c=d=e\n"
        "empty\n"
    )

    assert pairs(text) == {
        "acks": "all",
        "linger.ms": "5",
        "batch.size": "100",
        "client.id": "a b c",
        "path": "C:\\tempA\tx",
        "a=b:c": "d=e",
        "empty": "",
    }


def test_a_comment_is_not_continued_and_the_last_pair_wins() -> None:
    assert pairs("# x \\\nacks=1\nacks=0\n") == {"acks": "0"}


def test_a_real_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "producer.properties"
    path.write_text("linger.ms=20\nenable.idempotence=FALSE\nacks=1\n")

    config = ProducerConfig.from_properties(path)

    assert config == ProducerConfig(linger_ms=20, enable_idempotence=False, acks="1")
    assert ProducerConfig.from_properties(str(path)) == config


def test_a_key_that_kafka_does_not_know_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError) as caught:
        ProducerConfig.from_properties("linger.sm=5")

    assert caught.value.path == '"linger.sm"'
    assert 'did you mean "linger.ms"?' in caught.value.why


def test_keys_that_are_not_modelled_are_named_in_one_warning() -> None:
    with pytest.warns(UserWarning, match=r"sasl\.mechanism, ssl\.protocol") as caught:
        ProducerConfig.from_properties("sasl.mechanism=PLAIN\nssl.protocol=TLS\n")

    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_modelled_keys_give_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ProducerConfig.from_properties("acks=-1\n")


def test_a_value_that_kafka_refuses_is_refused() -> None:
    with pytest.raises(ValidationError, match="batch_size"):
        ProducerConfig.from_properties("batch.size=many\n")

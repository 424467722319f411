import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.document import rules_of
from kafkasim.config.known import BROKER_KEYS, CONSUMER_KEYS, PRODUCER_KEYS
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.settings import Settings
from kafkasim.config.topic import TopicConfig


@pytest.mark.parametrize(
    "config", [ProducerConfig, ConsumerConfig, BrokerConfig, TopicConfig]
)
def test_no_key_is_both_modelled_and_not(config: type[Settings]) -> None:
    modelled = {name.replace("_", ".") for name in rules_of(config)}

    assert modelled & config.known_keys == set()


def test_keys_that_everyone_sets_are_known() -> None:
    assert {"bootstrap.servers", "compression.type", "client.id"} <= PRODUCER_KEYS
    assert {"bootstrap.servers", "group.id", "client.rack"} <= CONSUMER_KEYS
    assert {"log.dirs", "node.id", "min.insync.replicas"} <= BROKER_KEYS

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.document import rules_of
from kafkasim.config.frozen import UNSET
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.settings import Settings


@pytest.mark.parametrize("config", [ProducerConfig, ConsumerConfig, BrokerConfig])
def test_all_is_unset_until_said_and_nothing_once_resolved(
    config: type[Settings],
) -> None:
    said = config()
    resolved = said.resolve()
    names = list(rules_of(config))

    assert {getattr(said, name) for name in names} == {UNSET}
    unsaid = [name for name in names if getattr(resolved, name) is UNSET]
    assert unsaid == ["group_remote_assignor"] * (config is ConsumerConfig)
    assert resolved.resolve() == resolved


def test_an_empty_file_says_nothing() -> None:
    assert ConsumerConfig.from_properties("") == ConsumerConfig()

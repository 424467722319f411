from kafkasim.config.broker import BrokerConfig


def test_a_broker_has_eight_io_threads_by_default() -> None:
    """Source: org.apache.kafka.server.config.ServerConfigs, 4.3.1."""
    assert BrokerConfig().resolve().num_io_threads == 8
    assert BrokerConfig() != BrokerConfig(num_io_threads=8)

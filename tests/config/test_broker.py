import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.errors import ValidationError
from tests.config.verdicts import answer, asked


def test_a_broker_has_eight_io_threads_by_default() -> None:
    """Source: org.apache.kafka.server.config.ServerConfigs, 4.3.1."""
    assert BrokerConfig().resolve().num_io_threads == 8
    assert BrokerConfig() != BrokerConfig(num_io_threads=8)


@pytest.mark.parametrize(
    ("key", "default"),
    {
        "replica.lag.time.max.ms": 30_000,
        "replica.fetch.wait.max.ms": 500,
        "replica.fetch.min.bytes": 1,
        "replica.fetch.max.bytes": 2**20,
        "replica.fetch.response.max.bytes": 10 * 2**20,
        "replica.fetch.backoff.ms": 1_000,
        "num.replica.fetchers": 1,
        "broker.heartbeat.interval.ms": 2_000,
        "broker.session.timeout.ms": 9_000,
        "auto.leader.rebalance.enable": True,
        "leader.imbalance.check.interval.seconds": 300,
        "unclean.leader.election.interval.ms": 300_000,
    }.items(),
)
def test_defaults_of_replication_are_kafkas(key: str, default: int) -> None:
    """BR-21 and the controller's timers. Source: ReplicationConfigs, KRaftConfigs."""
    assert getattr(BrokerConfig().resolve(), key.replace(".", "_")) == default


def test_a_follower_may_not_wait_longer_than_it_may_lag() -> None:
    """Source: KafkaConfig.validateValues."""
    BrokerConfig(replica_fetch_wait_max_ms=400, replica_lag_time_max_ms=400)

    with pytest.raises(ValidationError, match="at most replica_lag_time_max_ms, 499"):
        BrokerConfig(replica_lag_time_max_ms=499)


@pytest.mark.parametrize("name", ["num_replica_fetchers", "replica_fetch_min_bytes"])
def test_what_no_run_follows_is_refused(name: str) -> None:
    assert BrokerConfig.from_dict({name: 1}) != BrokerConfig()

    with pytest.raises(ValidationError, match=name):
        BrokerConfig.from_dict({name: 2})


@pytest.mark.parametrize("table", ["lag", "brokers"])
def test_timers_that_depend_on_each_other_are_judged_as_kafka_does(table: str) -> None:
    """Source: what KafkaConfig of Kafka 4.3.1 said."""
    key = {"lag": "replica.lag.time.max.ms", "brokers": "broker.session.timeout.ms"}
    rows = list(asked(table))

    assert len(rows) >= 20
    for said, effective in rows:
        assert answer(BrokerConfig, said, key[table]) == effective, said

import warnings

import pytest

from kafkasim.config.assignors import CLASSES
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.document import OneOf, rules_of
from kafkasim.config.frozen import UNSET
from kafkasim.config.known import is_known, key_groups, known_keys
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.rules import Flag, Rule, Whole
from kafkasim.config.settings import Settings
from kafkasim.config.topic import TopicConfig
from kafkasim.errors import ValidationError
from tests.config.verdicts import keys_of

CONFIGS = [ProducerConfig, ConsumerConfig, BrokerConfig, TopicConfig]
HIGHEST = {"INT": 2**31 - 1, "LONG": 2**63 - 1}
PACKAGE = "org.apache.kafka.clients.consumer"
BOUNDED_HERE = {
    "broker.heartbeat.interval.ms",
    "broker.session.timeout.ms",
    "group.initial.rebalance.delay.ms",
    "group.max.session.timeout.ms",
    "group.min.session.timeout.ms",
    "heartbeat.interval.ms",
    "linger.ms",
    "log.cleaner.backoff.ms",
    "log.cleaner.dedupe.buffer.size",
    "log.flush.scheduler.interval.ms",
    "num.replica.fetchers",
    "offset.metadata.max.bytes",
    "offsets.topic.num.partitions",
    "offsets.topic.replication.factor",
    "offsets.topic.segment.bytes",
    "replica.fetch.min.bytes",
    "replica.fetch.wait.max.ms",
    "replica.lag.time.max.ms",
    "retention.bytes",
    "session.timeout.ms",
}
"""Where Kafka takes what makes no sense, or cuts it later, or more than is modelled."""


@pytest.mark.parametrize("config", CONFIGS)
def test_no_key_is_both_modelled_and_not(config: type[Settings]) -> None:
    modelled = {name.replace("_", ".") for name in rules_of(config)}

    assert modelled & set(known_keys(config.kind)) == set()


@pytest.mark.parametrize("config", CONFIGS)
def test_every_key_of_kafka_is_modelled_or_its_absence_is_explained(
    config: type[Settings],
) -> None:
    """Source: the ConfigDef tables of Kafka 4.3.1."""
    modelled = {name.replace("_", ".") for name in rules_of(config)}
    keys = [key for key, *_ in keys_of(config.kind)]

    assert len(keys) > 30
    assert [k for k in keys if k not in modelled and not is_known(k, config.kind)] == []


@pytest.mark.parametrize("config", CONFIGS)
def test_every_default_is_kafkas(config: type[Settings]) -> None:
    resolved = config().resolve()
    for key, _, default, _ in keys_of(config.kind):
        if (name := key.replace(".", "_")) in rules_of(config):
            value = getattr(resolved, name)
            text = str(value).lower() if isinstance(value, bool) else str(value)
            if value is UNSET:
                text = "null"
            elif isinstance(value, tuple):
                classes = [f"class {PACKAGE}.{CLASSES[each]}" for each in value]
                text = ", ".join(classes)
            assert text == default.strip("[]"), key


@pytest.mark.parametrize("config", CONFIGS)
def test_every_bound_is_kafkas_or_named_here(config: type[Settings]) -> None:
    numbers = 0
    for key, kind, _, validator in keys_of(config.kind):
        rule = leaf(config, key)
        if rule is None or key in BOUNDED_HERE or kind not in HIGHEST:
            continue
        numbers += 1
        low, *_, high = validator.strip("[]").split(",")
        assert isinstance(rule, Whole), key
        assert rule.low == int(low), key
        assert rule.high == (HIGHEST[kind] if high == "..." else int(high)), key
    assert numbers >= 4


@pytest.mark.parametrize("config", CONFIGS)
def test_what_kafka_calls_a_boolean_is_one_and_nothing_else(
    config: type[Settings],
) -> None:
    for key, kind, _, _ in keys_of(config.kind):
        rule = leaf(config, key)
        assert rule is None or isinstance(rule, Flag) == (kind == "BOOLEAN"), key


def leaf(config: type[Settings], key: str) -> Rule | None:
    """Return what a key's value may be once it is said; None: it is not modelled."""
    rule = rules_of(config).get(key.replace(".", "_"))
    assert rule is None or isinstance(rule, OneOf)
    return None if rule is None else rule.leaves[0]


def test_each_group_says_what_its_keys_mean_and_none_stands_in_two() -> None:
    for kind in ("producer", "consumer", "topic", "broker"):
        keys = [key for each in key_groups() for key in each.keys.get(kind, ())]

        assert len(keys) == len(set(keys)) == len(known_keys(kind))
    assert all(each.title and each.means.endswith(".") for each in key_groups())


def test_a_key_with_a_dot_at_its_end_stands_for_all_that_begin_with_it() -> None:
    assert is_known("ssl.truststore.location", "broker")
    assert not is_known("ssl.truststore.location", "topic")
    assert not is_known("ssl", "broker")


def test_a_real_brokers_file_is_read() -> None:
    text = """
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=localhost:9093
listeners=PLAINTEXT://:9092,CONTROLLER://:9093
listener.name.controller.ssl.keystore.location=/keys
num.io.threads=16
log.dirs=/var/lib/kafka
log.retention.hours=168
log.retention.check.interval.ms=60000
replica.lag.time.max.ms = 10000
"""
    with pytest.warns(UserWarning, match=r"node\.id.*log\.retention\.hours") as caught:
        config = BrokerConfig.from_properties(text)

    assert len(caught) == 1
    assert config == BrokerConfig(
        num_io_threads=16,
        log_retention_check_interval_ms=60_000,
        replica_lag_time_max_ms=10_000,
    )


def test_files_of_consumers_and_topics_are_read() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        consumer = ConsumerConfig.from_properties("auto.offset.reset=earliest\n")
        topic = TopicConfig.from_properties("min.insync.replicas=2\nretention.ms=-1")

    assert consumer == ConsumerConfig(auto_offset_reset="earliest")
    assert topic == TopicConfig(min_insync_replicas=2, retention_ms=-1)


def test_the_key_of_another_kind_of_file_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"linger\.ms"):
        TopicConfig.from_properties("linger.ms=5")

"""Keys that Kafka's clients and brokers know."""

PRODUCER_KEYS = frozenset({"compression.type"})
CONSUMER_KEYS = frozenset({"group.id"})
BROKER_KEYS = frozenset({"log.dirs"})

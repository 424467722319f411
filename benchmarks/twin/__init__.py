"""The first-light Kafka model driven by ordinary SimPy processes: the engine's twin."""

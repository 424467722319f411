"""Kafka's rules and machines, without a clock: time is an argument."""

"""Kafka's own settings, and the documents that all descriptions are made of."""

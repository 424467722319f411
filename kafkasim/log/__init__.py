"""The partition log, Kafka's own format; it also stands alone."""

from kafkasim.log.header import BatchHeader, unpack_header

__all__ = ["BatchHeader", "unpack_header"]

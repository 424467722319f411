"""The partition log, the ground the simulation stands on; it also stands alone."""

from kafkasim.log.partition_log import BatchRange, PartitionLog

__all__ = ["BatchRange", "PartitionLog"]

"""For people who add a system or a workload: what the engine is measured by."""

from kafkasim.testing.reference_accumulator import (
    ReferenceBatch,
    ReferenceRecord,
    ReferenceSettings,
)
from kafkasim.testing.reference_producer import ReferenceProducer, ReferenceRow

__all__ = [
    "ReferenceBatch",
    "ReferenceProducer",
    "ReferenceRecord",
    "ReferenceRow",
    "ReferenceSettings",
]

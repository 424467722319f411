"""For people who add a system or a workload: what the engine is measured by."""

from kafkasim.testing.reference_producer import (
    ReferenceBatch,
    ReferenceProducer,
    ReferenceRecord,
    ReferenceRow,
    ReferenceSettings,
)

__all__ = [
    "ReferenceBatch",
    "ReferenceProducer",
    "ReferenceRecord",
    "ReferenceRow",
    "ReferenceSettings",
]

"""For people who add a system or a workload: what the engine is measured by."""

from kafkasim.testing.reference_accumulator import (
    ReferenceBatch,
    ReferenceRecord,
    ReferenceSettings,
)
from kafkasim.testing.reference_producer import (
    ReferenceLoop,
    ReferenceProducer,
    ReferenceRow,
)

__all__ = [
    "ReferenceBatch",
    "ReferenceLoop",
    "ReferenceProducer",
    "ReferenceRecord",
    "ReferenceRow",
    "ReferenceSettings",
]

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
from kafkasim.testing.systems import PROMISED_ORDER, check_system

__all__ = [
    "PROMISED_ORDER",
    "ReferenceBatch",
    "ReferenceLoop",
    "ReferenceProducer",
    "ReferenceRecord",
    "ReferenceRow",
    "ReferenceSettings",
    "check_system",
]

"""Pipelines without a log: from source to subscriber, or through a hub that forgets."""

# ruff: noqa: RUF009 - the defaults are frozen

from dataclasses import dataclass

from kafkasim.config.document import Document
from kafkasim.scenario.hardware import Hardware


@dataclass(frozen=True, slots=True, repr=False)
class PointToPoint(Document):
    """No broker: each source sends each record to each subscriber itself.

    It waits for the answer before it sends the next, so a subscriber that is slow or
    down blocks it.
    """

    hardware: Hardware = Hardware()
    """Network and processors."""

"""The fields of a scenario, not yet checked against each other.

While several changes are made one after the other (`Scenario.where`), the document may
be out of joint; only its end has to fit.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self

from kafkasim.config.document import Document, document
from kafkasim.config.rules import INT64_MAX, Seconds, Whole
from kafkasim.scenario.events import Event
from kafkasim.scenario.resolution import resolved_system, resolved_traffic
from kafkasim.scenario.systems import Kafka, System
from kafkasim.scenario.traffic import Traffic


@document
class Draft(Document):
    """What a scenario says."""

    traffic: Traffic
    """What the world wants."""
    system: System = Kafka()
    """What serves it."""
    seed: Annotated[int, Whole(0, INT64_MAX)] = 0
    """Decides every random draw."""
    events: Sequence[Event] = ()
    """What happens to the system."""
    end: Literal["drain", "cut"] = "drain"
    """Run until every wanted record is settled, or stop at the traffic's duration."""
    drain_limit_s: Seconds = 600.0
    """Simulated seconds without any progress after which draining gives up."""
    name: str = ""
    """What to call it; has no effect on the run."""

    def resolve(self) -> Self:
        """Return the same with everything filled in; once more changes nothing."""
        return replace(
            self,
            traffic=resolved_traffic(self.traffic),
            system=resolved_system(self.system, self.traffic),
        )

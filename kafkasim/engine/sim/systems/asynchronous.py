"""Point to point, asynchronous: each source has a queue for each subscriber.

It takes a record when the world wants it, puts it into the queue of every subscriber
that wants it, and sends to all of them side by side. A subscriber that is slow or down
fills its queue at every source that sends to it; what a full queue means is a setting.
The queues are memory: a source that crashes loses what is in them.
"""

from kafkasim.engine.sim.systems.emitting import Emitting, Way
from kafkasim.engine.sim.systems.pipeline_run import PipelineRun
from kafkasim.scenario.events import Event
from kafkasim.scenario.pipelines import PointToPoint


class AsynchronousRun(PipelineRun):
    """One run of sources that send to subscribers themselves."""

    @property
    def keeps_order(self) -> bool:
        """Whether each subscriber gets a source's records in order."""
        assert isinstance(self.system, PointToPoint)
        return self.system.in_flight == 1

    def _lead(self, source: Emitting, readers: list[int]) -> None:
        system = self.system
        assert isinstance(system, PointToPoint)
        limits = self.limits(system.queue_events, system.queue_mb, 1, system.give_up_s)
        here = f"source:{source.sending.plan.source}"
        for place, code in enumerate(readers):
            outlet = self.make_outlet(
                here,
                f"subscriber:{self.names[code]}",
                source,
                self.subscribers[code],
                limits,
                source.counts,
                system.in_flight,
            )
            work = source.sending.works[place]
            source.ways.append(Way(outlet, (code,), work, self.from_ns[code]))

    def _begin_at_hub(self, event: Event, until_ns: int) -> str:
        raise AssertionError(f"{event} befalls no hub until {until_ns}")

    def _end_at_hub(self, event: Event) -> None:
        raise AssertionError(f"{event} befalls no hub")

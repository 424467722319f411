"""A relay: sources, a hub that forgets what is answered, and subscribers."""

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.drawn import services
from kafkasim.engine.sim.systems.emitting import Emitting, Way
from kafkasim.engine.sim.systems.outlets import Outlet
from kafkasim.engine.sim.systems.pipeline_run import PipelineRun
from kafkasim.engine.sim.systems.relay_hub import Exit, Hub
from kafkasim.ids import HUB
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.pipelines import Relay


class RelayRun(PipelineRun):
    """One run of a relay."""

    hub: Hub

    @property
    def keeps_order(self) -> bool:
        """Whether each subscriber gets a source's records in order: always."""
        return True

    def _make_hub(self) -> None:
        system = self.system
        assert isinstance(system, Relay)
        cpu = system.hardware.cpu
        meter = self.meter
        self.hub = Hub(
            calendar=self.calendar,
            actor=self.hub_actor,
            threads=system.threads,
            services=services(cpu.request_ms, self.scenario.seed, HUB),
            ns_per_byte=cpu.mb_ms,
            drops=system.on_full == "drop",
            accounts=self.accounts,
            track=None if meter is None else meter.track(HUB, "cpu", system.threads),
        )
        limits = self.limits(
            system.queue_events, system.queue_mb, system.prefetch, None
        )
        self._exits: dict[int, Outlet] = {}
        for code, name in enumerate(self.names):
            outlet = self.make_outlet(
                HUB, f"subscriber:{name}", self.hub, self.subscribers[code], limits
            )
            outlet.serve = self.hub.push
            self._exits[code] = outlet
            self.hub.exits.append(outlet)

    def _make_sources(self) -> None:
        self._make_hub()
        super()._make_sources()

    def _lead(self, source: Emitting, readers: list[int]) -> None:
        system = self.system
        assert isinstance(system, Relay)
        limits = self.limits(system.buffer_events, None, 1, system.give_up_s)
        here = f"source:{source.sending.plan.source}"
        entry = self.make_outlet(here, HUB, source, self.hub, limits, source.counts)
        source.ways.append(Way(entry, tuple(readers)))
        exits = [Exit(code, self._exits[code], self.from_ns[code]) for code in readers]
        events = source.sending
        self.hub.lead(entry, exits, lambda place, ordinal: events.works[place][ordinal])

    def _begin_at_hub(self, event: Event, until_ns: int) -> str:
        if isinstance(event, Slow):
            self.hub.slow(event.factor)
            return f"each request takes {event.factor:g} times as long"
        if isinstance(event, Pause):
            return self.hub.pause(until_ns)
        return self.hub.crash()

    def _end_at_hub(self, event: Event) -> None:
        if isinstance(event, Slow):
            self.hub.slow(UNSLOWED)
        elif isinstance(event, Pause):
            self.hub.resume()
        else:
            assert isinstance(event, Crash)
            self.hub.start()

"""The twin's run: what the engine builds and records, driven by SimPy processes.

The cluster is the engine's own `KafkaRun`: plan, accumulators, logs, fetch sessions,
network cards, recorder and rows are shared. Its calendar never runs. In place of the
engine's broker, member and sender stand the processes of this package, in a plain
`simpy.Environment` that counts whole nanoseconds.
"""

from benchmarks.twin.broker import Broker
from benchmarks.twin.clock import Clock
from benchmarks.twin.consumer import Member
from benchmarks.twin.producer import Producer
from kafkasim.engine.sim.drawn import services
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.request import Request
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.engine.sim.systems.kafka_clients import poll_settings
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.result.result import Result
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import ns_from_s


def run_twin(scenario: Scenario, plan: Plan) -> Result:
    """Run a Kafka scenario with SimPy processes."""
    return Twin(scenario, plan).run()


class Twin(KafkaRun):
    """One run of the twin.

    Raises
    ------
    ValueError
        The scenario has events, subscribers that come late, or records that are too
        large for a request: the twin knows none of them.
    """

    def __init__(self, scenario: Scenario, plan: Plan) -> None:
        super().__init__(scenario, plan, check=False)
        self.write_request = self.note_written
        late = any(subscriber.from_s for subscriber in self.subscribers.values())
        if scenario.events or late or self.calendar.pending():
            raise ValueError(
                "the twin knows no events, late members or refused records"
            )
        self.env = Clock()
        self._over = self.env.event()
        self._open: dict[int, Request] = {}
        self._nodes = [self._make_node(index) for index in range(self.system.brokers)]
        self._processes = [
            member for name in self.subscribers for member in self._make_processes(name)
        ]
        for index in range(len(self.sources)):
            self._start_sender(index)

    def _make_node(self, index: int) -> Broker:
        cpu = self.system.hardware.cpu
        return Broker(
            self.env,
            partitions=self.partitions,
            io_threads=self.system.broker_config.num_io_threads,
            services_ns=services(
                cpu.request_ms, self.scenario.seed, f"broker:{index + 1}"
            ),
            ns_per_byte=cpu.mb_ms,
            on_append=self._appended,
        )

    def _make_processes(self, name: str) -> list[Member]:
        """Return a group's members, which begin at their partitions' starts."""
        group = self.groups[name]
        group.joined = True
        positions, _ = group.reset()
        coordinator = offsets_partition(name) % self.system.brokers
        processes = []
        for built in self.members[name]:
            built.up = True
            built.begun = {p.index: (0, positions[p.index]) for p in built.owned}
            host = f"member:{self.member_names[built.code]}"
            processes.append(
                Member(
                    self.env,
                    code=built.code,
                    group=group,
                    sessions=built.sessions,
                    positions={p.index: positions[p.index] for p in built.owned},
                    commit_connection=self.hosts.connect(
                        host, self.tables.client_code(host), coordinator, "/coordinator"
                    ),
                    brokers=self._nodes,
                    settings=poll_settings(self.system.groups[name]),
                    calls=MemberCalls(
                        next_request_id=self.next_request_id,
                        write_request=self.write_request,
                        write_returned=self.tables.returned,
                        on_working=self.timeline.expect,
                        on_processed=self._processed,
                        on_reset=self._reset,
                        on_stopped=self._stopped,
                    ),
                    number_request=self.number_request,
                    store_commit=self._store_commit,
                )
            )
        return processes

    def _start_sender(self, index: int) -> None:
        source = self.sources[index]
        host = f"source:{source.source}"
        code = self.tables.client_code(host)
        config = self.system.producers[source.source].config
        Producer(
            self.env,
            accumulator=self.producers[index].accumulator,
            connections=[
                self.hosts.connect(host, code, broker)
                for broker in range(self.system.brokers)
            ],
            brokers=self._nodes,
            first_partition=self.by_topic[source.stream][0].index,
            most_in_flight=config.max_in_flight_requests_per_connection,
            wants_answers=config.acks != "0",
            next_batch_id=self._batch_ids.__next__,
            number_request=self.number_request,
            on_done=self._request_done,
        )

    # --- running ------------------------------------------------------------------

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        self.drive()
        return self.finish()

    def drive(self) -> None:
        """Let the processes run until all is settled, or for the scenario's duration.

        Raises
        ------
        RuntimeError
            A run that should drain has not, long after its traffic's end.
        """
        env, resolved = self.env, self.scenario.resolve()
        end_ns = ns_from_s(resolved.traffic.duration_s)
        if resolved.end == "drain":
            limit_ns = end_ns + ns_from_s(resolved.drain_limit_s)
            env.run(until=self._over | env.timeout(limit_ns))
            if not self._over.triggered:
                raise RuntimeError("the twin did not drain")
            end_ns = env.now
        else:
            # What happens at the last moment itself still belongs to the run.
            env.run(until=end_ns + 1)
        self.calendar.now_ns = end_ns
        scheduled = next(env._eid)  # noqa: SLF001 - SimPy has no counter of its own
        self.calendar.entry_count = scheduled - len(env._queue)  # noqa: SLF001

    def finish(self) -> Result:
        """Write what is open and return the result."""
        for member in self._processes:
            member.cut(self.calendar.now_ns)
        self._finish()
        return self._full_result()

    def _request_done(self, request: Request, answered_ns: int) -> None:
        self.calendar.now_ns = self.env.now
        self._produced(request, answered_ns)
        self._end_when_settled()

    def _processed(self, count: int) -> None:
        self.calendar.now_ns = self.env.now
        self.timeline.settle(count)
        self._end_when_settled()

    def _end_when_settled(self) -> None:
        if self.calendar.stopped and not self._over.triggered:
            self._over.succeed()

    def _store_commit(self, request: Request) -> None:
        self.calendar.now_ns = self.env.now
        self._commit(request)

    # --- requests -----------------------------------------------------------------

    def number_request(self, request: Request) -> None:
        """Give a request its number and keep it until its row is written."""
        request.request_id = self.next_request_id()
        self._open[request.request_id] = request

    def note_written(self, request: Request, answered_ns: int) -> None:
        """Write a request to which nothing more happens at its client."""
        self.tables.request(request, answered_ns)
        del self._open[request.request_id]

    def _open_requests(self) -> list[Request]:
        return list(self._open.values())

"""What a Kafka run writes when it is over: what was still under way."""

from kafkasim.engine.sim.request import PRODUCE, Request
from kafkasim.engine.sim.systems.kafka_accounts import KafkaAccounts
from kafkasim.engine.sim.systems.kafka_clients import running
from kafkasim.units import MISSING_NS


class KafkaEnd(KafkaAccounts):
    """A cluster that knows what is under way."""

    def _open_requests(self) -> list[Request]:
        """Return the requests without an answer, in the order of sending."""
        under_way = [r for r in self.calendar.pending() if isinstance(r, Request)]
        for broker in self.brokers:
            held = [*broker.queued(), *broker.parked(), *broker.elsewhere()]
            under_way += held
        for connection in self.hosts.connections:
            under_way += connection.waiting
        for members in self.members.values():
            for member in members:
                under_way += member.held
        if self.replication is not None:
            under_way += self.replication.open_requests()
            for connection in self.hosts.newest:
                under_way += connection.in_flight
        found = {r.request_id: r for r in under_way if not r.written}
        return [found[number] for number in sorted(found)]

    # --- the end ------------------------------------------------------------------

    def _finish(self) -> None:
        for source, standstill in self.standstills.items():
            if standstill.is_still:
                self._write_pause(source, MISSING_NS)
        self._finish_groups()
        self._write_appends(len(self._appends))
        for partition in self.partitions:
            if partition.index not in self.unused:
                self.tables.segments(partition)
        self._finish_requests()
        for producer, lists in zip(self.producers, self.lists, strict=True):
            for batch in producer.finish(self.calendar.now_ns):
                if batch.batch_id not in self._done:
                    self._write_batch(batch)
            lists.finish(producer)

    def _finish_groups(self) -> None:
        """Write what members own, and what they have at work."""
        for name, group in self.groups.items():
            if group.joined and group.up:
                there = running(self.members[name])
                self.tables.assignments(group, there, MISSING_NS)
            for member in self.members[name]:
                member.cut()

    def _finish_requests(self) -> None:
        """Write requests without an answer, and the batches in them."""
        for request in self._open_requests():
            self.tables.request(request, MISSING_NS)
            if request.api == PRODUCE:
                for batch in request.payload:
                    if batch.batch_id not in self._done:
                        self._done.add(batch.batch_id)
                        self._write_batch(batch)

"""The two kinds of brokers whose network threads, disk and page cache take part."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafkasim.engine.sim.equipped_broker import Equipment, Equipped
from kafkasim.engine.sim.follower import ReplicaFetcher
from kafkasim.engine.sim.following import Copied
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import parts
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import Append, Replica, contents_of
from kafkasim.engine.sim.replica_calls import ReplicaCalls, ReplicaSettings
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.request import PRODUCE, Request


class EquippedBroker(Equipped):
    """One broker of a cluster without copies."""

    incarnation = 0

    def may_not_go_on(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401, ARG002
        """Say no: it never stands still."""
        return False

    def is_over(self, request: Request) -> bool:  # noqa: ARG002
        """Say no: its process never dies."""
        return False

    def equip(self, equipment: Equipment) -> None:
        """Give it its equipment; its page cache knows first what is appended."""
        super().equip(equipment)
        told = self._on_append

        def on_append(batch: Batch, partition: Partition) -> None:
            if self.cache is not None:
                self.note_append(batch, partition.replicas[self.index])
            told(batch, partition)

        self._on_append = on_append


class EquippedReplica(Equipped, ReplicatedBroker):
    """One broker of a cluster that replicates, or whose brokers fail."""

    def may_not_go_on(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401
        """Say whether it stands still; then the call is made when it goes on."""
        return self.holds(function, argument)

    def is_over(self, request: Request) -> bool:
        """Say whether the process that took a request up has died."""
        return request.dequeued_ns < self._up_since_ns or not self.up

    def lead_with(
        self,
        replicas: Mapping[int, Replica],
        *,
        produce_timeouts: Mapping[int, int],
        settings: ReplicaSettings,
        calls: ReplicaCalls,
    ) -> None:
        """Give it its copies; its page cache knows first what is appended."""
        told = calls.on_append

        def on_append(batch: Batch, partition: Partition, append: Append) -> None:
            if self.cache is not None:
                self.note_append(batch, partition.replicas[self.index])
            told(batch, partition, append)

        super().lead_with(
            replicas,
            produce_timeouts=produce_timeouts,
            settings=settings,
            calls=calls._replace(on_append=on_append),
        )

    def writes(self, batch: Batch, request: Request) -> Replica | None:
        """Return the copy to which a batch will be appended; None if it is refused."""
        replica = self.replicas.get(batch.partition_index)
        state = None if replica is None else replica.state
        if state is None:
            return None
        waits_for_all = request.connection.client in self._wait_for_all
        return None if waits_for_all and state.under_min_isr else replica

    def answer_follower(self, fetcher: ReplicaFetcher, request: Request) -> None:
        """Send a follower what there is; know what that takes."""
        fetcher.taken = []
        super().answer_follower(fetcher, request)

    def make_room_for_copies(
        self,
        copied: Sequence[Copied],
        function: Callable[[Request], None],
        request: Request,
    ) -> None:
        """Call the function when the disk, if any, lets what came be appended."""
        now_ns = until_ns = self._calendar.now_ns
        for replica, batches, *_ in copied:
            if batches and self.cache is not None:
                sent = [parts(one)[0] for one in batches]
                until_ns = self._room_for(until_ns, replica, sent)
        if until_ns <= now_ns:
            function(request)
        else:
            self._timer_key += 1
            self.after_disk(until_ns, self._timer_key, function, request)

    def append_copies(self, copied: Copied) -> None:
        """Append what the leader sent, and know that it is in memory."""
        last = copied.replica.log.active
        before = {last: contents_of(last).size_bytes}
        super().append_copies(copied)
        if self.cache is not None:
            sent = [parts(one)[0] for one in copied.batches]
            self.note_copies(copied.replica, sent, before)

    def crash(self, cause: str = "crashed") -> None:
        """Stop at once; the page cache is the operating system's, and stays."""
        lost = [*self.elsewhere(), *(request for _, request in self._stuck)]
        super().crash(cause)
        for request in lost:
            if request.api == PRODUCE and request.done_ns < 0:
                self._vanish(request)
        self._at_disk.clear()
        self._stuck.clear()
        self._locked_until.clear()
        self._threads.clear()
        for thread in self._network:
            thread.waiting.clear()
            thread.is_held = False

"""kafkasim's log, asked by the commands of `Kafka.java`, so that answers compare."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.reading import Until
from kafkasim.log.store import FolderStore, Store
from tests.cluster.kafka import KafkaError, packed

_UNTIL: dict[str, Until] = {
    "LOG_END": "log_end",
    "HIGH_WATERMARK": "high_watermark",
    "TXN_COMMITTED": "last_stable",
}


def _or_none(offset: int | None) -> int:
    return -1 if offset is None else offset


class Ours:
    """What answers as `Kafka` does; one log is open at a time.

    Parameters
    ----------
    store : Store, optional
        Where the log is, in place of the folder that it is told to open.
    """

    def __init__(self, store: Store[Any] | None = None) -> None:
        self._store = store
        self._log: PartitionLog[Any] | None = None

    def ask(self, do: str, **given: Any) -> Any:  # noqa: ANN401 - as JSON has it
        """Return the answer to a command of `Kafka.java`.

        Raises
        ------
        KafkaError
            The log refuses.
        """
        now_ms = given.pop("now_ms", 0)
        answer = cast("Callable[..., Any]", getattr(self, do))
        if self._log is not None:
            self._log.delete_expired_files(now_ms)
        try:
            return answer(now_ms, **given)
        except LogError as refused:
            name = type(refused).__name__
            raise KafkaError(name, refused.code, refused.text) from refused

    @property
    def log(self) -> PartitionLog[Any]:
        """The log that is open."""
        assert self._log is not None
        return self._log

    def open(
        self,
        now_ms: int,
        *,
        folder: str,
        config: dict[str, Any],
        clean: bool = False,
        recovery_point: int = 0,
        log_start_offset: int = 0,
    ) -> dict[str, Any]:
        settings = {key.replace(".", "_"): value for key, value in config.items()}
        self._log = PartitionLog(
            self._store or FolderStore(Path(folder)),
            TopicConfig(**settings),
            now_ms=now_ms,
            clean_shutdown=clean,
            recovery_point=recovery_point,
            log_start_offset=log_start_offset,
        )
        return self.state(now_ms)

    def drop(self, _: int) -> bool:
        """Leave what a killed broker leaves: what it has written, and no snapshot."""
        self.log.store.close()
        self._log = None
        return True

    def close(self, _: int) -> bool:
        self.log.close()
        self._log = None
        return True

    def state(self, _: int) -> dict[str, Any]:
        log = self.log
        producers = [
            [
                one.producer_id,
                one.epoch,
                one.last_sequence,
                one.last_timestamp_ms,
                one.coordinator_epoch,
                _or_none(one.transaction_first_offset),
            ]
            for one in log.producers.entries.values()
        ]
        return {
            "log_start_offset": log.log_start_offset,
            "log_end_offset": log.log_end_offset,
            "high_watermark": log.high_watermark,
            "last_stable_offset": log.last_stable_offset,
            "recovery_point": log.recovery_point,
            "segments": [[one.base_offset, one.size_bytes] for one in log.segments],
            "epochs": [list(entry) for entry in log.leader_epochs.entries],
            "producers": sorted(producers),
        }

    def append(
        self,
        now_ms: int,
        *,
        data: bytes,
        leader_epoch: int,
        follower: bool = False,
        coordinator: bool = False,
        transaction_version: int = 2,
    ) -> list[int] | None:
        if follower:
            made = self.log.append_as_follower(
                data, leader_epoch=leader_epoch, now_ms=now_ms
            )
        else:
            made = self.log.append_as_leader(
                data,
                leader_epoch=leader_epoch,
                now_ms=now_ms,
                origin="coordinator" if coordinator else "client",
                transaction_version=transaction_version,
            )
        return made and list(made[:2])

    def read(
        self, _: int, *, offset: int, until: str = "LOG_END", most_bytes: int = 1 << 20
    ) -> dict[str, Any]:
        found = self.log.read(offset, most_bytes, until=_UNTIL[until])
        end = found.next_offset if found.size_bytes else 0
        aborted = [
            [one.producer_id, one.first_offset]
            for one in found.aborted or ()
            if one.first_offset < end
        ]
        return {"data": packed(bytes(found.data)), "aborted": aborted}

    def offset_for_time(self, _: int, *, timestamp_ms: int) -> list[int]:
        found = self.log.offset_for_time(timestamp_ms)
        return [] if found is None else [found.timestamp_ms, found.offset]

    def clean(self, now_ms: int, **given: int) -> list[int]:
        done = self.log.clean(now_ms, **given)
        found = done.range.first_dirty_offset, done.range.first_uncleanable_offset
        return [*found, done.first_dirty_offset]

    def roll(self, now_ms: int) -> int:
        self.log.roll(now_ms)
        return self.log.active.base_offset

    def truncate_to(self, now_ms: int, *, offset: int) -> bool:
        return self.log.truncate_to(offset, now_ms)

    def truncate_fully(self, now_ms: int, *, offset: int) -> bool:
        self.log.truncate_fully_and_start_at(offset, now_ms)
        return True

    def whole(self, offset: int) -> int:
        """Return where the batch begins that an offset lies in."""
        log = self.log
        if not log.log_start_offset <= offset < log.log_end_offset:
            return offset
        headers = log.read(offset, 1).headers()
        return max(headers[0].base_offset, log.log_start_offset) if headers else offset

    def high_watermark(self, _: int, *, offset: int, whole: bool = False) -> int:
        return self.log.set_high_watermark(self.whole(offset) if whole else offset)

    def delete_records(self, _: int, *, offset: int, whole: bool = False) -> bool:
        return self.log.move_start(self.whole(offset) if whole else offset)

    def delete_old_segments(self, now_ms: int) -> int:
        return len(self.log.delete_old_segments(now_ms))

    def expire_producers(self, now_ms: int) -> bool:
        self.log.expire_producers(now_ms)
        return True

    def epoch(self, _: int, *, epoch: int, offset: int) -> bool:
        self.log.leader_epochs.assign(epoch, offset)
        return True

    def end_offset_for_epoch(self, _: int, *, epoch: int) -> list[int]:
        found = self.log.leader_epochs.end_offset(epoch, self.log.log_end_offset)
        return [] if found is None else list(found)

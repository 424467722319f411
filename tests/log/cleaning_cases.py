"""Stories of compacted logs, told once and acted out by Kafka's cleaner and by ours.

A step is a command as `tests/cluster/Kafka.java` takes it. What Kafka 4.3.1 made of
each stands in `data/cleaning.json`; `cleaning_truth.py` asks it again.
"""

from collections.abc import Callable, Iterator
from typing import Any, Literal

from kafkasim.config.topic import TopicConfig
from kafkasim.log.cleaned import Cleaned
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore

Step = dict[str, Any]
Log = PartitionLog[Any]
KINDS = (".log", ".index", ".timeindex", ".txnindex")
"""Files of a segment."""
T0_MS = 1_700_000_000_000
BYTES_PER_KEY = 24


class Story:
    """Steps in order, each at a time that only goes on.

    Parameters
    ----------
    **config
        Settings of the topic that differ from those here.
    """

    def __init__(self, **config: Any) -> None:  # noqa: ANN401 - settings by name
        self.config: dict[str, Any] = {
            "cleanup_policy": "compact",
            "internal_segment_bytes": 2_000,
            "segment_index_bytes": 1_000,
            "index_interval_bytes": 100,
            "delete_retention_ms": 1_000,
            "retention_ms": -1,
        } | config
        self.steps: list[Step] = []
        self.now_ms = T0_MS
        self._sequences: dict[tuple[int, int], int] = {}

    def _do(self, do: str, **given: object) -> "Story":
        self.steps.append({"do": do, "now_ms": self.now_ms} | given)
        return self

    def put(
        self,
        records: str,
        producer: tuple[int, int] | None = None,
        *,
        transactional: bool = False,
        **batch: Any,  # noqa: ANN401 - settings by name
    ) -> "Story":
        """Append a batch: "a=1 b c=" is a value, a tombstone, an empty value."""
        self.now_ms += 10
        made = []
        for number, word in enumerate(records.split()):
            key, equals, value = word.partition("=")
            data = value.encode() * 20 if equals else None
            headers = (("h", None),) if value == "h" else ()
            made.append(Record(self.now_ms - number, key.encode(), data, headers))
        if producer is not None:
            sequence = self._sequences.get(producer, 0)
            self._sequences[producer] = sequence + len(made)
            names = ("producer_id", "producer_epoch", "base_sequence")
            batch |= dict(zip(names, (*producer, sequence), strict=True))
        data = encode_batch(made, transactional=transactional, **batch)
        return self._do("append", data=data, leader_epoch=0)

    def end(
        self, kind: Literal["abort", "commit"], producer: tuple[int, int]
    ) -> "Story":
        """Append the marker that ends a producer's transaction."""
        self.now_ms += 10
        data = control_batch(
            kind,
            base_offset=0,
            timestamp_ms=self.now_ms,
            producer_id=producer[0],
            producer_epoch=producer[1],
        )
        given = {"leader_epoch": 0, "coordinator": True, "transaction_version": 1}
        return self._do("append", data=data, **given)

    def wait(self, ms: int) -> "Story":
        self.now_ms += ms
        return self

    def roll(self) -> "Story":
        return self._do("roll")

    def clean(self, slots: int = 1_000) -> "Story":
        """Roll, let all be replicated, and compact with so many slots for keys."""
        self.roll()._do("high_watermark", offset=10**6)
        return self._do("clean", map_bytes=slots * BYTES_PER_KEY)


def tombstones() -> Story:
    """LG-18: stamped at first, there before its horizon, gone at it."""
    story = Story().put("a=1 b=1").put("a b=2").put("c=1 d=h").put("d").clean()
    story.wait(900).put("c=2").clean().put("e=1").wait(80).clean()
    return story.wait(1_000).put("f=1").clean()


def tombstones_without_retention() -> Story:
    """LG-18: even then it takes a second round."""
    story = Story(delete_retention_ms=0).put("a=1").put("a").put("b=1 c").clean()
    return story.put("d=1").clean().put("e=1").clean()


def aborted_and_committed() -> Story:
    """LG-18, LG-19: data, then markers, then neither; the transaction index."""
    one, two = (7, 0), (8, 0)
    story = Story(internal_segment_bytes=500)
    story.put("a=1 b=1", one, transactional=True)
    story.put("a=2 c=2", two, transactional=True).put("p=1")
    story.end("abort", one).end("commit", two)
    for number in range(3):
        story.put(f"a=x b={number} c=x", one, transactional=True).roll()
        story.end("commit" if number == 1 else "abort", one)
        story.put("p=2 q=1", two, transactional=True).end("abort", two)
    story.put("z=1", one).put("z=2", two).clean()
    for number in range(3):
        story.wait(600).put(f"y={number} c=y b=y a=y q=y p=y").clean()
    return story.wait(2_000).put("x=1").clean()


def open_transaction() -> Story:
    """LG-15, LG-19: it blocks the segment where it begins and all later ones."""
    story = Story().put("a=1").put("a=2").roll().put("b=1")
    story.put("b=2 c=1", (7, 0), transactional=True).put("a=3").roll().put("b=3")
    story.clean().end("commit", (7, 0)).clean()
    return story.put("a=4").clean()


def last_batch_of_producers() -> Story:
    """LG-20: kept as a header, as long as it is the last."""
    story = Story().put("a=1 b=1", (1, 0)).put("a=2 b=2", (2, 3)).put("a=3", (3, 0))
    story.put("a=4 b=4").put("c=1").clean().put("c=2", (1, 0)).clean()
    story.put("c=3 a=5", (2, 4)).put("c=4 a=6").clean()
    return story.put("d=1").clean()


def producer_known_by_a_marker() -> Story:
    """LG-20: a marker with a new epoch, and nothing written since."""
    story = Story().put("a=1", (1, 0), transactional=True).end("abort", (1, 1))
    story.put("b=1", (2, 0), transactional=True).end("commit", (2, 0)).put("b=2")
    story.clean().wait(500).put("c=1").clean().wait(1_000).put("c=2").clean()
    return story.wait(5_000).put("c=3").clean()


def last_batch_of_the_round() -> Story:
    """LG-20: aborted data at the end of what is compacted, of no last producer."""
    story = Story().put("a=1").put("b=1 c=1", (1, 0), transactional=True).roll()
    story.put("q=1", (2, 0), transactional=True)  # the round ends before it
    story.end("abort", (1, 0)).put("z=1", (1, 0)).clean()
    story.end("commit", (2, 0)).clean().wait(3_000).put("y=2").clean()
    return story.wait(3_000).put("y=3").clean()


def full_map() -> Story:
    """LG-14: rounds end in the middle of a batch and go on from there."""
    story = Story(internal_segment_bytes=700)
    for number in range(12):
        keys = [f"k{(number * 5 + at) % 9}={number}" for at in range(4)]
        story.put(" ".join(keys))
    for slots in (5, 3, 5, 2, 8, 6, 12):
        story.clean(slots)
    return story


def merged_segments() -> Story:
    """LG-21: by bytes, and by index entries."""
    story = Story(internal_segment_bytes=900, segment_index_bytes=60)
    for number in range(22):
        story.put(f"k{number % 6}={number} l{number}=x")
        if number % 3 == 2:
            story.roll()
    story.clean()
    for number in range(8):
        story.put(f"l{number * 2}={number}").roll()
    return story.clean().put("m=1").clean()


def stamped_by_the_broker() -> Story:
    """LogAppendTime: all records of a batch have its time, and keep it."""
    story = Story(message_timestamp_type="LogAppendTime")
    story.put("a=1 b=1 c").put("a=2 d=1").put("a d").clean()
    return story.wait(500).put("b=2").clean().wait(900).put("e=1").clean()


def young_records() -> Story:
    """LG-15: min.compaction.lag.ms."""
    story = Story(min_compaction_lag_ms=100)
    story.put("a=1").put("a=2").roll().wait(60).put("a=3").put("a=4").clean()
    return story.wait(40).clean().wait(90).put("a=5").clean()


def odd_keys() -> Story:
    """An empty key is a key; headers and empty values are kept as they are."""
    story = Story().put("=1 a=h b=").put("=2 b=h c=h").put("a= c=").put("=")
    return story.clean().put("= a").clean()


CASES: dict[str, Callable[[], Story]] = {
    case.__name__: case
    for case in (
        tombstones,
        tombstones_without_retention,
        aborted_and_committed,
        open_transaction,
        last_batch_of_producers,
        producer_known_by_a_marker,
        last_batch_of_the_round,
        full_map,
        merged_segments,
        stamped_by_the_broker,
        young_records,
        odd_keys,
    )
}


def files(log: Log, *kinds: str) -> dict[str, bytes]:
    """Return the files of a log that end so."""
    names = [name for name in log.store.names() if name.endswith(kinds)]
    return {name: bytes(log.store.read(name)) for name in names}


def sealed_files(log: Log) -> dict[str, bytes]:
    """Return the files of all segments but the active one."""
    active = f"{log.active.base_offset:020d}"
    return {name: data for name, data in files(log, *KINDS).items() if name < active}


def rounds_of(story: Story, log: Log) -> Iterator[Cleaned]:
    """Act a story out, and yield each round when it is done."""
    for step in story.steps:
        now_ms = step["now_ms"]
        match step["do"]:
            case "append":
                log.append_as_leader(
                    step["data"],
                    now_ms=now_ms,
                    origin="coordinator" if "coordinator" in step else "client",
                    transaction_version=1,
                )
            case "roll":
                log.roll(now_ms)
            case "high_watermark":
                log.set_high_watermark(step["offset"])
            case "clean":
                slots = step["map_bytes"] // BYTES_PER_KEY
                yield log.clean(now_ms, most_keys=int(slots * 0.9))
            case _:
                raise AssertionError(step)


def log_of(story: Story, store: MemoryStore | FolderStore | None = None) -> Log:
    config: dict[str, Any] = story.config
    return PartitionLog(store, TopicConfig(**config), now_ms=story.steps[0]["now_ms"])

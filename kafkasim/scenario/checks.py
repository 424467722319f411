"""What the parts of a scenario must keep together, checked before anything runs.

Each part checks its own fields when it is made; here stand the rules that need several:
a subscriber's stream has a source, a named topic has a stream, a column is in the
trace. The first breach raises, naming its path and what would be allowed.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Final

from kafkasim.catalogue import say
from kafkasim.config.frozen import UNSET
from kafkasim.config.paths import join_path, one_of, suggestion
from kafkasim.config.rules import INT32_MAX
from kafkasim.errors import TraceError, ValidationError
from kafkasim.ids import HUB, Target
from kafkasim.scenario.applicability import not_applicable
from kafkasim.scenario.arrivals import ClosedLoop, DayCurve
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    DeleteRecords,
    Event,
    LinkEvent,
    StreamEvent,
)
from kafkasim.scenario.group_checks import (
    check_member_event,
    check_reader_event,
    check_sessions,
)
from kafkasim.scenario.keys import TraceColumn
from kafkasim.scenario.links import is_link, ways_of
from kafkasim.scenario.member_events import MemberEvent
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_parts import check_rabbitmq
from kafkasim.scenario.reader_events import PausePartitions, ReaderEvent, Seek
from kafkasim.scenario.resolution import needs_no_duration, stream_names
from kafkasim.scenario.systems import Kafka, System, Topic
from kafkasim.scenario.targets import targets_of
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.units import ns_from_s

_MOST_RECORDS: Final = 1_000_000_000
_MOST_LISTED: Final = 12
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


def check_traffic(traffic: Traffic) -> None:
    """Check that sources and subscribers fit together.

    Raises
    ------
    ValidationError
        With a path that begins at the traffic.
    """
    if not traffic.sources:
        raise ValidationError("sources", {}, say("at least one source"))
    streams = stream_names(traffic)
    for name, subscriber in traffic.subscribers.items():
        for index, stream in enumerate(subscriber.streams):
            path = ("subscribers", name, "streams", str(index))
            _check_name(path, stream, streams, say("every stream has a source"))
    for name, source in traffic.sources.items():
        _check_columns(name, source)
    _check_times(traffic)


def _check_times(traffic: Traffic) -> None:
    if traffic.duration_s is UNSET:
        if not needs_no_duration(traffic):
            why = say("only traces have a length of their own")
            raise ValidationError(
                "duration_s", UNSET, say("a number > 0, in seconds"), why
            )
    elif traffic.warmup_s >= traffic.duration_s:
        allowed = say(
            "less than duration_s, {duration_s:g}", duration_s=traffic.duration_s
        )
        raise ValidationError("warmup_s", traffic.warmup_s, allowed)
    _check_counts(traffic)


def _check_counts(traffic: Traffic) -> None:
    for name, source in traffic.sources.items():
        law = source.arrivals
        if isinstance(law, Trace | ClosedLoop):
            continue
        rate = law.mean_rate_per_s if isinstance(law, DayCurve) else law.rate_per_s
        if rate * traffic.duration_s > _MOST_RECORDS:
            path = join_path(("sources", name, "arrivals"))
            allowed = say("at most {most:,} records in duration_s", most=_MOST_RECORDS)
            raise ValidationError(path, law, allowed)


def _check_columns(name: str, source: Source) -> None:
    for field in ("keys", "entity", "value_bytes"):
        column = getattr(source, field)
        if isinstance(column, TraceColumn):
            path = join_path(("sources", name, field))
            if not isinstance(source.arrivals, Trace):
                allowed = say("no column: the source's arrivals are no trace")
                raise ValidationError(path, column, allowed)
            _check_column(f"{path}.column", column.column, source.arrivals)
            if field == "value_bytes":
                _check_sizes(f"{path}.column", column.column, source.arrivals)


def _check_column(path: str, column: str, trace: Trace) -> None:
    if column not in trace.columns:
        names = list(trace.columns)
        raise ValidationError(path, column, one_of(names), suggestion(column, names))


def _check_sizes(path: str, column: str, trace: Trace) -> None:
    try:
        sizes = trace.numbers(column)
    except TraceError as error:
        raise ValidationError(
            path, column, say("a column with a whole number in every row")
        ) from error
    wrong = (sizes < 0) | (sizes > INT32_MAX)
    if wrong.any():
        row = int(wrong.argmax())
        allowed = say("a column of sizes from 0 to {most} bytes", most=INT32_MAX)
        why = say("row {row} has {size}", row=row + 1, size=int(sizes[row]))
        raise ValidationError(path, column, allowed, why)


def check_system(system: System, traffic: Traffic) -> None:
    """Check that every named part of the system has its place in the traffic.

    Raises
    ------
    ValidationError
        With a path that begins at the system.
    """
    if isinstance(system, RabbitMQ):
        check_rabbitmq(system, traffic)
    if not isinstance(system, Kafka):
        return
    named: Mapping[str, tuple[Iterable[str], Iterable[str], str]] = {
        "topics": (
            system.topics,
            stream_names(traffic),
            say("a topic is named as a stream"),
        ),
        "producers": (
            system.producers,
            traffic.sources,
            say("a producer is named as its source"),
        ),
        "groups": (
            system.groups,
            traffic.subscribers,
            say("a group is named as its subscriber"),
        ),
    }
    for part, (names, allowed, why) in named.items():
        for name in names:
            _check_name((part, name), name, allowed, why)
    check_sessions(system)
    for stream in stream_names(traffic):
        if not _TOPIC.fullmatch(stream) or stream in {".", ".."}:
            raise ValidationError(
                join_path(("topics", stream)),
                stream,
                say("at most 249 letters, digits, '.', '_' and '-'"),
                say(
                    "Kafka refuses other names; org.apache.kafka.common.internals.Topic"
                ),
            )


def check_events(events: tuple[Event, ...], traffic: Traffic, system: System) -> None:
    """Check that targets exist and that no event befalls one twice at once.

    Raises
    ------
    ValidationError
        With a path that begins with the event's position.
    """
    for index, event in enumerate(events):
        path = f"{index}.target"
        target = Target.parse(event.target, path=path)
        if any(_overlap(earlier, event) for earlier in events[:index]):
            kind = type(event).__name__
            allowed = say(
                "a time at which no {kind} of {target} lasts",
                kind=kind,
                target=event.target,
            )
            raise ValidationError(f"{index}.at_s", event.at_s, allowed)
        if not_applicable(event, traffic, system):
            continue
        if isinstance(event, LinkEvent):
            _check_link(index, event, traffic, system)
        else:
            targets = targets_of(event, events, traffic, system)
            _check_target(event, target, targets, path)
        if isinstance(event, ReaderEvent) and not isinstance(system, RabbitMQ):
            who = target.name, traffic, system, _counts(events, system)
            under(str(index), check_reader_event, event, *who)
        if isinstance(event, MemberEvent):
            what = _earlier(events, index), traffic, system, _counts(events, system)
            under(str(index), check_member_event, event, *what)
        if isinstance(event, StreamEvent):
            before = _counts(_earlier(events, index), system)[target.name]
            if isinstance(event, AddPartitions):
                _check_addition(index, event, before)
            else:
                _check_deletion(index, event, system, before)
        if isinstance(event, Crash):
            _check_crash(index, event, system)


def _check_crash(index: int, event: Crash, system: System) -> None:
    if event.clean and not event.target.startswith("broker:"):
        allowed = say("false: only a broker asks for a controlled shutdown")
        raise ValidationError(f"{index}.clean", event.clean, allowed)
    if event.lose_disk:
        _check_lost_disk(index, event, system)


def _check_target(event: Event, target: Target, targets: list[str], path: str) -> None:
    if str(target) not in targets:
        allowed = _listed(targets) or say("nothing: there is none of the kind")
        near = suggestion(str(target), targets)
        raise ValidationError(path, event.target, allowed, near)


def _listed(targets: list[str]) -> str:
    """Return targets as a phrase; of many of a kind the first two and the last."""
    shown: list[str] = []
    for _, alike in groupby(targets, lambda each: each.partition(":")[0]):
        some = list(alike)
        is_long = len(some) > _MOST_LISTED
        shown += [*some[:2], "…", some[-1]] if is_long else some
    return ", ".join(shown)


def _check_link(index: int, event: LinkEvent, traffic: Traffic, system: System) -> None:
    """Check that the link is one, and that what is meant goes over it."""
    kind = type(event).__name__
    if not is_link(event.target):
        allowed = say("link:A->B or link:A<->B")
        raise ValidationError(
            f"{index}.target",
            event.target,
            allowed,
            say("{kind} befalls a link", kind=kind),
        )
    ways = ways_of(event.target, traffic, system, f"{index}.target")
    if event.only is not None and not any(event.only in w.messages for w in ways):
        why = say("no {only} go over {target}", only=event.only, target=event.target)
        raise ValidationError(f"{index}.only", event.only, say("none"), why)


def _check_lost_disk(index: int, event: Crash, system: System) -> None:
    path = f"{index}.lose_disk"
    if not event.target.startswith("broker:"):
        raise ValidationError(
            path, event.lose_disk, say("false: only a broker has a disk")
        )
    if event.clean:
        why = say("that it stopped in order would stand on the disk")
        raise ValidationError(path, event.lose_disk, say("false with clean"), why)
    assert isinstance(system, Kafka)
    for name, topic in system.topics.items():
        if topic.config.resolve().compacts:
            why = say(
                "topic {name} is compacted, and what is left of it is not told apart",
                name=name,
            )
            raise ValidationError(
                path, event.lose_disk, say("false with compacted topics"), why
            )


def _earlier(events: tuple[Event, ...], index: int) -> list[Event]:
    """Return the events that come before one of them."""
    time_s = events[index].at_s
    return [
        event
        for place, event in enumerate(events)
        if (event.at_s, place) < (time_s, index)
    ]


def _counts(events: Iterable[Event], system: System) -> Mapping[str, int]:
    """Return how many partitions streams have after some events, 1 if not said."""
    counts: defaultdict[str, int] = defaultdict(lambda: Topic().partitions)
    if isinstance(system, Kafka):
        counts |= {name: topic.partitions for name, topic in system.topics.items()}
    for event in events:
        if isinstance(event, AddPartitions):
            name = event.target.partition(":")[2]
            counts[name] = max(counts[name], event.to)
    return counts


def _check_addition(index: int, event: AddPartitions, before: int) -> None:
    """Check that there are fewer before (`ReplicationControlManager`)."""
    if event.to <= before:
        name = event.target.partition(":")[2]
        allowed = say(
            "more than {before}, the partitions of {name} by then",
            before=before,
            name=name,
        )
        why = say("Kafka takes none away and refuses it with INVALID_PARTITIONS")
        raise ValidationError(f"{index}.to", event.to, allowed, why)


def _check_deletion(
    index: int, event: DeleteRecords, system: System, count: int
) -> None:
    """Check that the partition is there, and that records of its topic may go."""
    assert isinstance(system, Kafka)
    name = event.target.partition(":")[2]
    topic = system.topics.get(name, Topic())
    config = topic.config.resolve()
    if config.compacts and not config.deletes:
        allowed = say("a topic that is not only compacted, as {name} is", name=name)
        why = say("Kafka refuses it with POLICY_VIOLATION")
        raise ValidationError(f"{index}.target", event.target, allowed, why)
    if event.partition is not None and event.partition >= count:
        allowed = say(
            "less than {count}, the partitions of {name}", count=count, name=name
        )
        raise ValidationError(f"{index}.partition", event.partition, allowed)


def _overlap(one: Event, other: Event) -> bool:
    if type(one) is not type(other) or not _same_target(one.target, other.target):
        return False
    if isinstance(one, Seek | StreamEvent | MemberEvent):
        return False  # it takes no time
    if (
        isinstance(one, PausePartitions)
        and isinstance(other, PausePartitions)
        and not _share_partitions(one, other)
    ):
        return False
    first, second = sorted((one, other), key=_begin)
    if first.for_s is None:
        return True
    over_ns = ns_from_s(first.at_s) + ns_from_s(first.for_s)
    return ns_from_s(second.at_s) < over_ns


def _same_target(one: str, other: str) -> bool:
    """Say whether two are one, or a Kafka cluster's hub and one of its brokers."""
    if HUB in {one, other}:
        return one == other or "broker:" in {one[:7], other[:7]}
    return one == other


def _share_partitions(one: PausePartitions, other: PausePartitions) -> bool:
    """Say whether both are about one partition; none says all."""
    pairs = ((one.stream, other.stream), (one.partition, other.partition))
    return all(a is None or b is None or a == b for a, b in pairs)


def _begin(event: Event) -> float:
    return event.at_s


def _check_name(
    path: tuple[str, ...], name: str, allowed: Iterable[str], why: str
) -> None:
    names = list(allowed)
    if name not in names:
        reason = suggestion(name, names) or why
        raise ValidationError(join_path(path), name, one_of(names), reason)


def under(parent: str, check: Callable[..., None], *arguments: object) -> None:
    """Run a check whose paths begin at `parent`."""
    try:
        check(*arguments)
    except ValidationError as error:
        raise error.under(parent) from None

import numpy as np
import pytest

from kafkasim.config.frozen import UNSET
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.checks import (
    check_events,
    check_system,
    check_traffic,
    under,
)
from kafkasim.scenario.events import Crash, Event, FillDisk, Pause, Slow
from kafkasim.scenario.hardware import Disk, Hardware
from kafkasim.scenario.keys import TraceColumn
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRACE = Trace(
    np.array([0, 1]),
    {
        "carrier": CodedColumn(np.array([0, -1]), ("UA",)),
        "bytes": np.array([3, 4]),
        "balance": np.array([1, -1]),
    },
)


def traffic(**fields: object) -> Traffic:
    said = {
        "sources": {"web": Source("orders", Poisson(10))},
        "subscribers": {"billing": Subscriber(["orders"])},
        "duration_s": 60.0,
        **fields,
    }
    return Traffic(**said)  # type: ignore[arg-type]


def test_a_fitting_traffic_passes() -> None:
    check_traffic(traffic())
    check_traffic(traffic(sources={"a": Source("orders", TRACE)}, duration_s=UNSET))


@pytest.mark.parametrize(
    ("fields", "path", "hint"),
    [
        ({"sources": {}, "subscribers": {}}, "sources", "at least one source"),
        (
            {"subscribers": {"billing": Subscriber(["order"])}},
            "subscribers.billing.streams.0",
            "did you mean orders?",
        ),
        ({"duration_s": UNSET}, "duration_s", "only traces have a length"),
        ({"warmup_s": 60}, "warmup_s", "less than duration_s, 60"),
        (
            {"sources": {"web": Source("orders", Poisson(1e9))}},
            "sources.web.arrivals",
            "at most 1,000,000,000 records",
        ),
    ],
    ids=["no source", "no stream", "no duration", "warm-up", "too many"],
)
def test_parts_of_a_traffic_that_do_not_fit_are_named(
    fields: dict[str, object], path: str, hint: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        check_traffic(traffic(**fields))

    assert caught.value.path == path
    assert hint in str(caught.value)


@pytest.mark.parametrize("field", ["keys", "entity", "value_bytes"])
def test_a_column_needs_a_trace(field: str) -> None:
    source = Source("orders", Poisson(1), **{field: TraceColumn("carrier")})  # type: ignore[arg-type]
    with pytest.raises(ValidationError) as caught:
        check_traffic(traffic(sources={"web": source}))

    assert caught.value.path == f"sources.web.{field}"
    assert "no trace" in caught.value.allowed


@pytest.mark.parametrize("field", ["keys", "entity", "value_bytes"])
def test_a_column_must_be_in_the_trace(field: str) -> None:
    source = Source("orders", TRACE, **{field: TraceColumn("carrierr")})  # type: ignore[arg-type]
    with pytest.raises(ValidationError) as caught:
        check_traffic(traffic(sources={"web": source}))

    assert caught.value.path == f"sources.web.{field}.column"
    assert caught.value.why == "did you mean carrier?"


@pytest.mark.parametrize(
    ("column", "reason"),
    [("carrier", "a whole number in every row"), ("balance", "row 2 has -1")],
)
def test_sizes_come_from_a_column_of_whole_numbers_from_zero(
    column: str, reason: str
) -> None:
    source = Source("orders", TRACE, value_bytes=TraceColumn(column))
    with pytest.raises(ValidationError, match=reason):
        check_traffic(traffic(sources={"web": source}))


@pytest.mark.parametrize(
    ("system", "path", "allowed"),
    [
        (Kafka(topics={"order": Topic()}), "topics.order", "orders"),
        (Kafka(producers={"app": Producer()}), "producers.app", "web"),
        (Kafka(groups={"audit": Group()}), "groups.audit", "billing"),
    ],
    ids=["topic", "producer", "group"],
)
def test_a_named_part_of_a_cluster_has_its_place_in_the_traffic(
    system: Kafka, path: str, allowed: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        check_system(system, traffic())

    assert (caught.value.path, caught.value.allowed) == (path, allowed)


@pytest.mark.parametrize("stream", ["my orders", ".", "..", "ü", "a" * 250])
def test_a_stream_that_kafka_cannot_name_is_refused_for_kafka_only(
    stream: str,
) -> None:
    """Source: org.apache.kafka.common.internals.Topic.validate."""
    odd = traffic(sources={"web": Source(stream, Poisson(1))}, subscribers={})

    check_system(PointToPoint(), odd)
    with pytest.raises(ValidationError, match="at most 249 letters"):
        check_system(Kafka(), odd)


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("subscriber:biling", "did you mean"),
        ("billing", "kind:name"),
        ("broker:4", "member:billing/1, broker:1, broker:2, broker:3, controller"),
        ("member:billing/2", "member:billing/1"),
        ("broker:one", "broker:1"),
    ],
)
def test_the_target_of_an_event_must_exist(target: str, hint: str) -> None:
    with pytest.raises(ValidationError, match=hint) as caught:
        check_events((Crash(target, at_s=1),), traffic(), Kafka(brokers=3))

    assert caught.value.path == "0.target"


@pytest.mark.parametrize(
    ("event", "system"),
    [
        (Crash("broker:1", at_s=1), PointToPoint()),
        (Crash("controller", at_s=1), PointToPoint()),
        (Pause("controller", at_s=1), Kafka()),
        (Slow("broker:1", at_s=1), PointToPoint()),
        (Slow("controller", at_s=1), Kafka()),
        (Slow("disk:1", at_s=1), Kafka()),
        (Pause("disk:1", at_s=1), Kafka()),
        (Crash("disk:1", at_s=1), Kafka(hardware=Hardware(disk=Disk()))),
        (FillDisk("broker:1", at_s=1), PointToPoint()),
        (FillDisk("subscriber:billing", at_s=1), Kafka()),
        (FillDisk("disk:1", at_s=1), Kafka(hardware=Hardware(disk=Disk()))),
    ],
)
def test_a_broker_and_a_controller_are_parts_of_a_kafka_cluster(
    event: Event, system: Kafka | PointToPoint
) -> None:
    with pytest.raises(ValidationError) as caught:
        check_events((event,), traffic(), system)

    assert caught.value.path == "0.target"


def test_only_a_broker_asks_for_a_controlled_shutdown() -> None:
    check_events((Crash("broker:1", at_s=1, clean=True),), traffic(), Kafka())
    with pytest.raises(ValidationError, match="only a broker") as caught:
        check_events(
            (Crash("subscriber:billing", at_s=1, clean=True),), traffic(), Kafka()
        )

    assert caught.value.path == "0.clean"


@pytest.mark.parametrize(
    ("event", "cleanup", "hint"),
    [
        (
            Crash("subscriber:billing", at_s=1, lose_disk=True),
            "delete",
            "only a broker",
        ),
        (Crash("broker:1", at_s=1, clean=True, lose_disk=True), "delete", "in order"),
        (Crash("broker:1", at_s=1, lose_disk=True), "compact", "compacted"),
    ],
)
def test_a_broker_that_did_not_stop_in_order_may_lose_its_disk(
    event: Crash, cleanup: str, hint: str
) -> None:
    plain = {"config": {"cleanup_policy": cleanup}}
    cluster = Kafka(topics={"orders": Topic.from_dict(plain)})

    with pytest.raises(ValidationError, match=hint) as caught:
        check_events((event,), traffic(), cluster)

    assert caught.value.path == "0.lose_disk"


@pytest.mark.parametrize(
    ("events", "fits"),
    [
        ((Crash("subscriber:billing", 1, 2), Crash("subscriber:billing", 3)), True),
        ((Crash("subscriber:billing", 1, 2), Slow("subscriber:billing", 2)), True),
        ((Crash("subscriber:billing", 1, 2), Crash("subscriber:billing", 2.5)), False),
        ((Crash("subscriber:billing", 5), Crash("subscriber:billing", 1, 4)), True),
        ((Crash("subscriber:billing", 1), Crash("subscriber:billing", 5, 4)), False),
    ],
    ids=["after", "another kind", "during", "before", "after the end"],
)
def test_an_event_does_not_befall_a_target_twice_at_once(
    events: tuple[Event, ...], fits: object
) -> None:
    if fits:
        check_events(events, traffic(), Kafka())
    else:
        with pytest.raises(ValidationError, match="a time at which no Crash"):
            check_events(events, traffic(), Kafka())


def test_a_check_inside_a_part_names_the_path_from_the_outside() -> None:
    with pytest.raises(ValidationError) as caught:
        under("traffic", check_traffic, traffic(sources={}, subscribers={}))

    assert caught.value.path == "traffic.sources"


def test_one_event_may_begin_when_the_other_ends_to_the_nanosecond() -> None:
    """In floats 0.021 + 0.001 is more than 0.022."""
    first = Crash("subscriber:billing", at_s=0.021, for_s=0.001)

    check_events(
        (first, Crash("subscriber:billing", at_s=0.022)), traffic(), PointToPoint()
    )
    with pytest.raises(ValidationError, match=r"1\.at_s"):
        check_events(
            (first, Crash("subscriber:billing", at_s=0.0219)), traffic(), PointToPoint()
        )

"""Whatever can be said is read back equal, and where() changes just what it should."""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Bursts, DayCurve, Periodic, Poisson
from kafkasim.scenario.distributions import Exponential, LogNormal, Uniform
from kafkasim.scenario.events import Crash, Pause, Slow
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import HotKey, NoKeys, UniformKeys, ZipfKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

counts = st.integers(1, 1_000)
positive = st.floats(1e-3, 1e6)
seconds = st.floats(0.001, 1e4)
shares = st.floats(0.0, 1.0)
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)
names = names.filter(lambda name: "/" not in name and ":" not in name)
streams = st.sampled_from(["orders", "orders.v1", "clicks_2"])
distributions = st.one_of(
    st.builds(Exponential, positive),
    st.builds(lambda low, width: Uniform(low, low + width), positive, positive),
    st.builds(LogNormal, positive, st.floats(0, 3)),
)
keys = st.one_of(
    st.just(NoKeys()),
    st.builds(UniformKeys, counts, shares),
    st.builds(ZipfKeys, counts, st.floats(0, 3), shares, names),
    st.builds(HotKey, counts, shares),
)
arrivals = st.one_of(
    st.builds(Poisson, positive),
    st.builds(Periodic, positive, seconds),
    st.builds(Bursts, positive, counts),
    st.builds(DayCurve, positive, st.floats(1, 2), seconds),
)
sources = st.builds(
    Source,
    streams,
    arrivals,
    keys,
    st.none() | keys,
    st.integers(0, 10_000) | distributions,
    shares,
)
producers = st.builds(
    Producer,
    st.builds(
        ProducerConfig,
        acks=st.sampled_from(["all", "1", "0"]),
        linger_ms=st.integers(0, 100),
    )
    | st.builds(ProducerConfig, batch_size=counts),
)
groups = st.builds(
    Group, counts, config=st.builds(ConsumerConfig, max_poll_records=counts)
)


@st.composite
def systems(draw: st.DrawFn, traffic: Traffic) -> Kafka | PointToPoint:
    hardware = draw(
        st.builds(
            Hardware,
            st.builds(Link, st.floats(0, 10) | distributions),
            st.builds(Cpu, st.floats(0, 1)),
        )
    )
    if draw(st.booleans()):
        return PointToPoint(hardware=hardware)

    def some(of: Mapping[str, object] | set[str], each: st.SearchStrategy[object]):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return draw(st.dictionaries(st.sampled_from(sorted(of)), each))

    return Kafka(
        brokers=draw(counts),
        topics=some(
            {source.stream for source in traffic.sources.values()},
            st.builds(Topic, counts),
        ),
        producers=some(traffic.sources, producers),
        groups=some(traffic.subscribers, groups),
        hardware=hardware,
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    emitters = draw(st.dictionaries(names, sources, min_size=1, max_size=3))
    wanted = st.sampled_from(sorted({source.stream for source in emitters.values()}))
    subscribers = st.builds(
        Subscriber,
        st.lists(wanted, min_size=1, unique=True),
        st.floats(0, 100) | distributions,
        seconds,
        st.sampled_from(["new", "all"]),
    )
    traffic = Traffic(
        emitters,
        draw(st.dictionaries(names, subscribers, min_size=1, max_size=3)),
        duration_s=draw(st.floats(0.1, 100)),
    )
    target = f"subscriber:{min(traffic.subscribers)}"
    at, length = st.floats(0, 50), st.none() | seconds
    return Scenario(
        traffic,
        draw(systems(traffic)),
        seed=draw(st.integers(0, 2**63 - 1)),
        events=draw(st.lists(st.builds(Crash, st.just(target), at, length), max_size=1))
        + draw(st.lists(st.builds(Pause, st.just(target), at, length), max_size=1))
        + draw(st.lists(st.builds(Slow, st.just(target), at, length), max_size=1)),
        end=draw(st.sampled_from(["drain", "cut"])),
        name=draw(st.text(st.characters(codec="utf-8"))),
    )


@given(scenarios())
def test_every_form_is_read_back_equal(scenario: Scenario) -> None:
    again = [
        Scenario.from_toml(scenario.to_toml()),
        Scenario.from_json(scenario.to_json()),
        Scenario.from_dict(scenario.to_dict()),
        pickle.loads(pickle.dumps(scenario)),
    ]

    for each in again:
        assert each == scenario
        assert hash(each) == hash(scenario)
        assert each.digest == scenario.digest


@given(scenarios())
def test_a_resolved_scenario_is_read_back_and_resolving_it_changes_nothing(
    scenario: Scenario,
) -> None:
    resolved = scenario.resolve()

    assert resolved.resolve() == resolved
    assert Scenario.from_toml(scenario.to_toml(resolved=True)) == resolved
    assert Scenario.from_json(scenario.to_json(resolved=True)) == resolved


@given(scenarios(), counts, st.floats(0.001, 100))
def test_what_was_set_at_a_path_stands_there(
    scenario: Scenario, seed: int, seconds: float
) -> None:
    changed = scenario.where({"seed": seed, "traffic.duration_s": seconds})

    assert changed.value_at("seed") == seed
    assert changed.value_at("traffic.duration_s") == seconds
    back = {"seed": scenario.seed, "traffic.duration_s": scenario.traffic.duration_s}
    assert changed.where(back) == scenario


@given(scenarios())
def test_setting_what_is_there_changes_only_what_was_said(scenario: Scenario) -> None:
    if not isinstance(scenario.system, Kafka):
        return
    path = f'system.topics."{min(scenario.value_at("system.topics"))}".partitions'  # type: ignore[call-overload]

    changed = scenario.where({path: scenario.value_at(path)})

    assert changed.resolve() == scenario.resolve()
    assert changed.digest == scenario.digest


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["kind", "a", ""]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(scenarios(), anything, st.data())
def test_a_document_with_any_part_replaced_is_read_or_refused_by_path(
    scenario: Scenario, replacement: object, data: st.DataObject
) -> None:
    plain = scenario.to_dict(everything=True)
    *outer, last = data.draw(st.sampled_from(list(_places(plain))))
    part: Any = plain
    for name in outer:
        part = part[name]
    part[last] = replacement

    assert _refused_at(plain) != ""


def _refused_at(plain: Mapping[str, object]) -> str | None:
    try:
        Scenario.from_dict(plain)
    except ValidationError as error:
        return error.path
    return None


def _places(part: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(part, dict):
        inside: Iterable[tuple[Any, object]] = part.items()
    else:
        inside = enumerate(part) if isinstance(part, list) else ()
    for name, each in inside:
        yield (*path, name)
        yield from _places(each, (*path, name))

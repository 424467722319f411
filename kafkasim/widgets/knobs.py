"""What a partition explorer turns: paths of the scenario, and where they stand.

The explorer looks at one subscriber and the topic it reads first. A control is a path:
what a slider does is what `scenario.where` does, so what is seen can be written down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafkasim.catalogue import mark, say
from kafkasim.config.paths import join_path, one_of
from kafkasim.errors import ValidationError
from kafkasim.scenario.keys import Keys, NoKeys, TraceColumn
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.trace import Trace
from kafkasim.widgets.inputs import Choice, Control, Slider
from kafkasim.widgets.panel import Preset

_MOST_PARTITIONS: Final = 32
_MOST_MEMBERS: Final = 16
_MOST_LINGER_MS: Final = 100.0
_MOST_WORK_MS: Final = 5.0
_LEAST_MEAN_MS: Final = 0.1
"""No distribution has the mean 0."""

NO_KEY = mark("none")
"""The choice under which keys are ignored (`partitioner.ignore.keys`): each record goes
to the sticky partition (KIP-794)."""

AS_SAID = mark("as said")
"""The choice of a source's own keys, where they are no column of a trace."""


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    partitions: int
    """Of the topic."""
    members: int
    """Of the subscriber's group."""
    keys: str
    """Name of a choice."""
    linger_ms: float
    """Of every producer that sends to the topic, in milliseconds."""
    work_ms: float
    """Of a record, or its mean, in milliseconds."""


@dataclass(frozen=True, slots=True)
class ScenarioKnobs:
    """A scenario, and how the controls change it."""

    scenario: Scenario
    """What was given."""
    topic: str
    """Its partitions are changed and counted."""
    subscriber: str
    """Its group, work and lag are looked at."""
    sources: tuple[str, ...]
    """Those that send to the topic."""
    choices: Mapping[str, Keys | None]
    """Name of a choice of keys → those keys; none: the source's own, ignored."""
    work_path: str | None
    """Path that the work slider sets; none when there is no one number."""
    initial: Values
    """Where the scenario stands."""

    @property
    def controls(self) -> dict[str, Control]:
        """One for each value; ranges hold what the scenario says."""
        begin = self.initial
        most_work_ms = max(_MOST_WORK_MS, 2 * begin.work_ms)
        drawn = self.work_path is not None and self.work_path.endswith(".mean")
        least_work_ms = min(_LEAST_MEAN_MS, begin.work_ms) if drawn else 0.0
        return {
            "partitions": Slider(
                mark("partitions"),
                1,
                max(_MOST_PARTITIONS, begin.partitions, 2 * begin.members),
            ),
            "members": Slider(mark("members"), 1, max(_MOST_MEMBERS, begin.members)),
            "keys": Choice(
                mark("key"),
                tuple(self.choices),
                frozenset(self.choices) - {NO_KEY, AS_SAID},
            ),
            "linger_ms": Slider(
                mark("linger"), 0.0, max(_MOST_LINGER_MS, begin.linger_ms), 1.0, "ms"
            ),
            "work_ms": Slider(
                mark("work"),
                least_work_ms,
                most_work_ms,
                0.1,
                "ms",
                moves=self.work_path is not None,
            ),
        }

    @property
    def presets(self) -> tuple[Preset, ...]:
        """Questions, as buttons; from where the scenario stands."""
        members = self.initial.members
        return (
            Preset(mark("What does one partition do?"), {"partitions": 1}),
            Preset(mark("As many as members?"), {"partitions": members}),
            Preset(mark("Twice as many?"), {"partitions": 2 * members}),
            Preset(mark("And without keys?"), {"keys": NO_KEY}),
        )

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario with the controls' values.

        Raises
        ------
        ValidationError
            When a value is not allowed.
        """
        said, begun = self.initial, self.scenario
        changes: dict[str, object] = {}
        if values.partitions != said.partitions:
            changes[_path("system", "topics", self.topic, "partitions")] = (
                values.partitions
            )
        if values.members != said.members:
            changes[_path("system", "groups", self.subscriber, "members")] = (
                values.members
            )
        if values.work_ms != said.work_ms and self.work_path is not None:
            changes[self.work_path] = values.work_ms
        for source in self.sources:
            config = ("system", "producers", source, "config")
            if values.linger_ms != said.linger_ms:
                changes[_path(*config, "linger_ms")] = values.linger_ms
            if values.keys != said.keys:
                keys = self.choices[values.keys]
                changes[_path(*config, "partitioner_ignore_keys")] = keys is None
                if keys is not None and values.keys != AS_SAID:
                    changes |= self._keyed(source, keys)
        return begun.where(changes) if changes else begun

    def _keyed(self, source: str, keys: Keys) -> dict[str, object]:
        """Return the changes that give a source other keys and leave its entity."""
        was = self.scenario.traffic.sources[source]
        changes: dict[str, object] = {_path("traffic", "sources", source, "keys"): keys}
        if was.entity is None and not isinstance(was.keys, NoKeys):
            changes[_path("traffic", "sources", source, "entity")] = was.keys
        return changes


def knobs_of(
    scenario: Scenario, subscriber: str | None, keys: Mapping[str, Keys] | None
) -> ScenarioKnobs:
    """Return how the controls change a scenario.

    Parameters
    ----------
    scenario : Scenario
        Its system is Kafka.
    subscriber : str, optional
        Whose topic, group and work; the first without it.
    keys : mapping of str to keys, optional
        Choices by name; without it every column of a trace, or the source's own keys.

    Raises
    ------
    ValidationError
        It is no scenario, its system is not Kafka, or there is no such subscriber.
    """
    if not isinstance(scenario, Scenario):
        raise ValidationError("scenario", type(scenario).__name__, say("a ks.Scenario"))
    if not isinstance(scenario.system, Kafka):
        kind = type(scenario.system).__name__
        why = say("only topics have partitions")
        raise ValidationError("system", kind, "Kafka", why)
    subscribers = scenario.traffic.subscribers
    if not subscribers:
        raise ValidationError(
            "traffic.subscribers", {}, say("one to look at, at least")
        )
    name = next(iter(subscribers), "") if subscriber is None else subscriber
    if name not in subscribers:
        raise ValidationError("subscriber", name, one_of(subscribers))
    topic = subscribers[name].streams[0]
    sources = tuple(
        source
        for source, said in scenario.traffic.sources.items()
        if said.stream == topic
    )
    choices = _choices(scenario, sources, keys)
    work_path, work_ms = _work(scenario, name)
    return ScenarioKnobs(
        scenario=scenario,
        topic=topic,
        subscriber=name,
        sources=sources,
        choices=choices,
        work_path=work_path,
        initial=Values(
            partitions=_whole(scenario, "system", "topics", topic, "partitions"),
            members=_whole(scenario, "system", "groups", name, "members"),
            keys=_standing(scenario, sources, choices),
            linger_ms=_linger_ms(scenario, sources),
            work_ms=work_ms,
        ),
    )


def _choices(
    scenario: Scenario, sources: tuple[str, ...], keys: Mapping[str, Keys] | None
) -> dict[str, Keys | None]:
    said = [scenario.traffic.sources[source] for source in sources]
    named: dict[str, Keys | None] = dict(keys or {})
    if keys is None and all(isinstance(each.arrivals, Trace) for each in said):
        for each in said:
            assert isinstance(each.arrivals, Trace)
            named |= {name: TraceColumn(name) for name in each.arrivals.columns}
    standing = {each.keys for each in said}
    if not standing <= {*named.values(), NoKeys()}:
        named = {AS_SAID: said[0].keys, **named}
    return {**named, NO_KEY: None}


def _standing(
    scenario: Scenario, sources: tuple[str, ...], choices: Mapping[str, Keys | None]
) -> str:
    """Return the choice at which the scenario stands."""
    for source in sources:
        path = _path("system", "producers", source, "config", "partitioner_ignore_keys")
        keys = scenario.traffic.sources[source].keys
        if isinstance(keys, NoKeys) or scenario.value_at(path):
            return NO_KEY
        for name, choice in choices.items():
            if choice == keys:
                return name
    return AS_SAID if AS_SAID in choices else NO_KEY


def _work(scenario: Scenario, subscriber: str) -> tuple[str | None, float]:
    """Return the path of the work's one number, and that number."""
    work = scenario.traffic.subscribers[subscriber].work_ms
    path = ("traffic", "subscribers", subscriber, "work_ms")
    if isinstance(work, (int, float)):
        return _path(*path), float(work)
    mean = getattr(work, "mean", None)
    if isinstance(mean, (int, float)):
        return _path(*path, "mean"), float(mean)
    return None, 0.0


def _linger_ms(scenario: Scenario, sources: tuple[str, ...]) -> float:
    path = _path("system", "producers", sources[0], "config", "linger_ms")
    value = scenario.value_at(path)
    assert isinstance(value, (int, float))
    return float(value)


def _whole(scenario: Scenario, *parts: str) -> int:
    value = scenario.value_at(_path(*parts))
    assert isinstance(value, int)
    return value


def _path(*parts: str) -> str:
    return join_path(parts)

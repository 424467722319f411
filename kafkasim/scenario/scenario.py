"""The scenario: all that decides a run, in one frozen document.

Traffic, the system that serves it, what happens to it, and a seed. Equal scenarios are
equal objects, hash equal, and give the same result, bit for bit. A scenario keeps what
was said; `resolve` fills in the rest, `describe` prints it and marks what was filled
in.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from kafkasim.config.document import Document, document
from kafkasim.config.paths import Parts, split_path
from kafkasim.config.walking import changed, set_paths, value_at
from kafkasim.errors import ValidationError
from kafkasim.scenario import files
from kafkasim.scenario.checks import check_events, check_system, check_traffic, under
from kafkasim.scenario.draft import Draft
from kafkasim.scenario.trace import Trace

if TYPE_CHECKING:
    from kafkasim.scenario.plan import Plan


@document
class Scenario(Draft):
    """What to run.

    `traffic` is what the world wants, `system` what serves it, `events` what happens to
    the system, and `seed` decides every random draw. With `end="drain"` it runs until
    every wanted record is settled, or nothing moved for `drain_limit_s` simulated
    seconds; with `end="cut"` it stops at the traffic's duration. `name` is for people.

    Raises
    ------
    ValidationError
        When parts do not fit together; names the path, the value and what is allowed.

    Examples
    --------
    >>> from kafkasim.scenario.arrivals import Poisson
    >>> from kafkasim.scenario.traffic import Source, Subscriber, Traffic
    >>> traffic = Traffic(
    ...     sources={"web": Source("orders", Poisson(2_000))},
    ...     subscribers={"billing": Subscriber(["orders"])},
    ...     duration_s=60,
    ... )
    >>> scenario = Scenario(traffic, seed=7)
    >>> scenario.value_at("system.topics.orders.partitions")
    1
    >>> scenario.where({"system.topics.orders.partitions": 12}).system
    Kafka(topics={'orders': Topic(partitions=12)})
    """

    def check(self) -> None:
        """Check what the parts must keep together."""
        under("traffic", check_traffic, self.traffic)
        under("system", check_system, self.system, self.traffic)
        under("events", check_events, self.events, self.traffic, self.system)

    def where(self, changes: Mapping[str, object]) -> Self:
        """Return the scenario with other values at some paths.

        Paths are looked up in the resolved document and written into what was said;
        shorter paths come first, so a part can be set whole and then changed.

        Parameters
        ----------
        changes : mapping of path to value
            Such as ``{"system.topics.orders.partitions": 12}``; a part is given as an
            object or as its table with `kind`.

        Raises
        ------
        ValidationError
            When a path does not exist, naming the part that is wrong and what is there
            instead, or when a value is not allowed.
        """
        by_length: dict[int, dict[Parts, object]] = {}
        for path, value in changes.items():
            parts = split_path(path)
            by_length.setdefault(len(parts), {})[parts] = value
        draft: Document = Draft(**_said(self))
        for length in sorted(by_length):
            assert isinstance(draft, Draft)
            draft = changed(draft, draft.resolve(), by_length[length])
        return replace(self, **_said(draft))

    def value_at(self, path: str) -> object:
        """Return what stands at a path of the resolved scenario.

        Raises
        ------
        ValidationError
            When there is no such path.
        """
        return value_at(self.resolve(), split_path(path))

    def describe(self) -> str:
        """Return in words what is there, what was filled in, what is not modelled."""
        from kafkasim.scenario.description import describe

        return describe(self)

    def plan(self) -> "Plan":
        """Return what the world does, drawn from traffic and seed alone."""
        from kafkasim.scenario.plan import draw_plan

        return draw_plan(self.traffic, self.seed)

    @property
    def traces(self) -> Mapping[str, Trace]:
        """The traces, by source."""
        return {
            name: source.arrivals
            for name, source in self.traffic.sources.items()
            if isinstance(source.arrivals, Trace)
        }

    @property
    def digest(self) -> str:
        """SHA-256 over the resolved document, in hexadecimal.

        Also over which settings were said (Kafka tells them from defaults), the rows of
        the traces and the format's version. So a scenario and its resolved form, in
        which all is said, have two digests.
        """
        from hashlib import sha256

        canonical = {
            files.VERSION_KEY: files.FORMAT_VERSION,
            "resolved": self.resolve().to_dict(everything=True),
            "said": sorted(set_paths(self)),
            "traces": {name: trace.digest for name, trace in self.traces.items()},
        }
        text = json.dumps(canonical, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()

    def to_toml(self, *, resolved: bool = False) -> str:
        """Return the scenario as TOML: what was said, or everything."""
        return files.toml_text(self._plain(resolved=resolved))

    def to_json(self, *, resolved: bool = False) -> str:
        """Return the scenario as JSON: what was said, or everything."""
        return files.json_text(self._plain(resolved=resolved))

    def _plain(self, *, resolved: bool) -> dict[str, object]:
        return self.resolve().to_dict(everything=True) if resolved else self.to_dict()

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read a scenario from TOML; a trace's file is looked for where it says."""
        return cls.from_dict(files.read_text(text, name="TOML", is_json=False))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a scenario from JSON; a trace's file is looked for where it says."""
        return cls.from_dict(files.read_text(text, name="JSON", is_json=True))

    def save(self, path: str | PathLike[str], *, resolved: bool = False) -> None:
        """Write the scenario to a file that `load` reads back equal.

        Parameters
        ----------
        path : path
            JSON when it ends in `.json`, else TOML. A trace that is held in memory is
            written beside it, a bundled one by its name.
        resolved : bool
            Write everything, also what was filled in.

        Raises
        ------
        OutputError
            When a file cannot be written; what stood there is untouched.
        """
        file = Path(path)
        is_json = file.suffix.lower() == ".json"
        text = (self.to_json if is_json else self.to_toml)(resolved=resolved)
        files.write_file(file, text, self.traces.values())


def load(path: str | PathLike[str]) -> Scenario:
    """Read a scenario from a TOML or JSON file.

    Parameters
    ----------
    path : path
        JSON when it ends in `.json`, else TOML.

    Raises
    ------
    ValidationError
        Naming the file and the path in the document, or the line of a syntax error.
    ChangedFileError
        When a trace beside it is not the one that was saved.
    """
    file = Path(path)
    plain = files.read_file(file)
    try:
        return Scenario.from_dict(plain)
    except ValidationError as error:
        where = f"{file}: {error.path}"
        raise ValidationError(where, error.value, error.allowed, error.why) from None


def _said(document: Document) -> dict[str, Any]:
    return {each.name: getattr(document, each.name) for each in fields(Draft)}

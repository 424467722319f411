"""What happened in a run: data, and nothing that runs, plots or explains.

A result holds the scenario, the plan its traffic was drawn to, the engine's facts, and
the tables of the one schema. Its digest is equal for two runs exactly when they wrote
the same rows for the same scenario, in whatever process, order or speed.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, final

import numpy as np

from kafkasim.config.frozen import FrozenDict
from kafkasim.config.paths import one_of, suggestion
from kafkasim.errors import ChangedFileError, TableNotRecorded, ValidationError
from kafkasim.result.files import (
    PLAN_FILE,
    SCENARIO_FILE,
    load_planned,
    plan_outline,
    read_summary,
    read_tables,
    write_summary,
    write_tables,
)
from kafkasim.result.folder import new_folder
from kafkasim.result.frame import as_frame
from kafkasim.result.schema import (
    ONE_ROW_PER,
    SCHEMA_VERSION,
    STREAMED_TABLES,
    TABLES,
)
from kafkasim.result.table import Table
from kafkasim.scenario.plan import Plan, PlanOutline
from kafkasim.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    import pandas as pd

Fact = int | float | str
"""What an engine says of a run, by name."""

_NOT_WRITTEN: Final = "the engine or the system that ran does not write it"
_STREAMED_ONLY: Final = dict.fromkeys(STREAMED_TABLES, "run with result='streamed'")
_MADE_LATER: Final = MappingProxyType(
    {"receipts": "it is made from a result: kafkasim.receipts(result)"}
)


@final
class Result:
    """The record of one run.

    Made by `Recorder.finish` and by `load_result`.

    Parameters
    ----------
    scenario : Scenario
        What ran.
    plan : Plan or PlanOutline
        The traffic, as drawn from the scenario; of a streamed run counts and digests.
    facts : mapping of str to int, float or str
        What the engine says of the run; in order, and not in the digest.
    digests : mapping of name to SHA-256 in hex
        Over the packed rows of each table and extra that the digest covers.
    tables : mapping of name to Table
        What was recorded.
    not_recorded : mapping of table to reason, optional
        Why a table is missing.

    Raises
    ------
    ValidationError
        A fact that is not finite or of another type, a reason for a table that was
        recorded or that the schema lacks.
    """

    def __init__(
        self,
        *,
        scenario: Scenario,
        plan: Plan | PlanOutline,
        facts: Mapping[str, Fact],
        digests: Mapping[str, str],
        tables: Mapping[str, Table],
        not_recorded: Mapping[str, str] | None = None,
    ) -> None:
        self.scenario: Final = scenario
        self.plan: Final = plan
        self.facts: Final = FrozenDict(
            {name: _plain_fact(name, value) for name, value in facts.items()}
        )
        self.digests: Final = FrozenDict(dict(sorted(digests.items())))
        self.digest: Final = result_digest(self.digests, scenario.digest)
        self._tables: Final = FrozenDict(
            {name: tables[name] for name in TABLES if name in tables}
        )
        self.not_recorded: Final = FrozenDict(_reasons(self.tables, not_recorded or {}))

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that were recorded, in the schema's order."""
        return tuple(self._tables)

    def columns(self, name: str) -> Table:
        """Return a table as arrays: times in int64 nanoseconds, labels as codes.

        Raises
        ------
        TableNotRecorded
            When this run did not record it; says why.
        ValidationError
            When there is no such table.
        """
        table = self._tables.get(name)
        if table is not None:
            return table
        if name in self.not_recorded:
            raise TableNotRecorded(name, self.not_recorded[name])
        why = _MADE_LATER.get(name, suggestion(name, TABLES))
        raise ValidationError("table", name, one_of(TABLES), why)

    def table(self, name: str, columns: Sequence[str] | None = None) -> "pd.DataFrame":
        """Return a table as a DataFrame: float milliseconds, labels as text.

        Parameters
        ----------
        name : str
            A table of the schema.
        columns : sequence of str, optional
            The frame's columns wanted (`created_ms`, `topic`, …); only these are built.

        Returns
        -------
        pandas.DataFrame
            Times in float64 milliseconds since the run's start (`_ms`), NaN when they
            never came; labels as `Categorical`; offsets as `Int64`, missing `<NA>`.

        Raises
        ------
        TableNotRecorded
            When this run did not record it; says why.
        ValidationError
            When there is no such table or column.
        """
        return as_frame(self.columns(name), columns)

    @property
    def records(self) -> "pd.DataFrame":
        """One row per logical send."""
        return self.table("records")

    @property
    def batches(self) -> "pd.DataFrame":
        """One row per record batch that a producer made."""
        return self.table("batches")

    @property
    def appends(self) -> "pd.DataFrame":
        """One row per append of a batch to a leader's log, retries included."""
        return self.table("appends")

    @property
    def deliveries(self) -> "pd.DataFrame":
        """One row per hand-out of a record to a member, each time."""
        return self.table("deliveries")

    @property
    def commits(self) -> "pd.DataFrame":
        """One row per offset commit."""
        return self.table("commits")

    @property
    def assignments(self) -> "pd.DataFrame":
        """One row per interval in which a member owned a partition."""
        return self.table("assignments")

    @property
    def requests(self) -> "pd.DataFrame":
        """One row per request served."""
        return self.table("requests")

    @property
    def links(self) -> "pd.DataFrame":
        """One row per pair that talked."""
        return self.table("links")

    @property
    def queues(self) -> "pd.DataFrame":
        """One row per thing that happened to a message in a queue."""
        return self.table("queues")

    @property
    def blocked(self) -> "pd.DataFrame":
        """One row per time in which a source could not hand over."""
        return self.table("blocked")

    @property
    def events(self) -> "pd.DataFrame":
        """One row per thing done to the system."""
        return self.table("events")

    @property
    def resources(self) -> "pd.DataFrame":
        """One row per part of a host's hardware and second; on request."""
        return self.table("resources")

    @property
    def drops(self) -> "pd.DataFrame":
        """One row per record that a system without a log let go, and subscriber."""
        return self.table("drops")

    @property
    def segments(self) -> "pd.DataFrame":
        """One row per segment of a log, also what compaction made."""
        return self.table("segments")

    @property
    def replicas(self) -> "pd.DataFrame":
        """One row per change of a replica, and one for each at the start."""
        return self.table("replicas")

    @property
    def removals(self) -> "pd.DataFrame":
        """One row per run of offsets whose records left a log together."""
        return self.table("removals")

    @property
    def group_states(self) -> "pd.DataFrame":
        """One row per change of a group that its coordinator tells of."""
        return self.table("group_states")

    @property
    def offsets_topic(self) -> "pd.DataFrame":
        """One row per record that a coordinator wrote to `__consumer_offsets`."""
        return self.table("offsets_topic")

    @property
    def histograms(self) -> "pd.DataFrame":
        """One row per metric, subscriber, bin of time and bucket that is not empty."""
        return self.table("histograms")

    @property
    def totals(self) -> "pd.DataFrame":
        """One row per number of a streamed run, by subscriber or partition."""
        return self.table("totals")

    @property
    def violations(self) -> "pd.DataFrame":
        """One row per broken invariant; none in a healthy run."""
        return self.table("violations")

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write everything into a folder that `load_result` reads back equal.

        `scenario.toml`, `plan.npz` (not of a streamed run that drew its records as it
        went), one `.npz` per table (compressed, no pickle), `labels.json`,
        `result.json` with facts and digests, `SHA256SUMS`. All of it, or nothing.

        Parameters
        ----------
        folder : str or Path
            Where it will be; missing parents are made.
        overwrite : bool
            Whether a folder that was saved there before may be replaced.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OutputError
            The folder is not empty or cannot be written; what was there is untouched.
        """
        with new_folder(folder, overwrite=overwrite) as partial:
            self.scenario.save(partial / SCENARIO_FILE)
            if isinstance(self.plan, Plan):
                self.plan.save(partial / PLAN_FILE)
            write_tables(partial, self._tables)
            write_summary(
                partial,
                {
                    "digest": self.digest,
                    "plan_digest": self.plan.digest,
                    "plan": plan_outline(self.plan),
                    "facts": dict(self.facts),
                    "rows": {name: len(table) for name, table in self._tables.items()},
                    "not_recorded": dict(self.not_recorded),
                    "digests": dict(self.digests),
                },
            )
        return Path(folder).expanduser()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return (
            self.digest == other.digest
            and self.digests == other.digests
            and self.scenario == other.scenario
            and self.plan == other.plan
            and self.facts == other.facts
            and self.not_recorded == other.not_recorded
            and self._tables == other._tables
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(t):,} {name}" for name, t in self._tables.items())
        return f"<Result {self.digest[:12]}: {counts or 'no tables'}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{name}</td><td style='text-align:right'>{len(table):,}</td>"
            f"<td style='text-align:left'>one per {ONE_ROW_PER[name]}</td></tr>"
            for name, table in self._tables.items()
        )
        scenario = self.scenario
        name = f" of {escape(scenario.name)}" if scenario.name else ""
        return (
            f"<p>Result{name}: <code>{self.digest[:12]}</code>, "
            f"seed {scenario.seed}</p>"
            f"<pre>{escape(scenario.describe())}</pre>"
            f"<table><tr><th>table</th><th>rows</th><th></th></tr>{rows}</table>"
        )


def load_result(folder: str | Path) -> Result:
    """Read a result that `Result.save` wrote; equal to the one saved.

    Parameters
    ----------
    folder : str or Path
        The folder it was saved in.

    Raises
    ------
    ChangedFileError
        A file is missing, cut short or otherwise not what was saved; names it. Also
        when this version of kafkasim reads the saved scenario as another one.
    ValidationError
        The result was saved under another version of the schema.
    """
    where = Path(folder).expanduser()
    summary = read_summary(where)
    result = Result(
        scenario=load(where / SCENARIO_FILE),
        plan=load_planned(where, summary.get("plan")),
        facts=summary["facts"],
        digests=summary["digests"],
        tables=read_tables(where, summary["rows"]),
        not_recorded=summary["not_recorded"],
    )
    if result.digest != summary["digest"]:
        raise ChangedFileError(
            f"{where / SCENARIO_FILE} now reads as another scenario than the one that "
            f"ran under kafkasim {summary['versions']['kafkasim']}"
        )
    if result.plan.digest != summary["plan_digest"]:
        raise ChangedFileError(f"{where / PLAN_FILE} now reads as another plan")
    return result


def result_digest(digests: Mapping[str, str], scenario_digest: str) -> str:
    """Return SHA-256 in hex over the digests in name order and the scenario's.

    The schema's version goes in too: a digest compares only runs of one schema.
    """
    lines = [f"schema {SCHEMA_VERSION}", f"scenario {scenario_digest}"]
    lines += [f"{name} {digests[name]}" for name in sorted(digests)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _plain_fact(name: str, value: Fact) -> Fact:
    plain = value.item() if isinstance(value, np.generic) else value
    is_finite = isinstance(plain, float) and math.isfinite(plain)
    if is_finite or isinstance(plain, int | str):
        return plain
    raise ValidationError(f"facts.{name}", value, "a finite number or a text")


def _reasons(recorded: tuple[str, ...], given: Mapping[str, str]) -> dict[str, str]:
    for name in given:
        if name not in TABLES or name in recorded:
            allowed = "a table that was not recorded"
            raise ValidationError(f"not_recorded.{name}", name, allowed)
    return {
        name: given.get(name, _STREAMED_ONLY.get(name, _NOT_WRITTEN))
        for name in TABLES
        if name not in recorded
    }

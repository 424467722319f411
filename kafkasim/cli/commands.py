"""The commands that read a scenario file: run, sweep, describe.

Everything is checked before anything runs, the output folder included; a folder is
complete when it appears.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kafkasim.analysis.measures import summary
from kafkasim.cli.output import save_figure, save_table, unused
from kafkasim.cli.text import aligned, readable
from kafkasim.cli.values import parse_settings
from kafkasim.errors import RunError, TableNotRecorded, ValidationError
from kafkasim.experiments import running, sweeping
from kafkasim.experiments.grid import labels_of_one_kind
from kafkasim.plot import lagging, over_time, sweeps
from kafkasim.result.folder import new_folder
from kafkasim.result.result import Result
from kafkasim.result.schema import ResultKind
from kafkasim.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    import pandas as pd

SWEPT: Final = (
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "lag_records_max",
    "drain_s",
    "overtaken_share",
)
"""Metrics in the figure of a sweep."""

OF_COUNTS: Final = (over_time.throughput, over_time.latency)
"""Figures of a run that a streamed one has too; lag is asked of single records."""


def run(
    *,
    scenario_file: Path,
    settings: Sequence[str],
    out: Path,
    force: bool,
    check: bool,
    streamed: bool,
    logs: bool,
) -> None:
    """Run a scenario; write its result, a summary and figures to a folder."""
    scenario = read_scenario(scenario_file).where(_single(parse_settings(settings)))
    kind = _kind(streamed=streamed)
    with (
        _folder(out, force=force) as folder,
        running.enough_memory(scenario.traffic, kind),
    ):
        result = running.run(
            scenario,
            check=check,
            result=kind,
            logs=folder / "logs" if logs else None,
        )
        table = summary(result)
        scenario.save(folder / "scenario.toml")
        result.save(folder / "result")
        save_table(table, folder / "summary")
        for draw in OF_COUNTS if streamed else (*OF_COUNTS, lagging.lag):
            save_figure(draw(result), folder / draw.__name__)
    print(aligned(readable(table)))
    print(f"\nThe result, this table and figures are in {out}")
    if ended := running.unfinished(result):
        _note(ended)
    if check:
        _check(result)


def sweep(
    *,
    scenario_file: Path,
    settings: Sequence[str],
    replications: int,
    workers: int | None,
    out: Path,
    force: bool,
    streamed: bool,
) -> None:
    """Run a scenario for every combination of values; write a table and a figure."""
    scenario = read_scenario(scenario_file)
    grid = {
        path: _variants(path, values)
        for path, values in parse_settings(settings).items()
    }
    with _folder(out, force=force) as folder:
        table = sweeping.sweep(
            scenario,
            grid,
            replications=replications,
            workers=workers,
            result=_kind(streamed=streamed),
        )
        scenario.save(folder / "scenario.toml")
        save_table(table, folder / "sweep")
        save_figure(sweeps.sweep(table, y=SWEPT), folder / "sweep")
    print(aligned(readable(table)))
    if replications > 1:
        varies = ", ".join(table.attrs["varies"]) or "nothing of what was planned"
        print(f"\nBetween replications varies: {varies}")
    print(f"\nThis table and its figure are in {out}")
    _note_unfinished(table)


def describe(*, scenario_file: Path, resolved: bool) -> None:
    """Say what a scenario holds, what was filled in, and what is not modelled."""
    scenario = read_scenario(scenario_file)
    text = scenario.to_toml(resolved=True) if resolved else scenario.describe()
    print(text.rstrip("\n"))


def read_scenario(path: Path) -> Scenario:
    """Read and check a scenario file.

    Raises
    ------
    ValidationError
        When it cannot be read, is not TOML, or holds what is not allowed.
    """
    try:
        return load(path)
    except OSError as error:
        allowed = "a scenario file that can be read"
        why = error.strerror or str(error)
        raise ValidationError("SCENARIO.toml", str(path), allowed, why) from None


def _folder(out: Path, *, force: bool) -> AbstractContextManager[Path]:
    """Return a new folder to write into; only with `force` in the place of another."""
    if not force:
        unused(out, hint=", or replace it with --force")
    return new_folder(out, overwrite=force)


def _kind(*, streamed: bool) -> ResultKind:
    return "streamed" if streamed else "full"


def _single(settings: Mapping[str, Sequence[object]]) -> dict[str, object]:
    for path, values in settings.items():
        if len(values) != 1:
            why = "several values are for kafkasim sweep"
            raise ValidationError(path, list(values), "one value", why)
    return {path: value for path, (value,) in settings.items()}


def _check(result: Result) -> None:
    """Raise when invariants were broken; say so when there were none to check."""
    try:
        broken = len(result.columns("violations"))
    except TableNotRecorded as missing:
        _note(f"--check: nothing to check: {missing.why}")
        return
    if broken:
        raise RunError(f"invariants were broken {broken:,} times: see the result")


def _note_unfinished(table: "pd.DataFrame") -> None:
    """Say which runs of a sweep stopped with records pending, in one line."""
    found: dict[str, str] = table.attrs["unfinished"]
    if not found:
        return
    name, ended = next(iter(found.items()))
    count = sum(map(len, table.attrs["digests"]))
    which = name if len(found) == 1 else f"{len(found)} of {count} runs; first {name}"
    _note(f"{which}: {ended}")


def _note(text: str) -> None:
    print(f"kafkasim: {text}", file=sys.stderr)


def _variants(path: str, values: Sequence[object]) -> dict[object, object]:
    """Return label → value; a value that is there twice is refused."""
    labels = labels_of_one_kind(path, [_label(value) for value in values])
    return dict(zip(labels, values, strict=True))


def _label(value: object) -> object:
    """Return what a table shows for a value: `trace_column column=carrier`."""
    if isinstance(value, Mapping):
        rest = [f"{name}={each}" for name, each in value.items() if name != "kind"]
        return " ".join([str(value.get("kind", "")), *rest]).strip()
    return value if isinstance(value, bool | int | float | str) else str(value)

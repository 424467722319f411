"""The commands that read a scenario file: run, sweep, describe.

Everything is checked before anything runs, the output folder included; a folder is
complete when it appears.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kafkasim import plot
from kafkasim.analysis.measures import summary
from kafkasim.cli.text import aligned, readable
from kafkasim.cli.values import parse_settings
from kafkasim.errors import OutputError, ValidationError
from kafkasim.experiments import running, sweeping
from kafkasim.export.figures import figure as export_figure
from kafkasim.export.frames import table as export_table
from kafkasim.result.folder import new_folder
from kafkasim.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SWEPT: Final = (
    "throughput_per_s",
    "latency_ms_p50",
    "latency_ms_p99",
    "lag_records_max",
    "drain_s",
    "overtaken_share",
)
"""Metrics in the figure of a sweep."""


def run(
    *,
    scenario_file: Path,
    settings: Sequence[str],
    out: Path,
    force: bool,
    check: bool,
) -> None:
    """Run a scenario; write its result, a summary and figures to a folder."""
    scenario = read_scenario(scenario_file).where(_single(parse_settings(settings)))
    with new_folder(_free(out, force=force), overwrite=force) as folder:
        result = running.run(scenario, check=check)
        table = summary(result)
        scenario.save(folder / "scenario.toml")
        result.save(folder / "result")
        save_table(table, folder / "summary")
        for draw in (plot.throughput, plot.latency, plot.lag):
            save_figure(draw(result), folder / draw.__name__)
    print(aligned(readable(table)))
    print(f"\nThe result, this table and figures are in {out}")


def sweep(
    *,
    scenario_file: Path,
    settings: Sequence[str],
    replications: int,
    workers: int | None,
    out: Path,
    force: bool,
) -> None:
    """Run a scenario for every combination of values; write a table and a figure."""
    scenario = read_scenario(scenario_file)
    grid = {
        path: {_label(value): value for value in values}
        for path, values in parse_settings(settings).items()
    }
    with new_folder(_free(out, force=force), overwrite=force) as folder:
        table = sweeping.sweep(
            scenario, grid, replications=replications, workers=workers
        )
        scenario.save(folder / "scenario.toml")
        save_table(table, folder / "sweep")
        save_figure(plot.sweep(table, y=SWEPT), folder / "sweep")
    print(aligned(readable(table)))
    print(f"\nThis table and its figure are in {out}")


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


def save_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a table as CSV and as Parquet; `path` has no suffix."""
    for suffix in ("csv", "parquet"):
        export_table(table, path.with_name(f"{path.name}.{suffix}"))


def save_figure(axes: "Axes", path: Path) -> None:
    """Write a figure as PNG and as SVG; `path` has no suffix."""
    for suffix in ("png", "svg"):
        export_figure(axes, path.with_name(f"{path.name}.{suffix}"))


def _free(out: Path, *, force: bool) -> Path:
    """Return the folder unless it holds something and may not be replaced."""
    if not force and out.is_dir() and any(out.iterdir()):
        raise OutputError(
            f"{out} is not empty; name another folder, or replace it with --force"
        )
    return out


def _single(settings: Mapping[str, Sequence[object]]) -> dict[str, object]:
    for path, values in settings.items():
        if len(values) != 1:
            why = "several values are for kafkasim sweep"
            raise ValidationError(path, list(values), "one value", why)
    return {path: value for path, (value,) in settings.items()}


def _label(value: object) -> object:
    """Return what a table shows for a value: `trace_column column=carrier`."""
    if isinstance(value, Mapping):
        rest = [f"{name}={each}" for name, each in value.items() if name != "kind"]
        return " ".join([str(value.get("kind", "")), *rest]).strip()
    return value if isinstance(value, bool | int | float | str) else str(value)

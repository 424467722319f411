"""The same small traffic for more and more systems: what each way to join them takes.

Every number is measured on a run: each source sends a few records, and the tables say
who talked to whom, what moved and how long it took.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kafkasim.analysis.measures import metrics
from kafkasim.analysis.piping import pipelines
from kafkasim.catalogue import say
from kafkasim.config.frozen import FrozenDict
from kafkasim.errors import ValidationError
from kafkasim.experiments.each_system import SystemFor, run_each
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.many_to_many import many_to_many, mesh
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Traffic

if TYPE_CHECKING:
    import pandas as pd

SYSTEMS: Final[Mapping[str, SystemFor]] = FrozenDict(
    {"point to point": PointToPoint(), "Kafka": Kafka()}
)
"""What is compared unless others are named."""

_SMALL: Final = {"arrivals": Periodic(20.0), "work_ms": 0.1, "duration_s": 0.2}


def pipeline_sizes(
    sizes: Sequence[int] = range(1, 11),
    *,
    densities: Sequence[float] = (1.0, 0.5, 0.25),
    systems: Mapping[str, SystemFor] = SYSTEMS,
    seed: int = 0,
) -> "pd.DataFrame":
    """Return what joins n sources to n subscribers, for several n.

    Parameters
    ----------
    sizes : sequence of int
        N = M = n.
    densities : sequence of float
        Shares of the pairs that are wanted; sizes that are too small for one, n < 1/d,
        are left out of it.
    systems : mapping of str to system
        By what to call each; a function is called with the traffic and returns one.
    seed : int
        Of all runs.

    Returns
    -------
    pandas.DataFrame
        One row per density, size and system: `system`, `size`, `wanted` (the density
        asked for), the numbers of `analysis.pipelines` and the metrics of
        `analysis.metrics`. `plot.crossover` draws it.

    Raises
    ------
    ValidationError
        Before anything runs, when a size or a density is not allowed, or all sizes are
        too small.
    """
    traffics = [
        (size, density, many_to_many(size, size, density, **_SMALL))  # type: ignore[arg-type]
        for density in densities
        for size in sizes
        if not _is_too_small(size, density)
    ]
    if not traffics:
        allowed = say("some size n of at least 1/d, for a density d")
        raise ValidationError("sizes", tuple(sizes), allowed)
    return _measured(traffics, systems, seed)


def _is_too_small(size: int, density: float) -> bool:
    """Say whether a size is allowed, but not with this density."""
    return size >= 1 and 0 < density < 1 / size - 1e-9


def mesh_sizes(
    sizes: Sequence[int] = range(2, 11),
    *,
    systems: Mapping[str, SystemFor] = SYSTEMS,
    seed: int = 0,
) -> "pd.DataFrame":
    """Return what joins S systems that all send and read what the others send.

    Parameters
    ----------
    sizes : sequence of int
        S.
    systems, seed
        As of `pipeline_sizes`.

    Returns
    -------
    pandas.DataFrame
        As of `pipeline_sizes`; `wanted` is NaN. `plot.crossover` draws it.

    Raises
    ------
    ValidationError
        Before anything runs, when a size is below 2, or there is none.
    """
    traffics = [(size, float("nan"), mesh(size, **_SMALL)) for size in sizes]  # type: ignore[arg-type]
    if not traffics:
        raise ValidationError("sizes", tuple(sizes), say("at least one size"))
    return _measured(traffics, systems, seed)


def _measured(
    traffics: Sequence[tuple[int, float, Traffic]],
    systems: Mapping[str, SystemFor],
    seed: int,
) -> "pd.DataFrame":
    import pandas as pd

    rows = []
    for size, wanted, traffic in traffics:
        for name, result in run_each(traffic, systems, seed=seed).items():
            measured = pipelines(result)
            of_all = metrics(result)
            rows.append(
                {"system": name, "size": size, "wanted": wanted} | of_all | measured
            )
    return pd.DataFrame(rows)

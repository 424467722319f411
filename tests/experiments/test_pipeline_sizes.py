"""More and more systems, and what joins them; `tests/theory` holds it to formulas."""

import numpy as np
import pytest

from kafkasim.analysis.piping import PIPELINES
from kafkasim.errors import ValidationError
from kafkasim.experiments.pipeline_sizes import mesh_sizes, pipeline_sizes
from kafkasim.scenario.pipelines import PointToPoint


def test_a_row_for_each_density_size_and_system() -> None:
    only = {"direct": PointToPoint()}
    table = pipeline_sizes((1, 2), densities=(1.0, 0.5), systems=only)

    # Half of the one pair of 1 × 1 is none.
    assert table[["size", "wanted"]].to_numpy().tolist() == [
        [1, 1.0],
        [2, 1.0],
        [2, 0.5],
    ]
    assert set(PIPELINES) < set(table)
    assert table["latency_ms_p50"].gt(0).all()
    assert table["pairs"].tolist() == [1, 4, 2]


def test_a_mesh_has_no_density() -> None:
    table = mesh_sizes((3,), systems={"direct": PointToPoint()})

    assert np.isnan(table["wanted"][0])
    assert table["links"].tolist() == [6]


def test_sizes_that_make_no_row_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"^systems: 1 .* ≥ 2"):
        mesh_sizes((3, 1))
    with pytest.raises(ValidationError, match=r"^sources: 0 .* ≥ 1"):
        pipeline_sizes((0, 2))
    with pytest.raises(ValidationError, match=r"^sizes: \(2,\) .* at least 1/d"):
        pipeline_sizes((2,), densities=(0.1,))
    with pytest.raises(ValidationError, match=r"^density: 2"):
        pipeline_sizes((2,), densities=(1.0, 2.0))

from pathlib import Path

import pytest

SCENARIO = """
kafkasim = 1
seed = 7

[traffic]
duration_s = 1.0

[traffic.sources.web]
stream = "orders"
arrivals = {kind = "poisson", rate_per_s = 300}
keys = {kind = "uniform_keys", count = 10}
entity = {kind = "uniform_keys", count = 10}

[traffic.subscribers.billing]
streams = ["orders"]
work_ms = {kind = "exponential", mean = 1.0}
"""


@pytest.fixture
def scenario_file(tmp_path: Path) -> Path:
    file = tmp_path / "orders.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file

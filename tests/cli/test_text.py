import math

import numpy as np
import pandas as pd

from kafkasim.cli.text import aligned, cell, readable


def test_a_cell_knows_shares_numpy_numbers_and_things() -> None:
    assert cell("overtaken_share", np.float64(0.5)) == "50 %"
    assert cell("overtaken_share_low", 0.5) == "50 %"
    assert cell("records", np.int64(1234)) == "1,234"
    assert cell("flag", value=None) == "None"


def test_text_stands_left_and_numbers_right_under_their_headings() -> None:
    table = pd.DataFrame(
        {
            "key": ["carrier", "none"],
            "latency_ms_p99": [12_345.6, 7.0],
            "nothing": [math.nan, math.nan],
        }
    )
    assert aligned(table) == ("key      p99 ms\ncarrier  12,346\nnone          7")


def test_replications_are_read_as_mean_and_half_width() -> None:
    table = pd.DataFrame(
        {
            "partitions": [1],
            "drain_s": [10.0],
            "drain_s_low": [8.0],
            "drain_s_high": [12.0],
            "digest": ["ab"],
        }
    )
    assert readable(table).to_dict("list") == {
        "partitions": [1],
        "drain_s": ["10 ±2"],
    }


def test_one_replication_shows_no_interval() -> None:
    table = pd.DataFrame(
        {"drain_s": [10.0], "drain_s_low": [math.nan], "drain_s_high": [math.nan]}
    )
    assert readable(table).to_dict("list") == {"drain_s": [10.0]}

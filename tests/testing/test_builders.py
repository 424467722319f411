from typing import Any

import pytest

from kafkasim.errors import ValidationError
from kafkasim.testing.builders import small_result
from kafkasim.units import MISSING_NS


def test_a_record_that_says_little_is_healthy_and_not_yet_sent() -> None:
    result = small_result([{"key": "a", "intended_ms": 2}])
    (record,) = result.records.to_dict("records")
    assert record["record_id"] == 0
    assert (record["source"], record["stream"]) == ("web", "orders")
    assert (record["key"], record["entity"]) == ("a", "a")
    assert (record["intended_ms"], record["created_ms"]) == (2.0, 2.0)
    assert record["outcome"] == "in_flight"
    assert result.columns("records")["acked_ns"].tolist() == [MISSING_NS]
    assert result.columns("records")["topic"].tolist() == [-1]


def test_a_delivery_takes_its_place_from_its_record() -> None:
    result = small_result(
        [{"partition": 3, "offset": 8}, {}],
        [{"record_id": 0, "ended_ms": 5}, {"record_id": 1, "subscriber": "mail"}],
    )
    first, second = result.deliveries.to_dict("records")
    assert (first["topic"], first["partition"], first["offset"]) == ("orders", 3, 8)
    assert (first["started_ms"], first["fetched_ms"]) == (5.0, 5.0)
    assert (first["member"], first["outcome"]) == ("billing/1", "processed")
    assert (second["member"], second["outcome"]) == ("mail/1", "in_flight")
    assert second["partition"] == -1


def test_the_scenario_has_the_sources_streams_and_subscribers_of_the_rows() -> None:
    result = small_result(
        [{"source": "web"}, {"source": "shop", "stream": "returns"}],
        [{"record_id": 1, "subscriber": "mail"}, {"record_id": 0}],
    )
    traffic = result.scenario.traffic
    assert {n: s.stream for n, s in traffic.sources.items()} == {
        "web": "orders",
        "shop": "returns",
    }
    assert {n: list(s.streams) for n, s in traffic.subscribers.items()} == {
        "mail": ["returns"],
        "billing": ["orders"],
    }


def test_the_run_ends_with_its_last_time() -> None:
    result = small_result([{"intended_ms": 1}], [{"record_id": 0, "ended_ms": 9.5}])
    assert result.facts == {"engine": "by hand", "end_ns": 9_500_000, "drained": 1}
    assert small_result().facts["end_ns"] == 0


def test_times_may_be_nanoseconds_and_none_is_missing() -> None:
    result = small_result([{"intended_ns": 7, "created_ms": None}])
    records = result.columns("records")
    assert records["intended_ns"].tolist() == [7]
    assert records["created_ns"].tolist() == [MISSING_NS]


def test_other_tables_have_healthy_rows_too() -> None:
    names = ("batches", "appends", "commits", "assignments", "requests", "links")
    tables: dict[str, Any] = {name: [{}, {}] for name in names}
    result = small_result(**tables, blocked=[{}], violations=[])
    assert result.batches["closed_by"].tolist() == ["linger", "linger"]
    assert result.requests["request_id"].tolist() == [0, 1]
    assert result.commits["outcome"].tolist() == ["ok", "ok"]
    assert result.assignments["start_offset"].tolist() == [0, 0]
    assert len(result.blocked) == 1
    assert set(result.digests) == {*names, "blocked", "violations"}


def test_what_the_schema_lacks_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"records\.colour.*one of record_id"):
        small_result([{"colour": "red"}])
    with pytest.raises(ValidationError, match="colours"):
        small_result(colours=[{}])
    with pytest.raises(ValidationError, match=r"records\.outcome: 'lost'"):
        small_result([{"outcome": "lost"}])

from datetime import UTC, datetime

import numpy as np
import pytest

from kafkasim.config.frozen import UNSET
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

WEB = Source("orders", Poisson(10))


def test_little_is_needed_to_begin() -> None:
    traffic = Traffic({"web": WEB}, {"billing": Subscriber(["orders"])})

    assert traffic.duration_s is UNSET
    assert traffic.to_dict() == {
        "sources": {
            "web": {
                "stream": "orders",
                "arrivals": {"kind": "poisson", "rate_per_s": 10.0},
            }
        },
        "subscribers": {"billing": {"streams": ["orders"]}},
    }


def test_numbers_are_python_numbers_of_the_declared_type() -> None:
    subscriber = Subscriber.from_dict(
        {"streams": ("orders",), "work_ms": np.int64(2), "from_s": 1}
    )
    source = Source.from_dict(
        {
            "stream": "orders",
            "arrivals": Poisson(10),
            "value_bytes": np.int16(7),
            "tombstones": np.float32(0.5),
        }
    )

    assert type(subscriber.work_ms) is float
    assert type(subscriber.from_s) is float
    assert type(source.value_bytes) is int
    assert type(source.tombstones) is float
    assert subscriber == Subscriber(["orders"], work_ms=2.0, from_s=1.0)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
    ],
    ids=str,
)
def test_the_start_is_kept_in_utc(said: str, kept: str) -> None:
    assert Traffic({"web": WEB}, {}, start_time=said).start_time == kept


@pytest.mark.parametrize(
    "wrong",
    ["2026-01-01T00:00:00", "soon", 5, "0001-01-01T00:00:00+05:00"],
    ids=str,
)
def test_a_start_without_offset_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match="a time with its offset"):
        Traffic({"web": WEB}, {}, start_time=wrong)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"stream": ""}, "stream"),
        ({"stream": "a/b"}, "stream"),
        ({"tombstones": 1.5}, "tombstones"),
        ({"value_bytes": -1}, "value_bytes"),
        ({"value_bytes": 2**31}, "value_bytes"),
        ({"value_bytes": True}, "value_bytes"),
        ({"arrivals": 5}, "arrivals"),
        ({"keys": None}, "keys"),
        ({"keys": {"kind": "uniform_keys", "count": 0}}, "keys.count"),
    ],
    ids=str,
)
def test_a_wrong_field_of_a_source_is_named(
    fields: dict[str, object], path: str
) -> None:
    said = {"stream": "orders", "arrivals": Poisson(1), **fields}
    with pytest.raises(ValidationError) as caught:
        Source.from_dict(said)

    assert caught.value.path == path


@pytest.mark.parametrize(
    ("streams", "path"),
    [("orders", "streams"), ([], "streams"), (["a", "b", "a"], "streams.2")],
    ids=str,
)
def test_a_subscriber_wants_some_streams_once_each(streams: object, path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Subscriber(streams)  # type: ignore[arg-type]

    assert caught.value.path == path


def test_variants_are_read_from_their_tables() -> None:
    source = Source.from_dict(
        {
            "stream": "orders",
            "arrivals": {"kind": "poisson", "rate_per_s": 5},
            "keys": {"kind": "uniform_keys", "count": 3},
            "value_bytes": {"kind": "exponential", "mean": 90},
        }
    )

    assert source == Source(
        "orders", Poisson(5), UniformKeys(3), value_bytes=Exponential(90)
    )

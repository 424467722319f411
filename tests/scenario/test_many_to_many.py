"""Many sources, many subscribers, and a share of their pairs."""

from typing import Any

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.many_to_many import many_to_many, mesh


@pytest.mark.parametrize(
    ("sources", "subscribers", "density"),
    [(4, 4, 1.0), (4, 4, 0.5), (3, 7, 0.5), (7, 3, 1 / 3), (1, 5, 1.0), (5, 2, 0.7)],
)
def test_so_many_pairs_are_wanted_and_nobody_is_left_alone(
    sources: int, subscribers: int, density: float
) -> None:
    traffic = many_to_many(sources, subscribers, density)
    pairs = [
        (stream, name)
        for name, each in traffic.subscribers.items()
        for stream in each.streams
    ]

    assert len(pairs) == len(set(pairs))
    assert len(pairs) == int(density * sources * subscribers + 0.5)
    streams = {source.stream for source in traffic.sources.values()}
    assert len(streams) == sources
    assert {stream for stream, _ in pairs} == streams
    assert len(traffic.subscribers) == subscribers
    # Evenly: nobody has two more than another.
    counts = [len(each.streams) for each in traffic.subscribers.values()]
    assert max(counts) - min(counts) <= 1


def test_in_a_mesh_everybody_reads_everybody_else() -> None:
    traffic = mesh(3)

    assert list(traffic.sources) == list(traffic.subscribers)
    assert traffic.subscribers["system-1"].streams == ("stream-2", "stream-3")


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((4, 5, 0.2), r"^density: 0\.2 .* from 0\.25 to 1"),
        ((4, 5, "1"), r"^density: '1' .* expected a number"),
        ((0, 5), "^sources: 0 .* expected a whole number ≥ 1"),
        ((2.5, 5), "^sources: 2.5"),
        ((4, True), "^subscribers: True"),
    ],
)
def test_numbers_that_make_no_traffic_are_refused(
    numbers: tuple[Any, ...], told: str
) -> None:
    with pytest.raises(ValidationError, match=told):
        many_to_many(*numbers)


@pytest.mark.parametrize("systems", [1, 2.5, "4"])
def test_a_mesh_has_two_systems_or_more(systems: Any) -> None:  # noqa: ANN401 - wrong ones
    with pytest.raises(ValidationError, match=r"^systems: .* ≥ 2"):
        mesh(systems)

"""Many sources, many subscribers, and a share of their pairs."""

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


def test_numbers_that_make_no_traffic_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"from 0\.25 to 1"):
        many_to_many(4, 5, 0.2)
    with pytest.raises(ValidationError, match="sources"):
        many_to_many(0, 5)
    with pytest.raises(ValidationError, match="at least 2"):
        mesh(1)

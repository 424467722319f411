"""Links as a graph."""

from kafkasim.analysis.wiring import topology
from kafkasim.testing.builders import small_result


def test_links_become_edges_and_pairs_are_summed() -> None:
    graph = topology(
        small_result(
            links=[
                {
                    "sender": "source:web",
                    "receiver": "broker:1",
                    "request_count": 2,
                    "moved_bytes": 300,
                },
                {
                    "sender": "source:web",
                    "receiver": "broker:1",
                    "request_count": 1,
                    "moved_bytes": 100,
                },
                {
                    "sender": "broker:1",
                    "receiver": "member:billing/2",
                    "request_count": 4,
                    "moved_bytes": 900,
                },
                {"sender": "probe", "receiver": "broker:1", "moved_bytes": 0},
            ]
        )
    )
    assert dict(graph.nodes(data="kind")) == {
        "broker:1": "broker",
        "member:billing/2": "member",
        "probe": "other",
        "source:web": "source",
    }
    assert graph.nodes["member:billing/2"]["group"] == "billing"
    assert graph.edges["source:web", "broker:1"] == {
        "connection_count": 2,
        "request_count": 3,
        "moved_bytes": 400,
    }
    assert graph.number_of_edges() == 3
    assert "seed 0" in graph.graph["scenario"]

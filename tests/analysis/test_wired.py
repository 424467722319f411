"""Links read as systems."""

from kafkasim.analysis.wired import HUB, Node, node_of, system_of, wired
from kafkasim.testing.builders import small_result


def test_processes_of_one_application_are_one_system() -> None:
    assert node_of("source:web/2") == node_of("source:web") == Node("source", "web")
    assert node_of("member:billing/3") == node_of("subscriber:billing")
    assert node_of("probe") == Node("probe", "")
    assert system_of(node_of("broker:3")) == system_of(node_of("node:1")) == HUB


def test_a_pair_without_a_request_did_not_talk() -> None:
    link = {"sender": "source:web", "receiver": "broker:1", "connection_count": 1}
    silent = wired(small_result(links=[link | {"request_count": 0, "moved_bytes": 0}]))

    assert silent.links() == set()
    assert wired(small_result(links=[link | {"request_count": 1}])).links() == {
        (HUB, Node("source", "web"))
    }

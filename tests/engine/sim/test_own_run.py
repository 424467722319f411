"""The page that builds a system of one's own, cell by cell, and what its base does."""

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import kafkasim as ks
from kafkasim.errors import KafkasimError, ValidationError
from kafkasim.scenario import own_systems
from kafkasim.scenario.applicability import NOT_APPLICABLE

PAGE = Path(__file__).parents[3] / "docs" / "guides" / "your-own-system.md"


@pytest.fixture(scope="module")
def page() -> Iterator[dict[str, Any]]:
    """Return the names that the cells of the page make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_systems, "_BY_KIND", {})
        yield _names()


def _names() -> dict[str, Any]:
    text = PAGE.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for cell in re.findall(r"```\{code-cell\}\n(.*?)```", text, re.DOTALL):
        exec(compile(cell, str(PAGE), "exec"), names)
    return names


def ran(
    page: dict[str, Any], *events: ks.Pause | ks.Slow, traffic: ks.Traffic | None = None
) -> ks.Result:
    system = page["FileDrop"](poll_ms=100)
    scenario = ks.Scenario(traffic or page["traffic"], system, seed=7, events=events)
    return ks.run(scenario, check=True)


def test_the_page_compares_the_file_drop_with_the_others(page: dict[str, Any]) -> None:
    table = page["table"].set_index(["system", "subscriber"])

    late = table.loc["file drop", "audit"]
    assert late.pending == 0
    median = table.latency_ms_p50[:, "billing"]
    # Uniform from the work on one to that and the time between two looks.
    assert 0.9 < median["file drop"] / (250 / 2 + 2) < 1.1
    assert median["point to point"] < median["Kafka"] < median["file drop"]


def test_everybody_gets_every_record_once(page: dict[str, Any]) -> None:
    result = ran(page)

    assert set(ks.receipts(result).outcome) == {"once"}
    assert set(result.records.log_copies) == {1}
    assert set(result.deliveries.delivery_count) == {1}
    work_ms = result.deliveries.ended_ms - result.deliveries.started_ms
    mine = result.deliveries.subscriber == "billing"
    assert work_ms[mine].round(6).unique().tolist() == [2.0]


def test_a_pause_is_done_and_what_it_does_not_know_is_not_applicable(
    page: dict[str, Any],
) -> None:
    pause = ks.Pause("subscriber:billing", at_s=2, for_s=3)
    slow = ks.Slow("subscriber:billing", at_s=6, for_s=1)
    result = ran(page, pause, slow)

    effects = result.events.set_index("event").effect
    assert effects["Pause"] == "it takes no file until the pause is over"
    assert effects["Slow"] == NOT_APPLICABLE
    begun = result.deliveries.query("subscriber == 'billing'").started_ms
    assert not begun.between(2_000.1, 4_999.9).any()
    assert set(ks.receipts(result).outcome) == {"once"}


def test_a_run_waits_for_a_latecomer_who_wants_what_was_before(
    page: dict[str, Any],
) -> None:
    subscribers = {
        "audit": ks.Subscriber(["orders"], from_s=4, wants="all"),
        "board": ks.Subscriber(["orders"], from_s=4),
    }
    web = ks.Source("orders", ks.Periodic(10))
    result = ran(page, traffic=ks.Traffic({"web": web}, subscribers, duration_s=2))

    assert result.deliveries.subscriber.tolist() == ["audit"] * 20


def test_a_cut_run_leaves_work_in_flight(page: dict[str, Any]) -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(10))},
        {"billing": ks.Subscriber(["orders"], work_ms=10_000)},
        duration_s=2,
    )
    scenario = ks.Scenario(traffic, page["FileDrop"](), end="cut")
    result = ks.run(scenario)

    assert result.deliveries.outcome.tolist() == ["in_flight"]
    assert ks.summary(result).pending.tolist() == [20]


def test_a_closed_loop_is_refused(page: dict[str, Any]) -> None:
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.ClosedLoop(1))}, {}, duration_s=1
    )
    with pytest.raises(ValidationError, match=r"sources\.web\.arrivals.*no closed"):
        ran(page, traffic=traffic)


def test_a_streamed_run_counts_the_same(page: dict[str, Any]) -> None:
    scenario = ks.Scenario(page["traffic"], page["FileDrop"]())
    full, streamed = ks.run(scenario), ks.run(scenario, result="streamed")

    columns = ["records", "throughput_per_s", "overtaken_share", "pending"]
    assert ks.summary(full)[columns].equals(ks.summary(streamed)[columns])


def slips(run: ks.OwnRun, record: Any) -> dict[str, Callable[[], object]]:  # noqa: ANN401
    """Return what ends a record or a hand-out of it wrongly, by what is said of it."""
    hand_out = run.hand_out(record, run.subscribers[0])
    run.close(hand_out, "processed")
    run.acknowledge(record)
    return {
        r"^at 100 ms: record 1 of web is acknowledged already": lambda: run.acknowledge(
            record
        ),
        r"record 1 of web is acknowledged already": lambda: run.fail(record, "lost"),
        r"a hand-out of record 1 is over": lambda: run.close(hand_out, "abandoned"),
        r"^outcome: 'done' .* processed": lambda: run.close(hand_out, "done"),
        r"^error: '' ": lambda: run.fail(record, ""),
    }


@pytest.mark.parametrize("number", range(5))
def test_what_would_end_a_run_too_early_is_refused(
    page: dict[str, Any], number: int
) -> None:
    told = ""

    class Slips(ks.OwnRun):
        def start(self) -> None:
            self.process(self.slip())

        def slip(self) -> Generator[Any, Any, Any]:
            nonlocal told
            record = self.sources[0].records[1]
            yield self.wait_until(record.intended_ns)
            told, act = list(slips(self, record).items())[number]
            act()

    web = ks.Source("orders", ks.Periodic(10))
    traffic = ks.Traffic({"web": web}, {"a": ks.Subscriber(["orders"])}, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page["FileDrop"], "run_class", Slips)
        with pytest.raises(KafkasimError) as found:
            ran(page, traffic=traffic)
    assert re.search(told, str(found.value))

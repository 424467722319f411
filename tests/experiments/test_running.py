from kafkasim.experiments.running import run
from kafkasim.scenario.scenario import Scenario


def test_a_run_is_the_same_with_its_plan_drawn_before(scenario: Scenario) -> None:
    assert run(scenario, plan=scenario.plan()) == run(scenario)


def test_a_checked_run_is_the_same_and_breaks_nothing(scenario: Scenario) -> None:
    checked, plain = run(scenario, check=True), run(scenario)
    assert checked.violations.empty
    assert checked.columns("deliveries") == plain.columns("deliveries")
    assert checked.columns("requests") == plain.columns("requests")

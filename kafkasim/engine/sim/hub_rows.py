"""A run of a Kafka cluster whose hub was befallen: its rows name the hub again."""

import numpy as np

from kafkasim.ids import HUB
from kafkasim.result.result import Result
from kafkasim.result.table import Table
from kafkasim.scenario.applicability import befell
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import ns_from_s


def told_of_hub(done: Result, scenario: Scenario) -> Result:
    """Return a result whose events at the hub are one row each, as its scenario says.

    Parameters
    ----------
    done : Result
        Of a run in which each of the brokers had its event
        (`kafkasim.scenario.hub_events`); the same if there is no event at the hub.
    scenario : Scenario
        What was to run.
    """
    at_hub = [event for event in scenario.events if event.target == HUB]
    if not at_hub:
        return done
    events = done.columns("events")
    targets = (*events.labels["target"], HUB)
    effects = [*events.labels["effect"]]
    columns = {name: events[name].copy() for name in events.columns}
    keep = np.ones(len(events), dtype=np.bool_)
    for event in at_hub:
        mine = events["at_ns"] == ns_from_s(event.at_s)
        name = events.labels["event"].index(type(event).__name__)
        mine &= events["event"] == name
        mine &= np.array([t.startswith("broker:") for t in targets])[events["target"]]
        rows = np.flatnonzero(mine)
        if len(rows):
            effect = effects[events["effect"][rows[0]]]
            if befell(effect):
                effect = f"each broker: {effect}"
            if effect not in effects:
                effects.append(effect)
            columns["target"][rows[0]] = len(targets) - 1
            columns["effect"][rows[0]] = effects.index(effect)
            keep[rows[1:]] = False
    labels = dict(events.labels) | {"target": targets, "effect": tuple(effects)}
    rows_kept = {name: column[keep] for name, column in columns.items()}
    tables = {name: done.columns(name) for name in done.tables}
    tables["events"] = Table("events", rows_kept, labels)
    return Result(
        scenario=scenario,
        plan=done.plan,
        facts=done.facts,
        digests=done.digests,
        tables=tables,
        not_recorded=done.not_recorded,
    )

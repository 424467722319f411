"""Which broker's log readers saw, on tables written by hand."""

from kafkasim.result.leaders import NEVER, leaders_of, met_by_readers
from kafkasim.result.removals import passed_or_gone
from kafkasim.result.result import Result
from kafkasim.result.wants import Want
from kafkasim.testing.builders import Row, small_result

MS = 1_000_000


def leads(broker: int, at_ms: int, epoch: int, partition: int = 0) -> Row:
    row = {"topic": "orders", "partition": partition, "broker": broker}
    return row | {
        "role": "leader",
        "leader_epoch": epoch,
        "at_ms": at_ms,
        "cause": "elected",
    }


def removal(broker: int, first: int, end: int, at_ms: int, partition: int = 0) -> Row:
    row = {"topic": "orders", "partition": partition, "broker": broker}
    offsets = {"from_offset": first, "to_offset": end}
    return row | offsets | {"at_ms": at_ms, "cause": "compaction"}


def made(removals: list[Row], replicas: list[Row], records: int = 3) -> Result:
    rows: list[Row] = [
        {
            "stream": "orders",
            "intended_ms": number,
            "appended_ms": number + 1,
            "partition": 0,
            "offset": number,
        }
        for number in range(records)
    ]
    return small_result(rows, removals=removals, replicas=replicas)


def met_ms(result: Result) -> list[int | None]:
    tables = {name: result.columns(name) for name in result.tables}
    found = met_by_readers(result.columns("removals"), leaders_of(tables))
    return [None if at == NEVER else at // MS for at in found.tolist()]


def test_with_one_leader_for_good_readers_meet_a_removal_at_once() -> None:
    assert leaders_of({}) is None
    assert met_ms(made([removal(1, 0, 2, 20)], [])) == [20]


def test_a_followers_removal_is_met_when_it_leads() -> None:
    removals = [removal(1, 0, 2, 20), removal(2, 0, 2, 30), removal(3, 0, 2, 40)]
    replicas = [leads(1, 0, 0), leads(2, 50, 1), leads(1, 70, 2)]

    assert met_ms(made(removals, replicas)) == [20, 50, None]


def test_a_former_leaders_removal_is_met_when_it_leads_again() -> None:
    replicas = [leads(1, 0, 0), leads(2, 50, 1), leads(1, 70, 2)]

    assert met_ms(made([removal(1, 0, 2, 60), removal(1, 0, 2, 70)], replicas)) == [
        70, 70,
    ]  # fmt: skip


def test_a_removal_at_the_time_of_the_election_is_no_more_the_old_leaders() -> None:
    replicas = [leads(1, 0, 0), leads(2, 50, 1)]

    assert met_ms(made([removal(1, 0, 2, 50), removal(1, 0, 2, 49)], replicas)) == [
        None, 49,
    ]  # fmt: skip


def test_each_partition_has_its_own_leaders() -> None:
    replicas = [leads(1, 0, 0), leads(2, 0, 0, partition=1)]
    removals = [removal(1, 0, 2, 10, partition=1), removal(2, 0, 2, 20, partition=1)]

    assert met_ms(made(removals, replicas)) == [None, 20]


def test_of_several_removals_the_one_counts_that_readers_met_first() -> None:
    removals = [
        removal(1, 0, 2, 20),
        removal(2, 0, 3, 10),  # met at 50
        removal(1, 2, 3, 60),  # another one leads then
    ]
    result = made(removals, [leads(1, 0, 0), leads(2, 50, 1)])
    tables = {name: result.columns(name) for name in result.tables}
    want = Want("billing", ("orders",), 0, "new")

    at_ns, expired = passed_or_gone(want, tables, tables["records"]["offset"])

    assert [at // MS for at in at_ns.tolist()] == [20, 20, 50]
    assert expired.all()

"""Which of a record and its repetitions stands for them."""

import numpy as np

from kafkasim.result.schema import OUTCOMES, TABLES
from kafkasim.result.sent_again import roots_of, standing_for
from kafkasim.result.table import Table

OUTCOME = OUTCOMES["records"]


def records(
    resend_of: list[int], outcomes: list[str], copies: list[int] | None = None
) -> Table:
    columns = {
        column.name: np.zeros(len(resend_of), column.dtype)
        for column in TABLES["records"]
    }
    columns["resend_of"] = np.array(resend_of, np.int64)
    codes = [OUTCOME.index(outcome) for outcome in outcomes]
    columns["outcome"] = np.array(codes, np.int8)
    columns["log_copies"] = np.array(copies or [0] * len(resend_of), np.int16)
    names = ("source", "stream", "key", "entity", "error", "caused_by", "topic")
    return Table("records", columns, dict.fromkeys(names, ("a",)))


def stands(table: Table, handed: list[int], ended: list[int]) -> list[int]:
    found = standing_for(
        table,
        np.array(handed, np.int64),
        np.array(ended, np.int64),
        np.ones(len(handed), np.bool_),
    )
    assert found is not None
    return [int(row) for row in found]


def test_a_repetition_of_a_repetition_leads_to_the_record_that_was_wanted() -> None:
    table = records([-1, -1, 1, 2, 0], ["failed"] * 5)

    assert roots_of(table).tolist() == [0, 1, 1, 1, 0]


def test_where_nothing_was_sent_again_nothing_stands_for_anything() -> None:
    nobody = np.zeros(0, np.int64)

    assert standing_for(records([-1], ["acked"]), nobody, nobody, nobody > 0) is None


def test_the_one_processed_first_stands_for_all() -> None:
    table = records(
        [-1, -1, 0, 2], ["failed", "acked", "failed", "acked"], [1, 1, 1, 1]
    )

    assert stands(table, [3, 2, 0, 1], [30, 20, 40, 50])[:2] == [2, 1]


def test_unread_one_that_a_log_holds_stands_for_one_that_none_holds() -> None:
    table = records([-1, 0, 1], ["failed", "failed", "acked"], [0, 1, 0])

    assert stands(table, [], [])[0] == 1


def test_one_that_may_still_come_stands_for_one_that_was_given_up() -> None:
    table = records([-1, 0], ["failed", "in_flight"])

    assert stands(table, [], [])[0] == 1


def test_of_equals_the_first_stands_for_all() -> None:
    table = records([-1, 0, 1], ["failed"] * 3)

    assert stands(table, [], [])[0] == 0

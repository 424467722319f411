"""Why a group changes its state, in words: of both protocols' tables, and of runs."""

from kafkasim.experiments.transitions import transitions
from kafkasim.languages import language
from kafkasim.plot.cause_words import CAUSES, cause_words
from kafkasim.protocol.groups.coordinator.classic_group import Cause


def test_every_cause_of_both_tables_is_known() -> None:
    tables = [transitions(protocol)["why"] for protocol in ("classic", "consumer")]
    consumer = set(tables[1])
    assert {str(each) for each in Cause} | consumer <= CAUSES
    assert all(set(why.split(", ")) <= CAUSES for why in tables[0])


def test_several_causes_are_said_one_by_one_and_others_stay() -> None:
    language("ko")
    try:
        assert cause_words("member joined, session expired") == "멤버 참여, 세션 만료"
        assert cause_words("a target was computed, and all have it already") == (
            "목표 계산됨, 모두 이미 충족"
        )
        assert cause_words("the moon was full") == "the moon was full"
    finally:
        language("en")

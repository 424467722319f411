from collections.abc import Iterator
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from kafkasim import plot
from kafkasim.languages import language
from kafkasim.lessons import Revealed, reveal
from kafkasim.testing import builders

FLIGHTS = "of the 16 partitions get a flight"


class Outline(HTMLParser):
    """The elements of a reveal, and the text of its summary."""

    def __init__(self, reveal: Revealed) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open = False
        self.summary = ""
        self.alt: list[str | None] = []
        self.feed(reveal._repr_html_())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open = self.open or (tag == "details" and "open" in dict(attrs))
        self.alt += [dict(attrs).get("alt")] if tag == "img" else []

    def handle_data(self, data: str) -> None:
        self.summary += data if self.tags[-1] == "summary" else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "summary":
            self.tags.append(f"/{tag}")


def test_without_a_prediction_it_is_closed_and_its_summary_tells_nothing() -> None:
    shown = reveal(None, 9, FLIGHTS)

    outline = Outline(shown)
    assert shown.right is None
    assert not outline.open
    assert outline.summary == "No prediction made. Open to see."
    assert outline.tags == ["details", "summary", "/summary", "p"]
    assert "<p>9 of the 16 partitions get a flight.</p>" in shown._repr_html_()
    assert repr(shown) == f"No prediction made. 9 {FLIGHTS}."


def test_with_a_prediction_it_is_open_and_says_both() -> None:
    shown = reveal(8, 9, FLIGHTS)

    outline = Outline(shown)
    assert shown.right is False
    assert outline.open
    assert outline.summary == "You said 8. It is 9: 1 more."
    assert repr(shown) == f"You said 8. It is 9: 1 more. 9 {FLIGHTS}."


@pytest.mark.parametrize(
    ("guess", "answer", "right", "verdict"),
    [
        (9, 9, True, "You said 9. That is right."),
        (9.0, np.int64(9), True, "You said 9. That is right."),
        (" 9 ", 9, True, "You said 9. That is right."),
        ("336,776", 336_776, True, "You said 336,776. That is right."),
        (np.float64(8.5), 9, False, "You said 8.5. It is 9: 0.5 more."),
        (12, 9, False, "You said 12. It is 9: 3 less."),
        (3, 9, False, "You said 3. It is 9: 6 more."),
        (3, 9.5, False, "You said 3. It is 9.5: 3.17 times as much."),
        (90, 9.0, False, "You said 90. It is 9: 0.1 times as much."),
        (0, 9.5, False, "You said 0. It is 9.5: 9.5 more."),
        (0, 9, False, "You said 0. It is 9: 9 more."),
        (2, 0, False, "You said 2. It is 0: 2 less."),
        (0, 0.0, True, "You said 0. That is right."),
        (200, 213.4, True, "You said 200. It is 213: right within 10 %."),
        (190, 213.4, False, "You said 190. It is 213: 23.4 more."),
        (1, float("nan"), False, "You said 1. There is nothing to measure."),
        (1, float("inf"), False, "You said 1. There is nothing to measure."),
        (10**30, 9, False, "You said 1.00e+30. It is 9: 1.00e+30 less."),
        ("1,000.5", 1000.5, True, "You said 1,000. That is right."),
    ],
)
def test_a_number_is_right_or_told_how_far_off_it_is(
    guess: object,
    answer: float,
    right: bool,  # noqa: FBT001 - a case of the test
    verdict: str,
) -> None:
    shown = reveal(guess, answer, "x")

    assert (shown.right, shown.verdict) == (right, verdict)


def test_the_share_that_counts_as_right_can_be_set_and_is_said() -> None:
    assert reveal(8, 10, "x", within=0.2).verdict == (
        "You said 8. It is 10: right within 20 %."
    )
    assert reveal(7, 10, "x", within=0.2).right is False
    assert reveal(213, 213.4, "x", within=0).right is False


def test_a_unit_stands_behind_the_numbers() -> None:
    shown = reveal(100, 213.4, "is the 99th percentile.", unit="ms")

    assert repr(shown) == (
        "You said 100 ms. It is 213 ms: 2.13 times as much. "
        "213 ms is the 99th percentile."
    )


def test_a_word_is_compared_without_case_and_space() -> None:
    choices = ("carrier", "tail", "none")

    right = reveal(" Tail ", "tail", "keeps the order", choices=choices)
    wrong = reveal("carrier", "tail", "keeps the order", choices=choices)

    assert (right.right, right.verdict) == (True, "You said tail. That is right.")
    assert repr(wrong) == "You said carrier. It is tail. Tail keeps the order."


@pytest.mark.parametrize(
    ("guess", "answer", "right", "said"),
    [
        ("yes", True, True, "yes"),
        ("No", np.bool_(False), True, "no"),  # noqa: FBT003 - NumPy's own
        (False, True, False, "no"),
    ],
)
def test_yes_and_no_stand_for_a_switch(
    guess: object,
    answer: object,
    right: bool,  # noqa: FBT001 - a case of the test
    said: str,
) -> None:
    shown = reveal(guess, answer, "it moves")

    assert shown.right is right
    assert shown.verdict.startswith(f"You said {said}. ")
    assert shown.sentence == ("Yes: it moves." if answer else "No: it moves.")


def test_a_sequence_is_compared_place_by_place() -> None:
    answer = pd.Series([0, 3, 1])

    assert reveal([0, 3, 1], answer, "is the order").right is True
    assert repr(reveal((0, 1, 3), answer, "is the order")) == (
        "You said 0, 1, 3. It is 0, 3, 1. 0, 3, 1 is the order."
    )
    assert reveal(["A", "b"], ["a", "B"], "x").right is True


@pytest.mark.parametrize(
    ("guess", "answer", "wanted"),
    [
        ("eight", 9, "'eight'. Wanted is a whole number."),
        ("8,5", 9.5, "'8,5'. Wanted is a number."),
        (True, 9, "True. Wanted is a whole number."),
        (float("inf"), 0.5, "inf. Wanted is a number."),
        (10**400, 9, "Wanted is a whole number."),
        (..., 9, "of type ellipsis. Wanted is a whole number."),
        (8, "tail", "8. Wanted is a word."),
        ("  ", "tail", "'  '. Wanted is a word."),
        ("maybe", True, '\'maybe\'. Wanted is "yes" or "no".'),
        (1, True, '1. Wanted is "yes" or "no".'),
        ([1, 2], [1, 2, 3], "[1, 2]. Wanted is a list of 3, such as [1, 2, …]."),
        ([1, "x"], [1, 2], "Wanted is a list of 2"),
        ({1: 2}, 9, "of type dict. Wanted is a whole number."),
        (pd.DataFrame, "tail", "of type type. Wanted is a word."),
    ],
)
def test_a_guess_of_another_kind_is_none_and_says_what_is_wanted(
    guess: object, answer: object, wanted: str
) -> None:
    shown = reveal(guess, answer, "x")

    outline = Outline(shown)
    assert shown.right is None
    assert shown.verdict.startswith("No prediction that can be read: ")
    assert wanted in shown.verdict
    assert not outline.open
    assert outline.summary == f"{shown.verdict} Open to see."


def test_a_list_that_holds_itself_is_a_guess_that_cannot_be_read() -> None:
    guess: list[object] = []
    guess.append(guess)

    assert reveal(guess, 9, "x").right is None


def test_a_word_that_is_no_choice_is_told_the_choices() -> None:
    shown = reveal("airport", "tail", "x", choices=["carrier", "tail"])

    assert shown.verdict.endswith('\'airport\'. Wanted is one of "carrier" and "tail".')


def test_what_a_learner_typed_is_text_and_not_html() -> None:
    html = reveal("<b>", "a & b", "< c")._repr_html_()

    assert "<b>" not in html
    assert "You said &lt;b&gt;. It is a &amp; b." in html
    assert "<p>A &amp; b &lt; c.</p>" in html


def test_the_figure_stands_inside_with_its_alternative_text() -> None:
    axes = plot.lag(builders.small_result())

    shown = reveal(None, 9, FLIGHTS, figure=axes)

    assert shown.figure is axes
    assert Outline(shown).alt == [plot.alt_text(axes)]
    assert shown._repr_html_() == reveal(None, 9, FLIGHTS, figure=axes)._repr_html_()


def test_a_table_may_stand_in_the_place_of_a_figure() -> None:
    table = pd.DataFrame({"partition": [7]})

    assert "table" in Outline(reveal(8, 9, FLIGHTS, figure=table)).tags


def test_an_answer_or_a_figure_that_cannot_be_shown_is_the_authors_mistake() -> None:
    with pytest.raises(TypeError, match="answer: DataFrame is not a number, a word"):
        reveal(None, pd.DataFrame(), "x")
    with pytest.raises(TypeError, match="answer: bytes"):
        reveal(None, b"tail", "x")
    with pytest.raises(TypeError, match="figure: int has no HTML face"):
        reveal(None, 9, "x", figure=8)


@pytest.fixture
def korean() -> Iterator[None]:
    language("ko")
    yield
    language("en")


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize(
    ("guess", "answer", "said"),
    [
        (None, 9, "예측을 하지 않았습니다."),
        (8, 9, "예측: 8. 답: 9. 예측보다 1 많음."),
        (9, 9, "예측: 9. 맞습니다."),
        (4.0, 42.0, "예측: 4. 답: 42. 예측의 10.5배."),
        (41.0, 42.0, "예측: 41. 답: 42. 오차 10 % 안에서 맞습니다."),
        ("예", True, "예측: 예. 맞습니다."),
        ("yes", False, "예측: 예. 답: 아니요."),
        ("maybe", 9, "읽을 수 없는 예측입니다: 'maybe'. 정수를 쓰세요."),
    ],
)
def test_in_another_language_the_numbers_and_what_is_right_stay(
    guess: object, answer: object, said: str
) -> None:
    shown = reveal(guess, answer, "of the 12 rows differ")

    assert shown.verdict == said
    assert "12개 행 가운데 다른 행의 수" in shown.sentence
    language("en")
    in_english = "yes" if guess == "예" else guess
    assert reveal(in_english, answer, "of the 12 rows differ").right is shown.right


@pytest.mark.usefixtures("korean")
def test_a_sentence_that_the_catalogue_does_not_hold_stays_as_it_is() -> None:
    assert reveal(None, "tail", "keeps {order}").sentence == "keeps {order}: tail."


def test_values_stand_in_the_places_of_a_sentence() -> None:
    at = {"at_8": 12.34, "at_16": 9.0}
    shown = reveal(
        None, answer=True, text="drain {at_8:.1f} s, {at_16:.1f} s", values=at
    )

    assert shown.sentence == "Yes: drain 12.3 s, 9.0 s."


@pytest.mark.usefixtures("korean")
def test_values_stand_in_the_places_of_a_translated_sentence() -> None:
    text = "names the second segment: {base:020}.log"
    shown = reveal(None, 512, text, values={"base": 512})

    assert shown.sentence == (
        "둘째 세그먼트의 로그 파일 00000000000000000512.log, "
        "그 이름이 되는 기준 오프셋: 512."
    )


@pytest.mark.usefixtures("korean")
def test_a_unit_that_is_a_word_is_translated() -> None:
    shown = reveal(100, 170, "get through", unit="bytes")

    assert shown.verdict == "예측: 100 바이트. 답: 170 바이트. 예측보다 70 많음."
    assert shown.sentence == "처리되는 속도: 170 바이트."


CHOICES = ["stored", "refused", "Kafka"]


@pytest.mark.usefixtures("korean")
@pytest.mark.parametrize("guess", ["stored", "Stored ", "저장됨"])
def test_a_choice_may_be_written_in_either_language(guess: str) -> None:
    shown = reveal(guess, "stored", "takes longest", choices=CHOICES)

    assert shown.right is True
    assert shown.verdict == "예측: stored (저장됨). 맞습니다."
    assert shown.sentence == "가장 오래 걸리는 것: stored (저장됨)."


@pytest.mark.usefixtures("korean")
def test_choices_are_shown_as_they_are_written_and_said() -> None:
    shown = reveal("?", "stored", "takes longest", choices=CHOICES)

    wanted = '다음 중 하나를 쓰세요: "stored" (저장됨), "refused" (거부), "Kafka".'
    assert shown.verdict.endswith(wanted)

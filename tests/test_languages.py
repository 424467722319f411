"""The languages: how one is asked for, and that catalogues hold all of the code."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font

from kafkasim.catalogue import mark, say, say_many
from kafkasim.errors import ValidationError
from kafkasim.languages import DOMAINS, LANGUAGES, PSEUDO, language
from kafkasim.plot.fonts import FILE
from notebooks import build
from tests import words
from tests.words import ROOT, Id, places, strings, texts_of

OTHERS = LANGUAGES[1:]
HANDED = [(code, domain) for code in OTHERS for domain in DOMAINS]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language("en")


@cache
def held(code: str) -> dict[str, Catalog]:
    return words.catalogues(code)


@cache
def in_the_code() -> dict[str, list[Id]]:
    return words.collected()


def said(code: str) -> list[tuple[Id, tuple[str, ...]]]:
    """Return every text of a language with its translations."""
    found = words.translations(held(code))
    return [(each, strings(message)) for each, message in found.items()]


def test_english_is_spoken_until_another_language_is_asked_for() -> None:
    assert language() == "en"
    assert language("ko") == "ko"
    assert language() == "ko"
    assert say(mark("records")) == "레코드"
    assert say(mark("")) == ""
    assert say_many("{n} record", "{n} records", 1.5) == "레코드 1.5개"
    assert say_many("{n} record", "{n} records", float("nan")) == "레코드 nan개"
    assert language("en") == language() == "en"
    assert say(mark("records")) == "records"


@pytest.mark.parametrize("code", ["fr", "", "KO", "ko_KR"])
def test_an_unknown_language_is_named_with_those_there_are(code: str) -> None:
    language("ko")
    with pytest.raises(ValidationError, match=f"^language: .*'{code}'.*'en' .* 'ko'"):
        language(code)
    assert language() == "ko"


def test_no_catalogue_is_read_and_no_locale_asked_before_a_language_is() -> None:
    script = (
        "import sys, kafkasim as ks\n"
        "from kafkasim.catalogue import say, spoken\n"
        "ks.Scenario\n"
        "print(spoken(), say('records'), 'kafkasim.languages' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"LANG": "ko_KR.UTF-8", "LANGUAGE": "ko", "LC_ALL": "ko_KR.UTF-8"},
    )
    assert done.stdout.split() == ["en", "records", "False"]


def test_the_language_of_tests_shows_what_went_around_the_catalogue() -> None:
    language(PSEUDO)
    assert say("about {what}", what="it") == "⟦about ⟨it⟩⟧"
    assert say("about {what}", what=say("records")) == "⟦about ⟨⟦records⟧⟩⟧"
    assert say_many("{n} record", "{n} records", 1) == "⟦1 record⟧"
    with pytest.raises(LookupError, match="no catalogue holds 'about it'"):
        say(mark("about") + " it")
    with pytest.raises(LookupError, match=r"no catalogue holds '\{n\} it'"):
        say_many("{n}" + " it", "{n} its", 1)


def test_texts_are_found_where_they_are_said() -> None:
    module = ROOT / "tests" / "data" / "saying.txt"
    assert set(texts_of(module)) == {
        "a literal that is said",
        "a text of a constant",
        ("{n} in an f-string", "{n} in f-strings"),
        ("{n} of a constant", "{n} of constants"),
    }


@pytest.mark.parametrize("lesson", build.lessons(), ids=lambda path: path.stem)
def test_a_lesson_gives_its_reveals_what_stands_in_their_places(lesson: Path) -> None:
    reveals = list(words.reveals_of(lesson))
    for text, values, _ in reveals:
        said = ast.literal_eval(text)
        assert {name for name, _, _ in places(said)} == values, said
        assert any(each == said for ids in in_the_code().values() for each in ids)
    assert len(reveals) > 5


def test_a_lesson_whose_quiz_is_no_literal_is_refused(tmp_path: Path) -> None:
    lesson = tmp_path / "12-a-lesson.py"
    for wrong in ('f"{x} s"', '"s", unit=x', '"s", choices=["a", x]'):
        lesson.write_text(f"ks.lessons.reveal(guess, 1, {wrong})\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"^12-a-lesson.py: .* is no literal$"):
            list(words.quiz_of(lesson))


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogues_hold_the_texts_of_the_code_each_once(code: str) -> None:
    for domain, catalogue in held(code).items():
        ids = [each for each, _ in words.translations({domain: catalogue}).items()]
        assert ids == in_the_code()[domain], "python3 run.py words"


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_begins_two_pairs_or_a_pair_and_a_text(code: str) -> None:
    for ids in in_the_code().values():
        first = [each if isinstance(each, str) else each[0] for each in ids]
        assert len(first) == len(set(first)), code


@pytest.mark.parametrize("code", OTHERS)
def test_everything_is_translated_and_nothing_is_a_guess(code: str) -> None:
    assert words.untranslated(held(code)) == []
    guessed = [
        message.id
        for catalogue in held(code).values()
        for message in catalogue
        if message.id and message.fuzzy
    ]
    assert guessed == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_places_of_its_text(code: str) -> None:
    wrong = []
    for each, translated in said(code):
        # Where there are two forms, the one for many has every place.
        wanted = places(each if isinstance(each, str) else each[1])
        wrong += [each for text in translated if places(text) != wanted]
    assert wrong == []


@pytest.mark.parametrize(("code", "domain"), HANDED)
def test_what_is_compiled_is_what_is_written(code: str, domain: str) -> None:
    path = words.po(code, domain)
    assert path.read_bytes() == words.as_po(held(code)[domain]), "python3 run.py words"
    compiled = path.with_suffix(".mo").read_bytes()
    assert compiled == words.as_mo(held(code)[domain]), "python3 run.py words"


@pytest.mark.parametrize("code", OTHERS)
def test_the_fonts_of_figures_hold_every_letter(code: str) -> None:
    shipped = FT2Font(str(files("kafkasim.data").joinpath(FILE)))
    latin = FT2Font(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf")
    drawn = {*map(chr, shipped.get_charmap()), *map(chr, latin.get_charmap()), "\n"}
    letters = {letter for _, texts in said(code) for text in texts for letter in text}
    assert letters - drawn == set()


@pytest.mark.parametrize("code", OTHERS)
def test_no_translation_leaves_a_choice_of_particles_to_the_reader(code: str) -> None:
    choices = ["이(가)", "은(는)", "을(를)", "와(과)", "(으)로"]
    texts = [text for _, translated in said(code) for text in translated]
    assert [text for text in texts for each in choices if each in text] == []

"""A prediction and what came out: `reveal` shows both, and the figure that explains.

In a notebook a reveal is a `<details>`: closed while no prediction is made, so that
nobody reads the answer first, and open when there is one. It needs no script and no
kernel, the keyboard opens it, and a screen reader announces it. A guess that cannot be
read counts as none, and the reveal says what is wanted: Run All goes on.
"""

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import Final

from kafkasim.catalogue import mark, say, spoken
from kafkasim.plot.words import amount, listed

NEAR: Final = 0.1
"""Share of a measured answer by which a guess may be off and still count as right."""

_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
"""A comma between groups of three digits; another is no number's in these lessons."""

YES: Final = mark("yes")
NO: Final = mark("no")

_LONG: Final = 10**15
"""From here on a number is written with a power of ten."""

Answer = bool | int | float | str | tuple["Answer", ...]


@dataclass(frozen=True, slots=True)
class Revealed:
    """A prediction beside its answer; the last line of a cell shows it."""

    guess: object
    """The prediction as it was made; None without one."""
    answer: Answer
    """What came out, as Python's own number, text or tuple."""
    right: bool | None
    """Whether the guess was right; None without one, or with one that is unreadable."""
    verdict: str
    """What is said of the guess, such as ``You said 8. It is 9: 1 more.``"""
    sentence: str
    """The answer as a sentence."""
    figure: object | None = None
    """Axes, a table, or anything else with an HTML face; None without."""

    def __repr__(self) -> str:
        return f"{self.verdict} {self.sentence}"

    def _repr_html_(self) -> str:
        made = self.right is not None
        summary = self.verdict if made else f"{self.verdict} {say('Open to see.')}"
        picture = "" if self.figure is None else _html_of(self.figure)
        return (
            f"<details{' open' * made}><summary>{escape(summary)}</summary>"
            f"<p>{escape(self.sentence)}</p>{picture}</details>"
        )


def reveal(
    guess: object,
    answer: object,
    text: str,
    *,
    values: Mapping[str, object] | None = None,
    unit: str = "",
    within: float | None = None,
    choices: Iterable[str] = (),
    figure: object | None = None,
) -> Revealed:
    """Compare a prediction with what came out.

    Parameters
    ----------
    guess : object
        The prediction; None when none was made. A number may be written as text, case
        and spaces around a word do not count, and yes and no stand for True and False.
    answer : number, str, bool, or a sequence of these
        What came out; NumPy's scalars and arrays are welcome.
    text : str
        What follows the answer to make a sentence of it: ``"of the 16 partitions get a
        flight"``. In another language (`kafkasim.language`) it is translated if its
        catalogue has it, as it has what the lessons say; in Korean it stands before
        the answer, with a colon.
    values : mapping of str to object, optional
        What stands in the places of the text: ``{"at_8": 12.3}`` for
        ``"drain {at_8:.1f} s with 8 partitions"``.
    unit : str, optional
        Unit of a number, such as ``"ms"``; translated as the text is.
    within : float, optional
        Share of the answer by which a number may be off and count as right. Without
        it a whole number must be met, and a measured one within a tenth.
    choices : iterable of str, optional
        The words that may be guessed. Where another language has its own, it stands
        beside the word, and may be guessed as well.
    figure : object, optional
        What explains the answer: axes of `plot`, a table of `analysis`.

    Returns
    -------
    Revealed
        Shows itself in a notebook. Its `right` is True, False or None.

    Raises
    ------
    TypeError
        When the answer or the figure is not of a kind that can be shown. No guess
        raises.

    Examples
    --------
    >>> reveal(8, 9, "of the 16 partitions get a flight")
    You said 8. It is 9: 1 more. 9 of the 16 partitions get a flight.
    >>> reveal(None, "tail", "keeps each aircraft's order").right is None
    True
    """
    if figure is not None:
        _html_face(figure)
    known, allowed = _plain(answer), tuple(choices)
    words = {each: _beside(each, each) for each in allowed}
    what = say(text.strip().rstrip("."), **(values or {}))
    sentence = _sentence(known, _shown(known, unit, words), what)
    if guess is None:
        verdict = say("No prediction made.")
        return Revealed(None, known, None, verdict, sentence, figure)
    read = _read(guess, known, allowed)
    if read is None:
        cannot = say("No prediction that can be read: {guess}.", guess=_clipped(guess))
        verdict = f"{cannot} {_wanted(known, allowed)}"
        return Revealed(guess, known, None, verdict, sentence, figure)
    right, said = _compare(read, known, _shown(known, unit, words), within)
    verdict = f"{say('You said {guess}.', guess=_shown(read, unit, words))} {said}"
    return Revealed(guess, known, right, verdict, sentence, figure)


def _plain(value: object) -> Answer:
    """Return an answer as Python's own values.

    Raises
    ------
    TypeError
        When it is neither a number, a word nor a sequence of them.
    """
    item = getattr(value, "tolist", None)
    value = item() if callable(item) else value
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return tuple(_plain(each) for each in value)
    kind = type(value).__name__
    raise TypeError(f"answer: {kind} is not a number, a word or a sequence of them")


def _read(guess: object, answer: Answer, choices: tuple[str, ...]) -> Answer | None:
    """Return the guess as a value of the answer's kind, or None."""
    try:
        value = _plain(guess)
    except (TypeError, ValueError, RecursionError):
        return None
    if isinstance(answer, tuple):
        return _read_tuple(value, answer)
    if isinstance(answer, bool):
        return _read_bool(value)
    if isinstance(answer, str):
        return _read_word(value, choices)
    return _read_number(value)


def _read_tuple(value: Answer, answer: tuple[Answer, ...]) -> Answer | None:
    if not isinstance(value, tuple) or len(value) != len(answer):
        return None
    parts = [_read(mine, its, ()) for mine, its in zip(value, answer, strict=True)]
    read = [part for part in parts if part is not None]
    return tuple(read) if len(read) == len(parts) else None


def _read_bool(value: Answer) -> bool | None:
    if isinstance(value, str):
        words = {"yes": True, "no": False, say(YES): True, say(NO): False}
        return words.get(value.strip().casefold())
    return value if isinstance(value, bool) else None


def _read_word(value: Answer, choices: tuple[str, ...]) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    if not choices:
        return value.strip()
    words = {_folded(say(each)): each for each in choices}
    return (words | {_folded(each): each for each in choices}).get(_folded(value))


def _read_number(value: Answer) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(_THOUSANDS.sub("", value.strip().rstrip("%")))
        except ValueError:
            return None
    if isinstance(value, bool | tuple) or not _is_finite(value):
        return None
    return int(value) if value == int(value) else value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _wanted(answer: Answer, choices: tuple[str, ...]) -> str:
    """Return what kind of guess is wanted."""
    if isinstance(answer, tuple):
        return say("Wanted is a list of {count}, such as [1, 2, …].", count=len(answer))
    if isinstance(answer, bool):
        return say('Wanted is "{yes}" or "{no}".', yes=say(YES), no=say(NO))
    if isinstance(answer, str):
        quoted = [_beside(each, f'"{each}"') for each in choices]
        if quoted:
            return say("Wanted is one of {words}.", words=listed(quoted))
        return say("Wanted is a word.")
    if isinstance(answer, int):
        return say("Wanted is a whole number.")
    return say("Wanted is a number.")


def _compare(
    guess: Answer, answer: Answer, shown: str, within: float | None
) -> tuple[bool, str]:
    """Return whether the guess is right, and what is to be said of it."""
    if isinstance(answer, int | float) and not isinstance(answer, bool):
        assert isinstance(guess, int | float)
        return _compare_numbers(guess, answer, shown, within)
    if _folded(guess) == _folded(answer):
        return True, say("That is right.")
    return False, say("It is {answer}.", answer=shown)


def _compare_numbers(
    guess: float, answer: float, shown: str, within: float | None
) -> tuple[bool, str]:
    if not _is_finite(answer):
        return False, say("There is nothing to measure.")
    if guess == answer:
        return True, say("That is right.")
    share = within
    if share is None:
        share = 0.0 if isinstance(answer, int) else NEAR
    if abs(guess - answer) <= share * abs(answer):
        close = f"{100 * share:g}"
        near = say("It is {answer}: right within {share} %.", answer=shown, share=close)
        return True, near
    apart = _how_far(guess, answer)
    return False, say("It is {answer}: {apart}.", answer=shown, apart=apart)


def _how_far(guess: float, answer: float) -> str:
    """Return how much more the answer is; in multiples when measured and far off."""
    measured = not isinstance(answer, int) and guess > 0 and answer > 0
    if measured and not 1 / 2 < answer / guess < 2:
        return say("{times} times as much", times=amount(answer / guess))
    apart = _number(abs(answer - guess))
    if answer > guess:
        return say("{amount} more", amount=apart)
    return say("{amount} less", amount=apart)


def _sentence(answer: Answer, shown: str, what: str) -> str:
    """Return answer and text as one sentence, in which a language has its own order."""
    begun = f"{shown[:1].upper()}{shown[1:]}" if spoken() == "en" else shown
    if isinstance(answer, bool):
        return f"{begun}: {what}."
    return say("{answer} {what}.", answer=begun, what=what)


def _beside(word: str, written: str) -> str:
    """Return a word as it is written, and the word of the language that holds."""
    said = say(word)
    return written if said == word else f"{written} ({said})"


def _shown(value: Answer, unit: str, words: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return say(YES if value else NO)
    if isinstance(value, tuple):
        return ", ".join(_shown(each, unit, words) for each in value) or say("none")
    if isinstance(value, str):
        return words.get(value, value)
    return f"{_number(value)} {say(unit)}" if unit else _number(value)


def _number(value: float) -> str:
    """Return a whole number as it is, another in three significant digits."""
    if _is_finite(value) and abs(value) >= _LONG:
        return f"{Decimal(value):.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if value.is_integer():
        return f"{value:,.0f}"
    return amount(value)


def _folded(value: Answer) -> object:
    """Return a value in which case and space around words make no difference."""
    if isinstance(value, tuple):
        return tuple(_folded(each) for each in value)
    return value.strip().casefold() if isinstance(value, str) else value


def _clipped(guess: object) -> str:
    """Return how a guess is written, if that can be said in a few characters."""
    name = type(guess).__name__
    if not isinstance(guess, bool | int | float | str | list | tuple):
        return say("something of type {name}", name=name)
    try:
        written = repr(guess)
    except (RecursionError, ValueError):  # ValueError: a number of 4,301 digits
        return say("something of type {name}", name=name)
    return written if len(written) <= 40 else f"{written[:39]}…"


def _html_of(figure: object) -> str:
    return str(operator.methodcaller("_repr_html_")(figure))


def _html_face(figure: object) -> None:
    if not callable(getattr(figure, "_repr_html_", None)):
        kind = type(figure).__name__
        raise TypeError(f"figure: {kind} has no HTML face; expected axes or a table")

"""The texts that people read, in the language that was asked for.

A text stands in the code in English, and that English text is its id in the catalogues
of other languages, `kafkasim/locale`. Values stand in named places, `{count}`, so that
a language puts them where it wants them. English needs no catalogue: `say` costs a
comparison and the filling in of values.

The language is asked for with `kafkasim.language` (`kafkasim.languages`) and never
guessed from the machine. Nothing here loads gettext.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

TextT = TypeVar("TextT", bound=str)


class Words(Protocol):
    """A language that is not English."""

    def one(self, text: str, values: Mapping[str, object], /) -> str:
        """Return what stands for `text`, with the values in their places."""

    def many(
        self, one: str, many: str, number: float, values: Mapping[str, object], /
    ) -> str:
        """Return what stands for the form of `number`, with the values in theirs."""


class _Now:
    code = "en"
    words: Words | None = None
    """None for English."""


def say(text: str, /, **values: object) -> str:
    """Return a text in the language that holds.

    Parameters
    ----------
    text : str
        In English, a literal, with named places for values; or one that `mark` marked.
    **values : object
        What stands in the places. Without any, braces in the text are braces.

    Examples
    --------
    >>> say("{topic} is empty", topic="orders")
    'orders is empty'
    """
    if _Now.words is not None:
        return _Now.words.one(text, values)
    return text.format(**values) if values else text


def say_many(one: str, many: str, number: float, /, **values: object) -> str:
    """Return the text for one thing or for many, in the language that holds.

    Parameters
    ----------
    one, many : str
        In English, literals. The number stands in the place `{n}`.
    number : float
        How many.
    **values : object
        What stands in other places, such as the number in another way of writing.

    Examples
    --------
    >>> [say_many("{n} record", "{n} records", number) for number in (0, 1, 2)]
    ['0 records', '1 record', '2 records']
    """
    filled = {"n": number, **values}
    if _Now.words is not None:
        return _Now.words.many(one, many, number, filled)
    return (one if number == 1 else many).format(**filled)


def mark(text: TextT, /) -> TextT:
    """Return a text of a constant as it is: `say` translates it when it is shown.

    Examples
    --------
    >>> mark("records")
    'records'
    """
    return text


def mark_many(one: str, many: str, /) -> tuple[str, str]:
    """Return texts of a constant, for one and for many, as they are.

    Examples
    --------
    >>> mark_many("{n} record", "{n} records")
    ('{n} record', '{n} records')
    """
    return one, many


def spoken() -> str:
    """Return the code of the language that holds."""
    return _Now.code


def speak(code: str, words: Words | None) -> None:
    """Let a language hold from now on, in the whole process.

    Parameters
    ----------
    code : str
        Its code.
    words : Words or None
        What it knows; None for English.
    """
    _Now.code = code
    _Now.words = words

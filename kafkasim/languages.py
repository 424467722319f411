"""Which language figures, explorers, lessons and errors speak.

A language has one catalogue of gettext for each part of the package, in
`kafkasim/locale/CODE/LC_MESSAGES`. They are read when the language is first asked for.
"""

import string
from collections.abc import Mapping
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from typing import Any, Final

from kafkasim.catalogue import Words, say, speak, spoken
from kafkasim.errors import ValidationError

LANGUAGES: Final = ("en", "ko")
"""Codes of the languages that kafkasim speaks (ISO 639-1)."""

DOMAINS: Final = ("plot", "widgets", "lessons", "package")
"""Catalogues of a language, in the order in which a text is looked up."""

PSEUDO: Final = "xx"
"""A language of the tests: a text stands in ⟦ ⟧, and a text that is a value in ⟨ ⟩."""


def language(code: str | None = None) -> str:
    """Speak a language from now on, or tell which one is spoken.

    It holds for what is made after it: figures, explorers, tables, errors. Numbers,
    digests and Kafka's own names are the same in every language.

    Parameters
    ----------
    code : {"en", "ko"}, optional
        English or Korean; nothing changes without it.

    Returns
    -------
    str
        The code of the language that is spoken now.

    Raises
    ------
    ValidationError
        There is no such language.

    Examples
    --------
    >>> language()
    'en'
    """
    if code is None:
        return spoken()
    if code == "en":
        speak(code, None)
    elif code == PSEUDO:
        speak(code, _Pseudo())
    elif code in LANGUAGES:
        speak(code, _catalogues(code))
    else:
        allowed = say(" or ").join(map(repr, LANGUAGES))
        raise ValidationError("language", code, allowed, say("it is never guessed"))
    return code


class _Catalogues:
    """The catalogues of a language; what none of them holds stays English."""

    def __init__(self, found: GNUTranslations) -> None:
        self._found = found

    def one(self, text: str, values: Mapping[str, object], /) -> str:
        # gettext keeps the head of its file under the empty text.
        said = self._found.gettext(text) if text else text
        return said.format(**values) if values else said

    def many(
        self, one: str, many: str, number: float, values: Mapping[str, object], /
    ) -> str:
        # gettext wants a whole number; parts of a thing are many.
        whole = int(number) if float(number).is_integer() else 2
        return self._found.ngettext(one, many, whole).format(**values)


@cache
def _catalogues(code: str) -> Words:
    return _Catalogues(_chain(code))


def _chain(code: str) -> GNUTranslations:
    """Return the catalogue of the first domain; it asks the others in turn."""
    folder = files("kafkasim") / "locale" / code / "LC_MESSAGES"
    chain = []
    for domain in DOMAINS:
        with (folder / f"{domain}.mo").open("rb") as file:
            chain.append(GNUTranslations(file))
    for found in chain[1:]:
        chain[0].add_fallback(found)
    return chain[0]


class _Nowhere(NullTranslations):
    """What is asked last, for a text that no catalogue holds."""

    def gettext(self, message: str) -> str:
        raise LookupError(f"no catalogue holds {message!r}")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        raise LookupError(f"no catalogue holds {msgid1!r}, {msgid2!r} for {n}")


class _Pseudo:
    """Shows what went through the catalogues, and what was put into it as it was.

    A text that no catalogue holds is a LookupError.
    """

    def __init__(self) -> None:
        self._held = _chain(LANGUAGES[-1])
        self._held.add_fallback(_Nowhere())

    def one(self, text: str, values: Mapping[str, object], /) -> str:
        self._held.gettext(text)
        return self._enclosed(text, values)

    def many(
        self, one: str, many: str, number: float, values: Mapping[str, object], /
    ) -> str:
        self._held.ngettext(one, many, 2)
        return self._enclosed(one if number == 1 else many, values)

    def _enclosed(self, text: str, values: Mapping[str, object]) -> str:
        filled = _Enclosing().vformat(text, (), values) if values else text
        return f"⟦{filled}⟧"


class _Enclosing(string.Formatter):
    """Puts ⟨ ⟩ around values that are texts; numbers stay as they are."""

    def format_field(self, value: Any, spec: str) -> str:  # noqa: ANN401 - any value
        shown = str(super().format_field(value, spec))
        return f"⟨{shown}⟩" if isinstance(value, str) and shown else shown

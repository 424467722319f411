"""Pages as they are written: what they lead to, load and are made of; no browser."""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

_DESCRIBED = re.compile(r"\w+ \w+ \w+")
_LOADED_LINKS = {"icon", "stylesheet"}


class Written(HTMLParser):
    """A page of the site.

    Parameters
    ----------
    path : Path
        Its file.

    Attributes
    ----------
    parts : set of str
        Kinds of its elements, their classes, and all that it loads.
    loads : set of str
        Addresses of scripts, styles and pictures; those within the page left out.
    links : set of str
        Addresses that a click leads to.
    bare : list of str
        Pictures without three words that say what they show.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.address = path.as_uri()
        self.parts: set[str] = set()
        self.loads: set[str] = set()
        self.links: set[str] = set()
        self.bare: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        classes = has.get("class", "").split()
        self.parts |= {tag, *(f".{each}" for each in classes)}
        if tag == "a" and "href" in has:
            self.links.add(urljoin(self.address, has["href"]))
        elif tag == "link" and _LOADED_LINKS & set(has.get("rel", "").split()):
            self._load(has["href"])
        elif "src" in has:
            self._load(has["src"])
        if tag == "img" and "toggler" not in classes:
            self.bare += [] if _DESCRIBED.search(has.get("alt", "")) else [has["src"]]

    def _load(self, address: str) -> None:
        self.parts.add(whole := urljoin(self.address, address))
        if not address.startswith("data:"):
            self.loads.add(whole)

    @property
    def lost(self) -> list[str]:
        """Files of this machine that it loads or leads to, and that are not there."""
        files = (urlsplit(a) for a in self.loads | self.links if a.startswith("file:"))
        paths = {unquote(each.path) for each in files}
        return sorted(path for path in paths if not Path(path).exists())


def covering(pages: Iterable[Written]) -> list[Written]:
    """Return pages that together have every part: each has one that none before had.

    Those of many parts come first, such as an index of all pictures.
    """
    seen: set[str] = set()
    chosen = []
    for page in sorted(pages, key=lambda page: -len(page.parts)):
        if not page.parts <= seen:
            chosen.append(page)
            seen |= page.parts
    return chosen

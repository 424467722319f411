"""A real browser: where it is, what it may load, what it complains of.

Playwright's package drives a Chromium that is on the machine already, such as Debian's
package `chromium`; none is downloaded. `KAFKASIM_CHROMIUM` names another one.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import (
        Browser,
        BrowserContext,
        ConsoleMessage,
        Page,
        Request,
        ViewportSize,
        WebSocket,
    )

PATIENCE_MS = 120_000
"""A step that takes longer on a busy machine is taken for one that never ends."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_HERE = re.compile(r"(https?|wss?)://127\.0\.0\.1[:/]|(data|blob|file|about):")
ELSEWHERE = re.compile(rf"^(?!{_HERE.pattern})")
"""Addresses off this machine."""


def program() -> str | None:
    """Return the path of Chromium, None where there is none."""
    named = os.environ.get("KAFKASIM_CHROMIUM")
    found = (shutil.which(name) for name in (named, *_NAMES) if name)
    return next((path for path in found if path), None)


def lacking() -> str:
    """Return what is missing, nothing when all is there."""
    names = {"playwright": "Playwright's package", "jupyterlab": "JupyterLab"}
    lacks = [said for name, said in names.items() if find_spec(name) is None]
    lacks += [] if program() else ["Chromium"]
    return ", ".join(lacks)


@contextmanager
def chromium() -> "Iterator[Browser]":
    """Start Chromium without a window, and end it."""
    from playwright.sync_api import sync_playwright

    path = program()
    assert path is not None
    switches = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=switches)
        yield browser
        browser.close()


@dataclass  # without slots: Playwright keeps its own beside a bound method
class Watch:
    """What went wrong in a browser context since it was opened.

    Parameters
    ----------
    context : BrowserContext
        Its requests off this machine are refused and noted.

    Attributes
    ----------
    elsewhere : list of str
        Addresses off this machine that a page asked for.
    complaints : list of str
        Errors on the console, and those that no script caught.
    """

    context: "BrowserContext"
    elsewhere: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.route(ELSEWHERE, lambda route: route.abort())
        self.context.on("request", self._asked)
        self.context.on("console", self._said)
        self.context.on("weberror", lambda error: self._failed(str(error.error)))
        self.context.on("page", self._opened)

    def _opened(self, page: "Page") -> None:
        page.on("websocket", self._connected)

    def _asked(self, request: "Request") -> None:
        if ELSEWHERE.match(request.url):
            self.elsewhere.append(request.url)

    def _connected(self, socket: "WebSocket") -> None:
        if ELSEWHERE.match(socket.url):
            self.elsewhere.append(socket.url)

    def _said(self, message: "ConsoleMessage") -> None:
        if message.type == "error":
            place = message.location.get("url", "")
            self.complaints.append(f"{message.text} ({place})")

    def _failed(self, error: str) -> None:
        self.complaints.append(error)


@contextmanager
def watched(browser: "Browser", width: int = 1280) -> "Iterator[tuple[Page, Watch]]":
    """Open a page of its own, under watch; `width` is that of its window."""
    size: ViewportSize = {"width": width, "height": 900}
    context = browser.new_context(service_workers="block", viewport=size)
    watch = Watch(context)
    yield context.new_page(), watch
    context.close()

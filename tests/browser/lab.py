"""JupyterLab with the lessons, started for a test, and a lesson opened in it."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from run import COMMANDS
from tests.browser.chromium import PATIENCE_MS

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
TRANSLATED = sorted((ROOT / "notebooks").glob("[a-z][a-z]/[0-9]*.ipynb"))
"""Lessons in other languages: read as pages, not run again in JupyterLab."""
_START_S = 120
_IDLE = '.jp-Notebook-ExecutionIndicator[data-status="idle"]'
_SETTINGS = {"notebook-extension/tracker": {"windowingMode": "none"}}
"""Every cell is in the page, in sight or not."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A running server.

    Parameters
    ----------
    address : str
        Such as `http://127.0.0.1:8888/`.
    token : str
        Lets a browser in.
    """

    address: str
    token: str

    def of(self, lesson: str) -> str:
        """Return the address of a notebook in JupyterLab, a window of its own."""
        return f"{self.address}lab/tree/{lesson}?reset&token={self.token}"


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """Start JupyterLab in `folder` on copies of the lessons, with run.py's arguments.

    It reads no settings of the person's own and listens on 127.0.0.1 only.
    """
    lessons, runtime, token = (
        folder / "lessons",
        folder / "runtime",
        secrets.token_hex(),
    )
    lessons.mkdir()
    for lesson in LESSONS:
        shutil.copy(lesson, lessons)
    for place, settings in _SETTINGS.items():
        file = folder / "settings" / "@jupyterlab" / f"{place}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    places = {
        "JUPYTER_RUNTIME_DIR": runtime,
        "JUPYTER_CONFIG_DIR": folder / "config",
        "JUPYTER_DATA_DIR": folder / "data",
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "IPYTHONDIR": folder / "ipython",
    }
    given = [
        *COMMANDS["lab"],
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=0",
    ]
    given += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={lessons}"]
    given += ["--allow-root"] if os.name == "posix" and os.geteuid() == 0 else []
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *given],
            env=os.environ | {name: str(place) for name, place in places.items()},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Lab(_address(server, runtime, folder / "lab.log"), token)
        finally:
            server.terminate()
            server.wait(timeout=60)


def _address(server: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    """Wait until the server has written down where it listens."""
    file = runtime / f"jpserver-{server.pid}.json"
    for _ in range(10 * _START_S):
        if file.exists() and (text := file.read_text(encoding="utf-8")).endswith("}"):
            return str(json.loads(text)["url"])
        if server.poll() is not None:
            break
        sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3_000:]}")


class Lesson:
    """A lesson in the browser, executed from its first cell to its last.

    Parameters
    ----------
    page : Page
        Where it is opened.
    address : str
        Of its notebook in JupyterLab.
    """

    def __init__(self, page: "Page", address: str) -> None:
        self.page = page
        page.add_init_script(_WATCH_KERNEL)
        page.goto(address)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        self._choose("Edit", "Clear Outputs of All Cells")
        self._choose("View", "Expand All Code")
        self._choose("View", "Expand All Outputs")
        self._choose("Run", "Run All Cells")
        page.wait_for_function(_ALL_RUN, polling=100)
        page.locator(_IDLE).first.wait_for()

    def _choose(self, menu: str, entry: str) -> None:
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=entry, exact=True).click()

    @property
    def errors(self) -> list[str]:
        """What cells raised, which JupyterLab shows as stderr, or wrote to stderr."""
        found = '[data-mime-type="application/vnd.jupyter.stderr"]'
        return list(self.page.locator(found).all_inner_texts())

    def figures_seen(self) -> list["Figure"]:
        """Return every picture in an output, once all folds are open."""
        return [Figure(**found) for found in self.page.evaluate(_FIGURES)]

    @property
    def explorers(self) -> list["Explorer"]:
        """The explorers, from top to bottom."""
        outputs = self.page.locator('.jp-OutputArea-output:has([role="slider"])')
        return [Explorer(output) for output in outputs.all()]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture as the browser has it."""

    alt: str
    """What it says to who cannot see it."""
    seen: bool
    """Whether it was decoded and has a place on the page."""


@dataclass(frozen=True, slots=True)
class Frames:
    """What was on the screen during a drag."""

    count: int
    blank: int
    """Frames without a figure, or with one that was not decoded yet."""
    figures: int
    """Different figures while keys were pressed, the one before them among these."""


class Explorer:
    """Controls, a figure and a message, in the output of a cell.

    Parameters
    ----------
    output : Locator
        The output.
    """

    def __init__(self, output: "Locator") -> None:
        self.output = output
        self.page = output.page

    @property
    def sliders(self) -> "list[Locator]":
        """The handles of the sliders that can be moved."""
        return list(self.output.locator('[role="slider"]:not([disabled])').all())

    @property
    def controls(self) -> "list[Locator]":
        """The sliders and the boxes of the switches."""
        boxes = self.output.locator('input[type="checkbox"]').all()
        return self.sliders + [b for b in boxes if label_of(b) != "run at each change"]

    @property
    def questions(self) -> "list[Locator]":
        """The buttons that put the controls where a question is answered."""
        return list(self.output.get_by_role("button").filter(has_text="?").all())

    def reset(self) -> tuple[str, str]:
        """Put the controls where they began, and return figure and message."""
        self.output.get_by_role("button", name="Reset").press("Enter")
        return self.settle()

    def settle(self) -> tuple[str, str]:
        """Wait until the kernel owes no answer, and return figure and message.

        The figure's address holds all its bytes. Every key and button is a message to
        the kernel, which says when it is done with it; what it said by then is in the
        page, and the figure decoded, before both are read.
        """
        figure, message = self.output.evaluate(_SETTLED, PATIENCE_MS)
        return str(figure), str(message)

    def run_at_each_change(self) -> None:
        """Check that box, which a run that took long on a busy machine unchecks."""
        self.output.get_by_label("run at each change").check()

    def move_each(self) -> list[tuple[str, bool, bool]]:
        """Move every control by keyboard.

        Returns
        -------
        list of (label, figure changed, message changed)
        """
        return [(label_of(each), *self.move(each)) for each in self.controls]

    def move(self, control: "Locator") -> tuple[bool, bool]:
        """Press keys until the figure has changed, and say whether both have.

        A step may change nothing: a fifth member has no work where there is one
        partition. So the ends are tried too.
        """
        box = control.get_attribute("type") == "checkbox"
        figure, message = self.settle()
        changed = False, False
        for key in ("Space",) if box else ("ArrowRight", "ArrowLeft", "Home", "End"):
            self.run_at_each_change()
            control.press(key)
            now = self.settle()
            changed = now[0] != figure, now[1] != message
            if all(changed):
                break
        return changed

    def drag(self, slider: "Locator", keys: int) -> Frames:
        """Press arrow keys as fast as a held key repeats, three forth and one back.

        A busy machine draws one figure for many keys, and unchecks the box: it is given
        more of them, until one was drawn between the first and the last.
        """
        self.run_at_each_change()
        self.settle()
        self.output.evaluate(_WATCH_FRAMES)
        for _ in range(20):
            slider.focus()
            for number in range(1, keys + 1):
                self.page.keyboard.press("ArrowRight" if number % 4 else "ArrowLeft")
                self.page.wait_for_timeout(30)
            if self.output.evaluate("e => e.figures.size > 2"):
                break
            self.run_at_each_change()
        drawn = int(self.output.evaluate("e => e.figures.size"))
        self.settle()
        return Frames(**self.output.evaluate("e => e.frames()"), figures=drawn)

    def visible_after_ms(self, slider: "Locator", key: str) -> float:
        """Press a key and return the milliseconds until another figure is on screen.

        From the key's own time to the first frame after the one in which the new figure
        is decoded and has its place.
        """
        self.settle()
        slider.focus()
        self.output.evaluate(_WATCH_KEY)
        self.page.keyboard.press(key)
        return float(self.output.evaluate("e => e.visible"))


def label_of(control: "Locator") -> str:
    """Return the words beside a control."""
    return str(control.evaluate(_LABEL)).partition("\n")[0]


_ALL_RUN = """() => {
  if (document.querySelector('[data-mime-type="application/vnd.jupyter.stderr"]'))
    return true;
  const cells = [...document.querySelectorAll(".jp-Notebook .jp-CodeCell")]
    .filter((cell) => cell.querySelector(".jp-InputPrompt"));
  return cells.length > 0 && cells.every((cell) =>
    /^\\[\\d+\\]:$/.test(cell.querySelector(".jp-InputPrompt").textContent.trim()));
}"""
"""Whether every code cell has its number, or one has raised or warned."""
_WATCH_KERNEL = """(() => {
  const owed = (window.kernelOwes = new Set());
  const parsed = (data) => {  // v1.kernel.websocket.jupyter.org
    const view = new DataView(data);
    const at = (part) => Number(view.getBigUint64(8 * (1 + part), true));
    const text = (part) => new TextDecoder().decode(data.slice(at(part), at(part + 1)));
    const said = { channel: text(0), header: JSON.parse(text(1)) };
    if (said.channel === "iopub" && said.header.msg_type === "status")
      Object.assign(said, { asked: JSON.parse(text(2)), ...JSON.parse(text(4)) });
    return said;
  };
  window.WebSocket = class extends WebSocket {
    constructor(...where) {
      super(...where);
      if (!/[/]channels/.test(this.url)) return;
      this.addEventListener("message", ({ data }) => {
        const said = parsed(data);
        if (said.execution_state === "idle") owed.delete(said.asked.msg_id);
      });
      this.forKernel = true;
    }
    send(data) {
      if (this.forKernel) {
        const said = parsed(data);
        if (said.channel === "shell") owed.add(said.header.msg_id);
      }
      super.send(data);
    }
  };
})()"""
"""Keeps the messages to a kernel that it is not done with."""
_SETTLED = """(explorer, patience) => new Promise((resolve, reject) => {
  const message = () => explorer.querySelector('[role="status"], [role="alert"]');
  const began = performance.now();
  let still = 0;
  const look = () => {
    const image = explorer.querySelector("img");
    const is = kernelOwes.size === 0 && image.complete && image.naturalWidth > 0;
    still = is ? still + 1 : 0;
    if (still === 3) resolve([image.src, message().innerText]);
    else if (performance.now() - began > patience) reject("the kernel is not done");
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})"""
"""Figure and message once the kernel is done, and three frames later still is.

What it said last is read after it was received, and a key that was kept until the
kernel was done with the one before is sent only then.
"""
_FIGURES = """() => {
  const outputs = [...document.querySelectorAll(".jp-OutputArea-output")];
  for (const output of outputs)
    for (const fold of output.querySelectorAll("details")) fold.open = true;
  return outputs.flatMap((output) => [...output.querySelectorAll("img")]).map(
    (image) => ({
      alt: image.alt,
      seen: image.complete && image.naturalWidth > 0 &&
        image.getBoundingClientRect().height > 20,
    }));
}"""
_LABEL = "e => e.closest('.widget-hslider, .widget-checkbox')?.innerText ?? ''"
_WATCH_FRAMES = """(explorer) => {
  let count = 0, blank = 0, watching = true;
  const figures = (explorer.figures = new Set());
  const look = () => {
    const image = explorer.querySelector("img");
    const seen = image && image.complete && image.naturalWidth > 0 &&
      image.getBoundingClientRect().height > 20;
    count += 1;
    blank += seen ? 0 : 1;
    if (seen) figures.add(image.src);
    if (watching) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  explorer.frames = () => {
    watching = false;
    return { count, blank };
  };
}"""
_WATCH_KEY = """(explorer) => {
  const before = explorer.querySelector("img").src;
  explorer.visible = new Promise((resolve) => {
    addEventListener("keydown", (key) => {
      const look = () => {
        const image = explorer.querySelector("img");
        const seen = image && image.src !== before && image.complete &&
          image.naturalWidth > 0;
        requestAnimationFrame(
          seen ? () => resolve(performance.now() - key.timeStamp) : look);
      };
      requestAnimationFrame(look);
    }, { capture: true, once: true });
  });
}"""

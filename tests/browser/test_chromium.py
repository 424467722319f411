"""What a watch sees: an address elsewhere, and a script that complains."""

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import ELSEWHERE, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_a_request_to_another_machine_is_refused_and_noted(browser: "Browser") -> None:
    with watched(browser) as (page, watch):
        page.set_content("<img src='https://elsewhere.test/a.png' alt='a'>")
        page.wait_for_function("document.images[0].complete")

        assert watch.elsewhere == ["https://elsewhere.test/a.png"]
        assert page.evaluate("document.images[0].naturalWidth") == 0


def test_errors_of_scripts_are_noted(browser: "Browser") -> None:
    with watched(browser) as (page, watch):
        page.set_content("<script>console.error('oh'); nothing.there</script>")

        assert watch.elsewhere == []
        said, raised = watch.complaints
        assert said.startswith("oh (")
        assert "nothing is not defined" in raised


@pytest.mark.parametrize(
    ("address", "elsewhere"),
    [
        ("http://127.0.0.1:8888/lab", False),
        ("ws://127.0.0.1:8888/api", False),
        ("file:///index.html", False),
        ("data:image/png;base64,AAAA", False),
        ("http://127.0.0.1.elsewhere.test/", True),
        ("https://elsewhere.test/127.0.0.1/", True),
        ("wss://elsewhere.test/", True),
    ],
)
def test_only_this_machine_is_here(address: str, *, elsewhere: bool) -> None:
    assert bool(ELSEWHERE.match(address)) is elsewhere

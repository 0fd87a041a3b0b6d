"""A headless Chromium that can open one file and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Opened:
    """A page and everything it did that a quiet map doesn't do."""

    page: Any
    noise: list[str] = field(default_factory=list)

    def assert_quiet(self) -> None:
        assert self.noise == []
        assert self.page.evaluate("window.ran") is None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    if CHROMIUM is None:
        pytest.skip("maps open in chromium, not on the path (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(_ARGS))
        yield browser
        browser.close()


@pytest.fixture
def open_map(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Return a function that opens HTML from a file; at the end every page must be quiet."""
    pages: list[Opened] = []

    def open_map(
        text: str,
        size: tuple[int, int] = (1280, 800),
        ready: str = ".nk[data-drawn]",
        allow: str | None = None,
    ) -> Opened:
        file = tmp_path / f"map{len(pages)}.html"
        file.write_text(text, encoding="utf-8")
        page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
        opened = Opened(page)
        pages.append(opened)
        say = opened.noise.append

        def route(route: Any) -> None:
            url = route.request.url
            if url == file.as_uri() or (allow and url.startswith(allow)):
                route.continue_()
            else:
                say(f"request: {route.request.url[:200]}")
                route.abort()

        def dialog(dialog: Any) -> None:
            say(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.route("**/*", route)
        page.on("console", lambda message: say(f"console: {message.text[:300]}"))
        page.on("pageerror", lambda error: say(f"error: {error}"))
        page.on("dialog", dialog)
        page.on("popup", lambda _: say("popup window"))
        page.goto(file.as_uri())
        page.wait_for_selector(ready, state="attached", timeout=20_000)
        return opened

    yield open_map
    for opened in pages:
        opened.assert_quiet()
        opened.page.close()

"""A real Chromium, pictures of its pages, and what keeps people with disabilities out of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.cluster.axe import axe_script
from tests.cluster.browser import FLAGS, chromium_path

SLOW = 90_000
"""Milliseconds for what a busy machine with two cores may need."""
PHONE = {"width": 360, "height": 740}
_SERIOUS = {"serious", "critical"}
_RUN = """
exclude => axe.run({include: ['body'], exclude}, {resultTypes: ['violations']})
  .then(found => found.violations)
"""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser, closed at the end."""
    path = await asyncio.to_thread(chromium_path)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        expect.set_options(timeout=SLOW)
        try:
            yield opened
        finally:
            await opened.close()


async def shot(page: Page, name: str, **how: Any) -> None:
    """Keep a picture where $MCKS_SCREENSHOTS says, for the documentation and for a look."""
    if directory := os.environ.get("MCKS_SCREENSHOTS"):
        await page.screenshot(path=Path(directory) / f"{name}.png", **how)


async def barriers(page: Page, *, exclude: Sequence[str] = ()) -> list[str]:
    """Return the serious and critical violations that axe-core finds: rule, place, what to do.

    *exclude* are CSS selectors of what others render.
    """
    await page.evaluate((await asyncio.to_thread(axe_script)).read_text())
    found: list[dict[str, Any]] = await page.evaluate(_RUN, [[one] for one in exclude])
    return [
        f"{violation['id']} at {' '.join(map(str, node['target']))}: {node['failureSummary']}"
        for violation in found
        if violation["impact"] in _SERIOUS
        for node in violation["nodes"]
    ]

"""The form of jupyterhub-fancy-profiles in a real Chromium, on a real hub below a base URL."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.pages import SLOW, chromium
from tests.hub.plain_hub import serving

pytestmark = pytest.mark.browser

FANCY = """
from jupyterhub_fancy_profiles import setup_ui

setup_ui(c)
"""


async def logged_in(page: Page, hub_url: str) -> None:
    page.set_default_timeout(SLOW)
    await page.goto(f"{hub_url}spawn")
    await page.get_by_label("Username").fill("ada")
    await page.get_by_label("Password").fill("any")
    await page.get_by_role("button", name="Sign in").click()


async def test_what_is_chosen_there_is_what_starts(tmp_path: Path, unused_tcp_port: int) -> None:
    async with (
        serving(tmp_path, unused_tcp_port, FANCY, "/x/") as hub,
        chromium() as browser,
    ):
        page = await browser.new_page()
        failed: list[str] = []
        page.on("pageerror", lambda error: failed.append(str(error)))
        await logged_in(page, hub.url)
        await page.get_by_text("Large").click()
        await expect(page.get_by_role("radio", name="Large")).to_be_checked()
        await page.get_by_role("button", name="Start").click()
        await expect(page.get_by_text("does not answer").first).to_be_visible()
        assert failed == []
        assert "ada chose the profile 'large' {'image': 'scipy'}" in hub.log.read_text()

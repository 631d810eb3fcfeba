"""A person in front of the hub: logs in, chooses, watches, works in JupyterLab, stops."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.pages import SLOW
from tests.demo.hub import Hub
from tests.hub.hubs import HUB_6

_TELL = """
if (location.pathname.includes('/spawn-pending/')) new MutationObserver(() => {
  const bar = document.querySelector('#progress-bar')?.getAttribute('aria-valuenow');
  const said = document.querySelector('#progress-message')?.textContent.trim();
  const now = `progress: ${bar} ${said}`;
  if (said && now !== window.toldLast) { window.toldLast = now; console.log(now); }
}).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
"""


async def log_in(browser: Browser, hub: Hub, user: str, **context: Any) -> Page:
    """Open a window of *user*'s own and log in there."""
    given: dict[str, Any] = {"viewport": {"width": 1000, "height": 640}} | context
    opened = await browser.new_context(**given)
    opened.set_default_timeout(SLOW)
    await opened.add_init_script(_TELL)
    page = await opened.new_page()
    await page.goto(hub.url)
    await page.get_by_label("Username").fill(user)
    await page.get_by_label("Password").fill("any")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(re.compile("/hub/(spawn|home)|/user/"))
    return page


class Told:
    """What the progress page of *page* has shown: percents and messages, in order."""

    def __init__(self, page: Page) -> None:
        self.lines: list[tuple[int, str]] = []
        page.on("console", lambda message: self._hear(message.text))

    def _hear(self, text: str) -> None:
        if found := re.match(r"progress: (\d+) (.*)", text):
            self.lines.append((int(found[1]), found[2]))

    @property
    def percents(self) -> list[int]:
        return [percent for percent, _ in self.lines]


async def choose_by_mouse(page: Page, profile: str) -> None:
    await page.get_by_role("radio", name=profile).check()


async def choose_by_keyboard(page: Page, profile: str) -> None:
    """Go to the list with Tab and through it with the arrows, as one does without a mouse."""
    await page.locator("body").press("Tab")
    for _ in range(30):
        if await page.evaluate("document.activeElement.name") == "profile":
            break
        await page.keyboard.press("Tab")
    wanted = page.get_by_role("radio", name=profile)
    for _ in range(30):
        if await wanted.is_checked():
            break
        await page.keyboard.press("ArrowDown")
    await expect(wanted).to_be_focused()


async def press_start(page: Page) -> None:
    await page.get_by_role("button", name="Start", exact=True).click()


async def in_lab(page: Page) -> None:
    """Wait until JupyterLab is there."""
    await page.wait_for_url("**/lab**")
    await page.wait_for_selector(".jp-Launcher")


async def run_cell(page: Page, code: str) -> str:
    """Open a notebook, run *code* in its first cell and return the output."""
    await _open_a_notebook(page)
    await page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.fill(code)
    await page.locator('[data-command="notebook:run-cell-and-select-next"]').first.click()
    return (await page.locator(".jp-OutputArea-output pre").first.inner_text()).strip()


async def _open_a_notebook(page: Page) -> None:
    """Open a new notebook and wait until its kernel is there.

    The notebook's own indicator says "idle" also before there is a kernel; the bar at the bottom
    does not.
    """
    if not await page.locator(".jp-Launcher").is_visible():
        await page.locator(".lm-TabBar-addButton:visible").first.click()
    await page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    await page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()


async def make_a_file_in_a_terminal(page: Page, name: str) -> None:
    """Open a terminal and make a file. *name* is for the shell to expand: one must have run."""
    await page.locator(".jp-LauncherCard", has_text="Terminal").click()
    keyboard = page.locator(".jp-Terminal .xterm-helper-textarea")
    await keyboard.wait_for(state="attached")
    await keyboard.press_sequentially(f"touch {name}\n")


async def listed(page: Page, name: str) -> None:
    """Wait until JupyterLab's file browser shows the file *name*."""
    await expect(page.locator(".jp-DirListing-item", has_text=name)).to_be_visible()


async def stop(page: Page, hub: Hub) -> None:
    await page.goto(f"{hub.url}hub/home", wait_until="networkidle")
    await page.locator("#stop").click()
    await expect(page.locator("#stop")).to_be_hidden()


async def stop_waiting(page: Page, hub: Hub) -> None:
    """Stop a server that has not started yet; JupyterHub 5 has the button on its home page only."""
    if HUB_6:
        await page.get_by_role("button", name="Stop Server").click()
    else:
        await stop(page, hub)


async def details_of(admin: Page, user: str) -> Locator:
    """Open what the admin page tells of *user*, below their row."""
    details = admin.get_by_test_id(f"{user}-collapse")
    if not await details.is_visible():
        await admin.get_by_test_id(f"{user}-collapse-button").click()
    await expect(details).to_be_visible()
    return details


async def expect_profile(admin: Page, user: str, profile: str) -> None:
    """Look up *user*'s profile on the admin page; JupyterHub 5 has no column for it."""
    if HUB_6:
        row = admin.get_by_test_id(f"user-row-{user}")
        await expect(row.get_by_test_id("user-row-profile-used")).to_have_text(profile)
    else:
        details = await details_of(admin, user)
        await expect(details).to_contain_text(re.compile(rf"profile\W*{profile}"))

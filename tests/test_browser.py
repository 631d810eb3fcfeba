"""What a person does: log in, choose a cluster, work in a notebook and a terminal, stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests.cluster.browser import FLAGS, chromium_path
from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub, hub
from tests.servers import until_empty
from tests.test_main_path import BROKEN_IMAGE

pytestmark = [pytest.mark.cluster, pytest.mark.browser]

_SLOW = 90_000
"""Milliseconds for what a busy machine with two cores may need."""


@pytest.fixture
async def running(clusters: Clusters, namespace: Namespace, tmp_path: Path) -> AsyncIterator[Hub]:
    async with hub(clusters, namespace.kubeconfig, tmp_path, namespace=namespace.name) as started:
        yield started


@pytest.fixture
async def browser(request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    path = await asyncio.to_thread(chromium_path)
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        for number, context in enumerate(opened.contexts):
            await shot(context.pages[0], f"{request.node.name}-at-the-end-{number}")
        await opened.close()


async def log_in(browser: Browser, hub: Hub, user: str) -> Page:
    context = await browser.new_context()
    context.set_default_timeout(_SLOW)
    page = await context.new_page()
    await page.goto(hub.url)
    await page.get_by_label("Username").fill(user)
    await page.get_by_label("Password").fill("any")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("group", name="Choose a server")).to_be_visible()
    return page


_TELL = """
new MutationObserver(() => {
  const said = document.querySelector('#progress-message')?.textContent.trim();
  if (said && said !== window.said) { window.said = said; console.log('progress: ' + said); }
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


async def start(page: Page, cluster: str) -> list[str]:
    """Choose, start, and watch until JupyterLab is there; return what the page said meanwhile."""
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.text.startswith("progress: ") else None)
    await page.context.add_init_script(_TELL)
    await page.get_by_role("radio", name=f"Cluster {cluster}").check()
    await page.get_by_role("button", name="Start").click()
    await page.wait_for_url("**/lab**")
    await page.wait_for_selector(".jp-Launcher")
    return said


async def run_cell(page: Page, code: str) -> str:
    """Open a notebook, run *code* in its first cell and return the output."""
    if not await page.locator(".jp-Launcher").is_visible():
        await page.locator(".lm-TabBar-addButton:visible").first.click()
    await page.locator(".jp-LauncherCard[data-category=Notebook]").first.click()
    await page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    await cell.fill(code)
    await expect(cell).to_have_text(code)
    run = page.locator('[data-command="notebook:run-cell-and-select-next"]').first
    output = page.locator(".jp-OutputArea-output pre").first
    for _ in range(6):
        # JupyterLab drops what it is asked while a kernel connects: a person presses Run again
        await cell.click()
        await run.click()
        with contextlib.suppress(PlaywrightTimeout):
            await output.wait_for(timeout=_SLOW / 6)
            break
    return (await output.inner_text()).strip()


async def make_a_file_in_a_terminal(page: Page, name: str) -> None:
    """Open a terminal and make a file. *name* is for the shell to expand: one must have run."""
    await page.locator(".jp-LauncherCard", has_text="Terminal").click()
    keyboard = page.locator(".jp-Terminal .xterm-helper-textarea")
    await keyboard.wait_for(state="attached")
    await keyboard.press_sequentially(f"touch {name}\n")


async def listed(page: Page, name: str) -> None:
    await expect(page.locator(".jp-DirListing-item", has_text=name)).to_be_visible(timeout=_SLOW)


async def stands_in_its_box(page: Page, name: str) -> None:
    """Look at the form as it is drawn: the name is one line, inside its profile's frame."""
    text = await page.get_by_text(name, exact=True).bounding_box()
    frame = await page.locator(".mcks-profile", has_text=name).bounding_box()
    assert text is not None
    assert frame is not None
    assert text["height"] < 2 * text["width"]
    assert frame["x"] < text["x"]
    assert text["x"] + text["width"] < frame["x"] + frame["width"]
    assert frame["y"] < text["y"]


async def stop(page: Page, hub: Hub) -> None:
    await page.goto(f"{hub.url}hub/home", wait_until="networkidle")
    await page.locator("#stop").click()
    await expect(page.locator("#stop")).to_be_hidden(timeout=_SLOW)


async def shot(page: Page, name: str) -> None:
    """Keep a picture where $MCKS_SCREENSHOTS says, for the documentation and for a look."""
    if directory := os.environ.get("MCKS_SCREENSHOTS"):
        await page.screenshot(path=Path(directory) / f"{name}.png")


async def test_a_user_works_in_one_cluster_and_then_in_the_other(
    running: Hub, browser: Browser, clusters: Clusters, namespace: Namespace
) -> None:
    page = await log_in(browser, running, "ada")
    await shot(page, "form")
    await expect(page.get_by_role("radio", name="Cluster a")).to_be_checked()
    await stands_in_its_box(page, "Cluster a")
    said = await start(page, "b")
    assert any("server" in message for message in said), said
    code = "import os; print(os.environ['CLUSTER_NAME'], 6 * 7)"
    await make_a_file_in_a_terminal(page, "terminal-$CLUSTER_NAME-$((6*7))")
    await listed(page, "terminal-b-42")
    await shot(page, "terminal")
    assert await run_cell(page, code) == "b 42"
    await shot(page, "notebook")
    await stop(page, running)
    await until_empty(clusters, namespace.name)

    await page.goto(f"{running.url}hub/spawn")
    await expect(page.get_by_role("radio", name="Cluster b")).to_be_checked()
    await start(page, "a")
    assert await run_cell(page, code) == "a 42"
    await stop(page, running)
    await until_empty(clusters, namespace.name)


async def test_two_users_work_at_once_in_different_clusters(running: Hub, browser: Browser) -> None:
    ada, bob = await asyncio.gather(
        log_in(browser, running, "ada"), log_in(browser, running, "bob")
    )
    await asyncio.gather(start(ada, "a"), start(bob, "b"))
    code = "import os; print(os.environ['CLUSTER_NAME'], os.environ['JUPYTERHUB_USER'])"
    assert await asyncio.gather(run_cell(ada, code), run_cell(bob, code)) == ["a ada", "b bob"]


async def test_a_start_that_fails_shows_a_sentence_and_what_to_do(
    clusters: Clusters, namespace: Namespace, tmp_path: Path, browser: Browser
) -> None:
    async with hub(
        clusters, namespace.kubeconfig, tmp_path, namespace=namespace.name, extra=BROKEN_IMAGE
    ) as running:
        page = await log_in(browser, running, "ada")
        await page.get_by_role("radio", name="Cluster a").check()
        await page.get_by_role("button", name="Start").click()
        await expect(page.locator("body")).to_contain_text(
            "The image of this server could not be pulled. Choose another profile",
            timeout=_SLOW,
        )
        await shot(page, "failed")
        await until_empty(clusters, namespace.name)

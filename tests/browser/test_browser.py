"""What people do in a browser, on a real hub with real clusters. One hub serves all tests here."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser import person
from tests.browser.one_hub import FANCY, running_hub
from tests.browser.pages import PHONE, barriers, chromium, shot
from tests.cluster.fixtures import Clusters
from tests.demo import kernel
from tests.demo.hub import Hub
from tests.hub.hubs import expect_stopped, seconds_from_ready_to_end
from tests.hub.servers import objects

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.browser,
    pytest.mark.alone,  # a person waits some seconds for a page, however busy the machine is
    pytest.mark.asyncio(loop_scope="module"),
]

PLAIN = "**/api/status**"
"""The first page of servers that no test works in: JupyterLab would keep the machine busy."""
WHERE = "import os; print(os.environ.get('CLUSTER_NAME'), os.environ['MEM_LIMIT'])"
TUTORIAL = 'import os; print(os.environ["CLUSTER_NAME"])'
REFERENCE = re.compile(r"Reference: ([0-9A-Z]{8})\b")
OF_THE_HUB = (".btn-jupyter", "#progress-bar")
"""JupyterHub's own: its orange buttons have too little contrast, its progress bar has no name."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def namespace(clusters: Clusters) -> AsyncIterator[str]:
    name = f"test-{secrets.token_hex(4)}"
    await asyncio.to_thread(clusters.prepare_namespace, name)
    yield name
    await asyncio.to_thread(clusters.remove_namespace, name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    clusters: Clusters, namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hub]:
    directory = tmp_path_factory.mktemp("hub")
    async for started in running_hub(clusters, namespace, directory, base_url=f"/{namespace}/"):
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def fancy(clusters: Clusters, namespace: str, tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub with its form, beside the other one."""
    base_url = f"/{namespace}-fancy/"
    made = running_hub(clusters, namespace, tmp_path, base_url=base_url, extra=FANCY)
    async for started in made:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def browser(chrome: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Browser]:
    """The browser; a picture of each window at the test's end."""
    yield chrome
    for number, context in enumerate(chrome.contexts):
        await shot(context.pages[0], f"{request.node.name}-at-the-end-{number}")
        await context.close()


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


async def cluster_of(clusters: Clusters, namespace: str, user: str) -> list[str]:
    """Name the clusters that run *user*'s server."""
    pod = f"Pod jupyter-{user}"
    return [name for name in clusters.clusters if pod in await objects(clusters, name, namespace)]


async def until_gone(clusters: Clusters, namespace: str, user: str) -> None:
    """Wait until nothing of *user*'s server is in a cluster; others may be at work."""
    async with asyncio.timeout(60):
        for cluster in clusters.clusters:
            while any(user in found for found in await objects(clusters, cluster, namespace)):
                await asyncio.sleep(0.2)


async def test_a_user_works_in_one_cluster_and_then_in_the_other(
    running: Hub, browser: Browser, clusters: Clusters, namespace: str
) -> None:
    page = await person.log_in(browser, running, "ada")
    await shot(page, "form")
    assert await barriers(page, exclude=OF_THE_HUB) == []
    await expect(page.get_by_role("radio", name="Cluster a")).to_be_checked()
    await expect(page.get_by_role("radio", name="Staff")).to_have_count(0)
    await stands_in_its_box(page, "Cluster a")
    told = person.Told(page)
    await person.choose_by_mouse(page, "Cluster b")
    await person.press_start(page)
    await page.wait_for_url("**/spawn-pending/**")
    waited, _ = await asyncio.gather(seconds_from_ready_to_end(running, "ada"), person.in_lab(page))
    assert waited < 5, "the page waits on although the server answers"
    assert told.percents == sorted(told.percents)
    assert any("server" in message for _, message in told.lines), told.lines
    await person.make_a_file_in_a_terminal(page, "terminal-$CLUSTER_NAME-$((6*7))")
    await person.listed(page, "terminal-b-42")
    await shot(page, "terminal")
    assert await person.run_cell(page, TUTORIAL) == "b"
    await shot(page, "notebook")
    await person.stop(page, running)

    await page.goto(f"{running.url}hub/spawn")
    await expect(page.get_by_role("radio", name="Cluster b")).to_be_checked()
    await person.choose_by_keyboard(page, "Cluster a")
    await page.keyboard.press("Enter")
    await person.in_lab(page)
    assert await person.run_cell(page, TUTORIAL) == "a"
    await person.stop(page, running)
    await until_gone(clusters, namespace, "ada")


async def test_the_form_tells_what_a_cluster_has_free_and_where_the_users_data_is(
    running: Hub, browser: Browser, clusters: Clusters, namespace: str
) -> None:
    page = await person.log_in(browser, running, "ann")
    west = page.get_by_role("radio", name="Cluster a")
    east = page.get_by_role("radio", name="Cluster b")
    about = "JupyterLab near the data of cluster"
    await expect(west).to_have_accessible_description(f"{about} a")
    await expect(east).to_have_accessible_description(f"3 GPUs free. {about} b")
    await person.choose_by_keyboard(page, "Choose the size")
    await page.keyboard.press("Enter")
    await page.wait_for_url(PLAIN)
    await person.stop(page, running)
    await page.goto(f"{running.url}hub/spawn")
    await expect(west).to_have_accessible_description(f"{about} a")
    await expect(east).to_have_accessible_description(f"3 GPUs free. Your data is here. {about} b")
    await shot(page, "form-news")
    assert await barriers(page, exclude=OF_THE_HUB) == []
    await until_gone(clusters, namespace, "ann")


async def test_two_users_work_at_once_and_administrators_see_what_they_chose(
    running: Hub, browser: Browser
) -> None:
    bob, eve = await asyncio.gather(
        person.log_in(browser, running, "bob"), person.log_in(browser, running, "eve")
    )
    await person.choose_by_mouse(bob, "Cluster a")
    await person.choose_by_mouse(eve, "Choose the size")
    await eve.get_by_label("Memory").select_option("2 GB")
    await asyncio.gather(person.press_start(bob), person.press_start(eve))
    await eve.wait_for_url(PLAIN)
    await eve.goto(f"{running.url}user/eve/lab")
    await asyncio.gather(person.in_lab(bob), person.in_lab(eve))
    said = await asyncio.gather(person.run_cell(bob, WHERE), person.run_cell(eve, WHERE))
    assert list(said) == ["a 1073741824", "b 2147483648"]

    admin = await person.log_in(browser, running, "admin")
    await admin.goto(f"{running.url}hub/admin")
    for name, profile in (("bob", "a"), ("eve", "size")):
        await person.expect_profile(admin, name, profile)
    await shot(admin, "admin")
    details = await person.details_of(admin, "eve")
    for words in ("memory", "cluster"):
        await expect(details).to_contain_text(words)
    await shot(admin, "admin-details", full_page=True)
    for page in (bob, eve):
        await person.stop(page, running)


async def test_every_server_can_be_chosen_without_a_mouse(
    running: Hub, browser: Browser, clusters: Clusters, namespace: str
) -> None:
    uma, vic, sam = [await person.log_in(browser, running, name) for name in ("uma", "vic", "sam")]
    await person.choose_by_keyboard(uma, "Cluster b")
    await uma.keyboard.press("Enter")
    await person.choose_by_keyboard(vic, "Choose the size")
    await vic.keyboard.press("Tab")
    await expect(vic.get_by_label("Memory")).to_be_focused()
    await vic.keyboard.press("ArrowDown")
    await vic.keyboard.press("Tab")
    await vic.keyboard.press("Enter")
    await person.choose_by_keyboard(sam, "Staff")
    await sam.keyboard.press("Enter")
    await person.in_lab(uma)
    for page in (vic, sam):
        await page.wait_for_url(PLAIN)
    assert await person.run_cell(uma, WHERE) == "b 1073741824"
    assert await kernel.run(running, "vic", WHERE) == "b 2147483648\n"
    found = {user: await cluster_of(clusters, namespace, user) for user in ("uma", "vic", "sam")}
    assert found == {"uma": ["b"], "vic": ["b"], "sam": ["a"]}
    for page in (uma, vic, sam):
        await person.stop(page, running)
    await sam.goto(f"{running.url}hub/spawn")
    await person.choose_by_mouse(sam, "Staff")
    await person.press_start(sam)
    await sam.wait_for_url(PLAIN)
    assert await kernel.run(running, "sam", WHERE) == "a 1073741824\n"
    await person.stop(sam, running)


async def test_while_a_server_waits_the_page_goes_on_and_the_user_can_stop_it(
    running: Hub, browser: Browser, clusters: Clusters, namespace: str
) -> None:
    page = await person.log_in(browser, running, "gil")
    told = person.Told(page)
    await person.choose_by_keyboard(page, "GPU")
    await page.keyboard.press("Enter")
    await page.get_by_text("Event log").click()
    log = page.locator("#progress-log")
    no_kind = "still looking: no machine is of the kind that this profile asks for"
    await expect(log).to_contain_text(f"No place in the cluster yet, {no_kind}")
    await expect(log).to_contain_text(re.compile(rf"{no_kind} \(for \d+ s now\)"))
    await shot(page, "progress")
    assert await barriers(page, exclude=OF_THE_HUB) == []
    assert told.percents == sorted(told.percents)
    await person.stop_waiting(page, running)
    await until_gone(clusters, namespace, "gil")
    await expect_stopped(running, "gil")

    await page.goto(f"{running.url}hub/spawn")
    await person.choose_by_mouse(page, "GPU")
    await person.press_start(page)
    await expect(page.locator("#progress-log")).to_contain_text("No place in the cluster yet")
    await running.request("DELETE", "users/gil/server")
    await expect_stopped(running, "gil")


async def test_a_start_that_fails_says_what_to_do_and_where_the_log_tells_more(
    running: Hub, browser: Browser, clusters: Clusters, namespace: str
) -> None:
    page = await person.log_in(browser, running, "kim")
    await person.choose_by_mouse(page, "Old image")
    await person.press_start(page)
    message = page.locator("#progress-message")
    await expect(message).to_contain_text("Reference")
    await shot(page, "failed-progress")
    text = await message.inner_text()
    assert "The image of this server could not be pulled. Choose another profile" in text
    await expect(message.get_by_role("link", name="Try again")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("heading", name="Spawn failed")).to_be_visible()
    await shot(page, "failed")
    assert await barriers(page, exclude=OF_THE_HUB) == []
    found = REFERENCE.search(await page.locator("body").inner_text())
    assert found is not None
    assert found[1] in text
    (line,) = [
        line for line in running.log.read_text().splitlines() if f"(reference {found[1]}," in line
    ]
    assert "kim did not start" in line
    assert "profile old-image, cluster a): The image of this server could not be pulled." in line
    assert "no-such-image" in line
    assert running.log.read_text().count("Normal Scheduled:") == 1
    await page.get_by_role("link", name="Try again").click()
    await expect(page.get_by_role("group", name="Choose a server")).to_be_visible()
    await until_gone(clusters, namespace, "kim")
    await person.choose_by_keyboard(page, "Old image")
    await page.keyboard.press("Enter")
    await expect(message).to_contain_text("The image of this server could not be pulled")
    await until_gone(clusters, namespace, "kim")


async def test_a_cluster_that_is_away_is_told_in_a_sentence_and_then_by_the_form(
    running: Hub, browser: Browser
) -> None:
    page = await person.log_in(browser, running, "lee", color_scheme="dark", viewport=PHONE)
    await person.choose_by_mouse(page, "Far away")
    await person.press_start(page)
    said = page.get_by_text("The chosen cluster does not answer at the moment.").first
    await expect(said).to_be_visible()
    assert REFERENCE.search(await page.locator("body").inner_text())
    await shot(page, "away-dark-phone")
    assert await barriers(page, exclude=OF_THE_HUB) == []

    far = page.get_by_role("radio", name="Far away")
    for _ in range(6):  # some failures in a row let the hub leave a cluster alone
        await page.goto(f"{running.url}hub/spawn")
        if await far.is_disabled():
            break
        await person.choose_by_keyboard(page, "Far away")
        await page.keyboard.press("Enter")
        await expect(said).to_be_visible()
    await expect(far).to_have_accessible_description(
        "Unavailable at the moment: its cluster does not answer."
    )
    await expect(page.get_by_role("radio", name="Cluster a")).to_be_checked()
    await shot(page, "form-dark-phone")
    assert await barriers(page, exclude=OF_THE_HUB) == []
    await page.set_viewport_size({"width": 1000, "height": 760})
    await page.emulate_media(color_scheme="light")
    await page.reload()
    await shot(page, "unavailable")


async def test_what_a_user_may_not_use_is_refused_also_by_a_crafted_form(
    running: Hub, browser: Browser
) -> None:
    page = await person.log_in(browser, running, "mia")
    await page.get_by_role("radio", name="Cluster a").evaluate("radio => radio.value = 'staff'")
    async with page.expect_response(lambda r: r.request.method == "POST") as answer:
        await person.press_start(page)
    assert (await answer.value).status == 403
    await expect(page.get_by_text("You may not use this profile.")).to_be_visible()
    await expect(page.get_by_role("radio", name="Cluster a")).to_be_checked()
    await shot(page, "denied")
    assert await barriers(page, exclude=OF_THE_HUB) == []
    options = {"profile": "staff"}
    status, said = await running.request("POST", "users/mia/server", json=options)
    assert (status, said["message"][:28]) == (403, "You may not use this profile")


async def test_the_form_of_fancy_profiles_starts_the_chosen_server(
    fancy: Hub, browser: Browser
) -> None:
    page = await person.log_in(browser, fancy, "zoe")
    await page.get_by_text("Choose the size").click()
    await shot(page, "form-of-fancy-profiles")
    memory = page.locator("input[role=combobox]").first
    await memory.press("ArrowDown")  # opens the list; the second press goes on in it
    await expect(page.get_by_role("option", name="2 GB")).to_be_visible()
    await memory.press("ArrowDown")
    await memory.press("Enter")
    await expect(page.get_by_text("2 GB", exact=True)).to_be_visible()
    await person.press_start(page)
    await page.wait_for_url(PLAIN)
    assert await kernel.run(fancy, "zoe", WHERE) == "b 2147483648\n"
    await person.stop(page, fancy)

"""What people see of several clusters: the form before they choose, and the tries of a start."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser import person
from tests.browser.pages import barriers, chromium, shot
from tests.browser.test_browser import OF_THE_HUB, PLAIN
from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub
from tests.hub.hubs import Start
from tests.hub.placement.test_next_cluster import use_up_the_quota
from tests.hub.servers import objects, until_empty

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.browser,
    pytest.mark.alone,  # a person waits some seconds for a page, however busy the machine is
]

THREE = """
known = c.MultiClusterKubeSpawner.clusters
c.MultiClusterKubeSpawner.clusters = {
    "west": {**known["a"], "capacity": lambda cluster: "12 servers free"},
    "east": {**known["b"], "capacity": lambda cluster: "3 GPUs free"},
    "north": {**known["b"], "drain": "An upgrade until noon"},
}
c.MultiClusterKubeSpawner.profile_list = [
    {
        "display_name": "Notebook",
        "description": "Wherever there is room",
        "clusters": ["west", "east", "north"],
    },
    {"display_name": "Small", "description": "Enough for a course", "cluster": "west"},
    {"display_name": "GPU", "description": "With a graphics card", "cluster": "east"},
    {"display_name": "Archive", "description": "Old results", "cluster": "north"},
]
c.Spawner.default_url = "/api/status"
"""
WHY = "its cluster takes no new servers. An upgrade until noon."


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def hub(start_hub: Start) -> AsyncIterator[Hub]:
    async with start_hub(THREE) as running:
        yield running


async def with_data_in_west(browser: Browser, hub: Hub) -> Page:
    """Log in as ada, whose server has been in west and has left its data there: see the form."""
    looks = {"viewport": {"width": 1000, "height": 860}, "reduced_motion": "reduce"}
    page = await person.log_in(browser, hub, "ada", **looks)
    await person.choose_by_keyboard(page, "Small")
    await page.keyboard.press("Enter")
    await page.wait_for_url(PLAIN)
    await person.stop(page, hub)
    await page.goto(f"{hub.url}hub/spawn")
    return page


async def expect_all_news(page: Page) -> None:
    """Look for what screen readers say of each profile, and what the list of clusters tells."""
    for profile, said in {
        "Small": "12 servers free. Your data is here. Enough for a course",
        "GPU": "3 GPUs free. With a graphics card",
        "Archive": f"Unavailable at the moment: {WHY}",
    }.items():
        radio = page.get_by_role("radio", name=profile)
        await expect(radio).to_have_accessible_description(said)
    await expect(page.get_by_role("radio", name="Archive")).to_be_disabled()
    assert await page.get_by_label("Cluster", exact=True).locator("option").all_inner_texts() == [
        "Any cluster",
        "west (12 servers free. Your data is here.)",
        "east (3 GPUs free.)",
        f"north (unavailable at the moment: {WHY})",
    ]
    await expect(page.get_by_text("Your data is in west.")).to_be_visible()


async def choose_any_cluster_without_data(page: Page) -> None:
    """Go by keyboard alone through all that the form asks of "Notebook"."""
    await person.choose_by_keyboard(page, "Notebook")
    await page.keyboard.press("Tab")
    clusters = page.get_by_label("Cluster", exact=True)
    await expect(clusters).to_be_focused()
    await page.keyboard.press("End")  # the last one that can be chosen: north is drained
    await expect(clusters).to_have_value("east")
    await page.keyboard.press("Home")
    await expect(clusters).to_have_value("any")
    box = page.get_by_role("checkbox", name="Start without it if my server cannot start there")
    for _ in range(30):
        if await box.evaluate("box => box === document.activeElement"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(box).to_be_checked()


async def test_any_cluster_is_chosen_by_keyboard_and_the_page_tells_of_both_tries(
    hub: Hub, browser: Browser, clusters: Clusters, namespace: Namespace
) -> None:
    page = await with_data_in_west(browser, hub)
    await expect_all_news(page)
    await choose_any_cluster_without_data(page)
    await shot(page, "choose-a-cluster")
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        assert await barriers(page, exclude=OF_THE_HUB) == [], theme
    await page.emulate_media(color_scheme="light")

    await use_up_the_quota(clusters["a"].api, namespace.name)
    told = person.Told(page)
    await page.keyboard.press("Enter")
    await page.get_by_text("Event log").click()
    await expect(page.locator("#progress-log")).to_contain_text("Creating the server in east")
    await shot(page, "two-tries")
    await page.wait_for_url(PLAIN)
    expect_both_tries(told)
    assert told.percents == sorted(told.percents)
    assert "Pod jupyter-ada" in await objects(clusters, "b", namespace.name)
    assert "Pod jupyter-ada" not in await objects(clusters, "a", namespace.name)
    await person.stop(page, hub)
    await until_empty(clusters, namespace.name)


def expect_both_tries(told: person.Told) -> None:
    """Look for the lines of both tries, in this order, with others between them."""
    lines = iter([message for _, message in told.lines])
    for said in (
        r"north: .* takes no new servers at the moment\. An upgrade until noon\.",
        "Connecting to west",
        r"west: This cluster's quota has no room .* Trying east next",
        "Your data is in west. This server starts in east without it",
        "Connecting to east",
        "Creating the server in east",
    ):
        assert any(re.match(said, line) for line in lines), (said, told.lines)

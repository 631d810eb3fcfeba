"""Lists of choices that profiles share, in a real Chromium, with and without scripts."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from mcks.core.profiles.profile_list import parse
from tests.bench.profiles import profile
from tests.browser.form_site import (
    IMAGE,
    LISTED,
    STRICT,
    Site,
    away,
    open_page,
    press_start,
)
from tests.browser.pages import PHONE, barriers, shot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

MEMORY: dict[str, Any] = {"display_name": "Memory", "choices": {"1 GB": {}, "2 GB": {}}}
ALIKE: list[dict[str, Any]] = [
    {
        "display_name": f"Profile {n}",
        "description_html": "<a href='#about'>About</a>",
        "profile_options": {"image": IMAGE} if n % 2 else {"memory": MEMORY},
    }
    for n in range(12)
] + [
    {"display_name": "Plain"},
    {"display_name": "Own", "profile_options": {"image": IMAGE, "memory": MEMORY}},
]
"""Two groups of profiles that ask the same, none of them neighbours, one without options, and one
that asks what nobody else does."""


def shared_by(page: Page, name: str, scripts: bool) -> Locator:
    """The shared lists below the profile of that *name*, which is chosen."""
    chosen = name if scripts else "the chosen server"
    return page.get_by_role("group", name=f"Options of {chosen}", exact=True)


@pytest.mark.parametrize("scripts", [True, False])
async def test_lists_that_profiles_share_stand_below_the_chosen_one(
    site: Site, browser: Browser, scripts: bool
) -> None:
    site.profiles = parse(ALIKE).profiles
    page = await open_page(browser, site, java_script_enabled=scripts)
    await page.get_by_role("radio", name="Plain").check()
    visible = page.locator("select:visible")
    await expect(visible).to_have_count(2)  # those of the profile that shares with nobody
    await page.get_by_role("radio", name="Profile 7").check()
    await expect(visible).to_have_count(3)
    image = shared_by(page, "Profile 7", scripts).get_by_label("Image", exact=True)
    above, here, below = [
        await one.bounding_box()
        for one in (
            page.get_by_text("Profile 7", exact=True),
            image,
            page.get_by_text("Profile 8", exact=True),
        )
    ]
    assert above is not None
    assert here is not None
    assert below is not None
    assert above["y"] < here["y"] < below["y"]
    await image.select_option("torch")
    await shot(page, f"form-shared-{'with' if scripts else 'without'}-scripts")
    assert await press_start(page, site) == {"profile": "profile-7", "image": "torch"}


@pytest.mark.parametrize("scripts", [True, False])
async def test_tab_goes_from_a_profile_to_the_lists_that_it_shares(
    site: Site, browser: Browser, scripts: bool
) -> None:
    site.profiles = parse(ALIKE).profiles
    page = await open_page(browser, site, java_script_enabled=scripts)
    await page.get_by_role("radio", name="Profile 6").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")  # the link in its description
    await page.keyboard.press("Tab")
    image = shared_by(page, "Profile 7", scripts).get_by_label("Image", exact=True)
    await expect(image).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(image).to_have_value("torch")
    await page.keyboard.press("Tab")
    if not scripts:
        await page.keyboard.press("Tab")  # the text beside the list, which is not hidden then
    await expect(page.get_by_role("link", name="About").nth(8)).to_be_focused()
    assert await press_start(page, site) == {"profile": "profile-7", "image": "torch"}


async def test_what_is_chosen_in_shared_lists_stays_for_the_next_profile(
    site: Site, browser: Browser
) -> None:
    site.profiles = parse(ALIKE).profiles
    page = await open_page(browser, site)
    await page.get_by_role("radio", name="Profile 7").check()
    await page.get_by_label("Image", exact=True).first.select_option("Other...")
    text = page.get_by_label("Image of your own").first
    await text.fill("NO")
    await page.get_by_role("radio", name="Profile 8").check()
    await page.get_by_label("Memory").first.select_option("2 GB")
    await page.get_by_role("radio", name="Profile 9").check()
    await page.get_by_role("button", name="Start").click()
    assert await text.evaluate("field => field.validity.valid") is False
    await text.fill("mine:1")
    options = await press_start(page, site)
    assert options == {"profile": "profile-9", "image--unlisted-choice": "mine:1"}
    assert len(site.posted) == 1


async def test_what_is_not_chosen_of_shared_lists_keeps_nobody(
    site: Site, browser: Browser
) -> None:
    site.profiles = parse(ALIKE).profiles
    page = await open_page(browser, site)
    await page.get_by_role("radio", name="Profile 7").check()
    await page.get_by_label("Image", exact=True).first.select_option("Other...")
    await page.get_by_label("Image of your own").first.fill("NO")
    await page.get_by_role("radio", name="Plain").check()
    assert await press_start(page, site) == {"profile": "plain"}


async def test_search_looks_into_lists_that_profiles_share(site: Site, browser: Browser) -> None:
    site.profiles = parse(ALIKE).profiles
    page = await open_page(browser, site)
    await page.get_by_label("Search").fill("pytorch")
    await expect(page.get_by_role("status")).to_have_text("8 of 14 shown")
    await page.get_by_label("Search").fill("memory")
    await expect(page.get_by_role("status")).to_have_text("7 of 14 shown")
    for words in ("Profile 11", "Plain", "Own"):
        assert await page.evaluate("words => (getSelection().empty(), find(words))", words) is (
            words == "Own"
        )
    await page.get_by_label("Search").fill("")
    for words in ("Profile 11", "Plain", "Memory"):
        assert await page.evaluate("words => (getSelection().empty(), find(words))", words)


async def test_without_styles_it_says_whose_the_shared_lists_are(
    site: Site, browser: Browser
) -> None:
    site.profiles = parse(ALIKE[:4]).profiles
    site.policy = STRICT
    page = await open_page(browser, site)
    await page.get_by_role("radio", name="Profile 3").check()
    await expect(page.get_by_text("Options of Profile 1, Profile 3:")).to_be_visible()
    await expect(page.get_by_text("Options of Profile 0, Profile 2:")).to_be_visible()
    await page.get_by_label("Image", exact=True).select_option("torch")
    assert await press_start(page, site) == {"profile": "profile-3", "image": "torch"}


@pytest.mark.parametrize("scripts", [True, False])
async def test_among_300_profiles_one_is_found_chosen_and_sent(
    site: Site, browser: Browser, scripts: bool
) -> None:
    site.profiles = parse([profile(n) for n in range(300)]).profiles
    page = await open_page(browser, site, java_script_enabled=scripts)
    await page.get_by_role("radio", name="Profile 217", exact=True).check()
    await page.get_by_label("Option 3").select_option("Choice 1")
    await shot(page, f"form-300-{'with' if scripts else 'without'}-scripts")
    options = await press_start(page, site)
    assert options == {
        "profile": "profile-217",
        **{f"option{n}": "c1" if n == 3 else "c0" for n in range(5)},
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_shared_lists_keep_nobody_out_and_fit_a_phone(
    site: Site, browser: Browser, theme: str
) -> None:
    site.theme = theme
    site.profiles = away(parse([*ALIKE, LISTED[2]]).profiles)
    page = await open_page(browser, site, viewport=PHONE)
    await page.get_by_role("radio", name="Profile 1", exact=True).check()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await shot(page, f"form-shared-phone-{theme}")
    assert await barriers(page) == []

"""The profile form in a real Chromium, under the hub's own styles, without hub or cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from mcks.core.profiles.offer import with_news, with_questions
from mcks.core.profiles.options_form import DataQuestion
from mcks.core.profiles.profile_list import Profile, parse
from tests.browser.form_site import (
    LISTED,
    STRICT,
    Site,
    away,
    open_page,
    press_start,
)
from tests.browser.pages import PHONE, barriers, shot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_by_mouse_an_option_chooses_its_profile(site: Site, browser: Browser) -> None:
    page = await open_page(browser, site)
    await expect(page.get_by_role("group", name="Choose a server")).to_be_visible()
    await expect(page.get_by_role("radio", name="Small")).to_be_checked()
    await expect(page.get_by_label("Image of your own")).to_be_hidden()
    await expect(page.get_by_text("name:number")).to_be_hidden()
    await page.get_by_label("Image", exact=True).select_option("torch")
    await expect(page.get_by_role("radio", name="GPU")).to_be_checked()
    await page.get_by_text("Enough for a course").click()
    await expect(page.get_by_role("radio", name="Small")).to_be_checked()
    await page.get_by_label("Image", exact=True).select_option("scipy")
    await page.get_by_label("Image", exact=True).select_option("torch")
    assert await press_start(page, site) == {"profile": "gpu", "image": "torch"}


async def test_by_keyboard_alone(site: Site, browser: Browser) -> None:
    page = await open_page(browser, site)
    await page.get_by_role("radio", name="Small").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await page.keyboard.type("mine:1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("posted")).to_be_visible()
    assert site.posted == [{"profile": "gpu", "image--unlisted-choice": "mine:1"}]


async def test_a_text_that_does_not_match_is_not_sent(site: Site, browser: Browser) -> None:
    page = await open_page(browser, site)
    await page.get_by_label("Image", exact=True).select_option("Other...")
    text = page.get_by_label("Image of your own")
    for wrong in ("", "NO"):
        await text.fill(wrong)
        await page.get_by_role("button", name="Start").click()
        assert await text.evaluate("field => field.validity.valid") is False
    await text.fill("mine:1")
    assert (await press_start(page, site))["image--unlisted-choice"] == "mine:1"
    assert len(site.posted) == 1


AT_HOME: list[dict[str, Any]] = [
    {"display_name": "Near", "cluster": "west"},
    {"display_name": "GPU", "clusters": ["west", "east"]},
]


async def test_where_data_is_and_whether_to_go_without_it_is_asked_only_where_that_counts(
    site: Site, browser: Browser
) -> None:
    def asks(overrides: Mapping[str, Any]) -> bool:
        return overrides.get("cluster") != "west"

    site.profiles = with_questions(parse(AT_HOME).profiles, asks)
    site.data = DataQuestion(("west",), asks=True)
    page = await open_page(browser, site)
    box = page.get_by_role("checkbox", name="Start without it if my server cannot start there")
    await expect(page.get_by_text("Your data is in west.")).to_be_visible()
    await expect(box).to_be_hidden()
    await page.get_by_role("radio", name="GPU").check()
    await expect(box).to_be_visible()
    assert await barriers(page) == []
    await page.get_by_label("Cluster").select_option("west")
    await expect(box).to_be_hidden()
    await page.get_by_label("Cluster").select_option("east")
    await box.check()
    assert await press_start(page, site) == {
        "profile": "gpu",
        "cluster": "east",
        "mcks-data": "elsewhere",
    }


async def test_what_is_not_chosen_does_not_keep_the_form(site: Site, browser: Browser) -> None:
    page = await open_page(browser, site)
    await page.get_by_label("Image", exact=True).select_option("Other...")
    await page.get_by_role("radio", name="Small").check()
    assert await press_start(page, site) == {"profile": "small"}


async def test_search_shows_what_has_all_words_and_what_is_chosen(
    site: Site, browser: Browser
) -> None:
    page = await open_page(browser, site)
    await page.get_by_label("Search").fill("pytorch")
    await expect(page.get_by_role("radio")).to_have_count(2)  # the chosen one stays in sight
    await expect(page.get_by_role("radio", name="GPU")).to_be_visible()
    await expect(page.get_by_role("status")).to_have_text("2 of 12 shown")


@pytest.mark.parametrize("strict", [False, True])
async def test_it_works_without_scripts(site: Site, browser: Browser, strict: bool) -> None:
    site.policy = STRICT if strict else site.policy
    page = await open_page(browser, site, java_script_enabled=strict)
    await expect(page.get_by_label("Search")).to_be_hidden()
    await page.get_by_role("radio", name="GPU").check()
    await page.get_by_label("Image", exact=True).select_option("Other...")
    await page.get_by_label("Image of your own").fill("mine:1")
    options = await press_start(page, site)
    assert options == {"profile": "gpu", "image--unlisted-choice": "mine:1"}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_it_fits_a_phone_and_both_themes(site: Site, browser: Browser, theme: str) -> None:
    site.theme = theme
    site.profiles = away(parse(LISTED).profiles)
    page = await open_page(browser, site, viewport=PHONE)
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    await shot(page, f"form-phone-{theme}")
    colours = await page.evaluate(
        "[...document.querySelectorAll('.mcks-profile')].map(e => getComputedStyle(e).color)"
    )
    back = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert all(contrast(colour, back) >= 4.5 for colour in colours), (colours, back)


@pytest.mark.parametrize("number", [3, 12])
@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_it_keeps_nobody_out(site: Site, browser: Browser, theme: str, number: int) -> None:
    site.theme = theme
    site.profiles = away(parse(LISTED[:number]).profiles)
    page = await open_page(browser, site)
    await page.get_by_label("Image", exact=True).select_option("Other...")
    await shot(page, f"form-{number}-{theme}", full_page=True)
    assert await barriers(page) == []


async def test_what_is_unavailable_cannot_be_chosen_and_says_why(
    site: Site, browser: Browser
) -> None:
    site.profiles = away(parse(LISTED[:3]).profiles)
    page = await open_page(browser, site)
    off = page.get_by_role("radio", name="Other 0")
    await expect(off).to_be_disabled()
    await expect(off).to_have_accessible_description(
        "Unavailable at the moment: cluster east has not answered for 3 minutes."
    )
    await page.get_by_role("radio", name="GPU").focus()
    await page.keyboard.press("ArrowDown")
    assert await press_start(page, site) == {"profile": "small"}


ANY = {
    "display_name": "Anywhere",
    "profile_options": {
        "cluster": {
            "display_name": "Cluster",
            "choices": {
                "any": {"display_name": "Any cluster", "default": True},
                **{name: {"cluster": name} for name in ("west", "east", "north")},
            },
        }
    },
}
NEWS = {
    "west": ("3 GPUs free.", "Your data is here."),
    "north": ("2 of 10 servers free.",),
}


def with_words(profiles: list[Profile]) -> list[Profile]:
    """Let one cluster be away, and the others have news."""
    return with_news(away(profiles), lambda o, _: NEWS.get(str((o or {}).get("cluster")), ()))


@pytest.mark.parametrize("scripts", [True, False])
async def test_what_clusters_have_free_and_where_data_is_can_be_read_and_heard(
    site: Site, browser: Browser, scripts: bool
) -> None:
    near = {"display_name": "Near", "description": "By the sea", "cluster": "west"}
    site.profiles = with_words(parse([ANY, near]).profiles)
    page = await open_page(browser, site, java_script_enabled=scripts)
    told = page.get_by_text("3 GPUs free. Your data is here.", exact=True)
    await expect(told).to_be_visible()
    await expect(page.get_by_role("radio", name="Near")).to_have_accessible_description(
        "3 GPUs free. Your data is here. By the sea"
    )
    listed = page.get_by_label("Cluster", exact=True)
    assert await listed.locator("option").all_inner_texts() == [
        "Any cluster",
        "west (3 GPUs free. Your data is here.)",
        "east (unavailable at the moment: cluster east has not answered for 3 minutes.)",
        "north (2 of 10 servers free.)",
    ]
    await page.get_by_role("radio", name="Anywhere").focus()
    await page.keyboard.press("Tab")
    await expect(listed).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")  # past the one that is away
    await expect(listed).to_have_value("north")
    await shot(page, f"form-news-{'with' if scripts else 'without'}-scripts")
    assert await press_start(page, site) == {"profile": "anywhere", "cluster": "north"}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_news_keep_nobody_out_and_fit_a_phone(
    site: Site, browser: Browser, theme: str
) -> None:
    site.theme = theme
    near = {"display_name": "Near", "description": "By the sea", "cluster": "west"}
    site.profiles = with_words(parse([ANY, near, LISTED[2]]).profiles)
    page = await open_page(browser, site, viewport=PHONE)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await shot(page, f"form-news-phone-{theme}", full_page=True)
    assert await barriers(page) == []


def contrast(one: str, other: str) -> float:
    """Return the contrast of two CSS colours by the formula of WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""The profile form in a real Chromium, under the hub's own styles, without hub or cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from jupyterhub._data import DATA_FILES_PATH
from playwright.async_api import Browser, Locator, Page, expect

from mcks.core.profiles.offer import with_availability, with_news, with_questions
from mcks.core.profiles.options_form import NO_QUESTION, DataQuestion, form, user_options
from mcks.core.profiles.profile_list import Profile, parse
from tests.bench.profiles import profile
from tests.browser.pages import PHONE, SLOW, barriers, chromium, shot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

IMAGE = {
    "display_name": "Image",
    "choices": {"scipy": {"display_name": "SciPy"}, "torch": {"display_name": "PyTorch"}},
    "unlisted_choice": {
        "enabled": True,
        "display_name": "Image of your own",
        "validation_regex": "[a-z]+:[0-9]+",
        "validation_message": "name:number",
    },
}
LISTED: list[dict[str, Any]] = [
    {"display_name": "Small", "description": "Enough for a course"},
    {"display_name": "GPU", "slug": "gpu", "profile_options": {"image": IMAGE}},
    {"display_name": "Other 0", "description": "words " * 40, "cluster": "east"},
    *({"display_name": f"Other {n}", "description": "words " * 40} for n in range(1, 10)),
]
STRICT = "default-src 'none'; style-src 'self'; form-action 'self'"


class Site:
    """Serves the form as the hub's page does, and keeps what is posted."""

    def __init__(self) -> None:
        self.url = ""
        self.posted: list[dict[str, Any]] = []
        self.policy = "frame-ancestors 'none'"
        self.theme = "light"
        self.profiles: list[Profile] = parse(LISTED).profiles
        self.data = NO_QUESTION

    async def page(self, _: web.Request) -> web.Response:
        html = (
            f'<!doctype html><html lang="en" data-bs-theme="{self.theme}"><head>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<title>Form</title><link rel="stylesheet" href="/static/css/style.min.css"></head>'
            '<body><main class="container"><h1>Server Options</h1>'
            '<form method="post" enctype="multipart/form-data">'
            f"{form('', self.profiles, data=self.data)}"
            '<button type="submit">Start</button></form></main>'
        )
        headers = {"Content-Security-Policy": self.policy}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def post(self, request: web.Request) -> web.Response:
        posted = await request.post()
        self.posted.append(user_options({key: posted.getall(key) for key in posted}))
        return web.Response(text="posted")


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[Site]:
    made = Site()
    application = web.Application()
    application.router.add_get("/", made.page)
    application.router.add_post("/", made.post)
    application.router.add_static("/static", Path(DATA_FILES_PATH) / "static")
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def open_page(browser: Browser, site: Site, **context: Any) -> Page:
    page = await (await browser.new_context(**context)).new_page()
    page.set_default_timeout(SLOW)
    await page.goto(site.url)
    return page


async def press_start(page: Page, site: Site) -> dict[str, Any]:
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("posted")).to_be_visible()
    return site.posted[-1]


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


def away(profiles: list[Profile]) -> list[Profile]:
    """Let the cluster of the third profile be unavailable."""
    said = "cluster east has not answered for 3 minutes."
    return with_availability(profiles, lambda o: said if o.get("cluster") == "east" else "")


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

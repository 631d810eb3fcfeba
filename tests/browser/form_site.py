"""A page with the profile form under the hub's own styles, without hub or cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from jupyterhub._data import DATA_FILES_PATH
from playwright.async_api import Browser, Page, expect

from mcks.core.profiles.offer import with_availability
from mcks.core.profiles.options_form import NO_QUESTION, form, user_options
from mcks.core.profiles.profile_list import Profile, parse
from tests.browser.pages import SLOW

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


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    """The page on a port of its own, until the end of a test."""
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


async def open_page(browser: Browser, site: Site, **context: Any) -> Page:
    page = await (await browser.new_context(**context)).new_page()
    page.set_default_timeout(SLOW)
    await page.goto(site.url)
    return page


async def press_start(page: Page, site: Site) -> dict[str, Any]:
    await page.get_by_role("button", name="Start").click()
    await expect(page.get_by_text("posted")).to_be_visible()
    return site.posted[-1]


def away(profiles: list[Profile]) -> list[Profile]:
    """Let the cluster of the third profile be unavailable."""
    said = "cluster east has not answered for 3 minutes."
    return with_availability(profiles, lambda o: said if o.get("cluster") == "east" else "")

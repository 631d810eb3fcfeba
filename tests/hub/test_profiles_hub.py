"""A real hub, without clusters: form, links, crafted posts and API, as users and scripts meet them.

No server gets as far as a cluster here: the hub refuses before, or the cluster does not answer.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.hubs import HUB_6, REFUSALS_HAVE_A_STATUS
from tests.hub.plain_hub import Running, page, serving

pytestmark = pytest.mark.slow


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    async with serving(tmp_path, unused_tcp_port) as running:
        yield running


def checked(html: str) -> list[str]:
    return re.findall(r'value="([\w-]+)"[^<>]* checked', html)


async def test_form_links_posts_and_api_of_a_real_hub(hub: Running) -> None:
    ada, bob = await hub.log_in("ada"), await hub.log_in("bob")
    try:
        status, html = await page(ada, f"{hub.url}spawn")
        assert (status, checked(html)) == (200, ["small"])
        assert 'value="staff"' not in html
        _, html = await page(bob, f"{hub.url}spawn")
        assert 'value="staff"' in html

        link = f"{hub.url}spawn?profile=large&profile-option-large--image=torch"
        status, html = await page(ada, link)
        assert (status, checked(html)) == (200, ["large"])
        assert '<option value="torch" selected>' in html
        assert "Traceback" not in hub.log.read_text()

        for _ in range(3):  # more than consecutive_failure_limit: the hub must not end
            status, html = await page(ada, f"{hub.url}spawn", profile="staff")
            assert status == (403 if REFUSALS_HAVE_A_STATUS else 200)
            assert "You may not use this profile." in html
            assert checked(html) == ["small"]
        status, html = await page(ada, f"{hub.url}spawn", profile="<script>alert(1)</script>")
        assert status == (400 if REFUSALS_HAVE_A_STATUS else 200)
        assert "unknown profile" in html
        assert "<script>alert(1)" not in html
    finally:
        await ada.close()
        await bob.close()


async def test_what_the_api_is_told(hub: Running) -> None:
    for _ in range(3):
        status, message = await hub.api("ada", {"profile": "lage"})
        assert status == 400
        assert message == "unknown profile 'lage'. Did you mean 'large'? Known: large, small"
    options = {"profile": "large", "image": "tensor"}
    assert (await hub.api("ada", options))[0] == 400
    assert (await hub.api("ada", {"profile": ["large"]}))[0] == 400
    status, message = await hub.api("ada", {"profile": "staff"})
    assert status == 403
    assert message.startswith("You may not use this profile.")
    if HUB_6:  # before, the hub logs the stack of every refusal
        assert "Traceback" not in hub.log.read_text()

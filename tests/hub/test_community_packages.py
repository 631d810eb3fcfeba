"""Packages that hubs run beside KubeSpawner, the real ones, on a real hub without clusters."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.hub.hubs import REFUSALS_HAVE_A_STATUS
from tests.hub.plain_hub import page, serving

pytestmark = pytest.mark.slow

FANCY = """
from jupyterhub_fancy_profiles import setup_ui

setup_ui(c)
c.MultiClusterKubeSpawner.read_kubespawner = {switch}
"""


@pytest.mark.parametrize("switch", [True, False])
@pytest.mark.parametrize("base_url", ["/", "/x/"])
async def test_the_form_of_fancy_profiles_is_shown_with_its_script_and_posts(
    tmp_path: Path, unused_tcp_port: int, base_url: str, switch: bool
) -> None:
    more = FANCY.format(switch=switch)
    async with serving(tmp_path, unused_tcp_port, more, base_url) as hub:
        ada = await hub.log_in("ada")
        try:
            status, html = await page(ada, f"{hub.url}spawn")
            assert status == 200
            script = re.search(r'src="(\S*/fancy-profiles/static/dist/form\.js)"', html)
            assert script is not None
            assert "mcks-profiles" not in html
            listed = re.search(r"window\.profileList = (.*);", html)
            assert listed is not None
            assert [profile["slug"] for profile in json.loads(listed[1])] == ["small", "large"]
            async with ada.get(f"http://127.0.0.1:{unused_tcp_port}{script[1]}") as response:
                assert (response.status, response.history) == (200, ())
                assert "javascript" in response.headers["Content-Type"]
                assert "profile-option" in await response.text()
            field = "profile-option-large--image"
            status, html = await page(ada, f"{hub.url}spawn", profile="large", **{field: "scippy"})
            assert status == (400 if REFUSALS_HAVE_A_STATUS else 200)
            assert "Did you mean" in html
            assert "scipy" in html
        finally:
            await ada.close()
        log = hub.log.read_text()
    assert "c.KubeSpawner.additional_profile_form_template_paths" not in log


# -- quotas ----------------------------------------------------------------------------------

QUOTAS = """
from jupyterhub_usage_quotas import setup_usage_quotas
from jupyterhub_usage_quotas.manager import SpawnException, UsageQuotaManager

c.UsageQuotaManager.prometheus_url = "{prometheus}"
c.UsageQuotaManager.hub_namespace = "servers"
c.UsageQuotaManager.prometheus_usage_metrics = {{"memory": "usage{{resource='memory'}}"}}
c.UsageQuotaManager.scope_backup_strategy = {{
    "empty": {{"resource": "memory", "limit": {{"value": 5, "unit": "GiB-hours"}}, "window": 7}},
    "intersection": "min",
}}
setup_usage_quotas(c)
manager = UsageQuotaManager(config=c)


async def quota(spawner):
    groups = [group.name for group in spawner.user.groups]
    answer = await manager.enforce(spawner.user.name, groups)
    if not answer["allow_server_launch"]:
        raise SpawnException(422, answer["error"]["message"], "<b>Your quota is used up</b>")


c.KubeSpawner.pre_spawn_hook = quota
c.MultiClusterKubeSpawner.read_kubespawner = {switch}
"""


class Prometheus:
    """Answers queries on loopback: *eve* has used much, the others nothing."""

    url = ""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.query["query"])
        much = [{"values": [[1700000000, str(10 * 2**30 * 60)]]}] if "eve" in self.asked[-1] else []
        return web.json_response({"status": "success", "data": {"result": much}})


@pytest.fixture
async def prometheus() -> AsyncIterator[Prometheus]:
    made = Prometheus()
    application = web.Application()
    application.router.add_get("/api/v1/query", made.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.mark.parametrize("switch", [True, False])
async def test_usage_quotas_refuse_a_start_with_their_own_words(
    tmp_path: Path, unused_tcp_port: int, prometheus: Prometheus, switch: bool
) -> None:
    more = QUOTAS.format(prometheus=prometheus.url, switch=switch)
    async with serving(tmp_path, unused_tcp_port, more) as hub:
        for _ in range(3):  # more than consecutive_failure_limit: the hub must not end
            status, message = await hub.api("eve", {})
            assert status == 422
            assert "is over the quota limit of 5 GiB-hours" in message
        status, message = await hub.api("bob", {})
        assert (status, "does not answer" in message) == (400, True)
        eve = await hub.log_in("eve")
        try:
            _, html = await page(eve, f"{hub.url}spawn", profile="small")
            assert "is over the quota limit" in html
        finally:
            await eve.close()
    assert "namespace='servers', node!='', pod=~'jupyter-eve.*'" in prometheus.asked[0]

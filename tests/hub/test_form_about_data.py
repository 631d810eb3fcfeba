"""A real hub, without clusters: what users and scripts are told of data that is elsewhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from jupyterhub import orm

from tests.hub.plain_hub import Running, page, serving

pytestmark = pytest.mark.slow

HOME = """'''
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: "{{key}}", annotations: {mcks.hub.jupyter.org/lifetime: user}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
'''"""
MORE = f"""
section = c.MultiClusterKubeSpawner
section.clusters["east"] = {{"context": "west", "ingress_public_url": "http://127.0.0.1:9"}}
section.resources = {{"05-home": {HOME}}}
section.profile_list = [
    {{"display_name": "East", "cluster": "east", "spawner_override": {{"data": "ask"}}}},
    {{"display_name": "Any", "clusters": ["east", "west"]}},
    {{"display_name": "Stay", "cluster": "east", "spawner_override": {{"data": "stay"}}}},
]
"""
DATA = ["west", "v1", "PersistentVolumeClaim", "jupyter-ada", "jhub", False]
AWAY = "Your data is in west, and not in east."
YES = {"mcks-data": "elsewhere"}


@pytest.fixture
async def hub(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Running]:
    """A hub whose user ada has a home in the cluster west; no cluster answers."""
    session = orm.new_session_factory(f"sqlite:///{tmp_path / 'hub.sqlite'}")()
    saved = {"kept_key": "jupyter-ada", "data": [DATA]}
    session.add(orm.Spawner(user=orm.User(name="ada"), name="", state=saved))
    session.commit()
    session.close()
    async with serving(tmp_path, unused_tcp_port, MORE) as running:
        yield running


def question(html: str) -> bool | None:
    found = re.search(r'<input type="checkbox" name="mcks-data"[^<>]*>', html)
    return None if found is None else "checked" in found[0]


async def test_the_form_asks_and_a_start_away_from_data_needs_an_answer(hub: Running) -> None:
    ada, bob = await hub.log_in("ada"), await hub.log_in("bob")
    try:
        _, html = await page(ada, f"{hub.url}spawn")
        assert "Your data is in west." in html
        assert question(html) is False
        _, html = await page(bob, f"{hub.url}spawn")
        assert "Your data" not in html
        assert question(html) is None

        _, html = await page(ada, f"{hub.url}spawn", profile="east")
        assert AWAY in html
        assert question(html) is False
        _, html = await page(ada, f"{hub.url}spawn/ada?mcks-data=elsewhere")
        assert question(html) is True
        assert re.findall(r'value="([\w-]+)" checked', html)[:1] == ["east"]
        _, html = await page(ada, f"{hub.url}spawn", profile="east", **YES)
        assert AWAY not in html
    finally:
        await ada.close()
        await bob.close()


async def test_a_script_is_told_how_to_say_yes(hub: Running) -> None:
    for _ in range(3):  # more than consecutive_failure_limit: the hub must not end
        status, message = await hub.api("ada", {"profile": "east"})
        assert status == 400
        assert message.startswith(AWAY)
        assert '"mcks-data": "elsewhere"' in message
    _, message = await hub.api("ada", {"profile": "stay", **YES})
    assert message.startswith(AWAY)
    assert "mcks-data" not in message
    status, message = await hub.api("ada", {"profile": "east", "mcks-data": "yes"})
    assert (status, message[:35]) == (400, "mcks-data can only be 'elsewhere'; l"[:35])
    _, message = await hub.api("ada", {"profile": "east", **YES})
    assert AWAY not in message

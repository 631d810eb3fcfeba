"""A real hub with a real proxy on the clusters, and its API as a user's browser uses it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jupyterhub
import pytest

from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub, hub

HUB_6 = jupyterhub.version_info >= (6,)
"""Before, a refused form has status 200, and the hub logs the stack of every refusal."""
Start = Callable[..., AbstractAsyncContextManager[Hub]]


@pytest.fixture
def start_hub(clusters: Clusters, namespace: Namespace, tmp_path: Path) -> Start:
    @asynccontextmanager
    async def started(extra: str = "") -> AsyncIterator[Hub]:
        async with hub(
            clusters, namespace.kubeconfig, tmp_path, namespace=namespace.name, extra=extra
        ) as running:
            yield running

    return started


async def start_server(hub: Hub, user: str, profile: str) -> list[dict[str, Any]]:
    """Start and follow the progress to its end; return what it said."""
    await hub.request("POST", f"users/{user}")
    options = {"profile": profile}
    status, answer = await hub.request("POST", f"users/{user}/server", json=options)
    if status >= 400:
        return [{"failed": True, "message": answer["message"]}]
    said = []
    headers = {"Authorization": f"token {hub.token}"}
    url = f"{hub.url}hub/api/users/{user}/server/progress"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        async for line in response.content:
            if line.startswith(b"data:"):
                said.append(json.loads(line[5:]))
    return said


async def stop_server(hub: Hub, user: str) -> None:
    status, _ = await hub.request("DELETE", f"users/{user}/server")
    while status == 202 and (await hub.request("GET", f"users/{user}"))[1]["servers"]:
        await asyncio.sleep(0.2)

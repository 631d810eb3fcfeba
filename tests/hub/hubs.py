"""A real hub with a real proxy on the clusters, and its API as a user's browser uses it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import jupyterhub
import pytest

from tests.cluster.fixtures import Clusters, Namespace
from tests.demo.hub import Hub, hub

HUB_6 = jupyterhub.version_info >= (6,)
"""Before, the hub logs the stack of every refusal, and takes options as a request's whole body."""
REFUSALS_HAVE_A_STATUS = jupyterhub.version_info >= (5, 4)
"""Before, a refused form has status 200."""
Start = Callable[..., AbstractAsyncContextManager[Hub]]


@pytest.fixture
def start_hub(clusters: Clusters, namespace: Namespace, tmp_path: Path) -> Start:
    @asynccontextmanager
    async def started(extra: str = "") -> AsyncIterator[Hub]:
        async with hub(
            clusters,
            namespace.kubeconfig,
            tmp_path,
            namespace=namespace.name,
            base_url=f"/{namespace.name}/",
            extra=extra,
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
    return [json.loads(line[5:]) async for line in progress(hub, user) if line[:5] == b"data:"]


async def progress(hub: Hub, user: str) -> AsyncGenerator[bytes, None]:
    """The lines of the hub's answer as they come."""
    headers = {"Authorization": f"token {hub.token}"}
    url = f"{hub.url}hub/api/users/{user}/server/progress"
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        async for line in response.content:
            yield line


async def stop_server(hub: Hub, user: str) -> None:
    await hub.request("DELETE", f"users/{user}/server")
    await expect_stopped(hub, user)


async def expect_stopped(hub: Hub, user: str) -> None:
    async with asyncio.timeout(60):
        while (await hub.request("GET", f"users/{user}"))[1]["servers"]:
            await asyncio.sleep(0.2)


async def seconds_from_ready_to_end(hub: Hub, user: str) -> float:
    """Follow the progress as a second viewer, by the API, whom the page does not disturb.

    Return how long it lasted after the server had answered.
    """
    answered = 0.0
    async with aclosing(progress(hub, user)) as lines:
        async for line in lines:
            if b"The server answers" in line:
                answered = time.monotonic()
            elif b'"ready": true' in line:
                return time.monotonic() - answered
    raise AssertionError("the start failed")
